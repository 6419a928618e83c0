select
    architecture,
    name,
    family{% for score in scores %}{% for layer in layers %},
    max(value) filter (score = {{ score | literal }} and layer = {{ layer | literal }}) as {{ (score ~ "_" ~ layer) | identifier }}{% endfor %}{% endfor %}

from score_means
join architectures using (architecture, family)
where source = 'paper'
group by architecture, name, family, position
order by position
