-- score_means: one row per source, score and loss network: the mean over the runs that differ in
-- seed alone; of several configurations the one that is shown.

create or replace view store.means as
with final as (
    select * exclude (shown) from store.configured where shown
)
select * from final;

create or replace view score_means as
with final as (
    select
        sources.source,
        scores.benchmark,
        scores.score,
        scores.higher_is_better,
        scores.trained_model,
        architectures.architecture,
        architectures.family,
        loss_networks.layer,
        loss_networks.layer_position,
        means.value,
        means.sd,
        means.runs,
        means.configurations,
        settings.weights,
        settings.config,
        settings.data
    from store.means
    join store.settings using (configuration)
    join store.sources using (source_id)
    join store.scores using (score_id)
    join store.loss_networks using (loss_network_id)
    join store.architectures using (architecture_id)
)
select * from final;

comment on view score_means is 'One row per source, score and loss network: the mean over the runs that differ in seed alone; baselines are left out.';
comment on column score_means.source is 'Where the values come from: paper, measured or a registered source.';
comment on column score_means.benchmark is 'Benchmark of the score.';
comment on column score_means.score is 'Score id; see score_catalog.';
comment on column score_means.higher_is_better is 'True where a greater value is the better one.';
comment on column score_means.trained_model is 'Training that the score shares with others, see score_catalog; NULL where nothing is trained.';
comment on column score_means.architecture is 'Architecture, as torchvision names it.';
comment on column score_means.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
comment on column score_means.layer is 'Extraction layer: early, semi_early, middle, late, or a traced node.';
comment on column score_means.layer_position is 'Place of the layer from the input, 1 (early) to 4 (late); NULL where a layer has none.';
comment on column score_means.value is 'Mean over runs, in the unit of the score.';
comment on column score_means.sd is 'Standard deviation between runs (n - 1), in the unit of the score; NULL for one run.';
comment on column score_means.runs is 'Number of runs averaged, at least 1.';
comment on column score_means.configurations is 'Number of configurations that were measured, at least 1: the others stand in configuration_means.';
comment on column score_means.weights is 'Which pretrained weights were used; NULL where that is not known.';
comment on column score_means.config is 'The config of the benchmark, as JSON; NULL where that is not known.';
comment on column score_means.data is 'Which data were used; NULL where that is not known.';
