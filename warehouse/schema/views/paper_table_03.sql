-- paper_table_03: Table III as printed, one row per architecture.

create or replace view paper_table_03 as
with final as (
    select
        architecture, perceptual_similarity, super_resolution, delineation, autoencoding, overall
    from store.paper_table_03
)
select * from final;

comment on view paper_table_03 is 'Table III as printed: average ranks; average_ranks computes them anew.';
comment on column paper_table_03.architecture is 'Architecture, as torchvision names it.';
comment on column paper_table_03.perceptual_similarity is 'Average rank in benchmark 1, from 1 (best) to 14, as printed.';
comment on column paper_table_03.super_resolution is 'Average rank in benchmark 2, from 1 (best) to 14, as printed.';
comment on column paper_table_03.delineation is 'Average rank in benchmark 3, from 1 (best) to 14, as printed.';
comment on column paper_table_03.autoencoding is 'Average rank in benchmark 4, from 1 (best) to 14, as printed.';
comment on column paper_table_03.overall is 'Mean of the four, as printed.';
