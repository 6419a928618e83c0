"""Each attribute in one line per view: its strongest score, its mean correlation, and chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lossnets.analysis.attributes.correlation import nothing, swept_placings, swept_views
from lossnets.analysis.attributes.views import ordered_attributes
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.statistics.intervals import SIGNIFICANCE

NONE_COMPUTABLE = "not computable, because no score has a correlation with the attribute"

SUMMARY_COLUMNS = {
    "attribute": "attribute id",
    "level": "architecture or loss_network",
    "view": "best, a layer on its own, mean (over layers), or mean_rank (benchmarks and overall)",
    "n": "most architectures that any of the scores shares with the attribute",
    "family_size": "scores, or benchmarks and overall",
    "benchmark": "benchmark of the strongest correlation",
    "score": "score of the strongest correlation, or mean_rank",
    "spearman": "strongest Spearman correlation; positive: more of the attribute, better score",
    "p": "max-statistic p of the strongest: chance of one as strong among the attribute's scores",
    "p_any_attribute": "chance of one as strong among all attributes' scores in the view",
    "attributes": "attributes in the view that p_any_attribute is taken over",
    "same_as": "attribute that says the same and is counted in its stead",
    "found": "scores with a step-down max-statistic p of at most 5 %",
    "below_5_percent": "scores with an unadjusted p of at most 5 %: exploratory",
    "expected_below_5_percent": "how many of these chance alone gives on average",
    "mean_spearman": "mean correlation over the scores",
    "mean_spearman_p": "two-sided permutation p of this mean",
    "minimum_detectable": "least |Spearman| found with 80 % power at 5 %, for n",
    "minimum_detectable_in_family": "the same where 5 % is shared out over the family",
    "note": "what is missing, and why",
}


def summary_table(swept: pd.DataFrame) -> pd.DataFrame:
    """Sum up a `sweep`, one row for each attribute in each view: SUMMARY_COLUMNS."""
    families = swept.groupby(["attribute", "view"], sort=False)
    return pd.DataFrame([_summary(rows) for _, rows in families], columns=list(SUMMARY_COLUMNS))


def _summary(rows: pd.DataFrame) -> dict[str, object]:
    """One attribute in one view: `rows` are its scores."""
    known = rows["spearman"].notna().to_numpy()
    first = rows.iloc[0]
    shared = ["attribute", "level", "view", "family_size", "p_any_attribute", "attributes"]
    shared.append("same_as")
    summary = {name: first[name] for name in shared} | {"n": rows["n"].max()}
    notes = rows["note"].unique()
    common = notes[0] if len(notes) == 1 else ""
    if not known.any():
        return summary | {"note": common or NONE_COMPUTABLE}
    strongest = rows.iloc[int(np.nanargmax(rows["spearman"].abs()))]
    taken = ("benchmark", "score", "spearman", "minimum_detectable", "minimum_detectable_in_family")
    found = (rows["spearman_p_westfall_young"] <= SIGNIFICANCE).sum()
    return summary | {
        **{name: strongest[name] for name in taken},
        "p": strongest["spearman_p_westfall_young"],
        "found": found,
        "below_5_percent": (rows["spearman_p"] <= SIGNIFICANCE).sum(),
        "expected_below_5_percent": SIGNIFICANCE * known.sum(),
        "mean_spearman": rows["spearman"].mean(),
        "mean_spearman_p": first["family_mean_p"],
        "note": common if known.all() else f"{(~known).sum()} scores without a correlation",
    }


def _correlation_summary(frames: Frames) -> pd.DataFrame:
    swept = (swept_placings(frames), swept_views(frames))
    parts = [summary_table(table) for table in swept if table["n"].notna().any()]
    if not parts:
        return nothing(SUMMARY_COLUMNS, ordered_attributes(frames))
    return pd.concat(parts, ignore_index=True)


STUDIES = (
    Study(
        name="correlation_summary",
        title="Each attribute summed up",
        columns=SUMMARY_COLUMNS,
        compute=_correlation_summary,
    ),
)
