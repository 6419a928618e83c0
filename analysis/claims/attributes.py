"""Claims about ImageNet accuracy and other attributes (sections V-C, VI-A, VI-B and VII)."""

from __future__ import annotations

from functools import partial

from lossnets.analysis.claims import attribute_numbers as numbers
from lossnets.analysis.claims.attribute_numbers import ALPHA
from lossnets.analysis.claims.claim import Bound, Claim
from lossnets.analysis.frames.frames import BENCHMARKS

TOPIC = "accuracy and attributes"
DELINEATION = BENCHMARKS[2]

SMALL = (
    "14 architectures find |correlations| of about 0.7 and more with 80 % power: that none is "
    "found does not show that there is none."
)


def _no_strong_correlation(name: str, *, id: str, section: str, statement: str) -> Claim:
    """The claim that one attribute has no strong correlation with any score."""
    return Claim(
        id=id,
        section=section,
        topic=TOPIC,
        statement=statement,
        labels={"share": "scores with a rank correlation of at least 0.7, either sign"},
        unit="share of the scores",
        measure=partial(numbers.strong_correlations, names=(name,)),
        supported=(Bound("share", "==", 0),),
        partly=(Bound("share", "<=", 0.1),),
        why="0.7 is half of the variance; one score in ten is an exception.",
        evidence="correlation",
        caution=SMALL,
        cells=False,
        attributes=True,
    )


