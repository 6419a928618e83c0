-- Learning curves of runs, from the temporary table incoming: run_id and the columns of the files.

-- A key would do this too, at several times the room and the time.
select case when count(*) > 0 then error('has two values of one quantity') end
from (select 1 from incoming group by run_id, epoch, split, quantity having count(*) > 1);

insert into store.curves (run, epoch, split, quantity, value)
select run, epoch, split, quantity, case when not isnan(value) then value end
from incoming
join store.runs using (run_id);
