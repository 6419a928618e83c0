"""Section on the runs of this warehouse: scores with intervals, learning curves, examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import benchmark_order
from lossnets.analysis.frames.frames import SEED
from lossnets.analysis.noise.score_intervals import score_intervals
from lossnets.reports.measured import figures as measured_figures
from lossnets.reports.measured import gallery
from lossnets.reports.measured.figures import KINDS
from lossnets.reports.page import theme
from lossnets.reports.page.page import Exhibit, Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_figures import ordered
from lossnets.reports.page.study_results import shortened, words
from lossnets.reports.page.tables import Cell, Column, Grid, grid, records, shown

NETWORKS = 64  # loss networks of a benchmark that are shown, those of the latest runs
POINTS = 12_000  # of the learning curves of a benchmark
STUDY = "score_intervals --source measured"
HEADINGS = {
    "measured": "Scores",
    "collapsed": "Collapsed: what a run scored whose training went wrong",
    "preset": "Presets: these show that the benchmark runs, and are no scores",
}


def measured_runs(page: Page) -> dict[str, object]:
    """The runs in this warehouse, presets included, and what each benchmark's runs gave."""
    query = page.query("measured_runs")
    skipped = page.warehouse.skipped()
    if query.frame.empty:
        return {"runs": None, "skipped": skipped}
    columns = [
        Column(key="architecture", label="Architecture", head=True),
        Column(key="layers", label="Layers"),
        Column(key="benchmark", label="Benchmark"),
        Column(key="preset", label="Preset"),
        Column(key="weights", label="Weights"),
        Column(key="device", label="Device"),
        Column(key="runs", label="Runs", numeric=True),
        Column(key="seeds", label="Seeds", numeric=True),
        Column(key="collapsed", label="Collapsed", numeric=True),
        Column(key="duration_s", label="Time (s)", decimals=0, numeric=True),
        Column(key="last_recorded", label="Last recorded (UTC)"),
    ]
    overview = page.table("runs", grid(query.frame, columns), query)
    parts = dict(list(values(page).groupby("benchmark")))
    return {
        "runs": overview,
        "skipped": skipped,
        "benchmarks": [
            _benchmark(page, name, parts[name].reset_index(drop=True))
            for name in sorted(map(str, parts), key=benchmark_order)
        ],
    }


def values(page: Page) -> pd.DataFrame:
    """A row per score of the latest runs, with its interval and what the row is called."""
    frame = page.query("measured_values", networks=NETWORKS).frame
    runs = page.frames("measured").runs(frame["run_id"].unique().tolist())
    study = score_intervals(runs, np.random.default_rng(SEED))
    keys = ["run_id", "layer", "score"]
    intervals = study[[*keys, "recomputed", "low", "high", "items", "note"]]
    frame = frame.merge(intervals.astype({key: frame[key].dtype for key in keys}), "left", on=keys)
    frame["row"] = _row_names(frame)
    return shortened(frame)


def _row_names(frame: pd.DataFrame) -> pd.Series:
    """Network and layer; with the seed, or the run where that does not do, to tell runs apart."""
    layer = frame["layer"].fillna("").str.replace("_", "-")
    name = (frame["name"] + " " + layer).str.strip()
    name = name.where(frame["preset"].isna(), name + " (" + frame["preset"].fillna("") + ")")
    seeded = name + ", seed " + frame["seed"].astype("Int64").astype(str)
    name = name.where(~_ambiguous(frame, name) | frame["seed"].isna(), seeded)
    return name.where(~_ambiguous(frame, name), name + ", run " + frame["run_id"].str[:6])


def _ambiguous(frame: pd.DataFrame, name: pd.Series) -> pd.Series:
    named = frame["run_id"].groupby([frame["benchmark"], name])
    return named.transform("nunique") > 1


