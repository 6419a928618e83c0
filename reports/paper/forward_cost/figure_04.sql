select
    source,
    scores_wide.architecture,
    loss_networks.name,
    scores_wide.family,
    layer,
    layer_position,
    bapps_2afc,
    {{ macs }} as macs
from scores_wide
join loss_networks using (architecture, layer, layer_position)
where bapps_2afc is not null
order by source desc, architecture, layer_position, layer
