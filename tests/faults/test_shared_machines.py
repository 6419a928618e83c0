"""A machine of many users: what lies where anybody may put it is trusted by nobody."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from lossnets.runners.sweeps.executors import ray_cluster
from lossnets.warehouse.errors import UserError

CODE = Path(ray_cluster.__file__).parents[3]
SHARED = ("/tmp", "gettempdir", "tempfile.mktemp", "/dev/shm", "/var/tmp")


@pytest.fixture
def named(tmp_path, monkeypatch) -> Path:
    """The file in which Ray notes where its last cluster is."""
    path = tmp_path / "ray_current_cluster"
    utils = SimpleNamespace(get_ray_address_file=lambda folder: str(path))
    monkeypatch.setattr(ray_cluster, "imported", lambda: None)
    monkeypatch.setattr(ray_cluster, "import_module", lambda name: utils)
    return path


def test_an_address_that_another_user_has_left_is_not_connected_to(named, monkeypatch):
    named.write_text("10.0.0.1:6379\n")
    assert ray_cluster._address_here() == "10.0.0.1:6379"
    mine = named.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    if mine:
        with pytest.raises(UserError, match="started by another user"):
            ray_cluster._address_here()
    else:
        os.chown(named, 12345, -1)
        with pytest.raises(UserError, match="started by another user"):
            ray_cluster._address_here()


def test_an_address_that_is_a_link_or_a_pipe_or_not_there_is_none(named):
    with pytest.raises(UserError, match="no Ray was started"):
        ray_cluster._address_here()
    named.symlink_to("/etc/hostname")
    with pytest.raises(UserError, match="no Ray was started"):
        ray_cluster._address_here()


def test_nothing_of_ours_has_a_guessable_place_that_is_anybodys():
    """Each line that names such a place is judged here: a Ray of one's own has a private folder."""
    found = [
        f"{path.name}: {line.strip()}"
        for folder in ("lossnets", "runners", "warehouse", "analysis", "reports")
        for path in (CODE / folder).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if any(place in line for place in SHARED)
    ]
    assert found == [
        'ray_cluster.py: folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # short, for sockets'
    ]
