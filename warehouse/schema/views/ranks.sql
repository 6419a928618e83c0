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

create or replace view ranks as
with final as (
    select
        sources.source,
        scores.benchmark,
        scores.score,
        architectures.architecture,
        architectures.family,
        places.value,
        places.rank,
        places.least_rank,
        places.greatest_rank,
        places.architectures
    from store.places
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