def _benchmark(page: Page, benchmark: str, frame: pd.DataFrame) -> dict[str, object]:
    anchor = f"measured_{benchmark}"
    networks = len(frame[["run_id", "layer"]].drop_duplicates())
    noted = frame["note"].fillna("")
    return {
        "title": words(benchmark).capitalize(),
        "table": page.table(anchor, _values_grid(frame), frame, study=STUDY),
        "figure": page.figure(
            f"{anchor}_intervals",
            measured_figures.intervals(frame),
            frame,
            study=STUDY,
            filters=_interval_filters(frame),
        ),
        "published": frame["published"].notna().any(),
        "curves": _curves(page, f"{anchor}_curves", frame),
        "gallery": gallery.examples(page, f"{anchor}_gallery", frame),
        "shown": networks,
        "of": int(frame["of_networks"].iloc[0]),
        "agree": int((frame["recomputed"].notna() & (noted == "")).sum()),
        "scores": len(frame),
        "gaps": _gaps(frame, noted),
        "collapsed": [
            {"row": row["row"], "why": row["collapsed"]}
            for row in records(frame[frame["collapsed"].notna()].drop_duplicates("run_id"))
        ],
    }


def _gaps(frame: pd.DataFrame, noted: pd.Series) -> list[str]:
    """Which scores have no interval, or do not agree with their items, and why."""
    kept = frame["recomputed"].notna() | (noted != "")
    counts = noted.where(kept, "its run kept no values per item").replace("", np.nan)
    return [f"{count} scores: {why}" for why, count in counts.value_counts().sort_index().items()]


def _values_grid(frame: pd.DataFrame) -> Grid:
    """A row per loss network and run, a column per score: the value and its interval."""
    scores = frame.drop_duplicates("score")
    columns = [
        Column(key="row", label="Loss network", head=True),
        *(
            Column(key=row["score"], label=row["score_label"], numeric=True, remarks=True)
            for row in records(scores)
        ),
    ]
    cells = {(r["run_id"], r["layer"], r["score"]): r for r in records(frame)}

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.head:
            return None
        found = cells.get((row["run_id"], row["layer"], column.key))
        if found is None:
            return Cell(text="", marks=("missing",))
        decimals = int(found["decimals"])
        low, high = (shown(found[end], decimals) for end in ("low", "high"))
        return Cell(
            text=shown(found["value"], decimals),
            marks=() if row["kind"] == "measured" else ("no-score",),
            remark=f"{low}–{high}" if low else "",
        )

    rows = frame.drop_duplicates(["run_id", "layer"])
    rows = rows.assign(kind=pd.Categorical(rows["kind"], KINDS)).sort_values("kind", kind="stable")
    return grid(rows, columns, group="kind", labels=HEADINGS, cell=cell)


def _interval_filters(frame: pd.DataFrame) -> tuple[Filter, ...]:
    scores = frame.drop_duplicates("score")
    labels = dict(zip(scores["score"], scores["score_label"], strict=True))
    return (
        Filter(field="score", label="Score", values=list(labels), labels=labels, single=True),
        _kind_filter(frame, marks=theme.marks(KINDS)),
    )


def _kind_filter(frame: pd.DataFrame, marks: Mapping[str, theme.Mark]) -> Filter:
    kinds = [kind for kind in KINDS if kind in set(frame["kind"])]
    return Filter(field="kind", label="Runs", values=kinds, marks=marks)


def _curves(page: Page, anchor: str, frame: pd.DataFrame) -> Exhibit | None:
    """Learning curves of the runs that have some: a line a run and split."""
    query = page.query("measured_curves", run_ids=frame["run_id"].unique(), points=POINTS)
    if query.frame.empty:
        return None
    quantities, names = ordered(query.frame["quantity"]), ordered(query.frame["name"])
    layers = measured_figures.layers(query.frame)
    labels = {layer: layer.replace("_", "-") for layer in layers}
    filters = [
        Filter(field="quantity", label="Quantity", values=quantities, single=True),
        Filter(field="layer", label="Layer", values=layers, labels=labels,
               marks=theme.marks(layers)),
        Filter(field="name", label="Architecture", values=names),
        _kind_filter(query.frame, marks={}),
    ]  # fmt: skip
    chart = measured_figures.learning_curves(query.frame)
    return page.figure(anchor, chart, query, filters=filters)


SECTION = Section(
    name="measured_runs",
    title="Measured runs",
    order=165,
    build=measured_runs,
)
