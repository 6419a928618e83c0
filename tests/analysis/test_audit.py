"""The audit: each rule finds errors planted in synthetic tables, and little in clean ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lossnets.analysis.audit import (
    FINDING_COLUMNS,
    RULES,
    apply_rules,
    audit,
    audit_cells,
    audit_rules,
)
from lossnets.analysis.audit.findings import robust_z
from lossnets.analysis.audit.relations import near_identities, theil_sen
from lossnets.analysis.frames.frames import BENCHMARKS, LAYERS, Frames
from lossnets.analysis.ranking.ranks import average_ranks

SPREAD = {"dB": (25.0, 1.5), "fraction": (0.6, 0.05)}


def _synthetic_scores(frames: Frames, seed: int) -> pd.DataFrame:
    """Scores with the structure of the paper's and no error: effects of architecture and layer."""
    rng = np.random.default_rng(seed)
    catalog = frames.score_catalog.set_index("score")
    names = sorted(frames.architectures["architecture"])
    effects = {
        benchmark: rng.permutation(np.linspace(-1, 1, len(names)))[:, None]
        + rng.permutation(np.linspace(-0.8, 0.8, 4))
        for benchmark in catalog["benchmark"].unique()
    }
    runs: dict[tuple[object, ...], np.ndarray] = {}
    columns = {}
    for score, about in catalog.iterrows():
        run = (about["benchmark"], about["scale"] if pd.notna(about["scale"]) else 0)
        if run not in runs:
            runs[run] = effects[about["benchmark"]] + rng.normal(0, 0.5, (len(names), 4))
        wobble = rng.normal(0, 0.25, (len(names), 4))
        if about["benchmark"] == "delineation":
            correctness = 32 + 4 * runs[run]
            scale, noise = {"correctness": (1, 0), "completeness": (1.5, 0.3)}.get(
                about["metric"], (0.57, 0.2)
            )
            values = scale * correctness + noise * wobble * 4
        else:
            middle, spread = SPREAD[about["unit"]]
            middle += {"Set5": 2 * spread, "BSD100": -2 * spread}.get(about["dataset"], 0)
            values = middle + spread * (runs[run] + wobble)
        columns[score] = np.round(values, int(about["decimals"]))
    index = pd.MultiIndex.from_product([names, LAYERS], names=["architecture", "layer"])
    wide = pd.DataFrame({score: values.ravel() for score, values in columns.items()}, index)
    long = wide.reset_index().melt(["architecture", "layer"], var_name="score")
    about_cells = frames.scores.drop(columns="value")
    return about_cells.merge(long, on=["architecture", "layer", "score"])


def _tables(frames: Frames) -> dict[str, pd.DataFrame]:
    """Tables III and IV as the scores imply them."""
    ranks = average_ranks(frames.scores)[["architecture", *BENCHMARKS, "overall"]]
    best = frames.scores.sort_values("value", kind="stable").groupby(["architecture", "score"])
    letters = best["layer"].last().str[0].str.upper().unstack()
    printed = ranks.round(2).astype(dict.fromkeys(ranks.columns[1:], str))
    return frames.paper_tables | {"03": printed, "04": letters.reset_index()}


@pytest.fixture
def clean(frames: Frames) -> Frames:
    return _clean(frames, 1)


def _clean(frames: Frames, seed: int) -> Frames:
    synthetic = replace(frames, scores=_synthetic_scores(frames, seed))
    attributes = frames.architectures.assign(
        imagenet_top1=frames.architectures["paper_imagenet_top1"],
        depth=frames.architectures["paper_depth"],
        macs=frames.architectures["paper_mflops"] * 1e6,
    )
    return replace(synthetic, paper_tables=_tables(synthetic), architectures=attributes)


def _with_cell(frames: Frames, architecture: str, layer: str, **values: float) -> Frames:
    """The frames with some scores of a loss network replaced."""
    scores = frames.scores.copy()
    here = (scores["architecture"] == architecture) & (scores["layer"] == layer)
    for score, value in values.items():
        assert (here & (scores["score"] == score)).sum() == 1
        scores.loc[here & (scores["score"] == score), "value"] = value
    return replace(frames, scores=scores)


