select
    coalesce(scores_wide.source, {{ no_scores | literal }}) as source,
    architecture,
    coalesce(loss_networks.name, architecture) as name,
    coalesce(scores_wide.family, loss_networks.family) as family,
    layer,
    coalesce(scores_wide.layer_position, loss_networks.layer_position) as layer_position
    {%- for variable in variables %},
    {{ variable.view }}.{{ variable.column | identifier }} as {{ variable.field | identifier }}
    {%- endfor %}

from loss_networks
full join scores_wide using (architecture, layer)
left join average_ranks using (source, architecture)
left join architectures using (architecture)
order by source desc, architectures.position nulls last, architecture, layer_position nulls last, layer
