{% for attribute in attributes %}
{% if not loop.first %}
union all
{% endif %}
select
    best_layers.source,
    best_layers.architecture,
    name,
    best_layers.family,
    {{ attribute | literal }} as attribute,
    {{ attribute | identifier }} as accuracy,
    value as mrd_quality,
    layers
from best_layers
join architectures using (architecture)
where score = 'mrd_quality' and {{ attribute | identifier }} is not null
{% endfor %}
order by source desc, architecture, attribute desc
