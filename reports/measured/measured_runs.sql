select
    coalesce(architecture, baseline, '(several)') as architecture,
    layers,
    benchmark,
    preset,
    weights,
    device,
    count(*) as runs,
    count(distinct seed) as seeds,
    count(collapsed) as collapsed,
    min(recorded_at) as first_recorded,
    max(recorded_at) as last_recorded,
    sum(duration_s) as duration_s,
    max(peak_memory_bytes) as peak_memory_bytes
from runs
where source = 'measured'
group by all
order by all
