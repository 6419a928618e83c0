-- Values per item of runs, from the temporary table incoming: run_id and the columns of the files.

create or replace temp table loading as
select run_id, run from store.runs semi join incoming using (run_id);

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

create or replace temp table arriving_series as
with networks as (
    select distinct run, loss_network_id, layer
    from store.measurements
    semi join loading using (run)
    join store.loss_networks using (loss_network_id)
),
named as (
    select distinct run, layer, dataset, quantity from incoming join loading using (run_id)
),
final as (
    select
        (select coalesce(max(series), 0) from store.series)
            + row_number() over (order by run, dataset, quantity, layer) as series,
        run,
        case
            when layer is not null and loss_network_id is null
                then error(concat('names the layer ', layer, ', which the run did not score'))
            else loss_network_id
        end as loss_network_id,
        dataset,
        quantity,
        layer
    from named
    left join networks using (run, layer)
)
select * from final;

insert into store.series (series, run, loss_network_id, dataset, quantity)
select series, run, loss_network_id, dataset, quantity from arriving_series order by series;

create or replace temp table arriving_values as
select arriving_series.series, items.item_id, incoming.value
from incoming
join loading using (run_id)
join store.items using (dataset, item)
join arriving_series
    on arriving_series.run = loading.run
    and arriving_series.dataset = incoming.dataset
    and arriving_series.quantity = incoming.quantity
    and coalesce(arriving_series.layer, '') = coalesce(incoming.layer, '');

-- A key would do this too, at five times the room and the time.
select case when count(*) > 0 then error('has two values of one item') end
from (select 1 from arriving_values group by series, item_id having count(*) > 1);

insert into store.item_values (series, item_id, value)
select series, item_id, case when not isnan(value) then value end
from arriving_values
order by series, item_id;
