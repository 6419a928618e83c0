-- Values per item of the run that the variable run_id names, from the temporary table incoming.

set variable run = (select run from store.runs where run_id = getvariable('run_id'));

create or replace temp view networks as
select distinct loss_network_id, layer
from store.measurements
join store.loss_networks using (loss_network_id)
where run = getvariable('run');

insert into store.items (item_id, dataset, item)
with fresh as (
    select distinct dataset, item from incoming
    anti join store.items using (dataset, item)
),
final as (
    select
        (select coalesce(max(item_id), 0) from store.items)
            + row_number() over (order by dataset, item),
        dataset,
        item
    from fresh
)
select * from final;

insert into store.series (series, run, loss_network_id, dataset, quantity)
with named as (
    select distinct layer, dataset, quantity from incoming
),
final as (
    select
        (select coalesce(max(series), 0) from store.series)
            + row_number() over (order by dataset, quantity, layer),
        getvariable('run'),
        case
            when layer is not null and loss_network_id is null
                then error(concat('names the layer ', layer, ', which the run did not score'))
            else loss_network_id
        end,
        dataset,
        quantity
    from named
    left join networks using (layer)
)
select * from final;

create or replace temp view series_of_run as
select series, dataset, quantity, coalesce(layer, '') as layer
from store.series
left join networks using (loss_network_id)
where run = getvariable('run');

create or replace temp view arriving as
select series_of_run.series, items.item_id, incoming.value
from incoming
join store.items using (dataset, item)
join series_of_run
    on series_of_run.dataset = incoming.dataset
    and series_of_run.quantity = incoming.quantity
    and series_of_run.layer = coalesce(incoming.layer, '');

insert into store.item_values (series, item_id, value)
select series, item_id, case when not isnan(value) then value end
from arriving
order by series, item_id;

-- A key would do this too, at five times the room and the time.
select case when count(*) > 0 then error('has two values of one item') end
from (
    select 1 from store.item_values semi join series_of_run using (series)
    group by series, item_id
    having count(*) > 1
);
