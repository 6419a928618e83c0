-- The star: measurements in the middle; architectures, extraction layers, scores and runs around
-- them. Attributes and their values stand in attribute_tables.sql. Keys are small integers that
-- mean nothing outside this file; users read the views, which carry the names.

create schema store;

-- One row: which files this database was made from (hashes), and by which format of it.
create table store.meta (
    format integer not null,
    shipped varchar not null,
    catalog varchar not null,
    measured varchar not null,
    attributes varchar not null,
    studies varchar not null,
    events varchar not null
);

-- What of data/ has been read: entries of the log, and folders of runs (as runs/<run_id>, without
-- a size) with those of their files that were left out: fault says why, NULL where it is in.
create table store.files (
    file varchar primary key,
    size bigint,
    modified_ns bigint,
    fault varchar
);

create table store.architectures (
    architecture_id integer primary key,
    architecture varchar not null unique check (length(architecture) > 0),
    name varchar not null,
    family varchar not null check (length(family) > 0),
    position integer unique
);

create table store.loss_networks (
    loss_network_id integer primary key,
    architecture_id integer not null references store.architectures (architecture_id),
    layer varchar not null check (length(layer) > 0),
    layer_position integer check (layer_position > 0),
    node varchar,
    printed varchar,
    unique (architecture_id, layer)
);

create table store.benchmarks (
    benchmark varchar primary key,
    position integer not null,
    label varchar not null,
    in_paper boolean not null,
    description varchar not null
);

create table store.sources (
    source_id integer primary key,
    source varchar not null unique,
    title varchar not null,
    url varchar not null
);

create table store.scores (
    score_id integer primary key,
    score varchar not null unique,
    position integer not null unique,
    benchmark varchar not null references store.benchmarks (benchmark),
    dataset varchar not null,
    metric varchar not null,
    scale integer check (scale > 0),
    unit varchar not null,
    minimum double,
    maximum double,
    higher_is_better boolean not null,
    decimals integer not null check (decimals >= 0),
    paper_table varchar,
    label varchar not null,
    trained_model varchar,
    counted boolean not null,
    check (minimum < maximum)
);

create table store.runs (
    run integer primary key,
    run_id varchar not null unique check (length(run_id) > 0),
    source_id integer not null references store.sources (source_id),
    benchmark varchar not null references store.benchmarks (benchmark),
    preset varchar,
    seed bigint,
    weights varchar,
    config json,
    data varchar,
    versions json,
    device varchar,
    recorded_at timestamp,
    duration_s double check (isfinite(duration_s) and duration_s >= 0),
    peak_memory_bytes bigint check (peak_memory_bytes >= 0),
    -- Of store.files, NULL for the paper's. No key, and no CHECK beside one: it changes when the
    -- log is compacted, and DuckDB writes a row anew where a CHECK of what changes names a key.
    file varchar,
    baseline varchar
);

-- What was said of runs after they were recorded, in order; some of runs that are not here.
create table store.events (
    number integer not null,
    run_id varchar not null,
    kind varchar not null check (kind in ('removed', 'restored', 'tagged', 'untagged')),
    tag varchar,
    "by" varchar not null,
    "at" timestamp not null,
    why varchar not null
);

create table store.measurements (
    score_id integer not null references store.scores (score_id),
    loss_network_id integer not null references store.loss_networks (loss_network_id),
    run integer not null references store.runs (run),
    value double not null check (isfinite(value)),
    n bigint check (n > 0),
    primary key (score_id, loss_network_id, run)
);

-- What a run scored without any loss network, say a pixel-wise loss: the yardstick beside them.
create table store.baselines (
    score_id integer not null references store.scores (score_id),
    run integer not null references store.runs (run),
    value double not null check (isfinite(value)),
    n bigint check (n > 0),
    primary key (score_id, run)
);

-- What the folders of runs hold, beside their records. An item is an image, a pair or a triplet
-- of a data set; a series is one quantity of all items of a data set, from one run and layer.
create table store.items (
    item_id integer primary key,
    dataset varchar not null,
    item varchar not null,
    unique (dataset, item)
);

create table store.series (
    series integer primary key,
    run integer not null references store.runs (run),
    loss_network_id integer references store.loss_networks (loss_network_id),
    dataset varchar not null,
    quantity varchar not null
);

-- Millions of rows, loaded in bulk: keys would cost more than the values.
create table store.item_values (
    series integer not null,
    item_id integer not null,
    value double
);

create table store.curves (
    run integer not null,
    epoch integer not null check (epoch > 0),
    split varchar not null check (split in ('train', 'validation')),
    quantity varchar not null,
    value double
);

-- Why the training of a run is worthless, where it is.
create table store.notes (
    run integer primary key references store.runs (run),
    collapsed varchar
);

-- NULL where x is not finite: what a derived attribute is where its expression has no value.
create macro store.finite(x) as case when isfinite(x) then x end;
