"""What people bring is read in any form, in their words, and never against what is known."""

from __future__ import annotations

import json

import duckdb
import pytest

from lossnets.warehouse.durable import locked
from lossnets.warehouse.errors import BusyError, UserError
from lossnets.warehouse.intake.imports import import_records, import_scores
from lossnets.warehouse.store import Warehouse

VALUES = (
    "select architecture, layer, score, value, seed from scores where source = 'measured' "
    "order by all"
)
TIDY = [
    ("vgg11", "semi_early", "bapps_2afc", 0.61, 1),
    ("vgg11", "semi_early", "sr_x4_set5_psnr", 1029.5, 1),
]
TIDY_TEXT = (
    "architecture,layer,score,value,seed\n"
    "vgg11,semi_early,bapps_2afc,0.61,1\nvgg11,semi_early,sr_x4_set5_psnr,1029.5,1\n"
)
OBJECTS = [
    {"architecture": "vgg11", "layer": "semi_early", "score": score, "value": value, "seed": 1}
    for score, value in (("bapps_2afc", 0.61), ("sr_x4_set5_psnr", 1029.5))
]


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str = "my.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TIDY_TEXT.encode("utf-16"), "my.csv"),
        (TIDY_TEXT.encode("utf-8-sig").replace(b"\n", b"\r\n"), "my.txt"),
        (TIDY_TEXT.replace(",", "\t"), "my.tsv"),
        ("," + TIDY_TEXT.replace("\nvgg", "\n7,vgg"), "my.csv"),
        ("Architecture;Layer;Score;Value;Seed\nVGG-11;Semi-Early;BAPPS 2AFC;0,61;1\n\n"
         "VGG 11;semi early;×4 Set5 PSNR;1.029,5;1\n", "my.csv"),
        ('architecture,layer,score,value,seed\nvgg_11,semi_early,bapps_2afc,0.61,1.0\n'
         'vgg11,"semi_early",x4 Set5 PSNR,"1,029.5",1\n', "my.csv"),
        ("Architecture,Layer,bapps_2afc,×4 Set5 PSNR,svhn_accuracy,Seed\n"
         "vgg11,semi_early,0.61,1029.5,,1\n", "my.csv"),
        (json.dumps(OBJECTS), "my.json"),
        ("\n".join(map(json.dumps, OBJECTS)), "my.jsonl"),
    ],
)  # fmt: skip
def test_a_table_is_read_in_every_form_and_in_peoples_words(warehouse, write, content, name):
    assert import_records(warehouse, write(content, name)) == (2, 0)
    assert warehouse.rows(VALUES)[1] == TIDY


@pytest.mark.parametrize(
    ("rows", "place", "told"),
    [
        ("vgg11,late,bapps_2afc,0.6,dataset,KITTI", "line 2",
         "says that the dataset of bapps_2afc is 'KITTI', it is 'BAPPS'"),
        ("vgg11,late,bapps_2afc,0.6,metric,LPIPS", "line 2",
         "says that the metric of bapps_2afc is 'LPIPS', it is '2AFC'"),
        ("vgg11,late,bapps_2afc,0.6,unit,dB", "line 2",
         "says that the unit of bapps_2afc is 'dB', it is 'fraction'"),
        ("vgg11,late,bapps_2afc,0.6,higher_is_better,no", "line 2",
         "says that the higher_is_better of bapps_2afc is 'no', it is True"),
        ("vgg11,late,bapps_2afc,0.6,benchmark,delineation", "line 2",
         "says that the benchmark of bapps_2afc is 'delineation', it is 'perceptual_similarity'"),
        ("vgg11,late,sr_x4_set5_psnr,29.96,scale,8", "line 2",
         "says that the scale of sr_x4_set5_psnr is '8', it is 4"),
        ("vgg11,late,bapps_2afc,0.6,scale,4", "line 2",
         "says that the scale of bapps_2afc is '4', and it has none"),
        ("vgg11,late,bapps_2afc,0.6,family,ResNet", "line 2",
         "says that the family of vgg11 is 'ResNet', it is 'VGG'"),
        ("vgg11,late,bapps_2afc,0.6,layer_position,1", "line 2",
         "says that the layer_position of late is '1', it is 4"),
        ("mine,late,bapps_2afc,0.6,family,A\nmine,early,bapps_2afc,0.6,B", "line 3",
         "says that the family of mine is 'B', it is 'A'"),
        ("vgg11,late,bapps_2afc,0.6,baseline,l2", "line 2",
         "names the baseline 'l2' and a loss network, it has one of them"),
        (",,bapps_2afc,0.6,baseline,l2\n,,bapps_2afc,0.7,l2", "line 3",
         "repeats bapps_2afc of the baseline l2 from line 2"),
        ("vgg11,early,bapps_2afc,0.99,source,paper", "line 2",
         "says that the paper prints 0.99 for bapps_2afc of vgg11 early, it prints 0.635"),
        ("vgg11,features.0,bapps_2afc,0.99,source,paper", "line 2",
         "says that the paper prints 0.99 for bapps_2afc of vgg11 features.0, and it prints none"),
    ],
)  # fmt: skip
def test_what_contradicts_what_is_known_is_refused(warehouse, write, rows, place, told):
    first, *more = rows.split("\n")
    *cells, column, cell = first.split(",")
    lines = [f"architecture,layer,score,value,{column}", ",".join([*cells, cell]), *more]
    path = write("\n".join(lines))
    with pytest.raises(UserError) as error:
        import_records(warehouse, path, new_architectures=True)
    assert error.value.message == f"{path}, {place} {told}"
    assert not (warehouse.home / "records").exists()


