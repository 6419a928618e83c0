"""What of the grid, each of the paper's scores for each of its loss networks, is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.loading import saved_studies
from lossnets.warehouse.sources import compacted, listing

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

Rows = tuple[list[str], list[tuple[Any, ...]]]

COUNTS = """
with sources as (select unnest(['paper', 'measured']) as source),
grid as (
    select sources.source, catalog.score, catalog.position, networks.architecture, networks.layer
    from sources cross join score_catalog as catalog cross join loss_networks as networks
    where
        networks.printed is not null
        and (catalog.counted or catalog.score in (select score from score_means))
),
beyond as (
    select source, score, count(distinct (architecture, layer)) as networks
    from scores anti join grid using (source, score, architecture, layer)
    group by all
)
select
    grid.score,
    count(scored.value) filter (grid.source = 'paper') as paper,
    count(scored.value) filter (grid.source = 'measured') as measured,
    count(*) // 2 as of,
    coalesce(any_value(beyond.networks), 0) as beyond_the_paper
from grid
left join score_means as scored using (source, score, architecture, layer)
left join beyond on beyond.score = grid.score and beyond.source = 'measured'
group by grid.score, grid.position
order by grid.position
"""

MISSING = """
select catalog.score, networks.architecture, networks.layer
from score_catalog as catalog cross join loss_networks as networks
anti join (select * from score_means where source = $1) as scored
    on scored.score = catalog.score
    and scored.architecture = networks.architecture
    and scored.layer = networks.layer
where networks.printed is not null and catalog.counted
order by catalog.position, networks.architecture, networks.layer_position
"""

TOTALS = """
select
    (select count(*) from architectures),
    (select count(*) from loss_networks),
    (select count(*) from runs where source = 'measured'),
    (select count(*) from runs where preset is not null)
"""

ATTRIBUTES = "select origin, count(*) from attribute_catalog group by origin order by origin"


def counts(warehouse: Warehouse) -> Rows:
    """For each score, how many of the paper's loss networks each source has scored.

    Columns: score, paper, measured, of (how many there are), beyond_the_paper (measured loss
    networks outside the grid).
    """
    return warehouse.rows(COUNTS)


def missing(warehouse: Warehouse, source: str) -> Rows:
    """What of the grid a source ('paper', 'measured') lacks: score, architecture, layer."""
    return warehouse.rows(MISSING, [source])


def summary(warehouse: Warehouse) -> list[str]:
    """Lines for people: totals, attributes by origin, where it lies, skipped entries of the log."""
    _, [(architectures, networks, measured, presets)] = warehouse.rows(TOTALS)
    origins = ", ".join(f"{count} {origin}" for origin, count in warehouse.rows(ATTRIBUTES)[1])
    lines = [
        f"{architectures} architectures, {networks} loss networks, attributes: {origins}",
        f"{measured} measured runs"
        + (f", {presets} of them of a preset, which counts nowhere" if presets else ""),
        f"in {warehouse.path}",
    ]
    lines[-1] += _log(warehouse.home)
    old = saved_studies.outdated(warehouse.home)
    if old:
        lines.append(f"{len(old)} saved studies are of other data: lossnets study --save")
    return lines + [f"skipped {file}: {fault}" for file, fault in warehouse.skipped()]


def _log(home: Path) -> str:
    """How many files the log has, and what those stand for that were compacted."""
    entries = listing.records(home)
    compacted_ones = compacted.found(home, entries)
    files = f"; log: {len(entries):,} file{'' if len(entries) == 1 else 's'}"
    if not compacted_ones:
        return files if entries else ""
    replaced = len(compacted.replaced(compacted_ones.values()))
    return f"{files}, {len(compacted_ones):,} of them compacted from {replaced:,}"