def _value(frames: Frames, architecture: str, layer: str, score: str) -> float:
    found = frames.scores.query(
        "architecture == @architecture and layer == @layer and score == @score"
    )
    return float(found["value"].iloc[0])


def _found(frames: Frames, rule: str) -> pd.DataFrame:
    findings = audit(frames)
    return findings[findings["rule"] == rule].reset_index(drop=True)


def test_clean_tables_give_few_findings(frames: Frames):
    findings = [audit(_clean(frames, seed)) for seed in range(20)]
    strengths = pd.concat(findings)["strength"].value_counts()
    assert strengths.get("certain", 0) == 0
    assert strengths.get("strong", 0) <= 3  # in 20 × 1,064 cells
    assert strengths.get("suggestive", 0) <= 20 * 6


def test_a_printed_accuracy_off_by_one_digit_is_certain(clean: Frames):
    attributes = clean.architectures.copy()
    attributes.loc[attributes["architecture"] == "vgg16", "paper_imagenet_top1"] += 0.001
    found = _found(replace(clean, architectures=attributes), "attributes")
    assert found[["architecture", "column", "strength"]].to_numpy().tolist() == [
        ["vgg16", "paper_imagenet_top1", "certain"]
    ]


def test_operations_count_by_their_columns_usual_ratio(clean: Frames):
    attributes = clean.architectures.assign(macs=clean.architectures["macs"] * 1.3)
    assert _found(replace(clean, architectures=attributes), "attributes").empty
    attributes.loc[attributes["architecture"] == "alexnet", "macs"] *= 1.1
    found = _found(replace(clean, architectures=attributes), "attributes")
    assert found[["architecture", "strength"]].to_numpy().tolist() == [["alexnet", "strong"]]
    assert found["measure"].iloc[0] == pytest.approx(100 * (1 / 1.1 - 1))


@pytest.mark.parametrize("column", [*BENCHMARKS, "overall"])
def test_a_mean_rank_out_of_its_bounds_is_certain(clean: Frames, column: str):
    table = clean.paper_tables["03"].copy()
    row = table["architecture"] == "resnet50"
    table.loc[row, column] = f"{float(table.loc[row, column].iloc[0]) + 2:.2f}"
    changed = replace(clean, paper_tables=clean.paper_tables | {"03": table})
    found = _found(changed, "average_ranks")
    assert found[["architecture", "column"]].to_numpy().tolist() == [["resnet50", column]]
    assert not _found(changed, "rank_sums").empty


def test_a_mean_of_two_ranks_cannot_end_in_a_tenth(clean: Frames):
    table = clean.paper_tables["03"].copy()
    table.loc[table["architecture"] == "resnet50", "autoencoding"] = "8.60"
    changed = replace(clean, paper_tables=clean.paper_tables | {"03": table})
    found = _found(changed, "rank_sums")
    cells = found[found["architecture"] == "resnet50"]
    assert "multiple of 0.25" in " ".join(cells["evidence"])


def test_a_wrong_best_layer_is_certain_and_a_tied_one_is_none(clean: Frames):
    table = clean.paper_tables["04"].copy()
    row = table["architecture"] == "googlenet"
    right = table.loc[row, "svhn_accuracy"].iloc[0]
    wrong = next(letter for letter in "ESML" if letter != right)
    table.loc[row, "svhn_accuracy"] = wrong
    changed = replace(clean, paper_tables=clean.paper_tables | {"04": table})
    assert _found(changed, "best_layers")["expected"].tolist() == [right]
    layer = next(name for name in LAYERS if name[0].upper() == wrong)
    best = max(_value(clean, "googlenet", name, "svhn_accuracy") for name in LAYERS)
    tied = _with_cell(changed, "googlenet", layer, svhn_accuracy=best)
    assert _found(tied, "best_layers").empty


def test_a_column_of_table_four_may_speak_of_several_scores(clean: Frames):
    table = clean.paper_tables["04"].assign(mrd=clean.paper_tables["04"]["mrd_correctness"])
    best = max(LAYERS, key=lambda name: _value(clean, "vgg19", name, "mrd_correctness"))
    other = "early" if best != "early" else "late"
    table.loc[table["architecture"] == "vgg19", "mrd"] = other[0].upper()
    found = _found(replace(clean, paper_tables={**clean.paper_tables, "04": table}), "best_layers")
    mine = found[(found["column"] == "mrd") & (found["architecture"] == "vgg19")]
    assert "mrd_correctness is highest" in " ".join(mine["evidence"])


