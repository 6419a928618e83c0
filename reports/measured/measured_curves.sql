with chosen as (
    select *, max(epoch) over (partition by run_id) as last_epoch
    from learning_curves
    where run_id in ({% for run_id in run_ids %}{{ run_id | literal }}{{ ", " if not loop.last }}{% endfor %})
),
step as (
    select greatest(ceil(count(*) / {{ points }})::bigint, 1) as epochs from chosen
)
select
    chosen.run_id,
    coalesce(name, chosen.architecture, '(none)') as name,
    coalesce(layer, '(none)') as layer,
    case
        when chosen.preset is not null then 'preset'
        when collapsed is not null then 'collapsed'
        else 'measured'
    end as kind,
    seed,
    epoch,
    split,
    quantity,
    value
from chosen
cross join step
join runs using (run_id)
left join architectures on architectures.architecture = chosen.architecture
where (epoch - 1) % step.epochs = 0 or epoch = last_epoch
qualify count(value) over (partition by quantity) > 0
order by quantity <> 'loss', quantity, architectures.position nulls last, name, layer, chosen.run_id, split, epoch
