with nodes as (
    select
        architecture,
        max(node) filter (layer = 'early') as early,
        max(node) filter (layer = 'semi_early') as semi_early,
        max(node) filter (layer = 'middle') as middle,
        max(node) filter (layer = 'late') as late
    from loss_networks
    group by architecture
)
select
    architecture,
    name,
    family,
    extraction_layers as printed,
    early,
    semi_early,
    middle,
    late
from paper_table_02
join architectures using (architecture)
join nodes using (architecture)
order by position
