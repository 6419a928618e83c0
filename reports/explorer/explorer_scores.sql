from score_catalog
where
    score_catalog.paper_table is not null
    or score_catalog.score in (select score_means.score from score_means)
order by score_catalog.position
