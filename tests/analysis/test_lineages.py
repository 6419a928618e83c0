"""Findings over lineages: what holds beyond one family."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from lossnets.analysis.attributes.lineages import (
    Orders,
    concordance,
    correlated,
    lineages,
    lineages_of,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_what_is_of_no_family_is_a_lineage_of_its_own():
    found = lineages_of(["a", "b", "c", "d", "e"], ["VGG", "Other", "VGG", None, "ResNet"])
    assert found.names == ("ResNet", "VGG", "b", "d")
    assert found.names[found.largest] == "VGG"
    pools = found.pools(np.array([[1.0], [5.0], [3.0], [7.0], [9.0]]))
    assert pools["lineages"].ravel().tolist() == [9.0, 2.0, 5.0, 7.0]
    assert pools["within"].ravel().tolist() == [1.0, 3.0]
    assert pools["without"].ravel().tolist() == [5.0, 7.0, 9.0]


def test_few_lineages_are_permuted_in_every_way():
    x, y = rng(1).normal(size=(2, 6))
    rho, p = correlated(x, y[:, None], Orders(rng()))
    expected = stats.spearmanr(x, y).statistic
    null = [stats.spearmanr(x[list(order)], y).statistic for order in permutations(range(6))]
    assert rho[0] == pytest.approx(expected)
    assert p[0] == pytest.approx(np.mean(np.abs(null) >= abs(expected) - 1e-9))


def test_concordance_is_that_of_friedmans_test():
    cells = rng(2).normal(size=(8, 4, 1)) + np.arange(4)[:, None] / 2
    w, p = concordance(cells, rng())
    expected = stats.friedmanchisquare(*cells[..., 0].T)
    assert w[0] == pytest.approx(expected.statistic / (8 * 3))
    assert p[0] == pytest.approx(expected.pvalue, abs=0.02)


def families(frames, names):
    frames.scores["family"] = frames.scores["architecture"].map(names)
    return frames


def test_what_one_family_makes_does_not_hold(made_frames):
    x = np.array([9.0, 9.1, 9.2, 9.3, 9.4, *rng(3).normal(size=9)])
    cells = np.where(x > 8, x, rng(4).normal(size=14))[:, None, None]
    made = made_frames(cells, {"x": ("numeric", x)})
    names = sorted(made.scores["architecture"].unique())
    made = families(made, {name: "Big" if i < 5 else "Other" for i, name in enumerate(names)})
    row = lineages(made, rng()).iloc[0]
    assert (row["largest"], row["n_lineages"], row["n_within"], row["n_without"]) == (
        "Big",
        10,
        5,
        9,
    )
    assert row["p_all"] < 0.05
    assert row["holds"] == "no"


def test_no_more_than_five_in_a_hundred_findings_hold_where_nothing_is_true(made_frames):
    generator, held = rng(5), []
    for _ in range(100):
        made = made_frames(
            generator.normal(size=(12, 1, 1)), {"x": ("numeric", generator.normal(size=12))}
        )
        names = sorted(made.scores["architecture"].unique())
        made = families(made, {name: f"F{i // 3}" for i, name in enumerate(names)})
        held.append(lineages(made, generator)["holds"].iloc[0] == "yes")
    assert np.mean(held) <= 0.05


def test_published_findings(frames):
    found = lineages(frames, rng()).set_index(["subject", "benchmark"])
    assert set(found["largest"]) == {"VGG"}
    assert found.loc[("batch_norm", "overall"), "holds"] == "no"  # 0.012 over all: the VGGs
    assert found.loc[("imagenet_top1", "perceptual_similarity"), "holds"] == "yes"
    assert found.loc[("svhn_accuracy", "autoencoding"), "holds"] == "yes"