def test_a_value_outside_its_range_is_certain(clean: Frames):
    found = _found(_with_cell(clean, "vgg11", "late", sr_x4_set5_ssim=1.2), "range")
    assert found[["architecture", "layer", "printed", "strength"]].to_numpy().tolist() == [
        ["vgg11", "late", "1.200", "certain"]
    ]


def test_more_decimals_than_the_table_are_certain(clean: Frames):
    found = _found(_with_cell(clean, "vgg11", "late", sr_x4_set5_psnr=27.123), "more_decimals")
    assert found[["layer", "column", "printed"]].to_numpy().tolist() == [
        ["late", "sr_x4_set5_psnr", "27.123"]
    ]


def test_a_collapsed_run_is_a_strong_outlier(clean: Frames):
    collapsed = _with_cell(clean, "vgg16_bn", "late", sr_x4_set5_psnr=5.0)
    found = _found(collapsed, "outlier")
    assert found[["architecture", "layer", "column", "strength"]].to_numpy().tolist()[0] == [
        "vgg16_bn",
        "late",
        "sr_x4_set5_psnr",
        "strong",
    ]


def test_a_broken_relation_names_the_cell_whose_omission_mends_it(clean: Frames):
    wrong = _value(clean, "densenet121", "middle", "mrd_correctness") + 9
    found = _found(
        _with_cell(clean, "densenet121", "middle", mrd_correctness=wrong), "near_identity"
    )
    first = found.iloc[0]
    assert first[["architecture", "layer", "column", "strength"]].tolist() == [
        "densenet121",
        "middle",
        "mrd_correctness",
        "strong",
    ]
    mine = found[(found["architecture"] == "densenet121") & (found["layer"] == "middle")]
    assert mine["column"].tolist() == ["mrd_correctness"]
    predicted = float(first["expected"].removeprefix("about "))
    assert predicted == pytest.approx(wrong - 9, abs=0.6)


def test_most_cells_replaced_by_another_of_their_column_are_named(clean: Frames):
    rng = np.random.default_rng(6)
    column = clean.scores[clean.scores["score"] == "mrd_correctness"].set_index(
        ["architecture", "layer"]
    )["value"]
    planted = named = 0
    for (architecture, layer), right in column.sample(20, random_state=1).items():
        wrong = float(rng.choice(column))
        if abs(wrong - right) < 2:
            continue
        changed = _with_cell(clean, architecture, layer, mrd_correctness=wrong)
        rows, _ = near_identities(changed)
        cells = [(row["architecture"], row["layer"], row["column"]) for row in rows]
        planted += 1
        named += (architecture, layer, "mrd_correctness") in cells
    assert planted >= 10
    assert named >= 0.9 * planted


def test_a_cell_copied_from_its_row_is_said_to_be(clean: Frames):
    layers = sorted(LAYERS, key=lambda x: _value(clean, "densenet121", x, "mrd_correctness"))
    high = _value(clean, "densenet121", layers[-1], "mrd_correctness")
    copied = _with_cell(clean, "densenet121", layers[0], mrd_correctness=high)
    found = _found(copied, "near_identity")
    assert f"the same value stands in the row's {layers[-1]} cell" in found["evidence"].iloc[0]


def test_a_reversed_order_is_found(clean: Frames):
    low = _value(clean, "alexnet", "early", "sr_x4_bsd100_psnr") - 0.3
    found = _found(_with_cell(clean, "alexnet", "early", sr_x4_set5_psnr=low), "reversal")
    assert {"alexnet"} <= set(found["architecture"])
    assert set(found["column"]) & {"sr_x4_set5_psnr", "sr_x4_bsd100_psnr"}


def test_metrics_that_rank_a_cell_far_apart_are_found(clean: Frames):
    psnr = clean.scores[clean.scores["score"] == "sr_x8_set14_psnr"].set_index(
        ["architecture", "layer"]
    )["value"]
    architecture, layer = psnr.idxmin()
    changed = _with_cell(clean, architecture, layer, sr_x8_set14_psnr=psnr.max())
    found = _found(changed, "rank_disagreement")
    assert (architecture, layer) in set(zip(found["architecture"], found["layer"], strict=True))


