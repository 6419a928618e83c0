select distinct score_means.score from score_means where score_means.source = 'measured'
