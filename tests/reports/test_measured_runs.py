"""The section on measured runs: intervals, learning curves, examples, and what is marked."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from lossnets.analysis.frames.frames import Frames
from lossnets.reports import staleness
from lossnets.reports.build import build_report
from lossnets.reports.measured import gallery
from lossnets.reports.measured import section as measured_runs
from lossnets.reports.page.page import Page
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.store import Warehouse

MEASURED = "where source = 'measured'"


@pytest.fixture(scope="session")
def folder(measured_warehouse, tmp_path_factory) -> Path:
    """The report of these runs."""
    folder = tmp_path_factory.mktemp("measured_report")
    build_report(measured_warehouse, folder)
    return folder


@pytest.fixture(scope="session")
def html(folder) -> str:
    """The section, as it is written."""
    return re.search(
        r'<h2 id="measured_runs">.*?</section>', (folder / "index.html").read_text(), re.DOTALL
    )[0]


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "data" / f"{name}.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def printed(html: str, anchor: str) -> list[list[str]]:
    """The texts of a printed table's rows."""
    table = re.search(rf'<figure class="exhibit" id="{anchor}">.*?</table>', html, re.DOTALL)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)
    return [
        [re.sub("<small>(.*?)</small>", r" (\1)", cell).strip() for cell in
         re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]  # fmt: skip


def test_every_score_has_its_interval_and_the_published_score_beside_it(folder, measured_warehouse):
    rows = rows_of(folder, "measured_perceptual_similarity")
    of_runs = "benchmark = 'perceptual_similarity'"
    ((count,),) = measured_warehouse.rows(f"select count(*) from scores {MEASURED} and {of_runs}")[
        1
    ]
    assert len([row for row in rows if row["kind"] == "measured"]) == count == 80
    assert all(float(row["low"]) <= float(row["value"]) <= float(row["high"]) for row in rows)
    published = {(r["row"], r["score"]): r["published"] for r in rows if r["published"]}
    assert published["VGG-11 early", "bapps_2afc"] == "0.635"
    assert {name for name, _ in published} == {
        "VGG-11 early", "VGG-11 late",
        "AlexNet early", "AlexNet semi-early", "AlexNet middle", "AlexNet late",
    }  # fmt: skip
    assert {score for _, score in published} == {"bapps_2afc", "bapps_jnd"}


def test_a_row_of_the_table_has_value_and_interval_of_each_score(html, measured_warehouse):
    (row,) = [row for row in printed(html, "measured_autoencoding") if row[0] == "VGG-11 middle"]
    ((value,),) = measured_warehouse.rows(
        f"select value from scores {MEASURED} and score = 'svhn_accuracy'"
    )[1]
    assert re.fullmatch(rf"{value:.3f} \(0\.\d\d\d–0\.\d\d\d\)", row[1])


def test_runs_of_one_network_are_told_apart(html):
    names = [row[0] for row in printed(html, "measured_super_resolution")]
    assert names == [
        "VGG-11 early, seed 0", "VGG-11 early, seed 1", "ResNet-18 late", "VGG-16 middle (small)",
    ]  # fmt: skip


def test_it_says_how_many_scores_their_items_give_again(html):
    assert "120 of 120 scores were computed again" in html
    assert "Gaps" not in html


def test_presets_are_marked_and_in_none_of_the_papers_tables(html, folder):
    table = re.search(r'id="measured_delineation">.*?</table>', html, re.DOTALL)[0]
    assert "Presets: these show that the benchmark runs, and are no scores" in table
    assert table.count('class="number remarks no-score"') == 3
    assert {row["architecture"] for row in rows_of(folder, "table_05_measured")} == {
        "alexnet", "vgg11",
    }  # fmt: skip
    assert {row["architecture"] for row in rows_of(folder, "table_10_measured")} == {"alexnet"}


def test_scores_of_subsets_are_in_none_of_the_papers_tables_but_in_the_explorer(
    folder, measured_warehouse
):
    page = (folder / "index.html").read_text()
    assert {row["label"] for row in rows_of(folder, "table_05_measured")} == {"2AFC", "JND"}
    assert '<option value="bapps_2afc_color"' in page
    studied = set(Frames.read(measured_warehouse, "measured").scores["score"])
    assert {"bapps_2afc", "bapps_2afc_color"} & studied == {"bapps_2afc"}


def test_a_collapsed_run_is_marked_and_keeps_its_scores(html, folder):
    assert "Collapsed: ResNet-18 late (a constant output from epoch 3 on)." in html
    assert "Collapsed: what a run scored whose training went wrong" in html
    (row,) = [row for row in rows_of(folder, "runs") if row["architecture"] == "resnet18"]
    assert row["collapsed"] == "1"
    curves = [row for row in rows_of(folder, "measured_super_resolution_curves")
              if row["name"] == "ResNet-18"]  # fmt: skip
    assert {row["kind"] for row in curves} == {"collapsed"}
    assert {row["epoch"] for row in curves if row["value"] == ""} == set("345678")


def test_a_gallery_shows_input_and_target_once_and_every_output(html):
    wall = re.search(r'id="measured_super_resolution_gallery">.*?</table>', html, re.DOTALL)[0]
    heads = re.findall(r'<th scope="col">(.*?)</th>', wall)
    assert heads == ["Input", "Target", "VGG-11 early, seed 0", "ResNet-18 late",
                     "VGG-11 early, seed 1", "VGG-16 middle (small)"]  # fmt: skip
    assert wall.count('<img src="data:image/png;base64,') == 3 * len(heads)
    assert 'alt="zebra: output of ResNet-18 late"' in wall
    assert "of every run shown above that kept examples" in html


def test_a_gallery_without_targets_has_no_column_for_them(html):
    wall = re.search(r'id="measured_autoencoding_gallery">.*?</table>', html, re.DOTALL)[0]
    assert re.findall(r'<th scope="col">(.*?)</th>', wall) == ["Input", "VGG-11 middle"]


def test_what_is_shown_is_bounded_and_says_so(measured_warehouse, monkeypatch, tmp_path):
    monkeypatch.setattr(gallery, "RUNS", 1)
    monkeypatch.setattr(gallery, "ITEMS", 2)
    monkeypatch.setattr(measured_runs, "NETWORKS", 3)
    monkeypatch.setattr(measured_runs, "POINTS", 20)
    page = build_report(measured_warehouse, tmp_path / "out").read_text()
    assert "The latest 3 of 4 loss networks that were run are shown here" in page
    assert "1 of the 3 runs shown above that kept examples" in page
    assert page.count('<img src="data:image/png') == 2 * (3 + 3 + 2)
    assert len({r["run_id"] for r in rows_of(tmp_path / "out", "measured_super_resolution")}) == 3
    curves = rows_of(tmp_path / "out", "measured_delineation_curves")
    assert sorted({int(row["epoch"]) for row in curves}) == [1, 3, 5, 7, 8]


def test_what_has_no_items_or_others_is_said(measured_warehouse, tmp_path):
    home = tmp_path / "data"
    shutil.copytree(measured_warehouse.home, home)
    warehouse = Warehouse.open(home)
    _, rows = warehouse.rows("select run_id from runs where benchmark = 'autoencoding' and " + (
        MEASURED.removeprefix("where ")
    ))  # fmt: skip
    ((run_id,),) = rows
    (home / "runs" / run_id / "items.csv.gz").unlink()
    warehouse.refresh()
    context = measured_runs.measured_runs(Page(warehouse))
    parts = {part["title"]: part for part in context["benchmarks"]}
    assert parts["Autoencoding"]["gaps"] == ["2 scores: its run kept no values per item"]
    assert (parts["Autoencoding"]["agree"], parts["Autoencoding"]["scores"]) == (0, 2)
    assert parts["Delineation"]["gaps"] == []


def test_images_that_are_none_or_too_large_are_left_out(measured_warehouse, tmp_path, monkeypatch):
    home = tmp_path / "data"
    shutil.copytree(measured_warehouse.home, home)
    monkeypatch.setattr(gallery, "LARGEST", 100_000)
    page = Page(Warehouse.open(home))
    run_id = next(path.parent.name for path in (home / "runs").glob("*/gallery"))
    kept = gallery._images(page, run_id)
    assert len(kept) == 9
    there = home / "runs" / run_id / "gallery"
    (there / "bird.input.png").write_text("<script>")
    (there / "zebra.input.png").write_bytes(gallery.SIGNATURE + bytes(100_000))
    (there / "notes.txt").write_text("mine")
    assert set(kept) - set(gallery._images(page, run_id)) == {
        ("bird", "input"), ("zebra", "input"),
    }  # fmt: skip
    assert gallery._images(page, f"../runs/{run_id}") == {}


def test_a_new_run_makes_the_report_stale(measured_warehouse, tmp_path):
    home = tmp_path / "data"
    shutil.copytree(measured_warehouse.home, home)
    states = [staleness.state(home)]
    run = RunFolder(next(p for p in (home / "runs").iterdir() if not (p / "gallery").exists()))
    for change in (
        lambda: (home / "records" / "x.jsonl").write_text("{}"),
        lambda: run.write_curves([]),
        lambda: run.write_image("new", "input", np.zeros((4, 4), np.uint8)),
        lambda: RunFolder(home / "runs" / "new").write_items([]),
    ):
        change()
        states.append(staleness.state(home))
        assert states[-1] != states[-2]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, True)])
