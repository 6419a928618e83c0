{% for attribute in attributes %}
{% if not loop.first %}
union all
{% endif %}
select
    best_layers.source,
    best_layers.architecture,
    architectures.name,
    best_layers.family,
    {{ attribute | literal }} as attribute,
    architectures.{{ attribute | identifier }} as accuracy,
    best_layers.value as mrd_quality,
    best_layers.layers
from best_layers
join architectures on architectures.architecture = best_layers.architecture
where
    best_layers.score = 'mrd_quality'
    and best_layers.source in ('paper', 'measured')
    and architectures.{{ attribute | identifier }} is not null
{% endfor %}
order by 1 desc, 2, 5 desc
