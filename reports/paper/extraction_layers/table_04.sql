with scores_of as (
    -- which scores a column of Table IV stands for: MRD (All) for every delineation score
    select score as "column", score, position as column_position
    from score_catalog
    where paper_table is not null

    union all

    select 'mrd', score, min(position) over ()
    from score_catalog
    where paper_table is not null and benchmark = 'delineation'
),
needed as (
    select "column", count(*) as scores from scores_of group by "column"
),
reached as (
    select score, architecture, unnest(layers) as layer from best_layers where source = 'paper'
),
best as (
    -- the layers that are best on all scores of the column
    select "column", architecture, layer
    from reached
    join scores_of using (score)
    join needed using ("column")
    group by "column", architecture, layer, scores
    having count(*) = scores
),
letters as (
    select
        "column",
        architecture,
        string_agg(upper(layer[1]), ' ' order by layer_position) as recomputed
    from best
    join loss_networks using (architecture, layer)
    group by "column", architecture
),
places as (
    select
        "column",
        architecture,
        avg(rank) = min(avg(rank)) over (partition by "column") as best_architecture
    from ranks
    join scores_of using (score)
    where source = 'paper'
    group by "column", architecture
),
printed as (
    unpivot paper_table_04 on columns(* exclude (architecture))
    into name "column" value printed
)
select
    architecture,
    name,
    family,
    "column",
    printed,
    recomputed,
    best_architecture,
    case
        when recomputed = printed then 'agrees'
        when list_contains(string_split(recomputed, ' '), printed) then 'among tied layers'
        else 'differs'
    end as verdict
from printed
join architectures using (architecture)
join (select distinct "column", column_position from scores_of) using ("column")
left join letters using ("column", architecture)
left join places using ("column", architecture)
order by position, column_position
