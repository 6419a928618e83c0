-- Learning curves of the run that the variable run_id names, from the temporary table incoming.

insert into store.curves (run, epoch, split, quantity, value)
select
    (select run from store.runs where run_id = getvariable('run_id')),
    epoch,
    split,
    quantity,
    case when not isnan(value) then value end
from incoming;
