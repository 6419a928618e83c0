-- run_events: one row per run and event: removed, restored, tagged, untagged.

create or replace view run_events as
with final as (
    select run_id, kind, tag, "at", "by", why
    from store.events
    order by number
)
select * from final;

comment on view run_events is 'One row per run and event after it was recorded, in order.';
comment on column run_events.run_id is 'Run id, as in runs.';
comment on column run_events.kind is 'What happened: removed, restored, tagged or untagged.';
comment on column run_events.tag is 'The tag that was given or taken away; NULL otherwise.';
comment on column run_events."at" is 'When, UTC.';
comment on column run_events."by" is 'Who did it, as the system names them.';
comment on column run_events.why is 'Why, in their words.';
