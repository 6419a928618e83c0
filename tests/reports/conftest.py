"""A report of the published scores, and a browser that looks at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def report(paper_warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report made from what is shipped."""
    from lossnets.reports.build import build_report

    folder = tmp_path_factory.mktemp("report")
    build_report(paper_warehouse, folder)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """Debian's Chromium, or the one that $CHROMIUM names."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "no Chromium: install it or name it in $CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Visit:
    """An opened page, and what it said and asked for on the way."""

    def __init__(self, page, url: str) -> None:
        self.page = page
        self.messages: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda m: self.messages.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: self.messages.append(f"error: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(url)
        page.evaluate("lossnets.drawAll()")  # a reader's page draws what is near the screen


def opened(chromium, folder: Path, *, width: int = 1400, dark: bool = False) -> Visit:
    """A report's page at a width, offline."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        offline=True,
        accept_downloads=True,
    )
    return Visit(context.new_page(), (folder / "index.html").as_uri())


@pytest.fixture
def visit(chromium):
    """Open a report's page to use it: `visit(folder, width=1400, dark=False)`."""
    visits = []

    def open_page(folder: Path, **view: object) -> Visit:
        visits.append(opened(chromium, folder, **view))
        return visits[-1]

    yield open_page
    for visited in visits:
        visited.page.context.close()


@pytest.fixture(scope="session")
def seen(chromium, report):
    """The shared report's page, opened once a view for all tests that leave it as it is."""
    visits: dict[tuple[int, bool], Visit] = {}

    def look(width: int = 1400, dark: bool = False) -> Visit:
        if (width, dark) not in visits:
            visits[width, dark] = opened(chromium, report, width=width, dark=dark)
        return visits[width, dark]

    yield look
    for visited in visits.values():
        visited.page.context.close()
