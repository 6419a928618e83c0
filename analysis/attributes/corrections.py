"""Attributes as printed and as measured, side by side: does a conclusion hang on a correction?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lossnets.analysis.attributes.copies import PRINTED
from lossnets.analysis.attributes.correlation import swept_placings, swept_views
from lossnets.analysis.attributes.views import BEST, Attribute, ordered_attributes
from lossnets.analysis.frames.cube import NO_SCORES, Floats, join_notes, not_computable, result
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.statistics.intervals import SIGNIFICANCE

VERSIONS = ("printed", "measured")
_TAKEN = {
    "spearman": "Spearman's rank correlation; positive: more of the attribute, better",
    "spearman_low": "lower end of its 95 % interval",
    "spearman_high": "upper end of its 95 % interval",
    "spearman_p": "two-sided permutation p",
    "spearman_p_westfall_young": "step-down max-statistic p within the version's family",
    "pearson": "linear correlation",
    "pearson_p": "two-sided p by Student's t",
    "pearson_p_westfall_young": "step-down max-statistic p within the version's family",
}
CORRECTION_COLUMNS = {
    "attribute": "attribute as measured",
    "printed_attribute": "attribute as Table I prints it",
    "view": "best (best layer), or mean_rank (mean rank over a benchmark's scores)",
    "benchmark": "benchmark id, or overall",
    "score": "score id, or mean_rank",
    "ranks_changed": "architectures whose rank by the attribute the measurement changes",
    **{f"{v}_{name}": f"{text}, as {v}" for v in VERSIONS for name, text in _TAKEN.items()},
    "family_size": "coefficients that p values are adjusted over",
    "verdict_changes": "whether Spearman's correlation is found at 5 % (max-statistic p) in one"
    " version and not, or with another sign, in the other",
    "note": "what is missing, and why",
}


def correction_table(swept: pd.DataFrame, attributes: Sequence[Attribute]) -> pd.DataFrame:
    """Set both versions of each attribute of PRINTED side by side: CORRECTION_COLUMNS.

    `swept`: a `sweep` of the attributes. A pair of which only one version is known has its
    rows, with a note.
    """
    known = {a.attribute: a for a in attributes if a.level == "architecture"}
    pairs = [(m, p) for m, p in PRINTED.items() if m in known or p in known]
    if not pairs or swept["n"].isna().all():
        reason = NO_SCORES if pairs else "no attribute is printed in Table I"
        return result(CORRECTION_COLUMNS, [not_computable(reason)])
    rows = [_pair(swept, known, *pair) for pair in pairs]
    return pd.concat(rows, ignore_index=True)[list(CORRECTION_COLUMNS)]


def _pair(
    found: pd.DataFrame, known: dict[str, Attribute], measured: str, printed: str
) -> pd.DataFrame:
    """The rows of one attribute in its two versions."""
    keys = ["view", "benchmark", "score"]
    parts = {}
    for version, name in zip(VERSIONS, (printed, measured), strict=True):
        rows = found[found["attribute"] == name].set_index(keys)
        parts[version] = rows[[*_TAKEN, "family_size", "note"]]
    present = next(part for part in parts.values() if len(part))
    pair = pd.DataFrame(index=present.index)
    for version, part in parts.items():
        for name in _TAKEN:
            pair[f"{version}_{name}"] = part[name].reindex(present.index)
    missing = [f"no attribute {n}" for n in (printed, measured) if n not in known]
    notes = [part["note"].reindex(present.index, fill_value="") for part in parts.values()]
    absent = f"not computable, because there is {missing[0]}" if missing else ""
    pair["note"] = [join_notes(absent, *dict.fromkeys(two)) for two in zip(*notes, strict=True)]
    pair["family_size"] = present["family_size"]
    pair["attribute"], pair["printed_attribute"] = measured, printed
    pair["ranks_changed"] = np.nan
    pair["verdict_changes"] = None
    if not missing:
        pair["ranks_changed"] = _ranks_changed(known[printed].values, known[measured].values)
        pair["verdict_changes"] = _verdict(pair, "printed") != _verdict(pair, "measured")
    return pair.reset_index()


def _verdict(pair: pd.DataFrame, version: str) -> pd.Series:
    """Sign of a correlation that is found at 5 %, 0 where none is."""
    found = pair[f"{version}_spearman_p_westfall_young"] <= SIGNIFICANCE
    return pd.Series(np.sign(pair[f"{version}_spearman"]).where(found, 0.0))


def _ranks_changed(printed: Floats, measured: Floats) -> int:
    both = np.isfinite(printed) & np.isfinite(measured)
    return int((rankdata(printed[both]) != rankdata(measured[both])).sum())


def _correlation_corrections(frames: Frames) -> pd.DataFrame:
    views = swept_views(frames)
    swept = pd.concat([swept_placings(frames), views[views["view"] == BEST]])
    return correction_table(swept, ordered_attributes(frames))


STUDIES = (
    Study(
        name="correlation_corrections",
        title="Attributes as printed and as measured against scores and mean ranks",
        columns=CORRECTION_COLUMNS,
        compute=_correlation_corrections,
    ),
)
