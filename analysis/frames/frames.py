"""What every study reads and what every study is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from lossnets.analysis.frames.item_values import MeasuredRun, measured_runs
from lossnets.analysis.frames.together import Together, together
from lossnets.warehouse.sources import catalog

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

SEED = 20230204  # every resampling of the report starts here, so that it can be repeated

LAYERS = ("early", "semi_early", "middle", "late")
SETTINGS = "configurations, weights, config, data"  # of a run, which no study looks at
COUNTED = """
select {} from score_means
semi join score_catalog on score_catalog.score = score_means.score and counted
where {} order by all
"""
BENCHMARKS = tuple(name for name, one in catalog.read().benchmarks.items() if one.in_paper)


@dataclass(frozen=True, kw_only=True)
class Frames:
    """The warehouse's views of one source, or of several together, as DataFrames.

    scores: rows of `score_means` (a loss network and score: trained_model, value, sd, runs);
    loss_networks, architectures: one row each, one column per attribute;
    score_catalog, attribute_catalog: what is known about scores and attributes;
    paper_tables: Tables I to IV as printed, by number ("01" to "04");
    runs: gives the measured runs (of some ids, all by default) with their values per item;
    every: `score_means` of all sources; whose: where several sources are asked for, architecture →
    the source of its rows.

    Scores are those that count: the paper's 19 and registered ones. Those of subsets, which are
    parts of them, would count twice.
    """

    source: str
    scores: pd.DataFrame
    loss_networks: pd.DataFrame
    architectures: pd.DataFrame
    score_catalog: pd.DataFrame
    attribute_catalog: pd.DataFrame
    paper_tables: dict[str, pd.DataFrame]
    runs: Callable[..., Iterable[MeasuredRun]] = lambda run_ids=None: ()
    every: pd.DataFrame = field(default_factory=pd.DataFrame)
    whose: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, warehouse: Warehouse, source: str | Sequence[str] = "paper") -> Frames:
        """Read the frames of a source, or of several together (see `together`).

        Raises `UserError` on a source that does not exist.
        """
        sources = [source] if isinstance(source, str) else list(dict.fromkeys(source))
        known = catalog.read(warehouse.home)
        for name in sources:
            known.check_source(name)
        ordered = "select * from {} order by all"
        every = warehouse.query(COUNTED.format(f"* exclude ({SETTINGS})", "true"))
        if len(sources) == 1:  # whatever types the columns of another source have
            own = warehouse.query(
                COUNTED.format(f"* exclude (source, {SETTINGS})", "source = $1"), sources
            )
            both = Together(scores=own, whose={})
        else:
            both = together(every, sources)
        return cls(
            source=", ".join(sources),
            scores=both.scores,
            loss_networks=warehouse.query(ordered.format("loss_networks")),
            architectures=warehouse.query(ordered.format("architectures")),
            score_catalog=warehouse.query(
                "from score_catalog where paper_table is not null "
                "or list_contains($1, score) order by all",
                [both.scores["score"].unique().tolist()],
            ),
            attribute_catalog=warehouse.query(ordered.format("attribute_catalog")),
            paper_tables={
                number: warehouse.query(f"select * from paper_table_{number}")
                for number in ("01", "02", "03", "04")
            },
            every=every,
            whose=both.whose,
            **{"runs": partial(measured_runs, warehouse)} if "measured" in sources else {},
        )

    @property
    def all_sources(self) -> list[str]:
        """Those to compare: the ones that were asked for, or all that have scores."""
        named = self.source.split(", ")
        there = [] if self.every.empty else self.every["source"].unique().tolist()
        return named if len(named) > 1 else sorted(there, key=lambda name: (name != "paper", name))

    def with_whose(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A result with a row an architecture, and the source of each where there are several."""
        if not self.whose:
            return frame
        return frame.assign(source=frame["architecture"].map(self.whose))

    def whose_column(self) -> dict[str, str]:
        """What the column means that `with_whose` adds."""
        return {"source": "whose scores the row has"} if self.whose else {}


@dataclass(frozen=True, kw_only=True)
class Study:
    """One named frame of results.

    `columns` gives each column's meaning and unit, in order; `compute` returns exactly those, and
    those of `more`: what the scores at hand add, say a column for a benchmark beyond the paper's.
    of_runs: its rows are single runs, of which there may be thousands.
    given: computes it with attributes held fixed that the user names, where it can.
    """

    name: str
    title: str
    columns: dict[str, str]
    compute: Callable[[Frames], pd.DataFrame]
    of_runs: bool = False
    given: Callable[[Frames, Sequence[str]], pd.DataFrame] | None = None
    more: Callable[[Frames], dict[str, str]] = lambda frames: {}

    def columns_of(self, frames: Frames) -> dict[str, str]:
        """The columns of its result for some frames, with what each means."""
        return self.columns | self.more(frames)
