with cells as (
{% for attribute in attributes %}
    {% if not loop.first %}union all{% endif %}

    select
        architecture,
        {{ attribute.key | literal }} as attribute,
        {{ loop.index }} as attribute_position,
        {{ "paper." ~ attribute.printed if attribute.printed else "null" }} as printed,
        {{ "architectures." ~ attribute.measured if attribute.known else "null" }} as measured
    from architectures
    join paper_table_01 as paper using (architecture)
{% endfor %}
),
compared as (
    select
        *,
        cast(printed as double) as number,
        round(cast(measured as double), cast(coalesce(len(split_part(printed, '.', 2)), 0) as integer)) as rounded
    from cells
)
select
    architecture,
    name,
    family,
    attribute,
    number as printed,
    measured,
    case
        when number is null or measured is null then null
        when rounded = number then 'agrees'
        else 'differs'
    end as verdict
from compared
join architectures using (architecture)
order by position, attribute_position
