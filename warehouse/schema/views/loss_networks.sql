-- loss_networks: one row per loss network, one column per attribute.
-- A pattern: its placeholders are filled in from the attribute catalog each time an attribute is registered.

create or replace view loss_networks as
with architecture_attributes as (
    select architecture_id$architecture_pivot
    from store.architecture_values
    group by architecture_id
),
network_attributes as (
    select loss_network_id$network_pivot
    from store.loss_network_values
    group by loss_network_id
),
given as (
    select
        architectures.architecture,
        architectures.name,
        architectures.family,
        loss_networks.layer,
        loss_networks.layer_position,
        loss_networks.node,
        loss_networks.printed,
        architecture_attributes.* exclude (architecture_id),
        network_attributes.* exclude (loss_network_id),
        architectures.position as architecture_position
    from store.loss_networks
    join store.architectures using (architecture_id)
    left join architecture_attributes using (architecture_id)
    left join network_attributes using (loss_network_id)
)$derivations,
final as (
    select
        architecture, name, family, layer, layer_position, node, printed$columns
    from $derived
    order by architecture_position nulls last, architecture, layer_position nulls last, layer
)
select * from final;

comment on view loss_networks is 'One row per loss network: an architecture and an extraction layer, with every attribute.';
comment on column loss_networks.architecture is 'Architecture, as torchvision names it.';
comment on column loss_networks.name is 'Name of the architecture for people, as the paper prints it.';
comment on column loss_networks.family is 'Family of the architecture: VGG, ResNet, Inception, EfficientNet, Other, or your own.';
comment on column loss_networks.layer is 'Extraction layer: early, semi_early, middle, late, or a traced node.';
comment on column loss_networks.layer_position is 'Place of the layer from the input, 1 (early) to 4 (late); NULL where a layer has none.';
comment on column loss_networks.node is 'Node of the traced network whose output is extracted; NULL where not known.';
comment on column loss_networks.printed is 'The layer as Table II prints it; NULL outside the paper.';
