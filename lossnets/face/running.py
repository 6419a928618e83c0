"""Run a benchmark for loss networks, from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from lossnets.face.needs import needing_torch
from lossnets.runners import registry
from lossnets.warehouse.store import default_home

if TYPE_CHECKING:
    import pandas as pd

    from lossnets.runners.runs.execution import Outcome
    from lossnets.runners.runs.planning import Request

Names = str | Iterable[str]

SCORES = """
with runs as (select unnest($1) as run_id, unnest(range(len($1))) as place),
found as (
    from scores select run_id, architecture, layer, layer_position, score, value
    union all
    from preset_scores select run_id, architecture, layer, layer_position, score, value
)
select run_id, architecture, layer, score, value
from found join runs using (run_id) join score_catalog using (score)
order by place, layer_position, score_catalog.position
"""


class RunOptions(TypedDict, total=False):
    """What else may be said about runs; what is left out is as `lossnets run --help` says.

    weights: torchvision's name, `random`, `random:SEED`, or the file of a state dict. seed: of
    training and of random weights. protocol: `paper` or `reference`. preset: `smoke` (generated
    data, in seconds) or `small`. settings: values of the config, by name. data: the folder of the
    data set. device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`. progress: called with (done,
    total, what).
    """

    weights: str | None
    seed: int
    protocol: str
    preset: str | None
    settings: Mapping[str, object]
    data: Path | str | None
    device: str
    progress: Callable[[int, int, str], None]


def run(
    benchmark: str,
    *,
    network: Names = (),
    layer: Names = "all",
    baseline: Names = (),
    home: Path | str | None = None,
    **options: Unpack[RunOptions],
) -> pd.DataFrame:
    """Run a benchmark for loss networks, record their scores in a home, and return them.

    benchmark: a name, or the file of a module of one's own (docs/extending.md).
    network, layer, baseline: one name or several, as on the command line: `vgg11`, `all` for
    the paper's 14; `early`, a traced node, a sum such as `early+late`; `l2`. What is recorded
    already is not run again. Columns: architecture (a baseline's name where there is none),
    layer, and one per score. Raises `UserError` on a name that is not valid, and on weights or
    data that cannot be had.

    >>> import tempfile
    >>> scores = run("perceptual-similarity", network="alexnet", layer="early", preset="smoke",
    ...              device="cpu", home=tempfile.mkdtemp())
    >>> scores[["architecture", "layer"]].values.tolist()
    [['alexnet', 'early']]
    """
    benchmark = registry.check(benchmark)
    execution = needing_torch("lossnets.runners.runs.execution", "running benchmarks")
    import pandas as pd

    from lossnets.runners.runs import devices, planning

    folder = Path(home) if home is not None else default_home()
    progress = options.pop("progress", lambda done, total, what: None)
    where = devices.device(options.pop("device", "auto"))
    wanted = _request(planning.Request, benchmark, (network, layer, baseline), options)
    planned = planning.plan(wanted, registry.named(benchmark), folder, progress)
    outcomes = execution.execute(planned, folder, where, progress)
    return pd.DataFrame(_scores(outcomes, folder))


def names(given: Names) -> tuple[str, ...]:
    """Every name, of one string with commas or of several.

    >>> names("early, late"), names(["early", "middle,late"])
    (('early', 'late'), ('early', 'middle', 'late'))
    """
    several = [given] if isinstance(given, str) else given
    return tuple(part.strip() for text in several for part in text.split(",") if part.strip())


def _request(
    kind: type[Request],
    benchmark: str,
    named: tuple[Names, Names, Names],
    options: Mapping[str, Any],
) -> Request:
    data, settings = options.get("data"), options.get("settings", {})
    rest = {key: value for key, value in options.items() if key not in ("data", "settings")}
    architectures, layers, baselines = map(names, named)
    return kind(
        benchmark=benchmark,
        architectures=architectures,
        layers=layers,
        baselines=baselines,
        settings=tuple(f"{name}={value}" for name, value in settings.items()),
        data=Path(data) if data is not None else None,
        **rest,
    )


def _scores(outcomes: Iterable[Outcome], home: Path) -> list[dict[str, Any]]:
    """A row for each loss network or baseline, of what was recorded before too."""
    from lossnets.warehouse.store import Warehouse

    runs = {outcome.run.run_id: outcome.run.name for outcome in outcomes}
    _, cells = Warehouse.open(home).rows(SCORES, [list(runs)])
    rows: dict[tuple[str, str | None], dict[str, Any]] = {}
    for run_id, architecture, layer, score, value in cells:
        name = architecture or runs[run_id]
        row = rows.setdefault((name, layer), {"architecture": name, "layer": layer})
        row[score] = value
    return list(rows.values())
