select run_id from runs where source = 'measured' order by run_id
