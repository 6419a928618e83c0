"""An attribute that a user adds is in every study of its kind, without code."""

import numpy as np
import pytest
from scipy import stats

from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.studies import STUDIES
from lossnets.warehouse.intake import attributes
from lossnets.warehouse.store import Warehouse

NUMERIC = (
    "correlation",
    "correlation_benchmarks",
    "correlation_summary",
    "correlation_layers",
    "correlation_mixed",
    "correlation_partial",
)


@pytest.fixture(scope="module")
def with_added(tmp_path_factory):
    """Frames with a count and a yes/no property of some networks, and an expression."""
    folder = tmp_path_factory.mktemp("added")
    warehouse = Warehouse.open(folder / "data")
    names = warehouse.query("select architecture from architectures order by 1")["architecture"]
    rows = [f"{name},{len(name) if i else ''},{i % 2}" for i, name in enumerate(names)]
    csv = folder / "mine.csv"
    csv.write_text("\n".join(["architecture,name_length,odd", *rows]) + "\n")
    attributes.add(warehouse, csv)
    attributes.derive(warehouse, "log_macs_to_layer", "ln(macs_to_layer)")
    return Frames.read(warehouse)


def test_added_and_derived_attributes_are_in_every_study(with_added):
    for name in NUMERIC:
        table = STUDIES[name].compute(with_added)
        found = table[table["attribute"] == "name_length"]
        assert len(found) > 0
        assert set(found["n"]) == {13}
    for name in ("correlation", "correlation_summary", "correlation_layers", "correlation_mixed"):
        table = STUDIES[name].compute(with_added)
        assert {"log_macs_to_layer", "odd"} <= set(table["attribute"])
    groups = STUDIES["correlation_groups"].compute(with_added)
    odd = groups[groups["attribute"] == "odd"]
    assert set(odd["n_with"]) == {7}
    assert odd["p"].notna().all()


def test_an_added_attributes_correlation_is_scipys(with_added):
    table = STUDIES["correlation"].compute(with_added)
    found = table[
        (table["attribute"] == "name_length")
        & (table["score"] == "stl10_accuracy")
        & (table["view"] == "best")
    ]
    stl10 = with_added.scores[with_added.scores["score"] == "stl10_accuracy"]
    best = stl10.groupby("architecture")["value"].max().iloc[1:]
    expected = stats.spearmanr([len(name) for name in best.index], best).statistic
    assert found["spearman"].item() == pytest.approx(expected)
    assert np.isfinite(found["spearman_p_westfall_young"].item())
