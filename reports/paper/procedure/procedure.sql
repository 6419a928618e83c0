select
    score_catalog.benchmark,
    string_agg(distinct score_catalog.dataset, ', ' order by score_catalog.dataset) as datasets,
    string_agg(distinct score_catalog.metric, ', ' order by score_catalog.metric) as metrics,
    count(distinct score_catalog.score) as scores,
    min(score_catalog.position) as position
from score_catalog
where score_catalog.paper_table is not null
group by score_catalog.benchmark
order by 5
