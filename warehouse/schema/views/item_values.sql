-- item_values: one row per run, item and quantity: what a score was averaged from.

create or replace view item_values as
with named as (
    -- A label belongs to no layer, but to the run's architecture.
    select
        series.series,
        series.run,
        series.dataset,
        series.quantity,
        loss_networks.layer,
        max(loss_networks.architecture_id) over (partition by series.run) as architecture_id
    from store.series
    left join store.loss_networks using (loss_network_id)
),
final as (
    select
        runs.run_id,
        runs.benchmark,
        architectures.architecture,
        named.layer,
        runs.preset,
        named.dataset,
        items.item,
        named.quantity,
        item_values.value
    from store.item_values
    join named using (series)
    join store.runs using (run)
    join store.items using (item_id)
    left join store.architectures using (architecture_id)
    where run not in (from store.removed)
)
select * from final;

comment on view item_values is 'One row per run, item (an image, a pair, a triplet) and quantity: what the scores of a measured run are made of.';
comment on column item_values.run_id is 'Run that measured it.';
comment on column item_values.benchmark is 'Benchmark of the run.';
comment on column item_values.architecture is 'Architecture of the run, as torchvision names it; NULL for a baseline without one.';
comment on column item_values.layer is 'Extraction layer that it was measured with; NULL for a baseline, and for labels, which belong to no layer.';
comment on column item_values.preset is 'Preset of the run, say smoke, whose values mean nothing; NULL for a real one.';
comment on column item_values.dataset is 'Data set or subset, say traditional, jnd_cnn, set5_x4, mrd or svhn.';
comment on column item_values.item is 'Item, as its data set names it: most often a file name without its ending.';
comment on column item_values.quantity is 'What value is: distance_0, distance_1 and judge of a triplet; distance and same of a pair; psnr, ssim; tp, fp, fn, completeness, correctness, quality; correct.';
comment on column item_values.value is 'The value; labels and correct from 0 to 1, psnr in dB; NULL where the item has none.';
