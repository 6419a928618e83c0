select
    architecture,
    coalesce(name, architecture) as name,
    average_ranks.family,
{% for column in columns %}
    {{ column }}{{ "," if not loop.last }}
{% endfor %}
from average_ranks
left join architectures using (architecture)
where source = 'measured'
order by overall nulls last, name