def test_a_column_copied_into_its_neighbour_is_a_strong_repeat(clean: Frames):
    scores = [f"sr_x8_{name}_ssim" for name in ("set5", "set14", "bsd100")]
    early = {score: _value(clean, "vgg19", "early", score) for score in scores}
    found = _found(_with_cell(clean, "vgg19", "middle", **early), "repeats")
    mine = found[found["architecture"] == "vgg19"]
    assert sorted(mine["column"]) == sorted(scores)
    assert set(mine["strength"]) == {"strong"}


def test_heaped_last_digits_are_found(clean: Frames):
    scores = clean.scores.copy()
    chosen = scores["score"] == "stl10_accuracy"
    scores.loc[chosen, "value"] = (scores.loc[chosen, "value"] * 200).round() / 200
    found = _found(replace(clean, scores=scores), "terminal_digits")
    assert found["column"].tolist() == ["stl10_accuracy"]


def test_a_cell_that_several_rules_name_comes_first(clean: Frames):
    collapsed = _with_cell(clean, "vgg16_bn", "late", sr_x4_set5_psnr=5.0)
    first = audit_cells(collapsed).iloc[0]
    assert first[["architecture", "layer", "column"]].tolist() == [
        "vgg16_bn",
        "late",
        "sr_x4_set5_psnr",
    ]
    assert {"outlier", "rank_disagreement"} <= set(first["rules"].split(", "))


def test_rules_say_why_they_do_not_apply_to_measured_runs(frames: Frames):
    measured = replace(frames, source="measured")
    notes = audit_rules(measured).set_index("rule")["note"]
    assert notes["average_ranks"] == ("not computable, because measured runs have no printed table")
    assert notes["repeats"] == "not computable, because measured values are not rounded"
    assert notes["outlier"] == ""
    assert set(audit(measured)["table"]) == {"measured"}


@pytest.mark.parametrize(
    "keep",
    [
        lambda s: s.iloc[:0],
        lambda s: s[s["architecture"].isin(["vgg11", "alexnet"])],
        lambda s: s[s["layer"] == "late"],
        lambda s: s.assign(value=0.5),
        lambda s: s.assign(value=s["value"].where(s["architecture"] != "vgg11")),
        lambda s: s.assign(value=s["value"].mask(s["architecture"] == "vgg11", 1e300)),
        lambda s: s.assign(value=s["value"].mask(s["architecture"] == "vgg11", np.inf)),
    ],
    ids=["none", "two architectures", "one layer", "ties everywhere", "gaps", "huge", "infinite"],
)
def test_hard_input_gives_findings_or_notes(frames: Frames, keep):
    findings, rules = apply_rules(replace(frames, scores=keep(frames.scores)))
    assert list(findings) == list(FINDING_COLUMNS)
    assert len(rules) == len(RULES)
    assert findings["strength"].isin(["certain", "strong", "suggestive"]).all()


def test_findings_do_not_depend_on_the_order_of_rows(frames: Frames):
    shuffled = replace(frames, scores=frames.scores.sample(frac=1, random_state=4))
    pd.testing.assert_frame_equal(audit(shuffled), audit(frames))


def test_the_published_tables_hold_these_certain_findings(frames: Frames):
    findings = audit(frames)
    certain = findings[findings["strength"] == "certain"]
    named = certain[["table", "architecture", "column", "printed", "expected"]]
    assert sorted(set(named.itertuples(index=False, name=None))) == [
        ("I", "efficientnet_b7", "paper_imagenet_top1", "78.642", "84.122"),
        ("IV", "squeezenet1_1", "mrd", "L", "S"),
    ]
    assert len(certain) == 2  # a cell that three scores contradict is one contradiction
    assert set(certain["kind"]) == {"contradiction"}


def _pattern(frames: Frames, rule: str) -> list[str]:
    return _found(frames, rule)["column"].tolist()


