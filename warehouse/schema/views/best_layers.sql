-- best_layers: one row per source, score and architecture: its best extraction layer or layers.

create or replace view store.best as
with final as (
    select
        source_id,
        score_id,
        architecture_id,
        case when scores.higher_is_better then max(value) else min(value) end as value
    from store.means
    join store.scores using (score_id)
    join store.loss_networks using (loss_network_id)
    group by source_id, score_id, architecture_id, scores.higher_is_better
)
select * from final;

create or replace view best_layers as
with reaching as (
    select
        best.source_id,
        best.score_id,
        best.architecture_id,
        best.value,
        list(loss_networks.layer order by loss_networks.layer_position, loss_networks.layer)
            as layers
    from store.means
    join store.loss_networks using (loss_network_id)
    join store.best using (source_id, score_id, architecture_id, value)
    group by all
),
final as (
    select
        sources.source,
        scores.benchmark,
        scores.score,
        architectures.architecture,
        architectures.family,
        reaching.value,
        reaching.layers,
        len(reaching.layers) as layer_count
    from reaching
    join store.sources using (source_id)
    join store.scores using (score_id)
    join store.architectures using (architecture_id)
)
select * from final;

comment on view best_layers is 'One row per source, score and architecture: the best value and the layers that reach it.';
comment on column best_layers.source is 'Where the values come from: paper, measured or a registered source.';
comment on column best_layers.benchmark is 'Benchmark of the score.';
comment on column best_layers.score is 'Score id; see score_catalog.';
comment on column best_layers.architecture is 'Architecture, as torchvision names it.';
comment on column best_layers.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
comment on column best_layers.value is 'Best mean over the extraction layers, in the unit of the score.';
comment on column best_layers.layers is 'Extraction layers that reach the best value, from the input on; several under a tie.';
comment on column best_layers.layer_count is 'Number of layers that reach the best value, at least 1.';
