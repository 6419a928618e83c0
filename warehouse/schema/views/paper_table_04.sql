-- paper_table_04: Table IV as printed, one row per architecture.
-- E, S, M and L stand for the early, semi-early, middle and late extraction layer.

create or replace view paper_table_04 as
with final as (
    select
        architecture, bapps_2afc, bapps_jnd, sr_x4_bsd100_ssim, sr_x8_bsd100_ssim, mrd,
        svhn_accuracy, stl10_accuracy
    from store.paper_table_04
)
select * from final;

comment on view paper_table_04 is 'Table IV as printed: the best extraction layer (E, S, M or L); best_layers computes it anew.';
comment on column paper_table_04.architecture is 'Architecture, as torchvision names it.';
comment on column paper_table_04.bapps_2afc is 'Best layer on BAPPS 2AFC, E, S, M or L, as printed.';
comment on column paper_table_04.bapps_jnd is 'Best layer on BAPPS JND, E, S, M or L, as printed.';
comment on column paper_table_04.sr_x4_bsd100_ssim is 'Best layer on ×4 BSD100 SSIM, E, S, M or L, as printed.';
comment on column paper_table_04.sr_x8_bsd100_ssim is 'Best layer on ×8 BSD100 SSIM, E, S, M or L, as printed.';
comment on column paper_table_04.mrd is 'Best layer on all three MRD scores, E, S, M or L, as printed.';
comment on column paper_table_04.svhn_accuracy is 'Best layer on SVHN accuracy, E, S, M or L, as printed.';
comment on column paper_table_04.stl10_accuracy is 'Best layer on STL-10 accuracy, E, S, M or L, as printed.';
