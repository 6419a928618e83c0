with chosen as (
    select
        learning_curves.*,
        max(learning_curves.epoch) over (partition by learning_curves.run_id) as last_epoch
    from learning_curves
    where learning_curves.run_id in ({% for run_id in run_ids %}{{ run_id | literal }}{{ ", " if not loop.last }}{% endfor %})
),
step as (
    select greatest(ceil(count(*) / {{ points }})::bigint, 1) as epochs from chosen
)
select
    chosen.run_id,
    coalesce(architectures.name, chosen.architecture, '(none)') as name,
    coalesce(chosen.layer, '(none)') as layer,
    case
        when chosen.preset is not null then 'preset'
        when runs.collapsed is not null then 'collapsed'
        else 'measured'
    end as kind,
    runs.seed,
    chosen.epoch,
    chosen.split,
    chosen.quantity,
    chosen.value
from chosen
cross join step
join runs on runs.run_id = chosen.run_id
left join architectures on architectures.architecture = chosen.architecture
where (chosen.epoch - 1) % step.epochs = 0 or chosen.epoch = chosen.last_epoch
qualify count(chosen.value) over (partition by chosen.quantity) > 0
order by
    chosen.quantity <> 'loss', chosen.quantity, architectures.position nulls last, 2, 3,
    chosen.run_id, chosen.split, chosen.epoch
