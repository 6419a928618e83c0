-- average_ranks: one row per source and architecture: Table III.
-- A benchmark's mean is over the paper's scores of that benchmark, and NULL where the
-- architecture lacks one that others of the same source have; overall weights benchmarks alike.

create or replace view average_ranks as
with published as (
    select is_paper, architecture_id, score_id, benchmark, rank, least_rank, greatest_rank
    from store.places
    join store.scores using (score_id)
    where scores.paper_table is not null
),
expected as (
    select is_paper, benchmark, count(distinct score_id) as scores
    from published
    group by is_paper, benchmark
),
complete as (
    select
        is_paper,
        architecture_id,
        benchmark,
        avg(rank) as rank,
        avg(least_rank) as least_rank,
        avg(greatest_rank) as greatest_rank
    from published
    join expected using (is_paper, benchmark)
    group by is_paper, architecture_id, benchmark, expected.scores
    having count(*) = expected.scores
),
per_architecture as (
    select
        is_paper,
        architecture_id,
        max(rank) filter (benchmark = 'perceptual_similarity') as perceptual_similarity,
        max(least_rank) filter (benchmark = 'perceptual_similarity')
            as perceptual_similarity_least,
        max(greatest_rank) filter (benchmark = 'perceptual_similarity')
            as perceptual_similarity_greatest,
        max(rank) filter (benchmark = 'super_resolution') as super_resolution,
        max(least_rank) filter (benchmark = 'super_resolution') as super_resolution_least,
        max(greatest_rank) filter (benchmark = 'super_resolution') as super_resolution_greatest,
        max(rank) filter (benchmark = 'delineation') as delineation,
        max(least_rank) filter (benchmark = 'delineation') as delineation_least,
        max(greatest_rank) filter (benchmark = 'delineation') as delineation_greatest,
        max(rank) filter (benchmark = 'autoencoding') as autoencoding,
        max(least_rank) filter (benchmark = 'autoencoding') as autoencoding_least,
        max(greatest_rank) filter (benchmark = 'autoencoding') as autoencoding_greatest
    from complete
    group by is_paper, architecture_id
),
final as (
    select
        case when is_paper then 'paper' else 'measured' end as source,
        architectures.architecture,
        architectures.family,
        per_architecture.* exclude (is_paper, architecture_id),
        (perceptual_similarity + super_resolution + delineation + autoencoding) / 4 as overall,
        (
            perceptual_similarity_least + super_resolution_least + delineation_least
            + autoencoding_least
        ) / 4 as overall_least,
        (
            perceptual_similarity_greatest + super_resolution_greatest + delineation_greatest
            + autoencoding_greatest
        ) / 4 as overall_greatest
    from per_architecture
    join store.architectures using (architecture_id)
)
select * from final;

comment on view average_ranks is 'One row per source and architecture: its mean rank per benchmark and overall (Table III).';
comment on column average_ranks.source is 'Where the values come from: paper or measured.';
comment on column average_ranks.architecture is 'Architecture, as torchvision names it.';
comment on column average_ranks.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet or Other.';
comment on column average_ranks.perceptual_similarity is 'Mean rank over the scores of perceptual_similarity, 1 is best; NULL where one is missing.';
comment on column average_ranks.perceptual_similarity_least is 'The same with every tie decided in its favour.';
comment on column average_ranks.perceptual_similarity_greatest is 'The same with every tie decided against it.';
comment on column average_ranks.super_resolution is 'Mean rank over the scores of super_resolution, 1 is best; NULL where one is missing.';
comment on column average_ranks.super_resolution_least is 'The same with every tie decided in its favour.';
comment on column average_ranks.super_resolution_greatest is 'The same with every tie decided against it.';
comment on column average_ranks.delineation is 'Mean rank over the scores of delineation, 1 is best; NULL where one is missing.';
comment on column average_ranks.delineation_least is 'The same with every tie decided in its favour.';
comment on column average_ranks.delineation_greatest is 'The same with every tie decided against it.';
comment on column average_ranks.autoencoding is 'Mean rank over the scores of autoencoding, 1 is best; NULL where one is missing.';
comment on column average_ranks.autoencoding_least is 'The same with every tie decided in its favour.';
comment on column average_ranks.autoencoding_greatest is 'The same with every tie decided against it.';
comment on column average_ranks.overall is 'Mean of the four benchmarks, each weighted equally; NULL unless all four are there.';
comment on column average_ranks.overall_least is 'The same with every tie decided in its favour.';
comment on column average_ranks.overall_greatest is 'The same with every tie decided against it.';
