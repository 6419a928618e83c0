"""The numbers that claims about ImageNet accuracy and other attributes are decided by."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from lossnets.analysis.attributes import correlation, groups, layer_correlation
from lossnets.analysis.claims.claim import Numbers, share_of
from lossnets.analysis.claims.evidence import ATTRIBUTES, Evidence, NotTestable
from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.frames.once import computed, once
from lossnets.analysis.statistics.coefficients import pearson, spearman, t_test_p
from lossnets.analysis.statistics.intervals import fisher_interval, minimum_detectable
from lossnets.analysis.statistics.westfall_young import holm

STRONG = 0.7  # |correlation| called strong: half of the variance
ALPHA = 0.05


def _rows(e: Evidence, *names: str) -> pd.DataFrame:
    """Rows of the correlation study: these attributes, best layers, the scores in use."""
    ids = [e.attribute_id(name) for name in names]
    for name in names:
        e.attribute(name)
    table = _best_layer_correlations(e.frames)
    table = table[table["attribute"].isin(ids) & table["score"].isin(e.scores)]
    if table.empty or table["spearman"].isna().any():
        raise NotTestable(f"{', '.join(ids)} cannot be correlated with every score")
    return table


@once
def _best_layer_correlations(frames: Frames) -> pd.DataFrame:
    table = computed(frames, correlation.STUDIES[0])
    columns = ["attribute", "score", "spearman", "spearman_p_westfall_young"]
    columns += ["pearson", "pearson_p_westfall_young"]
    return table.loc[table["view"] == "best", columns]


def _architecture_attributes(e: Evidence) -> list[str]:
    """The numeric attributes of architectures that are there, in the source in use."""
    known = [
        name
        for name, ids in ATTRIBUTES.items()
        if e.attribute_source in ids and e.attribute_id(name) in e.frames.architectures
    ]
    if not known:
        raise NotTestable("no attribute of the architectures is there")
    return known


def _strongest(table: pd.DataFrame) -> str:
    row = table.iloc[int(table["spearman"].abs().to_numpy().argmax())]
    return f"strongest: {row['attribute']} with {row['score']}, {row['spearman']:.2f}"


def strong_correlations(e: Evidence, name: str = "") -> Numbers:
    """Share of the scores with a strong rank correlation, either sign; of all attributes if none
    is named."""
    table = _rows(e, *([name] if name else _architecture_attributes(e)))
    share = share_of((table["spearman"].abs() >= STRONG).to_numpy())
    return share | {"detail": _strongest(table)}


def positive_linear(e: Evidence) -> Numbers:
    """Scores whose Pearson correlation with accuracy is positive, and significantly so."""
    table = _rows(e, "accuracy")
    positive = table["pearson"] > 0
    significant = positive & (table["pearson_p_westfall_young"] < ALPHA)
    return {
        "significant": int(significant.sum()),
        "share": float(positive.mean()),
        "detail": f"greatest: {table['pearson'].max():.2f}",
    }


def positive_by_benchmark(e: Evidence) -> Numbers:
    """Benchmarks whose mean rank improves with accuracy, and significantly so."""
    e.attribute("accuracy")
    table = e.study(correlation.STUDIES, "correlation_benchmarks")
    table = table[table["attribute"] == e.attribute_id("accuracy")]
    table = table[table["benchmark"].isin(e.benchmarks)]
    if table.empty or table["spearman"].isna().any():
        raise NotTestable("accuracy cannot be correlated with every benchmark")
    positive = table["spearman"] > 0
    return {
        "positive": int(positive.sum()),
        "significant": int((positive & (table["spearman_p_westfall_young"] < ALPHA)).sum()),
        "detail": ", ".join(
            f"{b} {rho:.2f}" for b, rho in zip(table["benchmark"], table["spearman"], strict=True)
        ),
    }


def accuracy_with_depth(e: Evidence) -> Numbers:
    """Spearman correlation of accuracy and depth, with the lower end of its interval."""
    x, y = e.attribute("accuracy"), e.attribute("depth")
    rho = spearman(x, y[:, None])
    low, high = fisher_interval(rho, np.array([float(len(x))]), "spearman")
    return {
        "rho": float(rho[0]),
        "low": float(low[0]),
        "detail": f"95 % interval {low[0]:.2f} to {high[0]:.2f}, n = {len(x)}",
    }


def no_effect(e: Evidence, name: str) -> Numbers:
    """Significant correlations of an attribute, and how large the overall one could still be."""
    table = _rows(e, name)
    significant = table["spearman_p_westfall_young"] < ALPHA
    overall = -e.mean_ranks("overall")
    rho = spearman(e.attribute(name), np.round(overall, 9)[:, None])
    ends = np.concatenate(fisher_interval(rho, np.array([float(len(overall))]), "spearman"))
    which = ", ".join(table["score"][significant]) or "none"
    return {
        "significant": int(significant.sum()),
        "limit": float(np.abs(ends).max()),
        "detail": f"significant: {which}; with the overall mean rank {rho[0]:.2f}",
    }


def significant_of_three(e: Evidence) -> Numbers:
    """Share of significant correlations of accuracy, depth and parameters with scores."""
    names = [name for name in ("accuracy", "depth", "parameters") if _known(e, name)]
    table = _rows(e, *names)
    significant = table["spearman_p_westfall_young"] < ALPHA
    return share_of(significant.to_numpy()) | {"detail": f"{', '.join(names)}; {_strongest(table)}"}


def _known(e: Evidence, name: str) -> bool:
    try:
        e.attribute(name)
    except NotTestable:
        return False
    return True


def strong_groups(e: Evidence) -> Numbers:
    """Yes/no attributes × scores with a large difference that is significant in its family."""
    table = e.study(groups.STUDIES, "correlation_groups")
    table = table[(table["view"] == "best") & (table["level"] == "architecture")]
    table = table[table["score"].isin(e.scores) & table["p_westfall_young"].notna()]
    if table.empty:
        raise NotTestable("no yes/no attribute of the architectures is there")
    large = (table["cliffs_delta"].abs() >= STRONG) & (table["p_westfall_young"] < ALPHA)
    which = ", ".join(table["attribute"].str.cat(table["score"], " × ")[large])
    return share_of(large.to_numpy()) | {"detail": f"large: {which or 'none'}"}


def strong_at_layers(e: Evidence) -> Numbers:
    """Attributes of the extraction layer × scores with a strong within-layer correlation."""
    table = e.study(layer_correlation.STUDIES, "correlation_layers")
    table = table[(table["level"] == "loss_network") & table["score"].isin(e.scores)]
    table = table[table["within_layer"].notna()]
    if table.empty:
        raise NotTestable("no attribute of the extraction layers is there")
    strong = table["within_layer"].abs() >= STRONG
    row = table.iloc[int(table["within_layer"].abs().to_numpy().argmax())]
    return share_of(strong.to_numpy()) | {
        "detail": f"strongest: {row['attribute']} with {row['score']}, {row['within_layer']:.2f}"
    }


def inverted_u(e: Evidence) -> Numbers:
    """Scores that first rise and then fall with accuracy: a negative quadratic term (Holm)."""
    x = e.attribute("accuracy")
    x = (x - x.mean()) / x.std()
    design = np.column_stack([np.ones_like(x), x, x**2])
    freedom = len(x) - 3
    y = e.best
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ y
    residual = ((y - design @ coefficients) ** 2).sum(axis=0) / freedom
    error = np.sqrt(residual * inverse[2, 2])
    t = np.where(error > 0, coefficients[2] / np.where(error > 0, error, 1), 0.0)
    p = 2 * stats.t.sf(np.abs(t), freedom)
    return share_of((t < 0) & (holm(p) < ALPHA)) | {
        "detail": f"negative terms: {int((t < 0).sum())} of {len(t)}"
    }


def quality_with_accuracy(e: Evidence) -> Numbers:
    """Pearson correlation of accuracy with the best delineation quality (the paper's Figure 5)."""
    x = e.attribute("accuracy")
    column = e.columns(prefix="mrd_quality")
    r = pearson(x, e.best[:, column])
    p = t_test_p(r, np.array([float(len(x))]))
    return {"r": float(r[0]), "p": float(p[0])}


def least_detectable(e: Evidence) -> Numbers:
    """Least correlation that this number of architectures finds with 80 % power."""
    n = np.array(float(len(e.architectures)))
    return {
        "r": float(minimum_detectable(n, "spearman")),
        "detail": f"n = {int(n)}, no adjustment for the number of scores",
    }


def learning_rates(e: Evidence) -> Numbers:
    """The learning rates the networks were pretrained with: not recorded."""
    raise NotTestable("how the networks were pretrained is not part of the data")
