-- store.removed: one row per run whose last word of removed and restored is removed.

create or replace view store.removed as
with last as (
    select run_id
    from store.events
    where kind in ('removed', 'restored')
    group by run_id
    having arg_max(kind, number) = 'removed'
),
final as (
    select run from store.runs semi join last using (run_id)
)
select * from final;
