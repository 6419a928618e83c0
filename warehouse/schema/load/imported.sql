-- What is compared before an import is written: everything is all rows of the staged files
-- (a pattern: targets), staged those that are not the paper's own, known what the store has of
-- their runs, printed what it has of the paper.

create or replace temp view everything as
select
    list_position([$targets], filename) as file,
    file_row_number + 1 as row,
    * exclude (file_row_number, filename)
from read_parquet([$targets], file_row_number = true, filename = true);

create or replace temp view staged as from everything where source is distinct from 'paper';

create or replace temp view networks as
select architecture, layer
from stored.store.loss_networks
join stored.store.architectures using (architecture_id);

create or replace temp view families as
with said as (
    select file, row, architecture, family from everything where family is not null
),
final as (
    select
        said.*,
        coalesce(
            -- what was never said of an architecture of one's own may be said now
            case when position is not null or known.family <> 'Other' then known.family end,
            first_value(said.family) over (partition by architecture order by file, row)
        ) as known
    from said
    left join stored.store.architectures as known using (architecture)
)
select * from final;

create or replace temp view known as
with asked as (
    select run, run_id
    from stored.store.runs
    semi join (select distinct run_id from staged) using (run_id)
),
of_networks as (
    select asked.run_id, architectures.architecture, loss_networks.layer, scores.score,
        measurements.value
    from stored.store.measurements
    join asked using (run)
    join stored.store.scores using (score_id)
    join stored.store.loss_networks using (loss_network_id)
    join stored.store.architectures using (architecture_id)
),
of_baselines as (
    select asked.run_id, null as architecture, null as layer, scores.score, baselines.value
    from stored.store.baselines
    join asked using (run)
    join stored.store.scores using (score_id)
),
final as (
    select * from of_networks
    union all
    select * from of_baselines
)
select * from final;

create or replace temp view printed as
select architectures.architecture, loss_networks.layer, scores.score, measurements.value
from stored.store.measurements
join stored.store.runs using (run)
join stored.store.scores using (score_id)
join stored.store.loss_networks using (loss_network_id)
join stored.store.architectures using (architecture_id)
where runs.source_id = 1;
