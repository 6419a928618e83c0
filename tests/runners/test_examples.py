"""The examples in the docstrings say what happens."""

from __future__ import annotations

import doctest
import importlib

import pytest

pytestmark = pytest.mark.torch

MODULES = (
    "autoencoder",
    "autoencoding",
    "class_folders",
    "custom",
    "delineation",
    "delineation_metrics",
    "digits",
    "graph",
    "image_batches",
    "image_metrics",
    "local_executor",
    "loss_network",
    "map_features",
    "matlab",
    "measure",
    "metrics",
    "perceptual_similarity",
    "photographs",
    "predictors",
    "pretrained",
    "super_resolution",
    "sweep_state",
    "trace",
    "training",
    "unet",
    "upscaling_network",
)


@pytest.mark.parametrize("name", MODULES)
def test_every_example_gives_what_it_shows(name):
    module = importlib.import_module(f"runners.{name}")
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
