-- scores: one row per measurement, the paper's and those measured since.
-- preset_scores: the same of runs with a preset (smoke tests), whose scores mean nothing.

create or replace view store.scored as
with measured as (
    select score_id, loss_network_id, run, value, n from store.measurements
    union all
    select score_id, null, run, value, n from store.baselines
),
final as (
    select
        sources.source,
        scores.benchmark,
        scores.score,
        scores.dataset,
        scores.metric,
        scores.scale,
        scores.unit,
        scores.higher_is_better,
        architectures.architecture,
        architectures.family,
        loss_networks.layer,
        loss_networks.layer_position,
        runs.baseline,
        runs.preset,
        measured.value,
        measured.n,
        runs.seed,
        runs.run_id,
        runs.recorded_at
    from measured
    join store.runs using (run)
    join store.sources using (source_id)
    join store.scores using (score_id)
    left join store.loss_networks using (loss_network_id)
    left join store.architectures using (architecture_id)
    where run not in (from store.removed)
)
select * from final;

create or replace view scores as
with final as (
    select * exclude (preset) from store.scored where preset is null
)
select * from final;

create or replace view preset_scores as
with final as (
    select * exclude (source) from store.scored where preset is not null
)
select * from final;

comment on view scores is 'One row per measurement: a score of a loss network from one run.';
comment on column scores.source is 'Where the value comes from: paper, measured or a registered source.';
comment on column scores.benchmark is 'Benchmark of the score; see benchmark_catalog.';
comment on column scores.score is 'Score id: benchmark, data set, metric and setting in one; see score_catalog.';
comment on column scores.dataset is 'Data set that the score is measured on.';
comment on column scores.metric is 'Metric of the score, say PSNR.';
comment on column scores.scale is 'Upscaling factor, 4 or 8; NULL outside super_resolution.';
comment on column scores.unit is 'Unit of value: fraction, dB or %.';
comment on column scores.higher_is_better is 'True where a greater value is the better one.';
comment on column scores.architecture is 'Architecture of the loss network, as torchvision names it; NULL for a baseline without one.';
comment on column scores.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
comment on column scores.layer is 'Extraction layer: early, semi_early, middle, late, or a traced node; NULL for a baseline.';
comment on column scores.layer_position is 'Place of the layer from the input, 1 (early) to 4 (late); NULL where a layer has none.';
comment on column scores.baseline is 'What was run in place of a loss network, say l2; NULL where there is one, and for the paper.';
comment on column scores.value is 'The score, in unit; finite, within minimum and maximum of score_catalog.';
comment on column scores.n is 'Number of items the value averages over; NULL where not recorded.';
comment on column scores.seed is 'Random seed of the run; NULL where unknown or none.';
comment on column scores.run_id is 'Run that measured it: 16 hexadecimal digits, a hash of what was run.';
comment on column scores.recorded_at is 'When the run was recorded, UTC; NULL for the paper.';

comment on view preset_scores is 'One row per measurement of a run with a preset: it shows that a benchmark runs, and is no score.';
comment on column preset_scores.benchmark is 'Benchmark of the score; see benchmark_catalog.';
comment on column preset_scores.score is 'Score id: benchmark, data set, metric and setting in one; see score_catalog.';
comment on column preset_scores.dataset is 'Data set that the score is measured on.';
comment on column preset_scores.metric is 'Metric of the score, say PSNR.';
comment on column preset_scores.scale is 'Upscaling factor, 4 or 8; NULL outside super_resolution.';
comment on column preset_scores.unit is 'Unit of value: fraction, dB or %.';
comment on column preset_scores.higher_is_better is 'True where a greater value is the better one.';
comment on column preset_scores.architecture is 'Architecture of the loss network, as torchvision names it; NULL for a baseline without one.';
comment on column preset_scores.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
comment on column preset_scores.layer is 'Extraction layer: early, semi_early, middle, late, or a traced node; NULL for a baseline.';
comment on column preset_scores.layer_position is 'Place of the layer from the input, 1 (early) to 4 (late); NULL where a layer has none.';
comment on column preset_scores.baseline is 'What was run in place of a loss network, say l2; NULL where there is one.';
comment on column preset_scores.preset is 'Preset of the run, say smoke.';
comment on column preset_scores.value is 'The score, in unit; finite, within minimum and maximum of score_catalog.';
comment on column preset_scores.n is 'Number of items the value averages over; NULL where not recorded.';
comment on column preset_scores.seed is 'Random seed of the run; NULL where unknown or none.';
comment on column preset_scores.run_id is 'Run that measured it: 16 hexadecimal digits, a hash of what was run.';
comment on column preset_scores.recorded_at is 'When the run was recorded, UTC.';
