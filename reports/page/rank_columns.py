"""The columns of `average_ranks` with a label each: the paper's, then what is registered."""

from __future__ import annotations

from lossnets.analysis.frames.frames import BENCHMARKS
from lossnets.reports.page.page import Page

PAPER = {name: str(i) for i, name in enumerate(BENCHMARKS, start=1)} | {"overall": "All"}


def rank_columns(page: Page) -> dict[str, str]:
    """The paper's benchmarks and `overall`; registered benchmarks and all together after them."""
    rows = page.once("benchmarks beyond", lambda: page.query("benchmarks_beyond")).frame
    beyond = {str(name): str(label) for name, label in rows.itertuples(index=False, name=None)}
    return PAPER | beyond | ({"all_benchmarks": "All, registered ones too"} if beyond else {})
