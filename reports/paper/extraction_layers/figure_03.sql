select
    source,
    architecture,
    coalesce(name, architecture) as name,
    scores_wide.family,
    layer,
    layer_position,
    svhn_accuracy,
    stl10_accuracy
from scores_wide
left join architectures using (architecture)
where svhn_accuracy is not null and stl10_accuracy is not null
order by source desc, layer_position, layer, position, name
