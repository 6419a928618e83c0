"""Disks with little room: every command does its work or says why not, and nothing is lost."""

from __future__ import annotations

import chapters
import pytest
from disks import COMMANDS
from kills import Killer


@pytest.mark.parametrize("name", COMMANDS)
def test_with_little_room_a_command_does_its_work_or_says_why_not(warehouse, name):
    chapters.little_disk(Killer(warehouse.home, seed=5), 6, name)
