with cells as (
{% for attribute in attributes %}
    {% if not loop.first %}union all{% endif %}

    select
        architectures.architecture,
        {{ attribute.key | literal }} as attribute,
        {{ loop.index }} as attribute_position,
        {{ "paper." ~ attribute.printed if attribute.printed else "null" }} as printed,
        {{ "architectures." ~ attribute.measured if attribute.known else "null" }} as measured
    from architectures
    join paper_table_01 as paper on paper.architecture = architectures.architecture
{% endfor %}
),
compared as (
    select
        cells.*,
        cast(cells.printed as double) as number,
        round(
            cast(cells.measured as double),
            cast(coalesce(len(split_part(cells.printed, '.', 2)), 0) as integer)
        ) as rounded
    from cells
)
select
    compared.architecture,
    architectures.name,
    architectures.family,
    compared.attribute,
    compared.number as printed,
    compared.measured,
    case
        when compared.number is null or compared.measured is null then null
        when compared.rounded = compared.number then 'agrees'
        else 'differs'
    end as verdict
from compared
join architectures on architectures.architecture = compared.architecture
order by architectures.position, compared.attribute_position
