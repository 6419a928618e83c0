"""A warehouse to add to: attributes, scores from elsewhere, benchmarks and scores of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossnets.warehouse import store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from lossnets.warehouse.sources.attribute_files import Attribute
    from lossnets.warehouse.sources.catalog import Benchmark, Score, Source


class Registering(store.Warehouse):
    """Scores and attributes of a data folder, to add to; `Warehouse` has the rest."""

    def add_attribute(
        self,
        table: pd.DataFrame | Path | str,
        *,
        unit: str | Mapping[str, str] = "",
        label: str | None = None,
        description: str = "",
        replace: bool = False,
        known_only: bool = False,
        numeric_only: bool = False,
    ) -> list[Attribute]:
        """Register every attribute column of a frame or a file; all of them, or none.

        Its columns are architecture, layer where the values differ by layer, and one per
        attribute; an empty cell is a value that is not known. unit: of all, or name → unit;
        known_only and numeric_only leave out unknown networks and columns of text. Raises
        `UserError` with the first cell that is wrong, and on a name that is taken (`replace`
        allows those registered before).

        >>> import tempfile
        >>> import pandas as pd
        >>> warehouse = Registering.open(tempfile.mkdtemp())
        >>> years = pd.DataFrame({"architecture": ["vgg11", "alexnet"], "published": [2014, 2012]})
        >>> [one.attribute for one in warehouse.add_attribute(years, unit="year")]
        ['published']
        """
        from lossnets.warehouse.intake import attributes
        from lossnets.warehouse.intake.attribute_csv import Selection

        about = attributes.Description(unit=unit, label=label, description=description)
        selection = Selection(known_only=known_only, numeric_only=numeric_only)
        return attributes.add(
            self, table, about, may_replace=replace, selection=selection
        ).attributes

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
        >>> Registering.open(tempfile.mkdtemp()).derive("macs_per_parameter", "macs / params").kind
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
        self,
        table: pd.DataFrame | Path | str,
        *,
        source: str | None = None,
        new_architectures: bool = False,
        new_scores: bool = False,
        replace: bool = False,
    ) -> tuple[int, int]:
        """Import scores from a frame or a file, all or none: (how many are new, how many known).

        A tidy table (DataFrame, CSV, Parquet) has the columns architecture, layer, score and
        value, one score a row; JSON lines are records as runs write them. source: the registered
        study that it is from, where it is no measurement of your own. new_scores: register scores
        that are not known from the columns benchmark, unit and others; replace: put these in the
        place of runs that have other values. Raises `UserError` with the first row that is wrong.

        >>> import tempfile
        >>> import pandas as pd
        >>> mine = pd.DataFrame({"architecture": ["vgg11"], "layer": ["early"],
        ...                      "score": ["bapps_2afc"], "value": [0.63]})
        >>> Registering.open(tempfile.mkdtemp()).import_scores(mine)
        (1, 0)
        """
        from lossnets.warehouse.intake.imports import import_records

        return import_records(
            self,
            table,
            new_architectures=new_architectures,
            new_scores=new_scores,
            replace=replace,
            source=source,
        )

    def add_benchmark(
        self, name: str, *, label: str | None = None, description: str = ""
    ) -> Benchmark:
        """Register a benchmark of your own; UserError on a name that is taken.

        >>> import tempfile
        >>> warehouse = Registering.open(tempfile.mkdtemp())
        >>> warehouse.add_benchmark("colours", description="How well colours are kept.").position
        5
        """
        from lossnets.warehouse.intake import registration

        return registration.add_benchmark(self, name, label=label, description=description)

    def add_score(
        self, name: str, *, benchmark: str, unit: str, replace: bool = False, **about: Any
    ) -> Score:
        """Register a score of a benchmark; UserError on a name that is taken.

        about: dataset, metric, scale, minimum, maximum, higher_is_better, decimals, label,
        counted (False for parts of another score, which ranks and studies would count twice).

        >>> import tempfile
        >>> warehouse = Registering.open(tempfile.mkdtemp())
        >>> score = warehouse.add_score("sr_x2_div2k_psnr", benchmark="super_resolution", unit="dB",
        ...                             dataset="DIV2K", metric="PSNR", scale=2, minimum=0)
        >>> score.label
        '×2 DIV2K PSNR'
        """
        from lossnets.warehouse.intake import registration

        score = registration.score(name, benchmark=benchmark, unit=unit, **about)
        return registration.add_score(self, score, may_replace=replace)

    def add_source(self, name: str, *, title: str, url: str = "") -> Source:
        """Register a published study, whose scores stand beside the paper's.

        >>> import tempfile
        >>> warehouse = Registering.open(tempfile.mkdtemp())
        >>> warehouse.add_source("zhang2018", title="Zhang and others, 2018").source
        'zhang2018'
        """
        from lossnets.warehouse.intake import registration

        return registration.add_source(self, name, title=title, url=url)

    def remove_source(self, name: str) -> None:
        """Forget a registered source; UserError where scores of it are there."""
        from lossnets.warehouse.intake import registration

        registration.remove_source(self, name)

    def remove_runs(self, names: Sequence[str], *, why: str = "") -> list[str]:
        """Leave runs out of every view, study and page; returns their ids.

        names: run ids, beginnings of ids, or tags. The log keeps them: `restore_runs` undoes it.
        """
        from lossnets.warehouse.intake import runs

        return runs.remove(self, names, why=why)

    def restore_runs(self, names: Sequence[str], *, why: str = "") -> list[str]:
        """Take removed runs back; returns their ids."""
        from lossnets.warehouse.intake import runs

        return runs.restore(self, names, why=why)

    def tag_runs(self, tag: str, names: Sequence[str], *, away: bool = False) -> list[str]:
        """Put runs into a group, or take them out of it; returns their ids."""
        from lossnets.warehouse.intake import runs

        return runs.tag(self, tag, names, away=away)

    def remove_benchmark(self, name: str) -> None:
        """Forget a registered benchmark; UserError where it has scores."""
        from lossnets.warehouse.intake import registration

        registration.remove_benchmark(self, name)

    def remove_score(self, name: str) -> None:
        """Forget a registered score; UserError where values of it are recorded."""
        from lossnets.warehouse.intake import registration

        registration.remove_score(self, name)
