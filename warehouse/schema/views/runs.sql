-- runs: one row per run, presets included.

create or replace view runs as
with scored as (
    select distinct run, loss_network_id from store.measurements
),
layers_of_run as (
    select run, layer, min(layer_position) as layer_position, min(architecture_id) as first_id,
        max(architecture_id) as last_id
    from scored
    join store.loss_networks using (loss_network_id)
    group by run, layer
),
networks as (
    select
        run,
        case when min(first_id) = max(last_id) then min(first_id) end as architecture_id,
        list(layer order by layer_position, layer) as layers
    from layers_of_run
    group by run
),
tagged as (
    select run_id, list(tag order by tag) as tags
    from (
        select run_id, tag
        from store.events
        where kind in ('tagged', 'untagged')
        group by run_id, tag
        having arg_max(kind, number) = 'tagged'
    )
    group by run_id
),
final as (
    select
        runs.run_id,
        sources.source,
        runs.benchmark,
        architectures.architecture,
        networks.layers,
        runs.baseline,
        runs.preset,
        runs.seed,
        runs.weights,
        runs.config,
        runs.data,
        runs.versions,
        runs.device,
        runs.recorded_at,
        runs.duration_s,
        runs.peak_memory_bytes,
        notes.collapsed,
        runs.run in (select run from store.series) as has_item_values,
        coalesce(tagged.tags, []) as tags
    from store.runs
    join store.sources using (source_id)
    left join store.notes using (run)
    left join networks using (run)
    left join tagged using (run_id)
    left join store.architectures using (architecture_id)
    where
        runs.run not in (from store.removed)
        and (  -- all that some scored was measured before, by a run without a seed
            networks.run is not null
            or runs.run in (select run from store.baselines)
        )
)
select * from final;

comment on view runs is 'One row per run: one execution of a benchmark, or one architecture and benchmark of the paper.';
comment on column runs.run_id is 'Run id: 16 hexadecimal digits, a hash of what was run.';
comment on column runs.source is 'Where it comes from: paper, measured or a registered source.';
comment on column runs.benchmark is 'Benchmark that was run.';
comment on column runs.architecture is 'Architecture of its loss networks; NULL where a run has several or none.';
comment on column runs.layers is 'Extraction layers that it scored, from the input on; NULL for a baseline without one.';
comment on column runs.baseline is 'What was run in place of a loss network, say l2; NULL where there is one.';
comment on column runs.preset is 'Preset that the run used, say smoke; NULL for a real one. Scores of presets stay out of scores.';
comment on column runs.seed is 'Random seed; NULL where unknown or none.';
comment on column runs.weights is 'Pretrained weights, as torchvision names them; NULL where not recorded.';
comment on column runs.config is 'Configuration of the run, as JSON.';
comment on column runs.data is 'Identity of the data: a hash or a version; NULL where not recorded.';
comment on column runs.versions is 'Versions of what it ran with, as JSON: package to version.';
comment on column runs.device is 'Device it ran on.';
comment on column runs.recorded_at is 'When it was recorded, UTC; NULL for the paper.';
comment on column runs.duration_s is 'Duration, in seconds, at least 0; NULL where not recorded.';
comment on column runs.peak_memory_bytes is 'Peak memory, in bytes, at least 0; NULL where not recorded.';
comment on column runs.collapsed is 'Why its training is worthless, say a constant output; NULL where it is sound.';
comment on column runs.has_item_values is 'True where item_values has what its scores are made of.';
comment on column runs.tags is 'Names of groups that it was put in, see lossnets runs tag.';
