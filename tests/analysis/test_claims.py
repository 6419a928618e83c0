"""The claims ledger: every rule can come out either way, and nothing crashes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lossnets.analysis.between.benchmarks import benchmark_correlations
from lossnets.analysis.claims import COLUMNS, claims, claims_summary
from lossnets.analysis.claims.catalog import CLAIMS, conditions
from lossnets.analysis.claims.evidence import Evidence
from lossnets.analysis.claims.ledger import AS_GIVEN, LINEAGES, Ledger
from lossnets.analysis.claims.measures.benchmarks import pair_correlations
from lossnets.analysis.claims.measures.layers import holm_rejects
from lossnets.analysis.claims.rules import FORMS, NOT_TESTABLE, VERDICTS, Bound
from lossnets.analysis.frames.frames import LAYERS, Frames
from lossnets.analysis.studies import STUDIES

PLAIN = ["vgg11", "vgg16", "vgg19"]
ORDER = [
    *PLAIN,
    "squeezenet1_1",
    "alexnet",
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "efficientnet_b0",
    "efficientnet_b7",
    "vgg16_bn",
    "googlenet",
    "inception_v3",
    "densenet121",
]
NEVER_TESTABLE = {"loss_network_costs_training", "batch_norm_learning_rates", "fewer_epochs"}
ONE_WAY = {  # facts about what is shipped, and what 14 architectures are too few for
    "loss_networks_56",
    "table_one_accuracy",
    "squeezenet_like_alexnet",
    "layers_deepen",
    "layers_match_in_templates",
    "table_three_from_scores",
    "table_four_from_scores",
    "too_few_architectures",
    "quality_is_success_index",
    "batch_norm_beyond_vggs_open",
    "depth_differs_between_sets",
    "others_do_not_predict",
    "accuracy_no_strong_correlation",
    "accuracy_no_positive_linear",
    "accuracy_no_positive_benchmark",
    "accuracy_no_inverted_u",
    "depth_no_correlation",
    "depth_no_effect",
    "parameters_no_effect",
    "operations_no_strong_correlation",
    "attributes_no_strong_correlation",
    "properties_no_strong_difference",
    "layer_attributes_no_strong_correlation",
    "no_simple_correlation",
    "bapps_super_resolution",
}


def _names(frames: Frames) -> list[str]:
    return sorted(frames.architectures["architecture"])


def _scores(frames: Frames) -> list[str]:
    return list(frames.score_catalog["score"])


def _with_cells(frames: Frames, cells: np.ndarray, **attributes: np.ndarray) -> Frames:
    """Frames with these cells (architectures by name, layers, scores by catalog).

    Attributes given by name replace those of the architectures; correlations are only for these.
    """
    index = pd.MultiIndex.from_product(
        [_names(frames), LAYERS, _scores(frames)], names=["architecture", "layer", "score"]
    )
    values = pd.Series(cells.ravel(), index=index, name="value").reset_index()
    table = frames.architectures.set_index("architecture")
    table = table.assign(**{k: pd.Series(v, index=_names(frames)) for k, v in attributes.items()})
    catalog = frames.attribute_catalog
    return replace(
        frames,
        scores=frames.scores.drop(columns="value").merge(values),
        architectures=table.reset_index(),
        attribute_catalog=catalog[catalog["attribute"].isin([*attributes])],
    )


def _with_bapps_part(frames: Frames, like: str) -> Frames:
    """Frames with a score of BAPPS's super-resolution part that is like another score."""
    rows = frames.scores[frames.scores["score"] == like]
    part = rows.assign(score="bapps_2afc_superres", benchmark="perceptual_similarity")
    return replace(frames, scores=pd.concat([frames.scores, part], ignore_index=True))


def _with_layer_attribute(frames: Frames, name: str, values: np.ndarray) -> Frames:
    """Frames with an attribute of the layers (architectures by name, layers)."""
    index = pd.MultiIndex.from_product([_names(frames), LAYERS], names=["architecture", "layer"])
    column = pd.Series(values.ravel(), index=index, name=name).reset_index()
    catalog = frames.attribute_catalog.query("attribute != @name")
    row = {"attribute": name, "label": name, "level": "loss_network", "kind": "numeric"}
    return replace(
        frames,
        loss_networks=frames.loss_networks.drop(columns=name).merge(column),
        attribute_catalog=pd.concat([catalog, pd.DataFrame([row])], ignore_index=True),
    )


def _quality(frames: Frames, order: list[str]) -> np.ndarray:
    """Quality per architecture (by name) that ranks them in this order."""
    return np.array([-float(order.index(name)) for name in _names(frames)])


