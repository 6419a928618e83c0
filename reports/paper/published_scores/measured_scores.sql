select
    measured.architecture,
    coalesce(architectures.name, measured.architecture) as name,
    measured.family,
    measured.layer,
    score_catalog.label,
    measured.value as measured,
    measured.sd,
    measured.runs,
    printed.value as printed,
    measured.value - printed.value as difference
from score_means as measured
join score_catalog on score_catalog.score = measured.score
left join architectures on architectures.architecture = measured.architecture
left join score_means as printed
    on printed.source = 'paper'
    and printed.score = measured.score
    and printed.architecture = measured.architecture
    and printed.layer = measured.layer
where measured.source = 'measured' and measured.score in ({% for score in scores %}{{ score | literal }}{{ ", " if not loop.last }}{% endfor %})
order by
    score_catalog.position, architectures.position, 2, measured.layer_position, measured.layer
