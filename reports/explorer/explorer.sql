-- an attribute or a score may have any name: no column stands here without its view
select
    coalesce(scores_wide.source, {{ no_scores | literal }}) as source,
    coalesce(loss_networks.architecture, scores_wide.architecture) as architecture,
    coalesce(loss_networks.name, loss_networks.architecture, scores_wide.architecture) as name,
    coalesce(scores_wide.family, loss_networks.family) as family,
    coalesce(loss_networks.layer, scores_wide.layer) as layer,
    coalesce(scores_wide.layer_position, loss_networks.layer_position) as layer_position
    {%- for variable in variables %},
    {{ variable.view }}.{{ variable.column | identifier }} as {{ variable.field | identifier }}
    {%- endfor %}

from loss_networks
full join scores_wide
    on scores_wide.architecture = loss_networks.architecture
    and scores_wide.layer = loss_networks.layer
left join average_ranks
    on average_ranks.source = scores_wide.source
    and average_ranks.architecture = scores_wide.architecture
left join architectures
    on architectures.architecture = coalesce(loss_networks.architecture, scores_wide.architecture)
order by 1 desc, architectures.position nulls last, 2, 6 nulls last, 5
