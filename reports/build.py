"""The report: `build_report(warehouse, folder)` writes `index.html` and `data/*.csv`.

How it is put together
======================
A **section** is a folder with one object: `section.py` with `SECTION = Section(name, title, order,
build)`, and beside it `section.html.j2`, its statements `*.sql`, its charts `figures.py`, and its
scripts and styles if it has any. Nothing else names it: every such folder below `reports/` is part
of the page, in the order of `order`. `build` asks for data and registers tables and figures; the
dict that it returns is what its template sees. All are built before the first template is
rendered: a template may refer to exhibits of later sections (`{{ ref(exhibits["table_03"]) }}`).

    def price(page: Page) -> dict[str, object]:
        query = page.query("price")                       # price.sql, of any section's folder
        chart = figures.price(query.frame)                # DataFrame -> alt.Chart
        return {"front": page.figure("price", chart, query)}

    SECTION = Section(name="price", title="What a loss network costs", order=155, build=price)

    {{ heading("price", section.title) }}    {# <h2> and table of contents #}
    <p>…</p>
    {% call figure(front, "Score against MACs", "A text alternative of the chart.") %}
      The caption: what to see.
    {% endcall %}

**Data**: `page.query(name, **values)` runs a statement of a section’s folder and keeps its text;
`page.frames(source)` gives the analysis' `Frames`; `page.studies(source)` the studies' results.
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

Exhibits without `number` are named by their anchor (`S-rank-intervals`), never by counting. Tables
of more than 30 rows keep the others as text that `grids.js` turns over. What readers choose stands
in the address (`address.js`). Prose and markup live in templates alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.reports.page import bundle
from lossnets.warehouse.durable import clear, replacing

if TYPE_CHECKING:
    import jinja2

    from lossnets.reports.page.page import Page
    from lossnets.warehouse.store import Warehouse

HERE = Path(__file__).parent

PAGE = HERE / "page"
STYLES = ("page.css", "study.css")  # around those of sections
SCRIPTS = (
    "data.js",
    "address.js",
    "approach.js",
    "pasted.js",
    "downloads.js",
)  # before those of sections
LAST_SCRIPTS = ("grids.js", "tooltips.js", "charts.js", "contents.js", "arrive.js")


def build_report(warehouse: Warehouse, folder: Path | str) -> Path:
    """Write the report of a warehouse into `folder` and return the page's path.

    The same inputs give the same bytes; the last report of other inputs in the folder, with which
    it is compared, is one. `folder` is made if need be; nothing in it is deleted: it may be
    anybody's, a data folder's parent included.
    """
    with bundle.started() as vega:  # beside everything below
        from lossnets.reports.changes import history
        from lossnets.reports.changes.section import state
        from lossnets.reports.page.page import Page
        from lossnets.reports.page.section import sections

        target = Path(folder)
        page = Page(warehouse, target)
        environment = _environment(page)
        with warehouse.connect():  # one opening of the database for all queries
            built = [(folder, section, section.build(page)) for folder, section in sections()]
        parts = [
            environment.get_template(
                f"{folder.relative_to(HERE).as_posix()}/section.html.j2"
            ).render({"section": section} | context)
            for folder, section, context in built
        ]
        html = _html(environment, page, parts, vega())
    _write_data(page, target)
    clear(target, ".index.html.")
    with replacing(target / "index.html") as temporary:
        temporary.write_text(html, encoding="utf-8", newline="\n")
    history.keep(target, state(page))
    return target / "index.html"


def _environment(page: Page) -> jinja2.Environment:
    import jinja2
    from markupsafe import Markup

    from lossnets.reports.page import data_block, tables
    from lossnets.reports.page.study_results import in_words
    from lossnets.reports.page.terms import explained

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        page=page, exhibits=page.exhibits, compact=tables.compact, beyond=tables.beyond
    )
    environment.globals["in_words"] = in_words
    environment.filters["shown"] = tables.shown
    environment.filters["explained"] = explained
    environment.filters["inert"] = lambda content: Markup(data_block.to_json(content))
    macros = environment.get_template("page/exhibits.html.j2").make_module()
    for macro in ("heading", "figure", "table", "ref", "more"):
        environment.globals[macro] = getattr(macros, macro)
    return environment


def _html(environment: jinja2.Environment, page: Page, sections: list[str], vega: str) -> str:
    scripts = [vega, *_files(SCRIPTS, "scripts", LAST_SCRIPTS)]
    return environment.get_template("page/page.html.j2").render(
        headings=page.headings,
        sections=sections,
        style="\n".join(_files(STYLES[:1], "styles", STYLES[1:])),
        block=page.block(),
        scripts=scripts,
        script_hashes=[_content_hash(script) for script in scripts],
    )


def _files(first: Sequence[str], of_sections: str, last: Sequence[str]) -> list[str]:
    """The scripts or styles of the page, those of its sections between its own."""
    from lossnets.reports.page.section import sections

    paths = [folder / name for folder, part in sections() for name in getattr(part, of_sections)]
    paths = [*(PAGE / name for name in first), *paths, *(PAGE / name for name in last)]
    return [path.read_text("utf-8") for path in paths]


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
