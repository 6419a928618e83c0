-- scores_wide: one row per source and loss network, one column per score.
-- A pattern: its placeholders are filled in from the score catalog.

create or replace view scores_wide as
with pivoted as (
    select source_id, loss_network_id$score_pivot
    from store.means
    group by source_id, loss_network_id
),
final as (
    select
        sources.source,
        architectures.architecture,
        architectures.family,
        loss_networks.layer,
        loss_networks.layer_position,
        pivoted.* exclude (source_id, loss_network_id)
    from pivoted
    join store.sources using (source_id)
    join store.loss_networks using (loss_network_id)
    join store.architectures using (architecture_id)
)
select * from final;

comment on view scores_wide is 'One row per source and loss network, one column per score: the mean over its runs.';
comment on column scores_wide.source is 'Where the values come from: paper, measured or a registered source.';
comment on column scores_wide.architecture is 'Architecture, as torchvision names it.';
comment on column scores_wide.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
comment on column scores_wide.layer is 'Extraction layer: early, semi_early, middle, late, or a traced node.';
comment on column scores_wide.layer_position is 'Place of the layer from the input, 1 (early) to 4 (late); NULL where a layer has none.';
