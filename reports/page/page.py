"""What a section works with: the page, its queries, its tables and figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd

from lossnets.reports.page import data_block, theme
from lossnets.reports.page.folders import folders
from lossnets.reports.page.tables import Grid
from lossnets.warehouse.answers import latex

if TYPE_CHECKING:
    import altair as alt

    from lossnets.analysis.frames.frames import Frames
    from lossnets.warehouse.store import Warehouse


@dataclass(frozen=True, kw_only=True)
class Query:
    """A statement as it was executed, and what it gave."""

    sql: str
    frame: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A control beside a chart: one value of `field` at a time, or a checkbox for each.

    values: the field's values in order; labels: what the reader sees instead, by value;
    marks: colour and shape by value, so that the checkboxes are the chart's legend.
    """

    field: str
    label: str
    values: Sequence[str]
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    marks: Mapping[str, theme.Mark] = dataclasses.field(default_factory=dict)
    single: bool = False


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A table or figure: its number, its data, how it was made.

    id: also the anchor and the name of its CSV; sql: the statement, or study: the study's name;
    chart: the Vega-Lite specification's name in the data block; grid: the table to print.
    """

    kind: str
    id: str
    number: str
    frame: pd.DataFrame
    sql: str | None = None
    study: str | None = None
    grid: Grid | None = None
    chart: bool = False
    filters: tuple[Filter, ...] = ()

    @property
    def name(self) -> str:
        """What a reader calls it: "Table III"."""
        return f"{self.kind} {self.number}"


@dataclass(kw_only=True)
class Heading:
    """An entry of the table of contents."""

    id: str
    title: str
    exhibits: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)


class Page:
    """Collects what the sections make, and renders them.

    exhibits: all tables and figures by id; headings: the table of contents, filled on rendering;
    folder: where it goes, with what the last report there stood on.
    ROWS: a longer table is turned over by the page's script; EMBEDDED: data of more rows that no
    chart draws stand in the file beside the page alone.
    """

    ROWS = 30
    EMBEDDED = 1100

    def __init__(self, warehouse: Warehouse, folder: Path | None = None) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.exhibits: dict[str, Exhibit] = {}
        self.headings: list[Heading] = []
        self.specs: dict[str, dict[str, Any]] = {}
        self.datasets: dict[str, pd.DataFrame] = {}
        self._names: dict[int, str] = {}
        self._cache: dict[str, Any] = {}
        self._sql = jinja2.Environment(
            loader=jinja2.FileSystemLoader([*folders(), Path(__file__).parent]),
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # SQL, not HTML: identifiers go through the filter below
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._sql.filters["identifier"] = lambda name: '"' + str(name).replace('"', '""') + '"'
        self._sql.filters["literal"] = lambda value: "'" + str(value).replace("'", "''") + "'"

    def query(self, name: str, **values: object) -> Query:
        """Run `<name>.sql` of a section's folder or of this one, a Jinja template over `values`."""
        sql = self._sql.get_template(f"{name}.sql").render(values).strip()
        return Query(sql=sql, frame=self.warehouse.query(sql))

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` returns, made once for all sections."""
        if name not in self._cache:
            self._cache[name] = make()
        return self._cache[name]

    def frames(self, source: str = "paper") -> Frames:
        """The analysis frames of one source."""
        from lossnets.analysis.frames.frames import Frames

        return self.once(f"frames {source}", lambda: Frames.read(self.warehouse, source))

    def frames_of(self, sources: tuple[str, ...]) -> Frames:
        """The analysis frames of several sources together."""
        from lossnets.analysis.frames.frames import Frames

        return self.once(f"frames {sources}", lambda: Frames.read(self.warehouse, sources))

    def studies(self, source: str = "paper") -> Mapping[str, pd.DataFrame]:
        """All studies' results of one source, by name, each computed when it is asked for."""
        from lossnets.reports.page.results import Results

        return self.once(f"studies {source}", lambda: Results(self.frames(source)))

    def table(
        self,
        anchor: str,
        grid: Grid,
        data: Query | pd.DataFrame,
        *,
        number: str = "",
        study: str = "",
    ) -> Exhibit:
        """Register a table: `grid` is printed, `data` is its CSV."""
        return self._register("Table", anchor, number, data, study, grid=grid)

    def figure(
        self,
        anchor: str,
        chart: alt.TopLevelMixin | None,
        data: Query | pd.DataFrame,
        *,
        number: str = "",
        study: str = "",
        filters: Sequence[Filter] = (),
    ) -> Exhibit:
        """Register a figure; `chart` is None for one that its template draws.

        A chart made from `data`'s own frame shares it with the CSV in the data block.
        """
        exhibit = self._register(
            "Figure", anchor, number, data, study, chart=chart is not None, filters=tuple(filters)
        )
        if chart is not None:
            self.specs[anchor] = self._specification(chart)
        return exhibit

    def _register(
        self,
        kind: str,
        anchor: str,
        number: str,
        data: Query | pd.DataFrame,
        study: str,
        **parts: Any,
    ) -> Exhibit:
        if anchor in self.exhibits:
            raise ValueError(f"two exhibits are called {anchor}")
        sql, frame = (data.sql, data.frame) if isinstance(data, Query) else (None, data)
        exhibit = Exhibit(
            kind=kind,
            id=anchor,
            number=number or f"S-{anchor.replace('_', '-')}",
            frame=frame,
            sql=sql,
            study=study or None,
            **parts,
        )
        self.exhibits[anchor] = exhibit
        if len(exhibit.frame) <= self.EMBEDDED:
            self._named(exhibit.frame, anchor)
        return exhibit

    def _named(self, frame: pd.DataFrame, suggestion: str) -> str:
        """The name of a frame in the data block: one for each frame, however often used."""
        if id(frame) not in self._names:
            self._names[id(frame)] = suggestion
            self.datasets[suggestion] = frame
        return self._names[id(frame)]

    def _specification(self, chart: alt.TopLevelMixin) -> dict[str, Any]:
        import altair as alt

        def by_name(frame: Any, **_: object) -> dict[str, str]:
            return {"name": self._named(frame, f"frame_{len(self.datasets)}")}

        alt.data_transformers.register("lossnets", by_name)
        with alt.data_transformers.enable("lossnets"):
            specification: dict[str, Any] = chart.to_dict()
        for key in ("config", "$schema"):
            specification.pop(key, None)
        return specification

    def embedded(self, exhibit: Exhibit) -> bool:
        """Whether the page holds an exhibit's frame."""
        return id(exhibit.frame) in self._names

    def dataset(self, exhibit: Exhibit) -> str:
        """The name of an exhibit's frame in the data block, which then has it."""
        return self._named(exhibit.frame, exhibit.id)

    # What templates call while they render

    def heading(self, anchor: str, title: str) -> str:
        """Enter a section into the table of contents."""
        self.headings.append(Heading(id=anchor, title=title))
        return title

    def caption(self, exhibit: Exhibit, title: str) -> str:
        """Enter an exhibit into the table of contents, under the last heading."""
        self.headings[-1].exhibits.append((exhibit.id, exhibit.name, title))
        return title

    def block(self) -> str:
        """The data block: every frame once, every chart's specification, one Vega config."""
        return data_block.to_json(
            {
                "config": theme.config(),
                "datasets": {name: data_block.block(f) for name, f in self.datasets.items()},
                "charts": self.specs,
                "latex": {"signs": latex.SIGNS, "accents": latex.ACCENTS},
            }
        )
