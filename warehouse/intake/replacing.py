"""What an import puts in the place of what it imported before: new runs, and removals in the log.

A run of the same id with other values gets an id of its own, and the one that it replaces is
removed (see `sources.events`), with the new id beside the removal. So nothing is lost, `lossnets
runs restore` undoes it, and the same import again finds everything known.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lossnets.warehouse.sources import events
from lossnets.warehouse.sources.records import RunRecord, hash_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse

# Runs of the staged rows whose id is there with other values, and the id that they get instead;
# it has a form of its own, for an id that is a hash is that of what was run.
OTHER = """
create or replace temp table other_runs as
with other as (
    select distinct staged.run_id
    from staged join known on staged.run_id = known.run_id and staged.score = known.score
        and staged.architecture is not distinct from known.architecture
        and staged.layer is not distinct from known.layer
    where staged.value <> known.value
),
final as (
    select
        run_id,
        run_id || '-' || left(sha256(
            list_sort(list(json_array(architecture, layer, score, value)::varchar))::varchar
        ), 8) as new_id
    from staged semi join other using (run_id)
    group by run_id
)
select * from final
"""
STAGED = """
create or replace temp view staged as
select everything.* replace (coalesce(new_id, run_id) as run_id)
from everything left join other_runs using (run_id)
where source is distinct from 'paper'
"""
# Every run that stands where another one was: it, and all that replaced it one after the other.
STANDING = """
with recursive chain as (
    select unnest($1) as first, unnest($1) as run_id
    union
    select chain.first, events.tag
    from chain join store.events on events.run_id = chain.run_id
    where events.kind = 'removed' and events.tag <> ''
)
select chain.first, chain.run_id
from chain join store.runs using (run_id)
where run not in (from store.removed)
"""
GONE = """
select run_id from store.runs join store.removed using (run)
where run_id in (select unnest($1)) order by run_id
"""
THERE = """
select runs.run_id, scores.score, architectures.architecture, loss_networks.layer, value
from store.measurements
join store.runs using (run)
join store.scores using (score_id)
join store.loss_networks using (loss_network_id)
join store.architectures using (architecture_id)
where runs.run_id in (select unnest($1))
union all
select runs.run_id, scores.score, null, null, value
from store.baselines
join store.runs using (run)
join store.scores using (score_id)
where runs.run_id in (select unnest($1))
"""


@dataclass(kw_only=True)
class Replaced:
    """wanted: the runs of an import, by the ids they came with; ids: what others they got."""

    wanted: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    def restage(self, connection: DuckDBPyConnection) -> None:
        """Give staged runs ids of their own where theirs are there with other values."""
        rows = connection.execute("select distinct run_id from staged order by all").fetchall()
        self.wanted += [run_id for (run_id,) in rows]
        connection.execute(OTHER)
        connection.execute(STAGED)
        self.ids |= dict(connection.execute("from other_runs order by all").fetchall())

    def renamed(self, warehouse: Warehouse, records: list[RunRecord]) -> list[RunRecord]:
        """The same of records."""
        wanted = [record.run_id for record in records]
        there = {tuple(key): value for *key, value in warehouse.rows(THERE, [wanted])[1]}
        for record in records:
            cells = [(i.score, i.architecture, i.layer, i.value) for i in record.measurements]
            if any(there.get((record.run_id, *of), value) != value for *of, value in cells):
                mark = hash_of(sorted(map(repr, cells)))[:8]
                self.ids[record.run_id] = f"{record.run_id}-{mark}"
        self.wanted += wanted
        return [replace(one, run_id=self._now(one.run_id)) for one in records]

    def settle(self, warehouse: Warehouse, why: str) -> None:
        """Have the imported runs stand, and nothing that they replace."""
        warehouse.refresh()
        for first, run_id in warehouse.rows(STANDING, [self.wanted])[1]:
            if run_id != self._now(first):
                events.write(warehouse.home, "removed", [run_id], tag=self._now(first), why=why)
        now = [self._now(run_id) for run_id in self.wanted]
        if gone := [run_id for (run_id,) in warehouse.rows(GONE, [now])[1]]:
            events.write(warehouse.home, "restored", gone, why=why)
        warehouse.refresh()

    def _now(self, run_id: str) -> str:
        return self.ids.get(run_id, run_id)
