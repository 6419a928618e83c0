-- attribute_catalog: one row per attribute.

create or replace view attribute_catalog as
with final as (
    select attribute, label, level, kind, origin, registered, unit, description, expression
    from store.attributes
    order by attribute_id
)
select * from final;

comment on view attribute_catalog is 'One row per attribute: a column of loss_networks, and of architectures where it belongs to one.';
comment on column attribute_catalog.attribute is 'Attribute id: the name of its column.';
comment on column attribute_catalog.label is 'Name for people, as in headings.';
comment on column attribute_catalog.level is 'What it is a property of: architecture or loss_network.';
comment on column attribute_catalog.kind is 'numeric, binary (1 for yes and 0 for no) or categorical: texts.';
comment on column attribute_catalog.origin is 'Where it comes from: paper (printed), measured, added (from a file) or derived (from others).';
comment on column attribute_catalog.registered is 'Whether it was registered in this data folder; false for what lossnets ships.';
comment on column attribute_catalog.unit is 'Unit of its values; empty where it has none.';
comment on column attribute_catalog.description is 'What it is, in a sentence.';
comment on column attribute_catalog.expression is 'SQL that a derived attribute is computed by; NULL for the others.';
