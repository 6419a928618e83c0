select
    scores_wide.source,
    scores_wide.architecture,
    coalesce(architectures.name, scores_wide.architecture) as name,
    scores_wide.family,
    scores_wide.layer,
    scores_wide.layer_position,
    scores_wide.svhn_accuracy,
    scores_wide.stl10_accuracy
from scores_wide
left join architectures on architectures.architecture = scores_wide.architecture
where
    scores_wide.source in ('paper', 'measured')
    and scores_wide.svhn_accuracy is not null
    and scores_wide.stl10_accuracy is not null
order by
    scores_wide.source desc, scores_wide.layer_position, scores_wide.layer,
    architectures.position, 3