def test_a_metric_that_two_others_give_is_found(clean: Frames):
    assert _pattern(clean, "determined_metric") == []
    scores = clean.scores.pivot_table(
        index=["architecture", "layer"], columns="score", values="value"
    )
    p, r = scores["mrd_correctness"] / 100, scores["mrd_completeness"] / 100
    index = (100 * p * r / (p + r - p * r)).round(1).rename("value").reset_index()
    rest = clean.scores[clean.scores["score"] != "mrd_quality"]
    rows = clean.scores[clean.scores["score"] == "mrd_quality"].drop(columns="value")
    changed = replace(clean, scores=pd.concat([rest, rows.merge(index)]))
    assert "mrd_quality" in _pattern(changed, "determined_metric")


def _shuffled(frames: Frames, *scores: str, within: str = "") -> Frames:
    """Cells of some scores shuffled together, over all or within the rows of a layer."""
    rng = np.random.default_rng(3)
    wide = frames.scores.pivot_table(
        index=["architecture", "layer"], columns="score", values="value"
    )
    block = wide[list(scores)]
    if within:
        groups = [part.to_numpy()[rng.permutation(len(part))] for _, part in block.groupby(within)]
        order = pd.concat([part for _, part in block.groupby(within)]).index
        block = pd.DataFrame(np.concatenate(groups), order, block.columns)
    else:
        block = pd.DataFrame(rng.permutation(block.to_numpy()), block.index, block.columns)
    long = wide.assign(**block).reset_index().melt(["architecture", "layer"], var_name="score")
    return replace(frames, scores=frames.scores.drop(columns="value").merge(long))


MRD = ("mrd_correctness", "mrd_completeness", "mrd_quality")


def test_a_benchmark_without_any_effect_is_found(clean: Frames):
    assert _pattern(clean, "no_effect") == []
    columns = _pattern(_shuffled(clean, *MRD), "no_effect")
    assert ", ".join(sorted(MRD)) in columns


def test_a_factor_without_any_effect_is_found(clean: Frames):
    changed = _shuffled(clean, "stl10_accuracy", within="architecture")
    found = _found(changed, "no_effect")
    assert ("stl10_accuracy", "an effect of the layer") in set(
        zip(found["column"], found["expected"], strict=True)
    )


def test_scores_of_one_benchmark_that_rank_independently_are_found(clean: Frames):
    assert _pattern(clean, "independent_scores") == []
    changed = _shuffled(clean, "stl10_accuracy")
    assert _pattern(changed, "independent_scores") == ["stl10_accuracy, svhn_accuracy"]


def test_an_order_of_test_sets_that_three_cells_break_is_still_one(clean: Frames):
    changed = clean
    for architecture in ("alexnet", "vgg11", "resnet50"):
        low = _value(clean, architecture, "late", "sr_x8_bsd100_psnr") - 0.4
        changed = _with_cell(changed, architecture, "late", sr_x8_set5_psnr=low)
    cells = _found(changed, "reversal")
    assert {"alexnet", "vgg11", "resnet50"} <= set(cells["architecture"])


def test_networks_that_fail_together_are_one_finding(clean: Frames):
    changed = clean
    group = ["densenet121", "resnet18", "resnet50", "resnext50_32x4d"]
    for architecture in group:
        changed = _with_cell(changed, architecture, "late", svhn_accuracy=-0.3)
    found = _found(changed, "failing_group")
    assert found[["layer", "column", "strength"]].to_numpy().tolist() == [
        ["late", "svhn_accuracy", "strong"]
    ]
    assert f"fail together: {', '.join(group)}" in found["evidence"].iloc[0]
    singles = _found(changed, "outlier")
    assert not set(group) & set(singles["architecture"][singles["column"] == "svhn_accuracy"])


def test_what_all_of_a_failing_group_have_is_said(frames: Frames):
    evidence = _found(frames, "failing_group").set_index("column")["evidence"]
    assert evidence["svhn_accuracy"].endswith("(all with batch_norm, of the others 0)")


def test_the_median_line_ignores_an_outlier_and_a_constant_has_no_z():
    slope, intercept = theil_sen(np.array([0.0, 1, 2, 3]), np.array([1.0, 3, 5, 50]))
    assert (slope, intercept) != (0, 0)
    assert np.isnan(robust_z(np.array([2.0, 2.0, 2.0]))).all()
