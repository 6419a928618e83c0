-- average_ranks: one row per source and architecture: Table III.
-- A pattern: the columns of the benchmarks are filled in from their catalog.
-- A benchmark's mean is over its scores that count, and NULL where the architecture lacks one
-- that others of the same source have; overall weights benchmarks alike.

create or replace view average_ranks as
with counted as (
    select source_id, architecture_id, score_id, benchmark, rank, least_rank, greatest_rank
    from store.places
    join store.scores using (score_id)
    where scores.counted
),
expected as (
    select source_id, benchmark, count(distinct score_id) as scores
    from counted
    group by source_id, benchmark
),
complete as (
    select
        source_id,
        architecture_id,
        benchmark,
        avg(rank) as rank,
        avg(least_rank) as least_rank,
        avg(greatest_rank) as greatest_rank
    from counted
    join expected using (source_id, benchmark)
    group by source_id, architecture_id, benchmark, expected.scores
    having count(*) = expected.scores
),
per_architecture as (
    select
        source_id,
        architecture_id,
        count(*) as of_all,
        avg(rank) as all_benchmarks,
        avg(least_rank) as all_benchmarks_least,
        avg(greatest_rank) as all_benchmarks_greatest$pivot
    from complete
    group by source_id, architecture_id
),
all_expected as (
    select source_id, count(*) as expected from expected group by source_id
),
final as (
    select
        sources.source,
        architectures.architecture,
        architectures.family,
        per_architecture.* exclude (
            source_id, architecture_id, of_all, all_benchmarks, all_benchmarks_least,
            all_benchmarks_greatest
        ),
        $means
    from per_architecture
    join all_expected using (source_id)
    join store.sources using (source_id)
    join store.architectures using (architecture_id)
)
select * from final;

comment on view average_ranks is 'One row per source and architecture: its mean rank per benchmark and overall (Table III).';
comment on column average_ranks.source is 'Where the values come from: paper, measured or a registered source.';
comment on column average_ranks.architecture is 'Architecture, as torchvision names it.';
comment on column average_ranks.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
