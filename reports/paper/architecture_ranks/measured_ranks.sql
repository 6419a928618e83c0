select
    average_ranks.architecture,
    coalesce(architectures.name, average_ranks.architecture) as name,
    average_ranks.family,
{% for column in columns %}
    average_ranks.{{ column }}{{ "," if not loop.last }}
{% endfor %}
from average_ranks
left join architectures on architectures.architecture = average_ranks.architecture
where average_ranks.source = 'measured'
order by average_ranks.overall nulls last, 2
