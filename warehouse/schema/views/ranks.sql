-- ranks: one row per source, score and architecture: its place by its best extraction layer.
-- Counting per distinct value and joining the counts back beats a window over all rows.

create or replace view store.places as
with signed as (
    select
        best.*,
        case when scores.higher_is_better then value else -value end as goodness
    from store.best
    join store.scores using (score_id)
),
counted as (
    select source_id, score_id, goodness, count(*) as tied
    from signed
    group by source_id, score_id, goodness
),
summed as (
    select
        *,
        sum(tied) over (
            partition by source_id, score_id order by goodness desc
            rows between unbounded preceding and current row
        ) as greatest_rank,
        sum(tied) over (partition by source_id, score_id) as architectures
    from counted
),
final as (
    select
        source_id,
        score_id,
        architecture_id,
        signed.value,
        (2 * summed.greatest_rank - summed.tied + 1) / 2 as rank,
        (summed.greatest_rank - summed.tied + 1)::bigint as least_rank,
        summed.greatest_rank::bigint as greatest_rank,
        summed.architectures::bigint as architectures
    from signed
    join summed using (source_id, score_id, goodness)
)
select * from final;

-- Of several configurations that which is not shown has the place it would take in place of the
-- shown one, among the other architectures.
create or replace view store.other_places as
with others as (
    select
        source_id,
        score_id,
        architecture_id,
        configuration,
        scores.higher_is_better,
        case when scores.higher_is_better then max(value) else min(value) end as value
    from store.configured
    join store.scores using (score_id)
    join store.loss_networks using (loss_network_id)
    where not shown
    group by source_id, score_id, architecture_id, configuration, scores.higher_is_better
),
final as (
    select
        others.source_id,
        others.score_id,
        others.architecture_id,
        others.configuration,
        others.value,
        1 + count(*) filter (
            case when higher_is_better then best.value > others.value
                else best.value < others.value end
        ) as least_rank,
        least_rank + count(*) filter (best.value = others.value) as greatest_rank,
        (least_rank + greatest_rank) / 2 as rank,
        count(best.value) + 1 as architectures
    from others
    left join store.best
        on best.source_id = others.source_id
        and best.score_id = others.score_id
        and best.architecture_id <> others.architecture_id
    group by all
)
select * from final;

create or replace view ranks as
with of_shown as (
    select
        source_id,
        score_id,
        architecture_id,
        arg_min(configuration, (layer_position, layer)) as configuration
    from store.means
    join store.loss_networks using (loss_network_id)
    join store.best using (source_id, score_id, architecture_id, value)
    group by source_id, score_id, architecture_id
),
every as (
    select places.*, configuration, true as shown
    from store.places
    join of_shown using (source_id, score_id, architecture_id)
    union all by name
    select *, false as shown from store.other_places
),
final as (
    select
        sources.source,
        scores.benchmark,
        scores.score,
        architectures.architecture,
        architectures.family,
        every.value,
        every.rank,
        every.least_rank,
        every.greatest_rank,
        every.architectures,
        settings.weights,
        settings.config,
        settings.data,
        every.shown
    from every
    join store.settings using (configuration)
    join store.sources using (source_id)
    join store.scores using (score_id)
    join store.architectures using (architecture_id)
)
select * from final;

comment on view ranks is 'One row per source, score and architecture: its rank by its best extraction layer, 1 is best.';
comment on column ranks.source is 'Where the values come from: paper, measured or a registered source.';
comment on column ranks.benchmark is 'Benchmark of the score.';
comment on column ranks.score is 'Score id; see score_catalog.';
comment on column ranks.architecture is 'Architecture, as torchvision names it.';
comment on column ranks.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
comment on column ranks.value is 'Value of the best extraction layer, in the unit of the score.';
comment on column ranks.rank is 'Average rank under ties, from 1 (best) to architectures.';
comment on column ranks.least_rank is 'Rank if every tie were decided in its favour: 1 + how many are better.';
comment on column ranks.greatest_rank is 'Rank if every tie were decided against it: how many are at least as good.';
comment on column ranks.architectures is 'How many architectures are ranked for this source and score.';
comment on column ranks.weights is 'Which pretrained weights were used; NULL where that is not known.';
comment on column ranks.config is 'The config of the benchmark, as JSON; NULL where that is not known.';
comment on column ranks.data is 'Which data were used; NULL where that is not known.';
comment on column ranks.shown is 'False where another configuration of the architecture is the one that studies and the page show; its rank is that among the other architectures.';
