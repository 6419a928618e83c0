"""The warehouse as a notebook has it: SQL with one's own frames, studies, attributes, report."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.face.registering import Registering
from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

HOLDS = """
select
    source,
    count(*) as scores,
    count(distinct (architecture, layer)) as loss_networks,
    count(distinct run_id) as runs
from scores group by source order by source = 'measured', source
"""


class Warehouse(Registering):
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
        >>> "ranks" in set(Warehouse.open(tempfile.mkdtemp()).studies().study)
        True
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

    def study(
        self, name: str, *, source: str | Sequence[str] = "paper", given: Sequence[str] = ()
    ) -> pd.DataFrame:
        """The results of a study on the scores of a source; columns: `study_columns(name)`.

        source: `paper`, `measured` or a registered one; several are studied together: on the
        scores that all of them have, each architecture's from the first that has it.
        given: attributes to hold fixed in `correlation_partial`, in place of ImageNet accuracy
        and depth. Raises `UserError` on a study or an attribute that does not exist.

        >>> import tempfile
        >>> ranks = Warehouse.open(tempfile.mkdtemp()).study("ranks")
        >>> len(ranks), ranks["rank"].min()
        (266, np.float64(1.0))
        """
        from lossnets.analysis.frames.frames import Frames

        study, frames = _study(name), Frames.read(self, source)
        if not given:
            return study.compute(frames)
        if study.given is None:
            raise UserError(f"{name} holds no attribute fixed; correlation_partial does")
        return study.given(frames, given)

    def choose(
        self,
        benchmark: str | None = None,
        *,
        max_macs: float | None = None,
        max_params: float | None = None,
        limits: Mapping[str, float] | None = None,
        source: str | Sequence[str] = "paper",
        most: int = 5,
    ) -> pd.DataFrame:
        """A short list of loss networks for a task, each with its evidence and the line of Python
        that builds it; what to do and how sure that is in its `attrs["advice"]`.

        benchmark: the one that is like the task; None for a new task. max_macs, max_params,
        limits: the greatest cost up to the layer, and value of any numeric attribute; source: as
        of `study`. Raises `UserError` on names that are not there and where nothing keeps to the
        limits.

        >>> import tempfile
        >>> listed = Warehouse.open(tempfile.mkdtemp()).choose("super_resolution", max_macs=1e9)
        >>> listed.python[0]
        'lossnets.PerceptualLoss("squeezenet1_1", "early")'
        """
        from lossnets.analysis.choice.short_list import short_list
        from lossnets.analysis.frames.frames import Frames

        bounds = {"macs_to_layer": max_macs, "params_to_layer": max_params, **(limits or {})}
        given = {name: limit for name, limit in bounds.items() if limit is not None}
        listed, advice = short_list(Frames.read(self, source), benchmark, given, most)
        listed.attrs["advice"] = advice
        return listed

    def save_studies(
        self, progress: Callable[[int, int, str], None] = lambda done, total, study: None
    ) -> list[Path]:
        """Keep every study as a table `study_<name>` that SQL reaches; returns the files."""
        from lossnets.analysis.saving import save

        return save(self, progress)

    def compare_runs(self, first: str, second: str) -> pd.DataFrame:
        """Two runs, or groups of them, score by score, with intervals over shared items.

        first, second: a run id, its beginning, or a tag, whose runs are averaged. Raises
        `UserError` where there is no such run.
        """
        from lossnets.analysis.noise import run_comparison
        from lossnets.warehouse.intake import runs

        sides = [runs.ids(self, [name]) for name in (first, second)]
        return run_comparison.compare_runs(self, *sides)

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
    from lossnets.warehouse.intake import names

    known = names.spelled(name, STUDIES)
    if known not in STUDIES:
        raise UserError(
            f"there is no study {name!r}: {names.meant(name, STUDIES, most=len(STUDIES))}",
            hint="lossnets study --list",
        )
    return STUDIES[known]
