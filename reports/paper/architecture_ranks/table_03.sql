with cells as (
{% for column in columns %}
    {% if not loop.first %}union all{% endif %}

    select
        architecture,
        {{ column | literal }} as "column",
        {{ loop.index }} as column_position,
        cast(paper.{{ column }} as double) as printed,
        average_ranks.{{ column }} as recomputed,
        average_ranks.{{ column }}_least as least,
        average_ranks.{{ column }}_greatest as greatest
    from paper_table_03 as paper
    left join average_ranks using (architecture)
    where source = 'paper'
{% endfor %}
)
-- printed with two decimals: half a unit of the last one is the print's own rounding
select
    architecture,
    name,
    family,
    "column",
    printed,
    recomputed,
    least,
    greatest,
    case
        when abs(printed - recomputed) <= 0.005 + 1e-9 then 'agrees'
        when printed between least - 0.005 - 1e-9 and greatest + 0.005 + 1e-9
            then 'inside the bounds'
        else 'outside the bounds'
    end as verdict
from cells
join architectures using (architecture)
order by position, column_position
