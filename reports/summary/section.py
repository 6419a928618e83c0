"""The page-one summary: what the studies' numbers say, for a reader who may stop after it.

Only numbers and verdicts are chosen here; the template words them, and says the contrary where
the numbers do.
"""

from __future__ import annotations

from typing import Any

from lossnets.reports.between.section import agreement_of, independent_scores, prediction_counts
from lossnets.reports.choice.section import beyond_chance
from lossnets.reports.claims.section import GIVEN, turned_claims
from lossnets.reports.layers.section import modal_counts, swap_counts, variance_counts
from lossnets.reports.page.page import Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    labels,
    listed,
    number,
    of_paper,
    p_text,
    paper_study,
    words,
)
from lossnets.reports.page.tables import records
from lossnets.reports.ranking.section import BLOCKS, separated_pairs, tie_breaking_verdict

ALPHA = 0.05
ACCURACY = "imagenet_top1"
OVERALL = "overall"
CHOICE = "benchmarks, then scores"  # the widest of the rank intervals' methods
TABLES = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI")
BEST_ARCHITECTURE = "best_architecture"


def summary(page: Page) -> dict[str, object]:
    """Findings in plain words, each with the numbers that choose its wording."""
    scores = of_paper(page.frames().scores.assign(source="paper"))
    return {
        "counts": {
            "architectures": scores["architecture"].nunique(),
            "networks": len(scores[["architecture", "layer"]].drop_duplicates()),
            "scores": scores["score"].nunique(),
            "values": len(scores),
            "most_runs": int(scores["runs"].max()) if len(scores) else 0,
        },
        "ranking": ranking(page),
        "layers": {
            "variance": variance_counts(paper_study(page, "layer_variance")).get("values"),
            "modal": modal_counts(paper_study(page, "layer_modes")),
            "swap": swap_counts(paper_study(page, "layer_swap")),
        },
        "accuracy": accuracy(page),
        "attributes": found_overall(page),
        "benchmarks": {
            "agreed": agreement_of(paper_study(page, "benchmark_agreement")),
            "predicted": _prediction(page),
            "independent": independent_scores(paper_study(page, "score_dimensions")),
        },
        "cost": _cost(page),
        "audit": _audit(page),
        "claims": _claims(page),
        "number": number,
        "p_text": p_text,
        "listed": listed,
        "words": words,
    }


def ranking(page: Page) -> dict[str, Any] | None:
    """The first by overall mean rank, the chance that it is the best, and what would change it."""
    intervals = paper_study(page, "rank_intervals")
    drawn = intervals[(intervals["method"] == CHOICE) & intervals["p_best"].notna()]
    if drawn.empty:
        return None
    ordered = drawn.sort_values(["mean_rank", "name"])
    rivals = drawn[drawn["p_best"] >= ALPHA].sort_values("p_best", ascending=False)
    tolerance = paper_study(page, "noise_tolerance")
    noise = tolerance.loc[tolerance["conclusion"] == BEST_ARCHITECTURE, "fraction_5"]
    return {
        "first": records(ordered)[0],
        "rivals": [name for name in rivals["name"] if name != ordered["name"].iloc[0]],
        "separated": [
            {"blocks": blocks} | found
            for blocks, found in separated_pairs(paper_study(page, "rank_pairs")).items()
            if blocks in BLOCKS
        ],
        "noise": float(noise.iloc[0]) if noise.notna().any() else None,
    }


def accuracy(page: Page) -> dict[str, Any] | None:
    """Whether ImageNet accuracy goes with the mean ranks: overall, and where it does."""
    frame = paper_study(page, "correlation_benchmarks")
    rows = frame[(frame["attribute"] == ACCURACY) & frame["spearman"].notna()]
    overall = records(rows[rows["benchmark"] == OVERALL])
    if not overall:
        return None
    found = rows[(rows["spearman_p_westfall_young"] < ALPHA) & (rows["benchmark"] != OVERALL)]
    return {
        "overall": overall[0],
        "found": [row | {"label": words(row["benchmark"])} for row in records(found)],
    }


def found_overall(page: Page) -> dict[str, Any]:
    """Attributes that go with the overall mean rank, each within its family of benchmarks.

    Of attributes that say the same one counts. Those that were registered here are apart
    (`own`): exploratory, whatever they show.
    """
    catalog = page.frames().attribute_catalog.set_index("attribute")
    ordered = paper_study(page, "correlation_benchmarks")
    ordered = ordered[(ordered["benchmark"] == OVERALL) & ordered["same_as"].isna()]
    binary = paper_study(page, "correlation_groups")
    binary = binary[(binary["score"] == "mean_rank") & (binary["benchmark"] == OVERALL)]
    binary = binary[binary["attribute"].isin(ordered["attribute"])]
    numeric = ordered[~ordered["attribute"].isin(binary["attribute"])]
    with_them = binary[binary["p_westfall_young"] < ALPHA].sort_values("p_westfall_young")
    known = numeric[numeric["spearman_p_westfall_young"] < ALPHA]
    known = known.sort_values("spearman_p_westfall_young")
    own = set(catalog.index[catalog["registered"].astype(bool)])
    shipped = ordered[~ordered["attribute"].isin(own)]
    return {
        "looked_at": len(shipped),
        "numeric": records(known[~known["attribute"].isin(own)]),
        "binary": records(with_them[~with_them["attribute"].isin(own)]),
        "own": {
            "looked_at": len(ordered) - len(shipped),
            "found": [
                row["attribute_label"]
                for row in records(with_them) + records(known)
                if row["attribute"] in own
            ],
        },
        "family": int(shipped["family_size"].max()) if len(shipped) else 0,
        "detectable": numeric["minimum_detectable_in_family"].min(),
    }


def _prediction(page: Page) -> dict[str, Any]:
    frame = paper_study(page, "benchmark_prediction")
    return prediction_counts(frame.assign(label=frame["benchmark"].map(words)))


def _cost(page: Page) -> dict[str, Any]:
    """For each cost, the loss network on the most fronts beyond chance; and whether it is one."""
    names = labels(page).attribute
    rows = [
        rows[0] | {"cost": names.get(cost, cost)}
        for cost, rows in beyond_chance(paper_study(page, "pareto_shares")).items()
    ]
    return {"rows": rows, "one": len({(row["architecture"], row["layer"]) for row in rows}) == 1}


def _audit(page: Page) -> dict[str, Any]:
    found = paper_study(page, "audit")
    found = found[found["kind"] == "contradiction"]
    strength = found["strength"].value_counts()
    certain = found[found["strength"] == "certain"]
    return {
        "counts": {str(name): int(count) for name, count in strength.items()},
        "tables": [name for name in TABLES if name in set(certain["table"])],
        "table_03": tie_breaking_verdict(paper_study(page, "tie_breaking")),
    }


def _claims(page: Page) -> dict[str, Any]:
    claims = paper_study(page, "claims")
    given = claims[claims["variant"] == GIVEN]
    verdicts = given["verdict"].value_counts()
    return {
        "claims": len(given),
        "testable": int((given["verdict"] != "not testable").sum()),
        "borne_out": int(given["verdict"].isin(["supported", "as stated"]).sum()),
        "verdicts": {str(name): int(count) for name, count in verdicts.items()},
        "contradicted": given.loc[given["verdict"] == "contradicted", "statement"].tolist(),
        "turned": len({row["claim"] for row in turned_claims(claims)}),
    }


SECTION = Section(
    name="summary",
    title="The findings in short",
    order=10,
    build=summary,
)
