select
    source_catalog.source,
    source_catalog.title,
    source_catalog.url,
    count(distinct scores.score) as scores,
    count(distinct (scores.architecture, scores.layer)) as loss_networks,
    count(distinct scores.architecture) as architectures
from source_catalog
join scores using (source)
where scores.architecture is not null
group by source_catalog.source, source_catalog.title, source_catalog.url, source_catalog.position
order by source_catalog.position
