-- What the temporary tables incoming_runs and incoming (one row per measurement) hold and the
-- store lacks. Of a run that came before, only measurements it lacks are added: the first stays.

insert into store.architectures (architecture_id, architecture, name, family)
with named as (
    select architecture, min(family) as family
    from incoming
    where architecture is not null
    group by architecture
),
final as (
    select
        (select coalesce(max(architecture_id), 0) from store.architectures)
            + row_number() over (order by architecture),
        architecture,
        architecture,
        coalesce(family, 'Other')
    from named
    anti join store.architectures using (architecture)
)
select * from final;

-- What was never said of an architecture of one's own may be said later.
update store.architectures
set family = said.family
from (
    select architecture, min(family) as family from incoming where family is not null group by all
) as said
where
    architectures.architecture = said.architecture
    and architectures.family = 'Other'
    and architectures.position is null;

insert into store.loss_networks (loss_network_id, architecture_id, layer, layer_position, node)
with named as (
    select architecture, layer, min(node) as node
    from incoming
    where architecture is not null
    group by architecture, layer
),
fresh as (
    select architecture_id, layer, node
    from named
    join store.architectures using (architecture)
    anti join store.loss_networks using (architecture_id, layer)
),
final as (
    select
        (select coalesce(max(loss_network_id), 0) from store.loss_networks)
            + row_number() over (order by architecture_id, layer),
        architecture_id,
        layer,
        nullif(list_position(['early', 'semi_early', 'middle', 'late'], layer), 0),
        case
            when node is not null then node
            when layer not in ('early', 'semi_early', 'middle', 'late') then layer
        end
    from fresh
)
select * from final;

set variable known_runs = (select coalesce(max(run), 0) from store.runs);
set variable repeats = (
    select count(*) > 0 from incoming_runs semi join store.runs using (run_id)
);
set variable baselines = (select count(*) > 0 from incoming where architecture is null);

insert into store.runs
with final as (
    select
        getvariable('known_runs') + row_number() over (order by run_id),
        run_id,
        (select source_id from store.sources where sources.source = incoming_runs.source),
        benchmark,
        preset,
        seed,
        weights,
        config,
        data,
        versions,
        device,
        recorded_at,
        duration_s,
        peak_memory_bytes,
        file,
        config->>'$.baseline'
    from incoming_runs
    anti join store.runs using (run_id)
)
select * from final;

create or replace temp view arriving as
select runs.run, scores.score_id, loss_networks.loss_network_id, incoming.value, incoming.n
from incoming
join store.runs using (run_id)
left join store.scores using (score)
left join store.architectures using (architecture)
left join store.loss_networks
    on loss_networks.architecture_id = architectures.architecture_id
    and loss_networks.layer = incoming.layer;

insert into store.baselines (score_id, run, value, n)
select score_id, run, value, n
from arriving
anti join store.baselines using (score_id, run)
where getvariable('baselines') and loss_network_id is null;

insert into store.measurements (score_id, loss_network_id, run, value, n)
select score_id, loss_network_id, run, value, n
from arriving
where loss_network_id is not null and run > getvariable('known_runs');

insert into store.measurements (score_id, loss_network_id, run, value, n)
select score_id, loss_network_id, run, value, n
from arriving
anti join store.measurements using (score_id, loss_network_id, run)
where
    getvariable('repeats')
    and loss_network_id is not null
    and run <= getvariable('known_runs');

-- Without a seed a run is deterministic, and what a loss network scores is one measurement, however
-- it was asked for: `early`, `early,late`, `all`. That of the first entry stays.
set variable deterministic = (
    select count(*) > 0 from incoming_runs where seed is null and data is not null
);

create or replace temp table measured_again as
with deterministic as (
    select run, file, run_id, benchmark, preset, weights, config::varchar as config, data
    from store.runs
    where
        getvariable('deterministic')
        and source_id = (select source_id from store.sources where source = 'measured')
        and seed is null
        and data is not null
        and regexp_full_match(run_id, '[0-9a-f]{16}')  -- one that is replaced has another form
),
measured as (
    select score_id, loss_network_id, deterministic.*
    from store.measurements
    join deterministic using (run)
),
final as (
    select distinct later.score_id, later.loss_network_id, later.run
    from measured as later
    join measured as earlier
        on earlier.score_id = later.score_id
        and earlier.loss_network_id = later.loss_network_id
        and (earlier.file, earlier.run_id) < (later.file, later.run_id)
        and earlier.benchmark = later.benchmark
        and earlier.preset is not distinct from later.preset
        and earlier.weights is not distinct from later.weights
        and earlier.config is not distinct from later.config
        and earlier.data = later.data
    where greatest(earlier.run, later.run) > getvariable('known_runs')
)
select * from final;

delete from store.measurements
using measured_again
where
    measurements.score_id = measured_again.score_id
    and measurements.loss_network_id = measured_again.loss_network_id
    and measurements.run = measured_again.run;
