"""Published studies beside the paper: registered, imported, ranked alone and told apart."""

from __future__ import annotations

import pandas as pd
import pytest

from lossnets.warehouse.answers import coverage
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import registration
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.sources.records import Measurement, RunRecord, read_entry, write_entry
from lossnets.warehouse.store import Warehouse

TABLE = pd.DataFrame(
    {
        "architecture": ["vgg11", "alexnet"],
        "layer": ["early", "early"],
        "score": ["bapps_2afc", "bapps_2afc"],
        "value": [0.62, 0.66],
    }
)
OF_ZHANG = "select architecture, rank from ranks where source = 'zhang2018' order by rank"


@pytest.fixture
def zhang(warehouse) -> Warehouse:
    registration.add_source(warehouse, "zhang2018", title="Zhang and others, 2018")
    return warehouse


def refused(act) -> str:
    with pytest.raises(UserError) as error:
        act()
    return error.value.message


def test_a_table_is_imported_as_one_of_a_source_and_ranked_by_itself(zhang):
    assert import_records(zhang, TABLE, source="zhang2018") == (2, 0)
    assert import_records(zhang, TABLE, source="zhang2018") == (0, 2)
    assert zhang.rows(OF_ZHANG)[1] == [("alexnet", 1.0), ("vgg11", 2.0)]
    assert zhang.rows("from scores where source = 'measured'")[1] == []


def test_the_same_values_of_two_sources_are_two_runs(zhang):
    import_records(zhang, TABLE, source="zhang2018")
    assert import_records(zhang, TABLE) == (2, 0)
    assert zhang.rows(
        "select source, count(distinct run_id) from scores where source <> 'paper' group by all "
        "order by all"
    )[1] == [("measured", 2), ("zhang2018", 2)]


def test_a_column_source_says_the_same_as_the_option(zhang):
    import_records(zhang, TABLE.assign(source=["zhang2018", None]))
    assert zhang.rows("select source, architecture from runs where source <> 'paper' order by 1")[
        1
    ] == [("measured", "alexnet"), ("zhang2018", "vgg11")]


@pytest.mark.parametrize(
    ("table", "source", "message"),
    [
        (TABLE, "zhang", "there is no source 'zhang', sources are: paper, measured, zhang2018"),
        (TABLE, "paper", "the paper's scores are shipped, and none is added to them"),
        (TABLE.assign(source="zhang"), None, "the table, row 1 names the source 'zhang', sources "
         "are: paper, measured, zhang2018"),
        (TABLE.assign(source=["zhang2018", "measured"]), "zhang2018", "the table, row 2 names the "
         "source 'measured', where --source says 'zhang2018'"),
    ],
)  # fmt: skip
def test_a_source_that_is_none_or_another_is_refused(zhang, table, source, message):
    assert refused(lambda: import_records(zhang, table, source=source)) == message
    assert zhang.rows("from scores where source <> 'paper'")[1] == []


def test_records_keep_their_source_and_those_without_say_none(zhang):
    item = Measurement(architecture="vgg11", layer="early", score="bapps_2afc", value=0.62)
    own = RunRecord(benchmark="perceptual_similarity", measurements=(item,))
    theirs = RunRecord(benchmark="perceptual_similarity", measurements=(item,), source="zhang2018")
    path = write_entry(zhang.home, [own, theirs])
    assert '"source"' not in own.to_json()
    assert [record.source for record in read_entry(path)] == ["measured", "zhang2018"]
    assert own.run_id != theirs.run_id
    zhang.refresh()
    assert zhang.rows("select source from runs where source <> 'paper' order by 1")[1] == [
        ("measured",), ("zhang2018",)
    ]  # fmt: skip
    assert import_records(zhang, path, source="zhang2018") == (0, 2)


def test_the_papers_ranks_are_the_same_beside_another_source(zhang, paper_warehouse):
    import_records(zhang, TABLE, source="zhang2018")
    for view in ("average_ranks", "ranks", "best_layers", "scores_wide", "score_means"):
        query = f"select * exclude (source) from {view} where source = 'paper' order by all"
        assert zhang.rows(query) == paper_warehouse.rows(query)


def test_status_counts_each_source(zhang):
    import_records(zhang, TABLE, source="zhang2018")
    columns, rows = coverage.counts(zhang)
    assert columns == ["score", "paper", "measured", "zhang2018", "of", "beyond_the_paper"]
    assert rows[0] == ("bapps_2afc", 56, 0, 2, 56, 0)
    assert len(coverage.missing(zhang, "zhang2018")[1]) == 19 * 56 - 2


def test_a_source_with_scores_stays_and_one_without_goes(zhang):
    registration.add_source(zhang, "other", title="Another")
    registration.remove_source(zhang, "other")
    import_records(zhang, TABLE, source="zhang2018")
    assert refused(lambda: registration.remove_source(zhang, "zhang2018")) == (
        "there are 2 runs of zhang2018; what was recorded stays"
    )
    assert refused(lambda: registration.remove_source(zhang, "paper")) == (
        "no source 'paper' has been registered, registered are: zhang2018"
    )
