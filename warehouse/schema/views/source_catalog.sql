-- source_catalog: one row per source.

create or replace view source_catalog as
with final as (
    select source_id as position, source, title, url
    from store.sources
    order by position
)
select * from final;

comment on view source_catalog is 'One row per source of scores: the paper, this home''s own runs, registered studies.';
comment on column source_catalog.position is 'Place in the order of sources, from 1.';
comment on column source_catalog.source is 'Source id, as in every other view.';
comment on column source_catalog.title is 'What it is called.';
comment on column source_catalog.url is 'Where it is published; empty where that is not known.';
