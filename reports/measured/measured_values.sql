with latest as (
    select
        run_id,
        weights,
        collapsed,
        greatest(coalesce(len(layers), 0), 1) as networks,
        sum(networks) over (partition by benchmark) as of_networks,
        sum(networks) over (
            partition by benchmark
            order by preset is not null, recorded_at desc, run_id
            rows between unbounded preceding and current row
        ) as networks_so_far
    from runs
    where source = 'measured'
),
measured as (
    select *, null as preset from scores where source = 'measured'
    union all by name
    select * from preset_scores
),
printed as (
    select architecture, layer, score, value as published from score_means where source = 'paper'
)
select
    measured.benchmark,
    measured.run_id,
    measured.architecture,
    coalesce(name, measured.architecture, baseline, '(none)') as name,
    coalesce(measured.family, 'Baselines') as family,
    measured.layer,
    measured.layer_position,
    baseline,
    preset,
    collapsed,
    case
        when preset is not null then 'preset'
        when collapsed is not null then 'collapsed'
        else 'measured'
    end as kind,
    seed,
    weights,
    measured.score,
    label as score_label,
    measured.dataset,
    score_catalog.decimals,
    measured.value,
    case when preset is null then published end as published,
    of_networks
from measured
join latest using (run_id)
join score_catalog on score_catalog.score = measured.score
left join architectures on architectures.architecture = measured.architecture
left join printed
    on printed.architecture = measured.architecture
    and printed.layer = measured.layer
    and printed.score = measured.score
where networks_so_far - networks < {{ networks }}
order by
    measured.benchmark, preset is not null, preset, baseline is not null,
    architectures.position nulls last, name, measured.layer_position nulls last, measured.layer, seed,
    measured.run_id, score_catalog.position
