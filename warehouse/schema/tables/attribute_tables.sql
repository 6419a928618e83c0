-- Attributes and their values. These alone are made anew when a user registers an attribute.

drop table if exists store.architecture_values;
drop table if exists store.loss_network_values;
drop table if exists store.attributes;
drop table if exists store.attribute_faults;

create table store.attributes (
    attribute_id integer primary key,
    attribute varchar not null unique check (regexp_full_match(attribute, '[a-z][a-z0-9_]*')),
    label varchar not null,
    level varchar not null check (level in ('architecture', 'loss_network')),
    kind varchar not null check (kind in ('numeric', 'binary', 'categorical')),
    origin varchar not null check (origin in ('paper', 'measured', 'added', 'derived')),
    registered boolean not null,
    unit varchar not null,
    description varchar not null,
    expression varchar,
    check ((origin = 'derived') = (expression is not null))
);

create table store.architecture_values (
    attribute_id integer not null references store.attributes (attribute_id),
    architecture_id integer not null references store.architectures (architecture_id),
    value double check (isfinite(value)),
    text varchar,  -- of a categorical attribute
    check ((value is null) <> (text is null)),
    primary key (attribute_id, architecture_id)
);

create table store.loss_network_values (
    attribute_id integer not null references store.attributes (attribute_id),
    loss_network_id integer not null references store.loss_networks (loss_network_id),
    value double check (isfinite(value)),
    text varchar,  -- of a categorical attribute
    check ((value is null) <> (text is null)),
    primary key (attribute_id, loss_network_id)
);

-- Files below data/attributes/ that were left out, or of which something was.
create table store.attribute_faults (
    file varchar primary key,
    fault varchar not null
);
