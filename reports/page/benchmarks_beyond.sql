select benchmark, label
from benchmark_catalog
where not in_paper and benchmark in (select benchmark from score_means)
order by position
