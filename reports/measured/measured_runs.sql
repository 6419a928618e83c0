select
    coalesce(runs.architecture, runs.baseline, '(several)') as architecture,
    runs.layers,
    runs.benchmark,
    runs.preset,
    runs.weights,
    runs.device,
    count(*) as runs,
    count(distinct runs.seed) as seeds,
    count(runs.collapsed) as collapsed,
    min(runs.recorded_at) as first_recorded,
    max(runs.recorded_at) as last_recorded,
    sum(runs.duration_s) as duration_s,
    max(runs.peak_memory_bytes) as peak_memory_bytes
from runs
where runs.source = 'measured'
group by all
order by all
