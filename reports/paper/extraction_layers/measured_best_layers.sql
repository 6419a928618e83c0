select
    best_layers.architecture,
    coalesce(architectures.name, best_layers.architecture) as name,
    best_layers.family,
    score_catalog.label,
    best_layers.value,
    best_layers.layers,
    printed.layers as printed_layers
from best_layers
join score_catalog on score_catalog.score = best_layers.score
left join architectures on architectures.architecture = best_layers.architecture
left join best_layers as printed
    on printed.source = 'paper'
    and printed.score = best_layers.score
    and printed.architecture = best_layers.architecture
where best_layers.source = 'measured'
order by score_catalog.position, architectures.position, 2
