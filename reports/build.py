"""The report: `build_report(warehouse, folder)` writes `index.html` and `data/*.csv`.

How it is put together
======================
A **section** is a function `f(page) -> dict` and a template `templates/f.html.j2` of the same
name, listed once in `SECTIONS`. The function asks for data and registers tables and figures; the
dict is what its template sees. All functions run, in the order of `SECTIONS`, before the first
template is rendered: a template may refer to exhibits of later sections
(`{{ ref(exhibits["table_03"]) }}`).

    def cost(page: Page) -> dict[str, object]:
        query = page.query("cost")                        # reports/queries/cost.sql
        chart = figures.cost(query.frame)                 # DataFrame -> alt.Chart
        return {"front": page.figure("pareto", chart, query)}

    {{ heading("cost", "What a loss network costs") }}    {# <h2> and table of contents #}
    <p>…</p>
    {% call figure(front, "Score against MACs", "A text alternative of the chart.") %}
      The caption: what to see.
    {% endcall %}

**Data**: `page.query(name, **values)` runs a statement of `reports/queries/` and keeps its text;
`page.frames(source)` gives the analysis' `Frames`; `page.studies(source)` all studies' results.
`page.once(name, make)` shares what several sections need.

**Figure**: `page.figure(anchor, chart, data, filters=…, number=…, study=…)`. `data` is the Query
or, for a study, the DataFrame (then name the study: the page prints the command that gives it).
Make the chart from the *same DataFrame object*: the data block then holds it once, for chart, CSV
and the data table under the chart. Charts use fields with plain names only (letters, digits,
`_`): Vega reads `.`, `[` and `:` as syntax. No width, font or colour outside `theme.py`; charts
without facets get `width="container"`; for facets set `columns` and the page fits their number.
`Filter(field, label, values, marks=theme.marks(values))` puts checkboxes (the legend, in reach
of the keyboard) beside the chart; `single=True` makes it a select. They filter every dataset of
the chart that has the field; the Vega legend shows in downloads and where there is no filter.

**Table**: `page.table(anchor, tables.grid(frame, columns, group=…, cell=…), data)`; `cell(row,
column)` may return a `Cell` with marks: `best`, `top`, `differs`, `missing` … (see page.css).

Exhibits without `number` are counted S1, S2, … Prose and markup live in templates alone.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.reports.page import bundle

if TYPE_CHECKING:
    import jinja2

    from lossnets.reports.page.page import Page
    from lossnets.warehouse.store import Warehouse

HERE = Path(__file__).parent

# The page from top to bottom: module and function.
SECTIONS = (
    ("lossnets.reports.summary.section", "summary"),
    ("lossnets.reports.paper.setting", "procedure"),
    ("lossnets.reports.paper.setting", "loss_networks"),
    ("lossnets.reports.paper.architecture_ranks", "architecture_ranks"),
    ("lossnets.reports.paper.extraction_layers", "extraction_layers"),
    ("lossnets.reports.paper.extraction_layers", "forward_cost"),
    ("lossnets.reports.paper.setting", "imagenet_accuracy"),
    ("lossnets.reports.paper.published_scores", "published_scores"),
    ("lossnets.reports.measured.section", "measured_runs"),
    ("lossnets.reports.ranking.section", "rank_study"),
    ("lossnets.reports.layers.section", "layer_study"),
    ("lossnets.reports.attributes.section", "correlation_study"),
    ("lossnets.reports.between.section", "benchmark_study"),
    ("lossnets.reports.choice.section", "cost_study"),
    ("lossnets.reports.audit.section", "audit_findings"),
    ("lossnets.reports.claims.section", "claims_ledger"),
    ("lossnets.reports.explorer.section", "explorer"),
    ("lossnets.reports.provenance.section", "methods"),
    ("lossnets.reports.provenance.section", "provenance"),
)

STYLES = ("page.css", "explorer.css", "study.css")
SCRIPTS = (
    "data.js",
    "downloads.js",
    "coefficients.js",
    "explorer_scales.js",
    "explorer_points.js",
    "explorer_state.js",
    "explorer_plot.js",
    "explorer_table.js",
    "explorer.js",
    "charts.js",
    "filter.js",
    "contents.js",
)


def build_report(warehouse: Warehouse, folder: Path | str) -> Path:
    """Write the report of a warehouse into `folder` and return the page's path.

    The same inputs give the same bytes. `folder` is made if need be; nothing in it is deleted:
    it may be anybody's, a data folder's parent included.
    """
    with bundle.started() as vega:  # beside everything below
        from lossnets.reports.page.page import Page

        page = Page(warehouse)
        with warehouse.connect():  # one opening of the database for all queries
            contexts = [(name, _section(module, name)(page)) for module, name in SECTIONS]
        environment = _environment(page)
        sections = [
            environment.get_template(f"{name}.html.j2").render(context)
            for name, context in contexts
        ]
        html = _html(environment, page, sections, vega())
    target = Path(folder)
    _write_data(page, target)
    temporary = target / "index.html.part"
    temporary.write_text(html, encoding="utf-8", newline="\n")
    return temporary.replace(target / "index.html")


def _section(module: str, name: str) -> Callable[[Page], dict[str, object]]:
    section: Callable[[Page], dict[str, object]] = getattr(importlib.import_module(module), name)
    return section


def _environment(page: Page) -> jinja2.Environment:
    import jinja2

    from lossnets.reports.page import tables

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(page=page, exhibits=page.exhibits)
    environment.filters["shown"] = tables.shown
    macros = environment.get_template("exhibits.html.j2").make_module()
    for macro in ("heading", "figure", "table", "ref"):
        environment.globals[macro] = getattr(macros, macro)
    return environment


def _html(environment: jinja2.Environment, page: Page, sections: list[str], vega: str) -> str:
    scripts = [vega, *((HERE / "static" / name).read_text("utf-8") for name in SCRIPTS)]
    return environment.get_template("page.html.j2").render(
        headings=page.headings,
        sections=sections,
        style="\n".join((HERE / "static" / name).read_text("utf-8") for name in STYLES),
        block=page.block(),
        scripts=scripts,
        script_hashes=[_content_hash(script) for script in scripts],
    )


def _content_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def _write_data(page: Page, folder: Path) -> None:
    from lossnets.reports.page import data_block

    (folder / "data").mkdir(parents=True, exist_ok=True)
    texts: dict[int, str] = {}  # several exhibits may show one frame
    for name, exhibit in page.exhibits.items():
        path = folder / "data" / f"{name}.csv"
        if id(exhibit.frame) not in texts:
            texts[id(exhibit.frame)] = data_block.to_csv(exhibit.frame)
        path.write_text(texts[id(exhibit.frame)], encoding="utf-8", newline="")
