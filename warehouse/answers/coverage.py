"""What of the grid, each of the paper's scores for each of its loss networks, is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.loading import saved_studies
from lossnets.warehouse.sources import catalog, compacted, listing

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

Rows = tuple[list[str], list[tuple[Any, ...]]]

COUNTS = """
with grid as (
    select sources.source, catalog.score, catalog.position, networks.architecture, networks.layer
    from source_catalog as sources
    cross join score_catalog as catalog
    cross join loss_networks as networks
    where
        networks.printed is not null
        and (catalog.counted or catalog.score in (select score from score_means))
),
beyond as (
    select score, count(distinct (architecture, layer)) as networks
    from scores anti join grid using (source, score, architecture, layer)
    where source <> 'paper' and architecture is not null
    group by all
)
select
    grid.score,
    {columns},
    count(*) // {count} as of,
    coalesce(any_value(beyond.networks), 0) as beyond_the_paper
from grid
left join score_means as scored using (source, score, architecture, layer)
left join beyond on beyond.score = grid.score
group by grid.score, grid.position
order by grid.position
"""

OF_SOURCE = "count(scored.value) filter (grid.source = '{0}') as \"{0}\""

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

    Columns: score, one per source, of (how many there are), beyond_the_paper (loss networks
    outside the grid, of other sources than the paper).
    """
    sources = list(catalog.read(warehouse.home).sources)
    columns = ",\n    ".join(OF_SOURCE.format(source) for source in sources)
    return warehouse.rows(COUNTS.format(columns=columns, count=len(sources)))


def missing(warehouse: Warehouse, source: str) -> Rows:
    """What of the grid a source lacks: score, architecture, layer.

    Raises `UserError` on a source that does not exist.
    """
    catalog.read(warehouse.home).check_source(source)
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
