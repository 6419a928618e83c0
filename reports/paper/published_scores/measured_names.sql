select distinct score from score_means where source = 'measured'
