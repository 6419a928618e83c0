"""Every way a user's CSV can be wrong is one sentence; a right one is read whole."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import attribute_csv

LAYERS = {"vgg11": ["early", "late"], "resnet18": ["early", "middle"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my.csv"


def _values(table: attribute_csv.AttributeColumns) -> dict[str, dict]:
    return {column.name: column.values for column in table.columns}


def test_values_by_architecture_are_read(path: Path) -> None:
    path.write_text("architecture,year,open\nvgg11,2014,true\n\nresnet18,,false\n")
    table = attribute_csv.read(path, LAYERS)
    assert table.level == "architecture"
    assert _values(table) == {
        "year": {("vgg11", None): 2014.0},
        "open": {("vgg11", None): 1.0, ("resnet18", None): 0.0},
    }


def test_values_by_layer_are_read(path: Path) -> None:
    path.write_text(
        '\ufefflayer, x ,architecture\r\nlate,-1.5e3,vgg11\r\nearly,"+.5",vgg11\r\n', "utf-8"
    )
    table = attribute_csv.read(path, LAYERS)
    assert table.level == "loss_network"
    assert _values(table) == {"x": {("vgg11", "late"): -1500.0, ("vgg11", "early"): 0.5}}


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (("Yes", "no"), "binary", (1.0, 0.0)),
        (("TRUE", "False"), "binary", (1.0, 0.0)),
        (("1", "0"), "binary", (1.0, 0.0)),
        (("yes", "0"), "binary", (1.0, 0.0)),
        (("relu", "SiLU"), "categorical", ("relu", "SiLU")),
        (("2017-04-17", "2021-01-01"), "categorical", ("2017-04-17", "2021-01-01")),
        (('"1,234"', '"2,345.5"'), "numeric", (1234.0, 2345.5)),
    ],
)
def test_a_column_is_of_the_kind_of_its_cells(path: Path, cells, kind, values) -> None:
    path.write_text(f"model,x\nvgg11,{cells[0]}\nresnet18,{cells[1]}\n")
    [column] = attribute_csv.read(path, LAYERS).columns
    assert (column.kind, tuple(column.values.values())) == (kind, values)


def test_a_header_may_say_the_unit_and_a_name_for_people(path: Path) -> None:
    path.write_text("Network,Top-1 Acc (%),latency [ms]\nvgg11,69,3\n")
    first, second = attribute_csv.read(path, LAYERS).columns
    assert (first.name, first.label, first.unit) == ("top_1_acc", "Top-1 Acc", "%")
    assert (second.name, second.label, second.unit) == ("latency", None, "ms")


def test_unknown_networks_and_texts_are_left_out_on_request_and_told(path: Path) -> None:
    path.write_text("model,top1,interp\nvgg11,69,bicubic\nbeit,88,bicubic\nvgg12,1,\n")
    wanted = attribute_csv.Selection(known_only=True, numeric_only=True)
    table = attribute_csv.read(path, LAYERS, selection=wanted)
    assert _values(table) == {"top1": {("vgg11", None): 69.0}}
    assert table.left_out == [
        "2 of 3 rows of unknown networks: beit, vgg12",
        "the column interp, which holds text",
    ]


def test_frames_and_parquet_are_read_like_files(tmp_path: Path) -> None:
    frame = pd.DataFrame({"architecture": ["vgg11", "resnet18"], "x": [1.5, None], "y": ["a", "b"]})
    path = tmp_path / "my.parquet"
    duckdb.from_df(frame).write_parquet(str(path))
    for source in (frame, path):
        assert _values(attribute_csv.read(source, LAYERS)) == {
            "x": {("vgg11", None): 1.5},
            "y": {("vgg11", None): "a", ("resnet18", None): "b"},
        }


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", " is empty: a header and at least one row are needed"),
        ("\n , \n", " is empty: a header and at least one row are needed"),
        ("architecture,year\n", " has a header and no row: at least one row is needed"),
        ("name,year\nvgg11,1\n", " has no column 'architecture', found: name, year"),
        (
            "architecture;x\nvgg11;0,5\nresnet18;0.5\n",
            ", line 3, column x: '0.5' has a decimal point and {path}, line 2, column x: '0,5' a "
            "decimal comma: write all numbers of a file in one way",
        ),
        (
            "architecture,x\nvgg11,yes\nresnet18,2\n",
            ", line 3, column x: '2' is neither yes nor no, as 'yes' is",
        ),
        (
            "architecture,layer\nvgg11,late\n",
            " has no attribute column beside architecture and layer",
        ),
        ("architecture,x,x\nvgg11,1,1\n", " has the column 'x' twice"),
        (
            "architecture,x\nvgg11,1,2\n",
            ", line 2 has 3 cells where line 1 names 2 columns: 'vgg11', '1', '2'",
        ),
        ("architecture,x\nvgg11,\n", " has no value in the column x"),
        (
            "architecture,x\nvgg12,1\n",
            ", line 2: 'vgg12' is no known architecture, did you mean vgg11?",
        ),
        ("architecture,x\n<b>,1\n", ", line 2: '<b>' is no known architecture"),
        (
            "architecture,layer,x\nvgg11,middle,1\n",
            ", line 2: 'middle' is no layer of vgg11, valid are early, late",
        ),
        (
            "architecture,layer,x\nvgg11,,1\n",
            ", line 2: '' is no layer of vgg11, valid are early, late",
        ),
        ("architecture,x\nvgg11,1\n\nvgg11,2\n", ", line 4 repeats vgg11 of line 2"),
        (
            "architecture,layer,x\nvgg11,late,1\nvgg11,late,1\n",
            ", line 3 repeats vgg11 late of line 2",
        ),
        ('architecture,x\nvgg11,"1\n', ", line 2 is not CSV: unexpected end of data"),
        ("architecture,x\nvgg11,1e999\n", ", line 2, column x: '1e999' is too large for a number"),
    ],
)
def test_a_wrong_file_is_told_in_one_sentence(path: Path, content: str, fault: str) -> None:
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        attribute_csv.read(path, LAYERS)
    assert caught.value.message == f"{path}{fault}".replace("{path}", str(path))


@pytest.mark.parametrize(
    "cell",
    ["high", "NaN", "nan", "inf", "-Infinity", "1_000", "0x10", "69%", "10 00", "١", "--1"],
)
def test_what_is_no_number_is_refused(path: Path, cell: str) -> None:
    path.write_text(f"architecture,x\nvgg11,3\nresnet18,{cell}\n", "utf-8")
    with pytest.raises(UserError) as caught:
        attribute_csv.read(path, LAYERS)
    assert caught.value.message == (
        f"{path}, line 3, column x: {cell!r} is no number; leave the cell empty where the value "
        "is not known"
    )


def test_a_file_that_is_not_utf8_is_refused(path: Path) -> None:
    path.write_bytes("architecture,größe\nvgg11,1\n".encode("latin-1"))
    with pytest.raises(UserError) as caught:
        attribute_csv.read(path, LAYERS)
    assert caught.value.message == f"{path} is not UTF-8 (near line 1): save it as UTF-8"


def test_a_file_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(UserError) as caught:
        attribute_csv.read(path, LAYERS)
    assert caught.value.message == f"cannot read {path}: No such file or directory"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        attribute_csv.read(tmp_path, LAYERS)
    assert caught.value.message == f"cannot read {tmp_path}: Is a directory"


@given(st.binary(max_size=200))
def test_no_bytes_make_it_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "my.csv"
    path.write_bytes(b"architecture,x\nvgg11," + content)
    try:
        table = attribute_csv.read(path, LAYERS)
    except UserError:
        return
    assert set(_values(table)) == {"x"}
