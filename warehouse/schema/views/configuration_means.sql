-- configuration_means: one row per source, score, loss network and configuration: the mean over the
-- runs that differ in seed alone.
-- Sums of doubles depend on their order, which differs from load to load and from thread to
-- thread, and break ties. Equal values have exactly that mean; others are summed as decimals, to
-- 15 places, so that the same runs always have the same mean. Spread is taken in sorted order.

create or replace view store.configurations as
with final as (
    select
        run,
        source_id,
        run_id,
        recorded_at,
        weights,
        config::varchar as config,
        data,
        -- a run without a config says nothing else than an empty one
        hash(coalesce(weights, ''), coalesce(config::varchar, '{}'), coalesce(data, ''))
            as configuration
    from store.runs
    where preset is null and run not in (from store.removed)
)
select * from final;

create or replace view store.configured as
with averaged as (
    select
        source_id,
        score_id,
        loss_network_id,
        configuration,
        case
            when min(value) = max(value) then min(value)
            when max(abs(value)) < 1e8
                then sum(try_cast(value as decimal(38, 15)))::double / count(*)
            else favg(value)
        end as value,
        list_stddev_samp(list_sort(list(value))) as sd,
        count(*) as runs,
        min(recorded_at) as recorded_at,
        min(run_id) as run_id
    from store.measurements
    join store.configurations using (run)
    group by source_id, score_id, loss_network_id, configuration
),
usual as (
    select source_id, score_id, configuration, count(*) as networks
    from averaged
    group by source_id, score_id, configuration
),
-- Of several the one that most loss networks have is comparable with most of the others.
chosen as (
    select
        source_id,
        score_id,
        loss_network_id,
        count(*) as configurations,
        arg_max(
            configuration,
            (networks, runs, -epoch_us(coalesce(recorded_at, 'epoch'::timestamp)), run_id)
        ) as shown
    from averaged
    join usual using (source_id, score_id, configuration)
    group by source_id, score_id, loss_network_id
),
final as (
    select averaged.* exclude (recorded_at, run_id), configurations, configuration = shown as shown
    from averaged
    join chosen using (source_id, score_id, loss_network_id)
)
select * from final;

create or replace view store.settings as
with final as (
    select
        configuration,
        any_value(weights) as weights,
        any_value(config) as config,
        any_value(data) as data
    from store.configurations
    group by configuration
)
select * from final;

create or replace view configuration_means as
with final as (
    select
        sources.source,
        scores.benchmark,
        scores.score,
        architectures.architecture,
        loss_networks.layer,
        settings.weights,
        settings.config,
        settings.data,
        configured.value,
        configured.sd,
        configured.runs,
        configured.shown
    from store.configured
    join store.settings using (configuration)
    join store.sources using (source_id)
    join store.scores using (score_id)
    join store.loss_networks using (loss_network_id)
    join store.architectures using (architecture_id)
)
select * from final;

comment on view configuration_means is 'One row per source, score, loss network and configuration: the mean over the runs that differ in seed alone.';
comment on column configuration_means.source is 'Where the values come from: paper, measured or a registered source.';
comment on column configuration_means.benchmark is 'Benchmark of the score.';
comment on column configuration_means.score is 'Score id; see score_catalog.';
comment on column configuration_means.architecture is 'Architecture, as torchvision names it.';
comment on column configuration_means.layer is 'Extraction layer: early, semi_early, middle, late, or a traced node.';
comment on column configuration_means.weights is 'Which pretrained weights were used; NULL where that is not known.';
comment on column configuration_means.config is 'The config of the benchmark, as JSON; NULL where that is not known.';
comment on column configuration_means.data is 'Which data were used; NULL where that is not known.';
comment on column configuration_means.value is 'Mean over runs, in the unit of the score.';
comment on column configuration_means.sd is 'Standard deviation between runs (n - 1), in the unit of the score; NULL for one run.';
comment on column configuration_means.runs is 'Number of runs averaged, at least 1.';
comment on column configuration_means.shown is 'True where score_means, ranks, studies and the page have this one: of several the one that most loss networks of the source have, then that of most runs, then the first.';
