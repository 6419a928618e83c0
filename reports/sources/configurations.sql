select
    source,
    benchmark,
    weights,
    config,
    data,
    count(distinct (architecture, layer)) as loss_networks,
    count(distinct (architecture, layer)) filter (shown) as shown_of
from configuration_means
where
    (source, benchmark) in (
        select (source, benchmark) from configuration_means where not shown
    )
group by source, benchmark, weights, config, data
order by source, benchmark, shown_of desc, weights, config, data
