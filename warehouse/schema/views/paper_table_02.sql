-- paper_table_02: Table II as printed, one row per architecture.

create or replace view paper_table_02 as
with final as (
    select architecture, extraction_layers from store.paper_table_02
)
select * from final;

comment on view paper_table_02 is 'Table II as printed: where features are extracted.';
comment on column paper_table_02.architecture is 'Architecture, as torchvision names it.';
comment on column paper_table_02.extraction_layers is 'The four extraction layers, early to late, as printed.';
