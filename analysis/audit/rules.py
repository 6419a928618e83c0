"""The audit's rules, in the order in which the page lists them."""

from __future__ import annotations

from lossnets.analysis.audit import cells, digits, patterns, printed, relations
from lossnets.analysis.audit.findings import (
    COLLAPSE,
    CONTRADICTION,
    DEPARTURE,
    PATTERN,
    Z_SCALE,
    Rule,
)

RULES = (
    Rule(
        name="attributes",
        kind=CONTRADICTION,
        title="An attribute differs from what the network or its metadata gives",
        scale="certain: accuracy in the metadata; strong: depth, and multiply-accumulates 5 % "
        "off the column's usual ratio; suggestive: 1 % off",
        find=printed.attributes_disagree,
    ),
    Rule(
        name="average_ranks",
        kind=CONTRADICTION,
        title="A mean rank lies outside what the rounded scores allow",
        scale="certain: the bounds hold for every order of tied architectures",
        find=printed.average_ranks_disagree,
    ),
    Rule(
        name="rank_sums",
        kind=CONTRADICTION,
        title="Mean ranks do not add up among themselves",
        scale="certain: beyond rounding",
        find=printed.sums_disagree,
    ),
    Rule(
        name="best_layers",
        kind=CONTRADICTION,
        title="A best layer is not the best",
        scale="certain: another layer's printed value is higher",
        find=printed.best_layers_disagree,
    ),
    Rule(
        name="range",
        kind=CONTRADICTION,
        title="A value outside its score's range",
        scale="certain",
        find=cells.outside_range,
    ),
    Rule(
        name="more_decimals",
        kind=CONTRADICTION,
        title="A value with more decimals than its table",
        scale="certain",
        find=digits.more_decimals,
    ),
    Rule(
        name="near_identity",
        kind=DEPARTURE,
        title="Two scores of a run leave a relation that nearly all cells obey",
        scale=Z_SCALE,
        find=relations.near_identities,
    ),
    Rule(
        name="reversal",
        kind=DEPARTURE,
        title="An order of two scores, as of two test sets, that holds in 90 % of the cells breaks",
        scale="strong from a robust |z| of 7 of the difference, suggestive below",
        find=relations.reversals,
    ),
    Rule(
        name="outlier",
        kind=COLLAPSE,
        title="A single value far from the others of its score: a sign of a collapsed run",
        scale="strong if |z| is at least 7 and the value is an outlier among its own layer's "
        "too; suggestive from 3.5",
        find=cells.outliers,
    ),
    Rule(
        name="rank_disagreement",
        kind=DEPARTURE,
        title="Two metrics of one data set rank a cell far apart",
        scale=Z_SCALE,
        find=relations.rank_disagreements,
    ),
    Rule(
        name="repeats",
        kind=DEPARTURE,
        title="Values repeat inside a row more often than rounding explains",
        scale="strong: p < 0.001 against near misses; suggestive: p < 0.01",
        find=digits.repeats,
    ),
    Rule(
        name="terminal_digits",
        kind=PATTERN,
        title="Last digits heap",
        scale="suggestive: p < 0.001",
        find=digits.terminal_digits,
    ),
    Rule(
        name="failing_group",
        kind=COLLAPSE,
        title="Networks fail together at one layer of a trained model",
        scale="three or more outliers; strong from a median robust z of −7",
        find=patterns.failing_groups,
    ),
    Rule(
        name="determined_metric",
        kind=PATTERN,
        title="A metric is a function of two others",
        scale="suggestive: what is left of it is at most 2 % of its scale",
        find=patterns.determined_metrics,
    ),
    Rule(
        name="no_effect",
        kind=PATTERN,
        title="A factor, or a whole benchmark, without any effect",
        scale="suggestive: a share of a tenth of the variance is excluded, or no factor exceeds "
        "chance on any score of a trained model",
        find=patterns.factors_without_effect,
    ),
    Rule(
        name="independent_scores",
        kind=PATTERN,
        title="Scores of one benchmark rank independently",
        scale="suggestive: a rank correlation of 0.5 is excluded",
        find=patterns.independent_scores,
    ),
)
