with ranked as (
    select
        score_means.*,
        score_means.value = case
            when score_means.higher_is_better then max(score_means.value) over best_of
            else min(score_means.value) over best_of
        end as best
    from score_means
    window best_of as (
        partition by score_means.source, score_means.score, score_means.architecture
    )
)
select
    ranked.source,
    score_catalog.position as score_position,
    ranked.benchmark,
    ranked.score,
    score_catalog.label,
    ranked.architecture,
    coalesce(architectures.name, ranked.architecture) as name,
    ranked.family,
    ranked.layer,
    ranked.layer_position,
    ranked.value,
    ranked.sd,
    ranked.runs,
    ranked.best
from ranked
join score_catalog on score_catalog.score = ranked.score
left join architectures on architectures.architecture = ranked.architecture
where ranked.source in ('paper', 'measured')
order by
    score_catalog.position, ranked.source desc, architectures.position, 7,
    ranked.layer_position, ranked.layer
