"""The page with no, 200 and 1,000 further architectures: its size, and what a browser makes of it.

`python -m bench.page [ARCHITECTURES …]`. Each home holds the paper's values and as many networks
more × 4 layers × 19 scores × 3 seeds. Chromium opens the page at 1400 × 900, cold; its tasks are
counted in seconds of its own thread, so that other processes do not count. Everything is drawn
afterwards, for how long that takes at the most in one task.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.store import Warehouse

FURTHER = (0, 200, 1_000)
BOUNDS = {"MB": 4.0, "nodes": 15_000, "first paint, s": 1.0, "longest task, s": 0.2}
GENERATE = """
with layers as (select unnest(['early', 'semi_early', 'middle', 'late']) as layer),
seeds as (select i as seed from range(3) t(i))
select 'network_' || i as architecture, layer, score, seed,
    round(if(unit = 'dB', 25, 0.6)
        + (hash(i, score) % 1000) / 5000 + (hash(i, layer, score, seed) % 1000) / 20000, 4) as value
from range({count}) t(i), layers, score_catalog, seeds
where score_catalog.paper_table is not null
"""


def home(folder: Path, further: int) -> Warehouse:
    """A home with so many architectures beside the paper's."""
    warehouse = Warehouse.open(folder / "data")
    if further:
        path = folder / "scores.csv"
        warehouse.query(GENERATE.format(count=further)).to_csv(path, index=False)
        import_records(warehouse, path, new_architectures=True)
    return warehouse


def tasks(trace: bytes) -> Iterator[float]:
    """Seconds of thread that each task of the page's main thread took."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    for event in events:
        if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in mains:
            yield event.get("tdur", 0) / 1e6


def opened(browser: Any, url: str, *, draw: bool) -> dict[str, float]:
    """What opening a page costs, or opening it and drawing all its charts."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    browser.start_tracing(page=page)
    page.goto(url)
    page.wait_for_selector("html[data-charts=drawn]")
    if draw:
        page.evaluate("lossnets.drawAll()")
    trace = browser.stop_tracing()
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    nodes = page.evaluate("document.getElementsByTagName('*').length")
    page.close()
    return {
        "nodes": nodes,
        "first paint, s": paint / 1000,
        "longest task, s": max(tasks(trace)),
    }


def main(*further: int) -> None:
    """Print the page's figures at each size, with the bounds that the project set itself."""
    from playwright.sync_api import sync_playwright

    from lossnets.reports.build import build_report

    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    print(f"{'':22}" + "".join(f"{name:>18}" for name in BOUNDS))
    print(f"{'bounds':22}" + "".join(f"{bound:18,g}" for bound in BOUNDS.values()))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for count in further or FURTHER:
            at = Path(folder, str(count))
            page = build_report(home(at, count), at / "report")
            for draw in (False, True):
                found = {"MB": page.stat().st_size / 1e6}
                found |= opened(browser, page.as_uri(), draw=draw)
                label = f"{count:,}, all drawn" if draw else f"{count:,} further"
                print(f"{label:22}" + "".join(f"{found[key]:18,.2f}" for key in BOUNDS), flush=True)
        browser.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
