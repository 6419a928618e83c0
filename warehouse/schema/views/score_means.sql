-- score_means: one row per source, score and loss network: the mean over its runs.
-- Sums of doubles depend on their order, which differs from load to load and from thread to
-- thread, and break ties. Equal values have exactly that mean; others are summed as decimals, to
-- 15 places, so that the same runs always have the same mean. Spread is taken in sorted order.

create or replace view store.means as
with measured as (
    select runs.source_id, score_id, loss_network_id, value
    from store.measurements
    join store.runs using (run)
    where runs.preset is null and run not in (from store.removed)
),
final as (
    select
        source_id,
        score_id,
        loss_network_id,
        case
            when min(value) = max(value) then min(value)
            when max(abs(value)) < 1e8
                then sum(try_cast(value as decimal(38, 15)))::double / count(*)
            else favg(value)
        end as value,
        list_stddev_samp(list_sort(list(value))) as sd,
        count(*) as runs
    from measured
    group by source_id, score_id, loss_network_id
)
select * from final;

create or replace view score_means as
with final as (
    select
        sources.source,
        scores.benchmark,
        scores.score,
        scores.higher_is_better,
        scores.trained_model,
        architectures.architecture,
        architectures.family,
        loss_networks.layer,
        loss_networks.layer_position,
        means.value,
        means.sd,
        means.runs
    from store.means
    join store.sources using (source_id)
    join store.scores using (score_id)
    join store.loss_networks using (loss_network_id)
    join store.architectures using (architecture_id)
)
select * from final;

comment on view score_means is 'One row per source, score and loss network: the mean over its runs; baselines are left out.';
comment on column score_means.source is 'Where the values come from: paper, measured or a registered source.';
comment on column score_means.benchmark is 'Benchmark of the score.';
comment on column score_means.score is 'Score id; see score_catalog.';
comment on column score_means.higher_is_better is 'True where a greater value is the better one.';
comment on column score_means.trained_model is 'Training that the score shares with others, see score_catalog; NULL where nothing is trained.';
comment on column score_means.architecture is 'Architecture, as torchvision names it.';
comment on column score_means.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
comment on column score_means.layer is 'Extraction layer: early, semi_early, middle, late, or a traced node.';
comment on column score_means.layer_position is 'Place of the layer from the input, 1 (early) to 4 (late); NULL where a layer has none.';
comment on column score_means.value is 'Mean over runs, in the unit of the score.';
comment on column score_means.sd is 'Standard deviation between runs (n - 1), in the unit of the score; NULL for one run.';
comment on column score_means.runs is 'Number of runs averaged, at least 1.';
