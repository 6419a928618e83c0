select
    benchmark,
    string_agg(distinct dataset, ', ' order by dataset) as datasets,
    string_agg(distinct metric, ', ' order by metric) as metrics,
    count(distinct score) as scores,
    min(position) as position
from score_catalog
where paper_table is not null
group by benchmark
order by position
