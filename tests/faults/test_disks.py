"""Disks with little room: every command does its work or says why not, and nothing is lost."""

from __future__ import annotations

import chapters
import pytest
from disks import COMMANDS, little_room
from kills import Killer

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.store import Warehouse


@pytest.mark.parametrize("name", COMMANDS)
def test_with_little_room_a_command_does_its_work_or_says_why_not(warehouse, name):
    chapters.little_disk(Killer(warehouse.home, seed=5), 6, name)


@pytest.mark.parametrize("megabytes", [1, 4, 8, 9, 10, 11, 16])
def test_no_database_is_put_in_place_that_does_not_open(tmp_path, megabytes):
    warehouse = Warehouse(tmp_path / "home")
    with little_room(tmp_path, mounted=False, room=megabytes << 20):
        if megabytes < 12:
            with pytest.raises(UserError, match="File too large"):
                warehouse.rebuild()
            assert not warehouse.path.exists()
        else:
            warehouse.rebuild()
            assert warehouse.rows("select count(*) from scores")[1] == [(1064,)]