def test_the_page_with_runs_is_quiet_fits_and_can_be_read(folder, visit, width, dark):
    from axe_playwright_python.sync_playwright import Axe

    visited = visit(folder, width=width, dark=dark)
    page = visited.page
    assert visited.messages == []
    assert visited.requests == [(folder / "index.html").as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    images = page.locator("#measured_delineation_gallery img")
    assert set(images.evaluate_all("all => all.map(i => i.naturalWidth)")) == {64}
    drawn = {"exclude": [[".chart svg"]]}
    violations = Axe().run(page, context=drawn).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []


@pytest.mark.browser
def test_curves_and_intervals_answer_to_their_controls(folder, visit):
    page = visit(folder).page
    rows = "#measured_super_resolution_intervals .chart .role-axis-label text"
    names = page.locator(rows).all_text_contents()
    assert "VGG-16 middle (small)" in names
    page.locator("#measured_super_resolution_intervals input[value=preset]").uncheck()
    page.wait_for_function(
        f"![...document.querySelectorAll('{rows}')].some(t => t.textContent.includes('small'))"
    )
    curves = page.locator("#measured_super_resolution_curves")
    lines = curves.locator(".mark-line path")
    before = lines.count()
    curves.locator("input[value=late]").uncheck()
    page.wait_for_function(
        "n => document.querySelectorAll('#measured_super_resolution_curves .mark-line path')"
        ".length < n",
        arg=before,
    )
    assert curves.locator("select").evaluate("s => [...s.options].map(o => o.value)") == [
        "loss", "psnr",
    ]  # fmt: skip
