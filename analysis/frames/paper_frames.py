"""The frames that claims and audit look at: the paper's own, whatever else a home holds."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from lossnets.analysis.frames.frames import Frames


def paper_alone(frames: Frames) -> Frames:
    """The same frames without attributes, networks and scores that somebody added.

    Of published scores the networks are those of Table I; of measured ones all that were run.
    """
    if frames.scores.empty or "registered" not in frames.attribute_catalog:
        return frames
    catalog = frames.attribute_catalog
    added = set(catalog["attribute"][catalog["registered"].astype(bool)])
    known = set(frames.scores["architecture"])
    kept = catalog[~catalog["attribute"].isin(added)].reset_index(drop=True)
    return replace(
        frames,
        attribute_catalog=kept,
        architectures=_of(frames.architectures, known, added),
        loss_networks=_of(frames.loss_networks, known, added),
    )


def _of(table: pd.DataFrame, architectures: set[str], added: set[str]) -> pd.DataFrame:
    """Rows of some architectures without added columns."""
    rows = table[table["architecture"].isin(architectures)]
    return rows.drop(columns=[name for name in table if name in added]).reset_index(drop=True)
