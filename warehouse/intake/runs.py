"""Runs by id, tag or a beginning of an id: shown, removed, restored, tagged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import events
from lossnets.warehouse.sources.catalog import NAME

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

LISTED = """
select runs.run_id, runs.source, runs.benchmark, runs.architecture, runs.layers, runs.baseline,
    runs.seed, runs.weights, runs.preset, runs.tags, runs.recorded_at
from runs where source <> 'paper'
    and ($benchmark is null or benchmark = $benchmark)
    and ($architecture is null or architecture = $architecture)
    and ($tag is null or list_contains(tags, $tag))
order by recorded_at, run_id
"""
REMOVED = """
select runs.run_id, sources.source, runs.benchmark, runs.seed, runs.weights, runs.preset,
    arg_max(events."at", number) as removed_at, arg_max(events."by", number) as "by",
    arg_max(events.why, number) as why
from store.runs
join store.removed using (run)
join store.sources using (source_id)
join store.events on events.run_id = runs.run_id and events.kind = 'removed'
group by all order by removed_at, runs.run_id
"""
IDS = """
select run_id, run in (from store.removed) from store.runs join store.sources using (source_id)
where source <> 'paper' and starts_with(run_id, $1) order by run_id
"""
SHOWN = """
select benchmark, score, architecture, layer, baseline, value, unit, n
from (from scores union all by name from preset_scores) where run_id = $1
order by layer_position, layer, score
"""
Rows = tuple[list[str], list[tuple[Any, ...]]]


def listed(
    warehouse: Warehouse,
    *,
    benchmark: str | None = None,
    architecture: str | None = None,
    tag: str | None = None,
) -> Rows:
    """Every run but the paper's, in order of recording."""
    chosen = {"benchmark": benchmark, "architecture": architecture, "tag": tag}
    return warehouse.rows(LISTED, chosen)


def removed(warehouse: Warehouse) -> Rows:
    """Every run that is removed, with who removed it, when and why."""
    return warehouse.rows(REMOVED)


def shown(warehouse: Warehouse, name: str) -> tuple[dict[str, Any], Rows, Rows]:
    """What a run was (as in `runs`), its scores, and what happened to it."""
    (run_id,) = ids(warehouse, [name], of_removed=None)
    columns, rows = warehouse.rows("from runs where run_id = $1", [run_id])
    about = dict(zip(columns, rows[0], strict=True)) if rows else {"run_id": run_id}
    happened = warehouse.rows("from run_events where run_id = $1", [run_id])
    return about, warehouse.rows(SHOWN, [run_id]), happened


def remove(warehouse: Warehouse, names: Sequence[str], *, why: str = "") -> list[str]:
    """Leave runs out of every view, and return their ids; the log keeps them.

    Raises `UserError` on a name that no run has, or several.
    """
    return _said(warehouse, "removed", ids(warehouse, names, of_removed=False), why=why)


def restore(warehouse: Warehouse, names: Sequence[str], *, why: str = "") -> list[str]:
    """Take removed runs back into the views."""
    return _said(warehouse, "restored", ids(warehouse, names, of_removed=True), why=why)


def tag(warehouse: Warehouse, name: str, names: Sequence[str], *, away: bool = False) -> list[str]:
    """Put runs into a group of a name, or take them out of it."""
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name[:80]!r} is no tag: up to 63 of a-z, 0-9 and _ are valid, a letter first"
        )
    kind = "untagged" if away else "tagged"
    return _said(warehouse, kind, ids(warehouse, names, of_removed=False), tag=name)


def ids(
    warehouse: Warehouse, names: Sequence[str], *, of_removed: bool | None = False
) -> list[str]:
    """The run ids of ids, beginnings of ids and tags; of_removed: of what is removed, or either."""
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys(_ids_of(warehouse, name, of_removed))
    return list(found)


def _ids_of(warehouse: Warehouse, name: str, of_removed: bool | None) -> list[str]:
    there = [row for row in warehouse.rows(IDS, [name])[1] if name]
    wanted = [run_id for run_id, gone in there if of_removed is None or gone == of_removed]
    if name in wanted or len(wanted) == 1:
        return [name] if name in wanted else wanted
    tagged = "select run_id from runs where list_contains(tags, $1) order by run_id"
    of_tag = [run_id for (run_id,) in warehouse.rows(tagged, [name])[1]]
    if of_tag and of_removed is not True:
        return of_tag
    if len(wanted) > 1:
        raise UserError(f"{len(wanted)} runs begin with {name!r}: {', '.join(wanted[:5])} …")
    if there:
        state = "removed already" if there[0][1] else "not removed"
        raise UserError(f"{there[0][0]} is {state}", hint="lossnets runs list --removed")
    raise UserError(f"no run and no tag is called {name!r}", hint="lossnets runs list")


def _said(
    warehouse: Warehouse, kind: str, runs: list[str], *, tag: str = "", why: str = ""
) -> list[str]:
    events.write(warehouse.home, kind, runs, tag=tag, why=why)
    warehouse.refresh()
    return runs
