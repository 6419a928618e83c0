-- benchmark_catalog: one row per benchmark.

create or replace view benchmark_catalog as
with final as (
    select position, benchmark, label, in_paper, description
    from store.benchmarks
    order by position
)
select * from final;

comment on view benchmark_catalog is 'One row per benchmark: the paper''s four, then registered ones.';
comment on column benchmark_catalog.position is 'Place in the order of benchmarks, from 1.';
comment on column benchmark_catalog.benchmark is 'Benchmark id, as in every other view.';
comment on column benchmark_catalog.label is 'Name for people, as in headings.';
comment on column benchmark_catalog.in_paper is 'True where the overall rank of the paper averages it.';
comment on column benchmark_catalog.description is 'What it measures, in a sentence.';
