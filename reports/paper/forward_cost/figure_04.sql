select
    scores_wide.source,
    scores_wide.architecture,
    loss_networks.name,
    scores_wide.family,
    scores_wide.layer,
    scores_wide.layer_position,
    scores_wide.bapps_2afc,
    {{ macs }} as macs
from scores_wide
join loss_networks
    on loss_networks.architecture = scores_wide.architecture
    and loss_networks.layer = scores_wide.layer
where
    scores_wide.bapps_2afc is not null and scores_wide.source in ('paper', 'measured')
order by
    scores_wide.source desc, scores_wide.architecture, scores_wide.layer_position,
    scores_wide.layer