def _benchmarks(frames: Frames) -> np.ndarray:
    return frames.score_catalog["benchmark"].to_numpy()


def _world(
    frames: Frames, quality: np.ndarray, profile: list[float] | np.ndarray, **attributes: np.ndarray
) -> Frames:
    """Cells = quality of the architecture + profile of the layers, by score where given so."""
    n = len(_scores(frames))
    quality = np.broadcast_to(np.asarray(quality).T, (n, 14)).T
    profile = np.broadcast_to(np.asarray(profile, dtype=float).T, (n, 4)).T
    return _with_cells(frames, quality[:, None] + profile[None], **attributes)


def _worlds(frames: Frames) -> dict[str, Frames]:
    """Made-up scores in which a claim is plainly true, or plainly false."""
    rng = np.random.default_rng(5)
    of, scores = _benchmarks(frames), np.array(_scores(frames))
    good = _quality(frames, ORDER)
    noise = rng.normal(size=(14, 4, len(of)))
    layers_by_task = np.zeros((4, len(of)))
    layers_by_task[0, of == "super_resolution"] = 9
    layers_by_task[2, scores == "svhn_accuracy"] = 9
    layers_by_task[3, np.isin(of, ["delineation", "perceptual_similarity"])] = 9
    layers_by_task[3, scores == "stl10_accuracy"] = 9
    by_benchmark = np.stack([rng.permutation(good) for _ in range(4)])[pd.factorize(of)[0]].T
    accuracy = np.linspace(50, 80, 14)[np.argsort(np.argsort(good))]
    hump = -((accuracy - 65.0) ** 2)
    squeeze_late = good.copy()
    names = _names(frames)
    squeeze_late[names.index("squeezenet1_1")] = 5
    vgg_turns = np.stack([good] * len(of), axis=1)
    for i, benchmark in enumerate(dict.fromkeys(of)):
        vgg_turns[names.index(PLAIN[i % 3])][of == benchmark] = 3
    unrelated = np.zeros((14, 4, len(of)))
    unrelated[:, 0] = np.arange(14.0)[:, None]
    unrelated[:, 0, of == "perceptual_similarity"] = np.abs(np.arange(14.0) - 6.5)[:, None]
    unlike = good.copy()
    for template in (PLAIN, ["resnet18", "resnet50", "resnext50_32x4d"]):
        for name, value in zip(template, (20.0, 0.0, -20.0), strict=False):
            unlike[names.index(name)] = value
    attributes = dict.fromkeys(
        ("paper_imagenet_top1", "paper_depth", "paper_mflops", "params"), accuracy
    )
    opposite = {key: -value for key, value in attributes.items()}
    random = {key: rng.permutation(14.0 + np.arange(14)) for key in attributes}
    tasks = _world(frames, good, layers_by_task)
    chance = rng.permutation(np.arange(14.0) % 2)
    return {
        "good VGGs, layers by task": tasks,
        "bad VGGs, last layer always": _world(frames, -good, [0, 3, 6, 99], **opposite),
        "accuracy decides": _world(
            frames, good, [0, 1, 2, 3], batch_norm=(accuracy > 65).astype(float), **attributes
        ),
        "accuracy hurts": _world(frames, good, [0, 1, 2, 3], paper_imagenet_top1=-accuracy),
        "rises and falls": _world(
            frames, hump, [3, 2, 1, 0], paper_imagenet_top1=accuracy, imagenet_top1=accuracy
        ),
        "chance": _with_cells(frames, noise, batch_norm=chance, **random),
        "benchmarks apart": _world(frames, by_benchmark, layers_by_task, **random),
        "SqueezeNet first": _world(frames, squeeze_late, [0, 1, 2, 3]),
        "VGGs in turn": _world(frames, vgg_turns, [0, 0, 0, 0.5]),
        "swap": _world(frames, good / 13, [0, 0, 0, -1]),
        "templates unlike": _world(frames, unlike, [5, 4, 3, 2]),
        "batch norm as the paper has it": _world(
            frames,
            good,
            [0, 0, 0, 0.1],
            batch_norm=np.array([n != "alexnet" and n not in PLAIN for n in names], dtype=float),
            paper_imagenet_top1=accuracy,
            paper_depth=-accuracy,
        ),
        "layers cost alike": _with_layer_attribute(tasks, "macs_to_layer", np.ones((14, 4))),
        "late layers cost much": _with_layer_attribute(
            tasks, "macs_to_layer", np.tile([1.0, 10.0, 100.0, 1000.0], (14, 1))
        ),
        "channels decide": _with_layer_attribute(tasks, "channels", np.tile(good, (4, 1)).T),
        "BAPPS part alike": _with_bapps_part(tasks, "sr_x4_set5_psnr"),
        "BAPPS part apart": _with_bapps_part(_with_cells(frames, unrelated), "bapps_2afc"),
    }