CLAIMS = (
    _no_strong_correlation(
        "accuracy",
        id="accuracy_no_strong_correlation",
        section="V-C",
        statement="ImageNet accuracy has no strong correlation with any score.",
    ),
    Claim(
        id="accuracy_no_positive_linear",
        section="V-C",
        topic=TOPIC,
        statement="On no score is there a positive linear correlation with ImageNet accuracy.",
        labels={
            "significant": "scores with a significantly positive one (Westfall–Young, 5 %)",
            "share": "share of the scores with a positive sign",
        },
        unit="scores",
        measure=numbers.positive_linear,
        supported=(Bound("significant", "==", 0), Bound("share", "<=", 0.5)),
        partly=(Bound("significant", "==", 0),),
        why="Were there none, about half of the signs would be positive by chance.",
        evidence="correlation",
        caution=SMALL,
        cells=False,
        attributes=True,
    ),
    Claim(
        id="accuracy_no_positive_benchmark",
        section="VI-B, VII",
        topic=TOPIC,
        statement="On no benchmark do networks with better ImageNet accuracy do better.",
        labels={
            "positive": "benchmarks where the rank correlation with better placing is positive",
            "significant": "those where it is significant (Westfall–Young, 5 %)",
        },
        unit="of 4 benchmarks",
        measure=numbers.positive_by_benchmark,
        supported=(Bound("positive", "==", 0),),
        partly=(Bound("significant", "==", 0),),
        why="No positive sign at all is what the statement says; without significance a positive "
        "sign may be chance.",
        evidence="correlation_benchmarks",
        caution=SMALL,
        cells=False,
        attributes=True,
    ),
    Claim(
        id="accuracy_and_delineation_quality",
        section="V-C",
        topic=TOPIC,
        statement="Delineation quality does not rise with ImageNet accuracy (Figure 5).",
        labels={"r": "Pearson correlation", "p": "its two-sided p"},
        unit="correlation",
        measure=numbers.quality_with_accuracy,
        supported=(Bound("r", "<=", 0),),
        partly=(Bound("p", ">=", ALPHA),),
        why="A negative or no slope supports it; a positive one that may be chance does partly.",
        evidence="correlation",
        caution=SMALL,
        benchmarks=(DELINEATION,),
        cells=False,
        attributes=True,
    ),
    Claim(
        id="accuracy_no_inverted_u",
        section="V-C, VI-B",
        topic=TOPIC,
        statement="The rise and fall of scores with ImageNet accuracy that others found is not in "
        "these data.",
        labels={"share": "scores with a significantly negative quadratic term (Holm, 5 %)"},
        unit="share of the scores",
        measure=numbers.inverted_u,
        supported=(Bound("share", "==", 0),),
        partly=(Bound("share", "<=", 0.1),),
        why="One score in ten is an exception.",
        evidence="correlation",
        caution="14 architectures, two of them far below the others in accuracy.",
        cells=False,
        attributes=True,
    ),
    Claim(
        id="accuracy_goes_with_depth",
        section="VI-B",
        topic=TOPIC,
        statement="ImageNet accuracy goes with depth.",
        labels={
            "rho": "Spearman correlation of accuracy and depth",
            "low": "lower end of its 95 % interval",
        },
        unit="correlation",
        measure=numbers.accuracy_with_depth,
        supported=(Bound("rho", ">=", 0.5), Bound("low", ">", 0)),
        partly=(Bound("rho", ">=", 0.3),),
        why="At least moderate and not by chance.",
        evidence="correlation",
        cells=False,
        benchmarks=(),
        attributes=True,
    ),
    Claim(
        id="depth_no_effect",
        section="VI-A, VI-B",
        topic=TOPIC,
        statement="An architecture's depth does not affect how it does as a loss network.",
        labels={
            "significant": "scores with a significant rank correlation (Westfall–Young, 5 %)",
            "limit": "greatest |correlation| with overall placing that the 95 % interval allows",
        },
        unit="scores",
        measure=partial(numbers.no_effect, name="depth"),
        supported=(Bound("significant", "==", 0), Bound("limit", "<", 0.5)),
        partly=(Bound("significant", "==", 0),),
        why="To say that there is no effect, a moderate one has to be excluded.",
        evidence="correlation",
        caution=SMALL,
        cells=False,
        attributes=True,
    ),
    Claim(
        id="parameters_no_effect",
        section="VI-A",
        topic=TOPIC,
        statement="The number of parameters does not affect how an architecture does.",
        labels={
            "significant": "scores with a significant rank correlation (Westfall–Young, 5 %)",
            "limit": "greatest |correlation| with overall placing that the 95 % interval allows",
        },
        unit="scores",
        measure=partial(numbers.no_effect, name="parameters"),
        supported=(Bound("significant", "==", 0), Bound("limit", "<", 0.5)),
        partly=(Bound("significant", "==", 0),),
        why="To say that there is no effect, a moderate one has to be excluded.",
        evidence="correlation",
        caution=SMALL + " The paper prints no parameter counts: measured ones are used.",
        cells=False,
    ),
    _no_strong_correlation(
        "operations",
        id="operations_no_strong_correlation",
        section="VI-A",
        statement="The operations of a forward pass have no strong correlation with any score.",
    ),
    Claim(
        id="attributes_no_strong_correlation",
        section="VI-A",
        topic=TOPIC,
        statement="No attribute of the architectures has a strong correlation with a score.",
        labels={"share": "attributes × scores with a rank correlation of at least 0.7"},
        unit="share of attributes × scores",
        measure=numbers.strong_correlations,
        supported=(Bound("share", "==", 0),),
        partly=(Bound("share", "<=", 0.05),),
        why="0.7 is half of the variance; one pair in twenty is an exception.",
        evidence="correlation",
        caution=SMALL,
        cells=False,
        attributes=True,
    ),
    Claim(
        id="properties_no_strong_difference",
        section="VI-A",
        topic=TOPIC,
        statement="Skip connections, branching, 1×1 convolutions and batch norm make no strong "
        "difference.",
        labels={"share": "properties × scores with |Cliff's δ| ≥ 0.7 that are significant"},
        unit="share of properties × scores",
        measure=numbers.strong_groups,
        supported=(Bound("share", "==", 0),),
        partly=(Bound("share", "<=", 0.05),),
        why="Significant at 5 % by Westfall and Young; one pair in twenty is an exception.",
        evidence="correlation_groups",
        caution="Batch norm is confounded with the VGG family, and the properties with each other.",
        cells=False,
    ),
    Claim(
        id="layer_attributes_no_strong_correlation",
        section="V, VI-A",
        topic=TOPIC,
        statement="Attributes of the extraction layer (depth, parameters, channels, features up to "
        "it) have no strong correlation with a score.",
        labels={"share": "attributes × scores with a mean within-layer correlation of 0.7"},
        unit="share of attributes × scores",
        measure=numbers.strong_at_layers,
        supported=(Bound("share", "==", 0),),
        partly=(Bound("share", "<=", 0.05),),
        why="Between architectures at one layer, since position itself is a layer's matter; one "
        "pair in twenty is an exception.",
        evidence="correlation_layers",
        caution=SMALL,
        cells=False,
    ),
    Claim(
        id="no_simple_correlation",
        section="VII",
        topic=TOPIC,
        statement="Neither accuracy nor depth nor parameters have a simple correlation with the "
        "scores.",
        labels={"share": "attributes × scores with a significant rank correlation"},
        unit="share of attributes × scores",
        measure=numbers.significant_of_three,
        supported=(Bound("share", "==", 0),),
        partly=(Bound("share", "<=", 0.05),),
        why="Significant at 5 % by Westfall and Young within an attribute; one pair in twenty is "
        "an exception.",
        evidence="correlation",
        caution=SMALL,
        cells=False,
        attributes=True,
    ),
    Claim(
        id="too_few_architectures",
        section="VI-A, VI-C",
        topic=TOPIC,
        statement="That no correlations are found may be due to the small number of architectures.",
        labels={"r": "least |correlation| found with 80 % power"},
        unit="correlation",
        measure=numbers.least_detectable,
        supported=(Bound("r", ">=", 0.5),),
        partly=(Bound("r", ">=", 0.3),),
        why="Moderate correlations (0.5) would be missed too often; so would weak ones (0.3).",
        evidence="correlation",
        cells=False,
        benchmarks=(),
    ),
    Claim(
        id="batch_norm_learning_rates",
        section="VI-A",
        topic=TOPIC,
        statement="Torchvision's networks with batch norm were pretrained with larger learning "
        "rates.",
        labels={"ratio": "learning rate with batch norm ÷ without"},
        unit="ratio",
        measure=numbers.learning_rates,
        supported=(Bound("ratio", ">", 1),),
        why="Larger is larger.",
        evidence="correlation_groups",
        cells=False,
        benchmarks=(),
    ),
)
