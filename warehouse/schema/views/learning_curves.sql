-- learning_curves: one row per run, epoch, split and quantity.

create or replace view learning_curves as
with networks as (
    -- The one loss network of a training run.
    select run, min(loss_network_id) as loss_network_id
    from (
        select distinct run, loss_network_id
        from store.measurements
        semi join store.curves using (run)
    )
    group by run
    having count(*) = 1
),
final as (
    select
        runs.run_id,
        runs.benchmark,
        architectures.architecture,
        loss_networks.layer,
        runs.preset,
        curves.epoch,
        curves.split,
        curves.quantity,
        curves.value
    from store.curves
    join store.runs using (run)
    left join networks using (run)
    left join store.loss_networks using (loss_network_id)
    left join store.architectures using (architecture_id)
    where run not in (from store.removed)
)
select * from final;

comment on view learning_curves is 'One row per run, epoch, split and quantity: how the training of a measured run went.';
comment on column learning_curves.run_id is 'Run that was trained.';
comment on column learning_curves.benchmark is 'Benchmark of the run.';
comment on column learning_curves.architecture is 'Architecture of its loss network, as torchvision names it; NULL for a baseline without one.';
comment on column learning_curves.layer is 'Extraction layer of its loss network; NULL for a baseline without one.';
comment on column learning_curves.preset is 'Preset of the run, say smoke; NULL for a real one.';
comment on column learning_curves.epoch is 'Epoch after which it was taken, from 1.';
comment on column learning_curves.split is 'Images it was taken on: train or validation.';
comment on column learning_curves.quantity is 'What value is: loss, psnr, or say accuracy_64_32, of the predictor with these hidden layers.';
comment on column learning_curves.value is 'The value, in the unit of the quantity; NULL where it was no number, as in a run that collapsed.';
