select runs.run_id from runs where runs.source = 'measured' order by runs.run_id