@pytest.mark.parametrize(
    ("column", "cell"),
    [("dataset", "bapps"), ("metric", "2AFC"), ("unit", "Fraction"), ("higher_is_better", "true"),
     ("benchmark", "Perceptual similarity"), ("benchmark", "perceptual-similarity"),
     ("family", "vgg"), ("layer_position", "4"), ("source", "Measured")],
)  # fmt: skip
def test_what_is_repeated_from_the_catalog_is_taken(warehouse, write, column, cell):
    path = write(f"architecture,layer,score,value,{column}\nvgg11,late,bapps_2afc,0.5,{cell}\n")
    assert import_records(warehouse, path) == (1, 0)


def test_a_family_of_ones_own_is_kept_and_may_be_said_later(warehouse, write):
    text = "architecture,layer,score,value\nmy_unet,enc1,bapps_2afc,0.66\n"
    import_records(warehouse, write(text), new_architectures=True)
    family = "select family from architectures where architecture = 'my_unet'"
    assert warehouse.rows(family)[1] == [("Other",)]
    text = "architecture,layer,score,value,family\nmy_unet,enc2,bapps_2afc,0.67,UNet\n"
    import_records(warehouse, write(text), new_architectures=True)
    warehouse.rebuild()
    assert warehouse.rows(family)[1] == [("UNet",)]
    with pytest.raises(UserError, match="family of my_unet is 'Net', it is 'UNet'"):
        import_records(warehouse, write(text.replace("UNet", "Net")), new_architectures=True)


def test_two_exports_pasted_together_are_refused(warehouse, write):
    path = write(
        "architecture,layer,score,value\nvgg11,early,bapps_2afc,0.61\n"
        "architecture,layer,score,value,seed\nvgg11,late,bapps_2afc,0.63,1\n"
    )
    with pytest.raises(UserError) as error:
        import_records(warehouse, path)
    assert error.value.message == (
        f"{path}, line 3 has 5 cells where line 1 names 4 columns: "
        "'architecture', 'layer', 'score', 'value', 'seed'"
    )


@pytest.mark.parametrize("style", ["csv", "json", "jsonl", "parquet"])
def test_what_is_exported_comes_back_baselines_too(warehouse, record, tmp_path, style):
    other = Warehouse.open(tmp_path / "other")
    other.append([record({"late": 0.5}, seed=1), _baseline()])
    frame, path = other.query("from scores"), tmp_path / f"all.{style}"
    match style:
        case "csv":
            frame.to_csv(path, index=False)
        case "parquet":
            duckdb.from_df(frame).write_parquet(str(path))
        case _:
            frame.to_json(path, orient="records", lines=style == "jsonl", date_format="iso")
    assert import_records(warehouse, path) == (2, 1064)
    assert import_records(warehouse, path) == (0, 1066)
    found = "select run_id, layer, baseline, value from scores where source = 'measured' order by 1"
    assert warehouse.rows(found)[1] == other.rows(found)[1]


def _baseline():
    from lossnets.warehouse.sources.records import Measurement, RunRecord

    return RunRecord(
        benchmark="perceptual_similarity",
        config={"baseline": "l2"},
        measurements=(
            Measurement(architecture=None, layer=None, score="bapps_2afc", value=0.6),
        ),
    )  # fmt: skip


def test_of_several_files_all_are_taken_or_none(warehouse, record, write):
    good = write(TIDY_TEXT, "good.csv")
    run = write(record(seed=3).to_json() + "\n", "runs.jsonl")
    bad = write(TIDY_TEXT.replace("0.61", "oops"), "bad.csv")
    for sources in ([good, run, bad], [bad, run, good]):
        with pytest.raises(UserError, match=r"bad\.csv, line 2 has the value 'oops'"):
            import_scores(warehouse, sources)
        assert not (warehouse.home / "records").exists()
    found = import_scores(warehouse, [good, run])
    assert [(one.named, one.new, one.known) for one in found] == [
        (str(good), 2, 0), (str(run), 1, 0),
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"again.csv, line 2 repeats .* from line 2 of .*good.csv"):
        import_scores(warehouse, [good, write(TIDY_TEXT, "again.csv")])


def test_a_busy_warehouse_keeps_what_is_imported_and_says_so(warehouse, write, monkeypatch):
    monkeypatch.setattr("lossnets.warehouse.durable.PATIENCE_S", 0)
    with (
        locked(warehouse.home / ".lock"),
        pytest.raises(BusyError, match="what was imported is kept, and the next command loads it"),
    ):
        import_records(warehouse, write(TIDY_TEXT))
    assert Warehouse.open(warehouse.home).rows(VALUES)[1] == TIDY
