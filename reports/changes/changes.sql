-- runs and places that a report stands on: the next one in its folder says what is new
select 'run' as kind, runs.run_id as id, coalesce(runs.benchmark, '') as label, null as place
from runs
where runs.source <> 'paper'
union all by name
select 'place' as kind, average_ranks.source || '/' || average_ranks.architecture as id,
    coalesce(architectures.name, average_ranks.architecture)
        || if(average_ranks.source = 'paper', '', ' (' || average_ranks.source || ')') as label,
    rank() over (partition by average_ranks.source order by average_ranks.overall) as place
from average_ranks
left join architectures on architectures.architecture = average_ranks.architecture
where average_ranks.overall is not null
order by 1, 2
