import numpy as np
import pytest

from lossnets.analysis.attributes import correlation, correlation_summary

(SUMMARY,) = correlation_summary.STUDIES


def study(frames):
    table = SUMMARY.compute(frames)
    assert list(table.columns) == list(SUMMARY.columns)
    return table


def test_sums_up_the_rows_of_the_correlation_study(made_frames):
    x = np.arange(12.0)
    cells = np.random.default_rng(0).normal(size=(12, 1, 5)) + 0.3 * x[:, None, None]
    frames = made_frames(cells, {"a": ("numeric", x)})
    rows = correlation.STUDIES[0].compute(frames)
    rows = rows[rows["view"] == "early"]
    found = study(frames).set_index("view").loc["early"]
    strongest = rows.loc[rows["spearman"].abs().idxmax()]
    assert found["score"] == strongest["score"]
    assert found["spearman"] == pytest.approx(strongest["spearman"], abs=1e-6)
    assert found["p"] == pytest.approx(rows["spearman_p_westfall_young"].min())
    assert found["found"] == (rows["spearman_p_westfall_young"] <= 0.05).sum()
    assert found["below_5_percent"] == (rows["spearman_p"] <= 0.05).sum()
    assert found["mean_spearman"] == pytest.approx(rows["spearman"].mean(), abs=1e-6)
    assert found["expected_below_5_percent"] == pytest.approx(0.25)


def test_looking_at_more_attributes_raises_the_chance_of_one_as_strong(made_frames):
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(10, 1, 3))
    attributes = {f"a{i}": ("numeric", rng.normal(size=10)) for i in range(12)}
    table = study(made_frames(cells, attributes))
    best = table[table["view"] == "best"]
    assert (best["p_any_attribute"] >= best["p"]).all()
    assert best["p_any_attribute"].min() > best["p"].min()
    assert set(best["attributes"]) == {12}


def test_hard_attributes_keep_their_rows_and_say_why(made_frames):
    cells = np.random.default_rng(0).normal(size=(5, 1, 2))
    attributes = {
        "constant": ("numeric", [1.0] * 5),
        "one": ("numeric", [1.0] + [np.nan] * 4),
        "infinite": ("numeric", [np.inf, 1, 2, 3, 4]),
    }
    table = study(made_frames(cells, attributes)).set_index("attribute")
    assert set(table.loc["constant", "note"]) == {
        "not computable, because the attribute is the same for all 5 architectures"
    }
    for name in ("constant", "one"):
        assert table.loc[name, "note"].str.startswith("not computable, because").all()
        assert table.loc[name, "spearman"].isna().all()
    assert (table.loc["infinite", "n"] == 4).all()
    assert table.loc["infinite", "note"].str.contains("1 infinite values").any()


def test_no_attributes_are_stated(made_frames):
    (note,) = study(made_frames(np.zeros((3, 1, 1)), {}))["note"]
    assert note == "not computable, because there is no attribute of this kind"
