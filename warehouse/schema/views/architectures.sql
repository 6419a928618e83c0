-- architectures: one row per architecture, one column per attribute of architectures.
-- A pattern: its placeholders are filled in from the attribute catalog each time an attribute is registered.

create or replace view architectures as
with architecture_attributes as (
    select architecture_id$architecture_pivot
    from store.architecture_values
    group by architecture_id
),
given as (
    select
        row_number() over (order by architectures.position nulls last, architecture) as position,
        architectures.architecture,
        architectures.name,
        architectures.family,
        architecture_attributes.* exclude (architecture_id)
    from store.architectures
    left join architecture_attributes using (architecture_id)
)$derivations,
final as (
    select position, architecture, name, family$columns
    from $derived
    order by position
)
select * from final;

comment on view architectures is 'One row per architecture, with every attribute of architectures.';
comment on column architectures.position is 'Place in the order of the paper''s tables, from 1; architectures beyond the paper follow by name.';
comment on column architectures.architecture is 'Architecture, as torchvision names it.';
comment on column architectures.name is 'Name for people, as the paper prints it.';
comment on column architectures.family is 'Family: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
