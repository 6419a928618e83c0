-- score_catalog: one row per score.

create or replace view score_catalog as
with final as (
    select
        position, score, benchmark, dataset, metric, scale, unit, minimum, maximum,
        higher_is_better, decimals, paper_table, label, trained_model, counted
    from store.scores
    order by position
)
select * from final;

comment on view score_catalog is 'One row per score: a benchmark, data set, metric and setting.';
comment on column score_catalog.position is 'Place in the order of the paper''s tables, from 1.';
comment on column score_catalog.score is 'Score id, as in every other view.';
comment on column score_catalog.benchmark is 'Benchmark of the score; see benchmark_catalog.';
comment on column score_catalog.dataset is 'Data set that the score is measured on.';
comment on column score_catalog.metric is 'Metric, say PSNR.';
comment on column score_catalog.scale is 'Upscaling factor, 4 or 8; NULL outside super_resolution.';
comment on column score_catalog.unit is 'Unit of the values: fraction, dB or %.';
comment on column score_catalog.minimum is 'Least possible value, in unit; NULL where there is none.';
comment on column score_catalog.maximum is 'Greatest possible value, in unit; NULL where there is none.';
comment on column score_catalog.higher_is_better is 'True where a greater value is the better one.';
comment on column score_catalog.decimals is 'Decimals that the paper prints.';
comment on column score_catalog.paper_table is 'Table of the paper that prints it, V to XI; NULL for a score the paper does not have.';
comment on column score_catalog.label is 'Name for people, as in headings.';
comment on column score_catalog.trained_model is 'Training that the score is of: its metrics and test sets come from one trained model, and share its noise; NULL where nothing is trained.';
comment on column score_catalog.counted is 'True where ranks and studies count it; false for parts of data sets, which would count twice.';
