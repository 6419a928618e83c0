-- score_means: one row per source, score and loss network: the mean over its runs.
-- Equal values have exactly that mean (a plain sum of doubles would break ties), and the
-- compensated sum makes the others independent of the order of the runs.

create or replace view store.means as
with measured as (
    select runs.source = 'paper' as is_paper, score_id, loss_network_id, value
    from store.measurements
    join store.runs using (run)
    where runs.preset is null
),
final as (
    select
        is_paper,
        score_id,
        loss_network_id,
        case when min(value) = max(value) then min(value) else favg(value) end as value,
        stddev_samp(value) as sd,
        count(*) as runs
    from measured
    group by is_paper, score_id, loss_network_id
)
select * from final;

create or replace view score_means as
with final as (
    select
        case when is_paper then 'paper' else 'measured' end as source,
        scores.benchmark,
        scores.score,
        scores.higher_is_better,
        architectures.architecture,
        architectures.family,
        loss_networks.layer,
        loss_networks.layer_position,
        means.value,
        means.sd,
        means.runs
    from store.means
    join store.scores using (score_id)
    join store.loss_networks using (loss_network_id)
    join store.architectures using (architecture_id)
)
select * from final;

comment on view score_means is 'One row per source, score and loss network: the mean over its runs; baselines are left out.';
comment on column score_means.source is 'Where the values come from: paper or measured.';
comment on column score_means.benchmark is 'Benchmark of the score.';
comment on column score_means.score is 'Score id; see score_catalog.';
comment on column score_means.higher_is_better is 'True where a greater value is the better one.';
comment on column score_means.architecture is 'Architecture, as torchvision names it.';
comment on column score_means.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet or Other.';
comment on column score_means.layer is 'Extraction layer: early, semi_early, middle, late, or a traced node.';
comment on column score_means.layer_position is 'Place of the layer from the input, 1 (early) to 4 (late); NULL where a layer has none.';
comment on column score_means.value is 'Mean over runs, in the unit of the score.';
comment on column score_means.sd is 'Standard deviation between runs (n - 1), in the unit of the score; NULL for one run.';
comment on column score_means.runs is 'Number of runs averaged, at least 1.';
