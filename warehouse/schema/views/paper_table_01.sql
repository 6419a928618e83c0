-- paper_table_01: Table I as printed, one row per architecture.

create or replace view paper_table_01 as
with final as (
    select architecture, imagenet_acc, depth, mflops from store.paper_table_01
)
select * from final;

comment on view paper_table_01 is 'Table I as printed: the architectures. Its check marks are lost in the text.';
comment on column paper_table_01.architecture is 'Architecture, as torchvision names it.';
comment on column paper_table_01.imagenet_acc is 'ImageNet accuracy, in %, as printed.';
comment on column paper_table_01.depth is 'Depth: most weighted layers from input to output, as printed.';
comment on column paper_table_01.mflops is 'Cost of a forward pass, in MFLOPS, as printed.';
