with measured_runs as (
    select runs.*, greatest(coalesce(len(runs.layers), 0), 1) as networks
    from runs
    where runs.source = 'measured'
),
latest as (
    select
        measured_runs.run_id,
        measured_runs.weights,
        measured_runs.collapsed,
        measured_runs.networks,
        sum(measured_runs.networks) over (partition by measured_runs.benchmark) as of_networks,
        sum(measured_runs.networks) over (
            partition by measured_runs.benchmark
            order by
                measured_runs.preset is not null, measured_runs.recorded_at desc,
                measured_runs.run_id
            rows between unbounded preceding and current row
        ) as networks_so_far
    from measured_runs
),
measured as (
    select scores.*, null as preset from scores where scores.source = 'measured'
    union all by name
    select preset_scores.* from preset_scores
),
printed as (
    select
        score_means.architecture, score_means.layer, score_means.score,
        score_means.value as published
    from score_means
    where score_means.source = 'paper'
)
select
    measured.benchmark,
    measured.run_id,
    measured.architecture,
    coalesce(architectures.name, measured.architecture, measured.baseline, '(none)') as name,
    coalesce(measured.family, 'Baselines') as family,
    measured.layer,
    measured.layer_position,
    measured.baseline,
    measured.preset,
    latest.collapsed,
    case
        when measured.preset is not null then 'preset'
        when latest.collapsed is not null then 'collapsed'
        else 'measured'
    end as kind,
    measured.seed,
    latest.weights,
    measured.score,
    score_catalog.label as score_label,
    measured.dataset,
    score_catalog.decimals,
    measured.value,
    case when measured.preset is null then printed.published end as published,
    latest.of_networks
from measured
join latest on latest.run_id = measured.run_id
join score_catalog on score_catalog.score = measured.score
left join architectures on architectures.architecture = measured.architecture
left join printed
    on printed.architecture = measured.architecture
    and printed.layer = measured.layer
    and printed.score = measured.score
where latest.networks_so_far - latest.networks < {{ networks }}
order by
    measured.benchmark, measured.preset is not null, measured.preset,
    measured.baseline is not null, architectures.position nulls last, 4,
    measured.layer_position nulls last, measured.layer, measured.seed, measured.run_id,
    score_catalog.position
