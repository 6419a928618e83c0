"""The warehouse as a notebook has it: SQL with one's own frames, studies, attributes, report."""

from __future__ import annotations

from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lossnets.warehouse import store
from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from lossnets.warehouse.sources.attribute_files import Attribute

HOLDS = """
select
    source,
    count(*) as scores,
    count(distinct (architecture, layer)) as loss_networks,
    count(distinct run_id) as runs
from scores group by source order by source = 'measured', source
"""


class Warehouse(store.Warehouse):
    """Scores and attributes of a data folder: to query, to add to, to study, to report.

    `lossnets.open()` is the way in. Printed, or as the last line of a notebook's cell, it says
    what it holds.

    >>> import tempfile
    >>> warehouse = Warehouse.open(tempfile.mkdtemp())
    >>> warehouse.sql("from average_ranks order by overall limit 1").architecture[0]
    'vgg11'
    """

    def sql(self, query: str, parameters: object = None, /, **frames: Any) -> pd.DataFrame:
        """The result of SQL over the views and over frames of one's own, as a DataFrame.

        frames: DataFrames (or what else DuckDB reads as a table) by the name that the query
        gives them. The SQL can neither write nor reach files or the network; several statements
        are fine, the last one answers. Raises `UserError` with the database's words where the
        SQL is wrong, on a frame that is none, and on one named as a view.

        >>> import tempfile
        >>> import pandas as pd
        >>> mine = pd.DataFrame({"architecture": ["vgg11", "alexnet"], "votes": [3, 1]})
        >>> Warehouse.open(tempfile.mkdtemp()).sql(
        ...     "select architecture, votes, depth from mine join architectures "
        ...     "using (architecture) order by votes", mine=mine)
          architecture  votes  depth
        0      alexnet      1    8.0
        1        vgg11      3   11.0
        """
        from lossnets.warehouse.answers import frames as answers

        return answers.query(self, query, parameters, frames)

    def studies(self) -> pd.DataFrame:
        """Every study: its name, its title, and what its columns are called.

        >>> import tempfile
        >>> Warehouse.open(tempfile.mkdtemp()).studies().study[0]
        'ranks'
        """
        import pandas as pd

        from lossnets.analysis.studies import STUDIES

        rows = [(study.name, study.title, ", ".join(study.columns)) for study in STUDIES.values()]
        return pd.DataFrame(rows, columns=["study", "title", "columns"])

    def study_columns(self, name: str) -> dict[str, str]:
        """What each column of a study means.

        >>> import tempfile
        >>> Warehouse.open(tempfile.mkdtemp()).study_columns("ranks")["architecture"]
        'torchvision name'
        """
        return dict(_study(name).columns)

    def study(self, name: str, *, source: str = "paper") -> pd.DataFrame:
        """The results of a study on the scores of a source; columns: `study_columns(name)`.

        Raises `UserError` on a study that does not exist.

        >>> import tempfile
        >>> ranks = Warehouse.open(tempfile.mkdtemp()).study("ranks")
        >>> len(ranks), ranks["rank"].min()
        (266, np.float64(1.0))
        """
        from lossnets.analysis.frames.frames import Frames

        return _study(name).compute(Frames.read(self, source))

    def save_studies(
        self, progress: Callable[[int, int, str], None] = lambda done, total, study: None
    ) -> list[Path]:
        """Keep every study as a table `study_<name>` that SQL reaches; returns the files."""
        from lossnets.analysis.saving import save

        return save(self, progress)

    def add_attribute(
        self,
        table: pd.DataFrame | Path | str,
        *,
        unit: str = "",
        label: str | None = None,
        description: str = "",
        replace: bool = False,
    ) -> list[Attribute]:
        """Register every attribute column of a frame or a CSV file; all of them, or none.

        Its columns are architecture, layer where the values differ by layer, and one per
        attribute; an empty cell is a value that is not known. Raises `UserError` with the first
        cell that is wrong, and on a name that is taken (`replace` allows those registered before).

        >>> import tempfile
        >>> import pandas as pd
        >>> warehouse = Warehouse.open(tempfile.mkdtemp())
        >>> years = pd.DataFrame({"architecture": ["vgg11", "alexnet"], "published": [2014, 2012]})
        >>> [one.attribute for one in warehouse.add_attribute(years, unit="year")]
        ['published']
        """
        from lossnets.warehouse.intake import attributes

        about = attributes.Description(unit=unit, label=label, description=description)
        with _as_csv(table) as path:
            return attributes.add(self, path, about, may_replace=replace)

    def derive(
        self,
        name: str,
        expression: str,
        *,
        unit: str = "",
        label: str | None = None,
        description: str = "",
        replace: bool = False,
    ) -> Attribute:
        """Register an attribute that SQL computes from others, for networks added later too.

        Raises `UserError` on a name that is taken and on an expression that is no computation
        of one value from one row.

        >>> import tempfile
        >>> Warehouse.open(tempfile.mkdtemp()).derive("macs_per_parameter", "macs / params").kind
        'numeric'
        """
        from lossnets.warehouse.intake import attributes

        about = attributes.Description(unit=unit, label=label, description=description)
        return attributes.derive(self, name, expression, about, may_replace=replace)

    def remove_attribute(self, name: str) -> None:
        """Forget a registered attribute; UserError where others are derived from it."""
        from lossnets.warehouse.intake import attributes

        attributes.remove(self.home, name)
        self.refresh()

    def import_scores(
        self, table: pd.DataFrame | Path | str, *, new_architectures: bool = False
    ) -> tuple[int, int]:
        """Import scores from a frame or a file, all or none: (how many are new, how many known).

        A tidy table (DataFrame, CSV, Parquet) has the columns architecture, layer, score and
        value, one score a row; JSON lines are records as runs write them. Raises `UserError`
        with the first row that is wrong.

        >>> import tempfile
        >>> import pandas as pd
        >>> mine = pd.DataFrame({"architecture": ["vgg11"], "layer": ["early"],
        ...                      "score": ["bapps_2afc"], "value": [0.63]})
        >>> Warehouse.open(tempfile.mkdtemp()).import_scores(mine)
        (1, 0)
        """
        from lossnets.warehouse.intake.imports import import_records

        return import_records(self, table, new_architectures=new_architectures)

    def report(self, folder: Path | str = "build/report", *, force: bool = False) -> Path:
        """Write the report into a folder, unless what is there is up to date; its page's path.

        force: build it all the same. Nothing else in the folder is touched.
        """
        from lossnets.reports import staleness

        target = Path(folder)
        state = staleness.state(self.home)
        if not force and staleness.is_current(target, state):
            return target / staleness.PAGE
        from lossnets.reports.build import build_report

        self.refresh()
        page = build_report(self, target)
        staleness.stamp(target, state)
        return page

    def has_report(self, folder: Path | str = "build/report") -> bool:
        """Whether the report in a folder is what would be written now."""
        from lossnets.reports import staleness

        return staleness.is_current(Path(folder), staleness.state(self.home))

    def export(
        self,
        folder: Path | str,
        names: Sequence[str] = (),
        formats: Sequence[str] = ("csv",),
    ) -> list[Path]:
        """Write tables and views (all of them without `names`) as files; returns the files.

        formats: `csv`, `parquet`, `markdown`, `latex`.

        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> [path.name for path in Warehouse.open(folder / "home").export(folder, ["ranks"])]
        ['ranks.csv']
        """
        from lossnets.warehouse.answers.export import export

        return [path for path, _ in export(self, Path(folder), names, formats)]

    def __repr__(self) -> str:
        return "\n".join([f"Warehouse({str(self.home)!r})", *self._holds()])

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{escape(line)}</li>" for line in self._holds())
        views = ", ".join(f"<code>{escape(name)}</code>" for name in self.tables())
        return (
            f"<p><strong>Warehouse</strong> <code>{escape(str(self.home))}</code></p>"
            f"<ul>{lines}</ul><p>Views: {views}</p>"
        )

    def _holds(self) -> list[str]:
        """What is there, a line a source, and how many attributes."""
        lines = [
            f"{source}: {scores:,} scores of {networks:,} loss networks in {runs:,} runs"
            for source, scores, networks, runs in self.rows(HOLDS)[1]
        ]
        _, origins = self.rows(
            "select origin, count(*) from attribute_catalog group by origin order by origin"
        )
        return [
            *lines,
            "attributes: " + ", ".join(f"{count} {origin}" for origin, count in origins),
        ]


def _study(name: str) -> Any:
    from lossnets.analysis.studies import STUDIES

    if name not in STUDIES:
        raise UserError(
            f"there is no study {name!r}, studies are: {', '.join(STUDIES)}",
            hint="lossnets study --list",
        )
    return STUDIES[name]


@contextmanager
def _as_csv(table: pd.DataFrame | Path | str) -> Iterator[Path]:
    """The file of a table; of a frame one that is there as long as the block runs."""
    if isinstance(table, Path | str):
        yield Path(table)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "frame.csv")
        table.to_csv(path, index=False)
        yield path
