with ranked as (
    select
        *,
        value = case
            when higher_is_better then max(value) over best_of
            else min(value) over best_of
        end as best
    from score_means
    window best_of as (partition by source, score, architecture)
)
select
    source,
    score_catalog.position as score_position,
    ranked.benchmark,
    score,
    label,
    ranked.architecture,
    coalesce(name, ranked.architecture) as name,
    ranked.family,
    layer,
    layer_position,
    value,
    sd,
    runs,
    best
from ranked
join score_catalog using (score)
left join architectures on architectures.architecture = ranked.architecture
order by score_position, source desc, architectures.position, name, layer_position, layer
