"""Every way a user's CSV can be wrong is one sentence; a right one is read whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import attribute_csv

LAYERS = {"vgg11": ["early", "late"], "resnet18": ["early", "middle"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my.csv"


def test_values_by_architecture_are_read(path: Path) -> None:
    path.write_text("architecture,year,open\nvgg11,2014,true\n\nresnet18,,false\n")
    table = attribute_csv.read(path, LAYERS)
    assert table.level == "architecture"
    assert table.columns == {
        "year": {("vgg11", None): 2014.0},
        "open": {("vgg11", None): 1.0, ("resnet18", None): 0.0},
    }


def test_values_by_layer_are_read(path: Path) -> None:
    path.write_text(
        '\ufefflayer, x ,architecture\r\nlate,-1.5e3,vgg11\r\nearly,"+.5",vgg11\r\n', "utf-8"
    )
    table = attribute_csv.read(path, LAYERS)
    assert table.level == "loss_network"
    assert table.columns == {"x": {("vgg11", "late"): -1500.0, ("vgg11", "early"): 0.5}}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", " is empty: a header and at least one row are needed"),
        ("\n , \n", " is empty: a header and at least one row are needed"),
        ("architecture,year\n", " has a header and no row: at least one row is needed"),
        ("name,year\nvgg11,1\n", " has no column 'architecture', found: name, year"),
        ("architecture;year\nvgg11;1\n", " has no column 'architecture', found: architecture;year"),
        (
            "architecture,layer\nvgg11,late\n",
            " has no attribute column beside architecture and layer",
        ),
        ("architecture,x,x\nvgg11,1,1\n", " has the column 'x' twice"),
        ("architecture,x\nvgg11,1,2\n", " line 2 has 3 cells where line 1 names 2 columns"),
        ("architecture,x\nvgg11,\n", " has no value in the column x"),
        (
            "architecture,x\nvgg12,1\n",
            " line 2: 'vgg12' is no known architecture, did you mean vgg11?",
        ),
        ("architecture,x\n<b>,1\n", " line 2: '<b>' is no known architecture"),
        (
            "architecture,layer,x\nvgg11,middle,1\n",
            " line 2: 'middle' is no layer of vgg11, valid are early, late",
        ),
        (
            "architecture,layer,x\nvgg11,,1\n",
            " line 2: '' is no layer of vgg11, valid are early, late",
        ),
        ("architecture,x\nvgg11,1\n\nvgg11,2\n", " line 4 repeats vgg11 of line 2"),
        (
            "architecture,layer,x\nvgg11,late,1\nvgg11,late,1\n",
            " line 3 repeats vgg11 late of line 2",
        ),
        ('architecture,x\nvgg11,"1\n', " line 2 is not CSV: unexpected end of data"),
        ("architecture,x\nvgg11,1e999\n", " line 2, column x: '1e999' is too large for a number"),
    ],
)
def test_a_wrong_file_is_told_in_one_sentence(path: Path, content: str, fault: str) -> None:
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        attribute_csv.read(path, LAYERS)
    assert caught.value.message == f"{path}{fault}"


@pytest.mark.parametrize(
    "cell", ["high", "NaN", "nan", "inf", "-Infinity", "1_000", "0x10", "69%", "1 000", "١", "--1"]
)
def test_what_is_no_number_is_refused(path: Path, cell: str) -> None:
    path.write_text(f"architecture,x\nvgg11,3\nresnet18,{cell}\n", "utf-8")
    with pytest.raises(UserError) as caught:
        attribute_csv.read(path, LAYERS)
    assert caught.value.message == (
        f"{path} line 3, column x: {cell!r} is no number; leave the cell empty where the value "
        "is not known"
    )


def test_a_file_that_is_not_utf8_is_refused(path: Path) -> None:
    path.write_bytes("architecture,größe\nvgg11,1\n".encode("latin-1"))
    with pytest.raises(UserError) as caught:
        attribute_csv.read(path, LAYERS)
    assert caught.value.message == f"{path} is not UTF-8 (byte 15): save it as UTF-8"


def test_a_file_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(UserError) as caught:
        attribute_csv.read(path, LAYERS)
    assert caught.value.message == f"there is no file {path}"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        attribute_csv.read(tmp_path, LAYERS)
    assert caught.value.message == f"{tmp_path} is a folder where a CSV file is needed"


@given(st.binary(max_size=200))
def test_no_bytes_make_it_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "my.csv"
    path.write_bytes(b"architecture,x\nvgg11," + content)
    try:
        table = attribute_csv.read(path, LAYERS)
    except UserError:
        return
    assert set(table.columns) == {"x"}