@pytest.fixture(scope="session")
def verdicts(frames: Frames) -> dict[str, set[str]]:
    """All verdicts that each claim gets, as given, over the paper's and the made-up scores."""
    given: dict[str, set[str]] = {claim.id: set() for claim in CLAIMS}
    with pytest.MonkeyPatch.context() as patch:
        for module in ("correlations", "architectures"):
            patch.setattr(f"lossnets.analysis.claims.measures.{module}.PERMUTATIONS", 400)
        for world in [replace(frames), *_worlds(frames).values()]:
            ledger = Ledger(world)
            for claim in CLAIMS:
                given[claim.id].add(str(next(iter(ledger.rows(claim)))["verdict"]))
    return given


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_can_come_out_either_way(claim, verdicts):
    given = verdicts[claim.id]
    if claim.id in NEVER_TESTABLE:
        assert given == {NOT_TESTABLE}
    elif claim.id in ONE_WAY:
        assert given - {NOT_TESTABLE}
    else:
        assert claim.rule.favourable in given
        assert given & {"contradicted", "cannot be told"}


def test_every_claim_has_its_metadata():
    assert len(CLAIMS) >= 35
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        words = (claim.section, claim.topic, claim.statement, claim.unit, claim.why)
        assert all(text.strip() for text in words), claim.id
        assert claim.why.endswith("."), claim.id
        assert claim.evidence in STUDIES, claim.id
        rule = claim.rule
        assert rule.holds, claim.id
        named = {bound.number for bound in (*rule.holds, *rule.partly, *rule.against)}
        assert named <= set(claim.labels), claim.id


def test_the_topics_are_those_of_the_paper():
    assert {claim.topic for claim in CLAIMS} == {
        "setting, metrics and tables",
        "architectures",
        "extraction layers",
        "accuracy and attributes",
        "between benchmarks",
    }


def test_a_rule_in_words_says_what_it_decides_by():
    claim = next(claim for claim in CLAIMS if claim.id == "vgg11_best_on_average")
    assert claim.rule_in_words == (
        "supported: its overall place exactly 1 and of four benchmarks left out in turn, those "
        "without which it is first exactly 4; cannot be told otherwise; only where at most 5% of "
        "shuffled tables say so. An average that one benchmark can turn is only partly a finding."
    )
    assert str(claim.decide({"place": 1, "stays": 4})) == "supported"
    assert str(claim.decide({"place": 1, "stays": 3})) == "cannot be told"
    assert str(claim.decide({"place": np.nan, "stays": 3})) == "not testable"


@pytest.mark.parametrize(
    ("form", "numbers", "verdict"),
    [
        ("reading", {"x": 2}, "as stated"),
        ("reading", {"x": 1}, "partly"),
        ("reading", {"x": 0}, "contradicted"),
        ("beyond_chance", {"x": 2}, "supported"),
        ("beyond_chance", {"x": 0}, "cannot be told"),
        ("every", {"open": 0, "counter": 0}, "supported"),
        ("every", {"open": 2, "counter": 0}, "cannot be told"),
        ("every", {"open": 1, "counter": 1}, "contradicted"),
        ("excluded", {"limit": 0.49, "significant": 0}, "supported"),
        ("excluded", {"limit": 0.51, "significant": 0}, "cannot be told"),
        ("excluded", {"limit": 0.3, "significant": 1}, "contradicted"),
    ],
)
def test_each_form_of_rule_gives_its_verdicts(form, numbers, verdict):
    own = form in ("every", "excluded")
    rule = FORMS[form](() if own else conditions("x == 2"), () if own else conditions("x == 1"), ())
    claim = replace(CLAIMS[0], rule=rule, labels=dict.fromkeys(numbers, "a number"))
    expected = "partly" if (form, numbers) == ("beyond_chance", {"x": 1}) else verdict
    assert str(claim.decide(numbers)) == expected


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (">=", [False, True, True]),
        (">", [False, False, True]),
        ("==", [False, True, False]),
        ("<=", [True, True, False]),
        ("<", [True, False, False]),
    ],
)
def test_a_bound_compares(comparison, expected):
    bound = Bound("x", comparison, 2.0)
    assert bound.holds({"x": np.array([1.0, 2.0, 3.0])}).tolist() == expected


