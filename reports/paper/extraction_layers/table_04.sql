with scores_of as (
    -- which scores a column of Table IV stands for: MRD (All) for every delineation score
    select
        score_catalog.score as "column",
        score_catalog.score,
        score_catalog.position as column_position
    from score_catalog
    where score_catalog.paper_table is not null

    union all

    select 'mrd', score_catalog.score, min(score_catalog.position) over ()
    from score_catalog
    where score_catalog.paper_table is not null and score_catalog.benchmark = 'delineation'
),
needed as (
    select scores_of."column", count(*) as scores from scores_of group by scores_of."column"
),
reached as (
    select best_layers.score, best_layers.architecture, unnest(best_layers.layers) as layer
    from best_layers
    where best_layers.source = 'paper'
),
best as (
    -- the layers that are best on all scores of the column
    select scores_of."column", reached.architecture, reached.layer
    from reached
    join scores_of on scores_of.score = reached.score
    join needed on needed."column" = scores_of."column"
    group by scores_of."column", reached.architecture, reached.layer, needed.scores
    having count(*) = needed.scores
),
letters as (
    select
        best."column",
        best.architecture,
        string_agg(upper(best.layer[1]), ' ' order by loss_networks.layer_position) as recomputed
    from best
    join loss_networks
        on loss_networks.architecture = best.architecture and loss_networks.layer = best.layer
    group by best."column", best.architecture
),
places as (
    select
        scores_of."column",
        ranks.architecture,
        avg(ranks.rank) = min(avg(ranks.rank)) over (partition by scores_of."column")
            as best_architecture
    from ranks
    join scores_of on scores_of.score = ranks.score
    where ranks.source = 'paper'
    group by scores_of."column", ranks.architecture
),
printed as (
    unpivot paper_table_04 on columns(* exclude (architecture))
    into name "column" value printed
),
columns_of as (
    select distinct scores_of."column", scores_of.column_position from scores_of
)
select
    printed.architecture,
    architectures.name,
    architectures.family,
    printed."column",
    printed.printed,
    letters.recomputed,
    places.best_architecture,
    case
        when letters.recomputed = printed.printed then 'agrees'
        when list_contains(string_split(letters.recomputed, ' '), printed.printed)
            then 'among tied layers'
        else 'differs'
    end as verdict
from printed
join architectures on architectures.architecture = printed.architecture
join columns_of on columns_of."column" = printed."column"
left join letters
    on letters."column" = printed."column" and letters.architecture = printed.architecture
left join places
    on places."column" = printed."column" and places.architecture = printed.architecture
order by architectures.position, columns_of.column_position
