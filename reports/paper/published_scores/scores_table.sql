select
    architectures.architecture,
    architectures.name,
    architectures.family{% for score in scores %}{% for layer in layers %},
    max(score_means.value) filter (
        score_means.score = {{ score | literal }} and score_means.layer = {{ layer | literal }}
    ) as {{ (score ~ "_" ~ layer) | identifier }}{% endfor %}{% endfor %}

from score_means
join architectures on architectures.architecture = score_means.architecture
where score_means.source = 'paper'
group by architectures.architecture, architectures.name, architectures.family, architectures.position
order by architectures.position