def _given(frames: Frames) -> pd.DataFrame:
    table = claims(frames)
    return table[table["variant"] == AS_GIVEN].set_index("claim")


def test_verdicts_on_the_published_scores(frames: Frames):
    given = _given(frames)
    assert given.loc["plain_vggs_in_top_three", ["number", "verdict"]].tolist() == [4, "supported"]
    assert given.loc["only_alexnet_without_batch_norm", "verdict"] == "contradicted"
    assert "squeezenet1_1" in given.loc["only_alexnet_without_batch_norm", "reason"]
    assert given.loc["squeezenet_super_resolution", ["number", "verdict"]].tolist() == [
        1,
        "as stated",
    ]
    assert given.loc["super_resolution_earliest", "number"] == pytest.approx(11 / 12)
    assert given.loc["super_resolution_earliest", "verdict"] == "partly"
    assert given.loc["stl10_latest", "number"] == pytest.approx(9 / 14)
    assert given.loc["svhn_middle", "number"] == pytest.approx(10 / 14)
    assert set(given["verdict"][["bapps_super_resolution", *NEVER_TESTABLE]]) == {NOT_TESTABLE}
    assert given.loc["table_four_from_scores", "reason"].endswith("squeezenet1_1 mrd")


def test_claims_about_all_scores_look_at_every_view(frames: Frames):
    row = _given(frames).loc["accuracy_no_positive_linear"]
    assert row["verdict"] == "contradicted"
    assert "sr_x8_set14_ssim, semi-early layer, 0.86; family of 114" in row["reason"]


def test_a_cause_is_read_beside_the_partial_correlation(frames: Frames):
    given = _given(frames)
    assert given.loc["depth_no_correlation", "verdict"] == "contradicted"
    assert given.loc["depth_no_effect", "verdict"] == "cannot be told"
    assert "with accuracy held fixed" in given.loc["depth_no_effect", "reason"]


def test_numbers_agree_with_the_studies_they_point_to(frames: Frames):
    given = _given(frames)
    pairs = benchmark_correlations(frames.scores).query("pool == 'without VGG'")
    assert given.loc["benchmarks_do_not_predict", "number"] == pytest.approx(pairs["rho"].mean())
    ranks = STUDIES["average_ranks"].compute(frames).set_index("architecture")
    assert given.loc["alexnet_averages_eighth", "number"] == pytest.approx(
        ranks.loc["alexnet", "overall"]
    )


def test_a_correction_is_shown_beside_the_claim(frames: Frames):
    table = claims(frames)
    accuracy = table[table["claim"] == "accuracy_no_strong_correlation"]
    assert accuracy["variant"].tolist() == [AS_GIVEN, "measured attributes"]
    vggs = table[table["claim"] == "plain_vggs_in_top_three"]
    assert vggs["variant"].tolist() == [AS_GIVEN, "Table III as printed"]
    layers = table[(table["claim"] == "last_layer_no_rule") & (table["variant"] == LINEAGES)]
    assert layers["verdict"].tolist() == ["cannot be told"]


def test_another_printed_table_changes_only_its_variant(frames: Frames):
    printed = frames.paper_tables["03"].copy()
    squeeze = printed["architecture"] == "squeezenet1_1"
    printed.loc[squeeze, "super_resolution"] = "14"
    rows = [
        row
        for claim in CLAIMS
        if claim.id == "squeezenet_super_resolution"
        for row in Ledger(replace(frames, paper_tables=frames.paper_tables | {"03": printed})).rows(
            claim
        )
    ]
    assert [(row["variant"], row["verdict"], row["verdict_changes"]) for row in rows] == [
        (AS_GIVEN, "as stated", False),
        ("Table III as printed", "contradicted", True),
    ]


