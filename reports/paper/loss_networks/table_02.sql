with nodes as (
    select
        loss_networks.architecture,
        max(loss_networks.node) filter (loss_networks.layer = 'early') as early,
        max(loss_networks.node) filter (loss_networks.layer = 'semi_early') as semi_early,
        max(loss_networks.node) filter (loss_networks.layer = 'middle') as middle,
        max(loss_networks.node) filter (loss_networks.layer = 'late') as late
    from loss_networks
    group by loss_networks.architecture
)
select
    architectures.architecture,
    architectures.name,
    architectures.family,
    paper_table_02.extraction_layers as printed,
    nodes.early,
    nodes.semi_early,
    nodes.middle,
    nodes.late
from paper_table_02
join architectures on architectures.architecture = paper_table_02.architecture
join nodes on nodes.architecture = paper_table_02.architecture
order by architectures.position
