with cells as (
{% for column in columns %}
    {% if not loop.first %}union all{% endif %}

    select
        paper.architecture,
        {{ column | literal }} as "column",
        {{ loop.index }} as column_position,
        cast(paper.{{ column }} as double) as printed,
        average_ranks.{{ column }} as recomputed,
        average_ranks.{{ column }}_least as least,
        average_ranks.{{ column }}_greatest as greatest
    from paper_table_03 as paper
    left join average_ranks
        on average_ranks.architecture = paper.architecture and average_ranks.source = 'paper'
{% endfor %}
)
-- printed with two decimals: half a unit of the last one is the print's own rounding
select
    cells.architecture,
    architectures.name,
    architectures.family,
    cells."column",
    cells.printed,
    cells.recomputed,
    cells.least,
    cells.greatest,
    case
        when abs(cells.printed - cells.recomputed) <= 0.005 + 1e-9 then 'agrees'
        when cells.printed between cells.least - 0.005 - 1e-9 and cells.greatest + 0.005 + 1e-9
            then 'inside the bounds'
        else 'outside the bounds'
    end as verdict
from cells
join architectures on architectures.architecture = cells.architecture
order by architectures.position, cells.column_position
