from score_catalog
where paper_table is not null or score in (select score from score_means)
order by position
