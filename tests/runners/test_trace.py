"""What is measured on traced networks, against counts made another way."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import warehouse
from runners import trace

pytestmark = pytest.mark.torch

MEASURED = Path(warehouse.__file__).parent / "measured"


def test_the_shipped_files_are_what_the_networks_give():
    for name, text in trace.tables().items():
        assert (MEASURED / name).read_text(encoding="utf-8") == text, name


def test_every_loss_network_has_every_attribute():
    text = (MEASURED / "loss_networks.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 56
    assert all(value != "" for row in rows for value in row.values())