def test_measured_runs_use_measured_attributes_and_have_no_variants(frames: Frames):
    names = ["operations_no_strong_correlation", "squeezenet_good_for_its_cost"]
    catalog = frames.attribute_catalog.query("attribute in ['paper_mflops', 'macs']")
    ledger = Ledger(replace(frames, source="measured", attribute_catalog=catalog))
    rows = [row for claim in CLAIMS if claim.id in names for row in ledger.rows(claim)]
    assert [row["variant"] for row in rows] == [AS_GIVEN, AS_GIVEN]
    assert "operations with" in str(rows[1]["reason"])
    assert np.isnan([row["severity"] for row in rows]).all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.iloc[:0], "not testable, because there are no scores"),
        (
            lambda s: s[s["architecture"].isin(["vgg11", "alexnet"])],
            "not testable, because cells are missing for vgg16, vgg19",
        ),
        (
            lambda s: s[s["layer"] == "late"],
            "not testable, because there are no scores at the layers early, semi_early, middle",
        ),
        (
            lambda s: s[s["benchmark"] != "delineation"],
            "not testable, because there are no scores of delineation",
        ),
        (
            lambda s: s[s["architecture"].isin([*PLAIN, "alexnet", "resnet18", "resnet50"])],
            "not testable, because 6 architectures have every cell, and it takes 8",
        ),
    ],
    ids=["none", "two architectures", "one layer", "a benchmark short", "six architectures"],
)
def test_what_is_missing_is_said(frames: Frames, change, reason):
    table = claims(replace(frames, scores=change(frames.scores)))
    given = table[table["claim"] == "plain_vggs_in_top_three"]
    assert given["verdict"].tolist() == [NOT_TESTABLE]
    assert given["reason"].tolist() == [reason]
    assert set(table["verdict"]) <= set(VERDICTS)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v * 0 + 0.5,
        lambda v: v.where(v.index % 7 != 0),
        lambda v: v.where(v.index % 7 != 0, 1e300),
        lambda v: v.where(v.index % 7 != 0, np.inf),
    ],
    ids=["ties everywhere", "gaps", "huge", "infinite"],
)
def test_hard_scores_give_verdicts(frames: Frames, change):
    scores = frames.scores.assign(value=change(frames.scores["value"]))
    hard = replace(frames, scores=scores, attribute_catalog=frames.attribute_catalog.iloc[:0])
    table = claims(hard)
    assert list(table) == list(COLUMNS)
    assert set(table["verdict"]) <= set(VERDICTS)
    assert table["claim"].nunique() == len(CLAIMS)


def test_an_unknown_attribute_is_said(frames: Frames):
    table = frames.architectures.drop(columns=["params"])
    table.loc[table["architecture"] == "alexnet", "paper_depth"] = np.nan
    ledger = Ledger(replace(frames, architectures=table))
    reasons = {
        claim.id: str(next(iter(ledger.rows(claim)))["reason"])
        for claim in CLAIMS
        if claim.id in ("parameters_no_effect", "accuracy_goes_with_depth")
    }
    assert reasons == {
        "parameters_no_effect": "not testable, because the attribute params is not there",
        "accuracy_goes_with_depth": "not testable, because the attribute paper_depth is unknown "
        "for alexnet",
    }


def test_claims_do_not_depend_on_the_order_of_rows(frames: Frames):
    shuffled = replace(
        frames,
        scores=frames.scores.sample(frac=1, random_state=3),
        attribute_catalog=frames.attribute_catalog.iloc[:0],
    )
    ordered = replace(frames, attribute_catalog=frames.attribute_catalog.iloc[:0])
    pd.testing.assert_frame_equal(claims(shuffled), claims(ordered))


def test_the_summary_counts_every_claim_once(frames: Frames):
    summary = claims_summary(frames).set_index("topic")
    verdict_columns = [verdict.replace(" ", "_") for verdict in VERDICTS]
    assert summary.loc["all", "claims"] == len(CLAIMS)
    assert (summary[verdict_columns].sum(axis=1) == summary["claims"]).all()
    assert summary.drop(index="all")["claims"].sum() == len(CLAIMS)


def test_rank_correlations_take_draws_and_ties():
    columns = np.array([[1.0, 10.0, 3.0], [2.0, 20.0, 2.0], [3.0, 30.0, 1.0]])
    both = pair_correlations(np.stack([columns, columns * 0]))
    np.testing.assert_allclose(both, [[1, -1, -1], [0, 0, 0]])


def test_holm_rejects_step_by_step():
    p = np.array([[0.02, 0.01, 0.04], [0.02, 0.03, 0.04]])
    assert holm_rejects(p).tolist() == [[True, True, True], [False, False, False]]


def test_evidence_without_a_cell_keeps_the_rest(frames: Frames):
    evidence = Evidence.of(frames).restricted(("autoencoding",))
    left = evidence.without({("vgg11", "middle", "svhn_accuracy")})
    a, s = evidence.index("vgg11")[0], evidence.columns(prefix="svhn")[0]
    assert evidence.best[a, s] == 0.860
    assert left.best[a, s] == 0.832
    assert left.ranks.shape == evidence.ranks.shape
