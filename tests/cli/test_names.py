"""What people type is understood, or told what it is close to; folders that are made are told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("study", "pareto"), "there is no study 'pareto': did you mean 'pareto_fronts' or "
         "'pareto_shares'?"),
        (("attribut", "list"), "No such command 'attribut'. Did you mean 'attribute'?"),
        (("attribute", "show", "dept"), "there is no attribute 'dept': did you mean 'depth' or "
         "'depth_to_layer' or 'depth_fraction'?"),
        (("run", "superresolutoin"), "found benchmark 'superresolutoin'; did you mean "
         "'super-resolution'? valid are perceptual-similarity, super-resolution, delineation, "
         "autoencoding, and the file of a module"),
    ],
)  # fmt: skip
def test_a_name_that_is_none_is_told_with_the_closest(run, command, told):
    done = run(*command)
    assert (done.status, done.err.splitlines()[0]) == (2, f"error: {told}")


def test_names_are_understood_however_they_are_written(run):
    assert run("study", "Pareto-Fronts", "--format", "csv").status == 0
    done = run("score", "add", "mine", "--benchmark", "Super-resolution", "--unit", "dB")
    assert done.out.startswith("mine: a score of super_resolution in dB")


def test_help_is_no_error(run):
    assert run("attribute").status == 0
    assert run("attribute").out.startswith("Usage: lossnets attribute")


def test_a_new_home_and_a_new_folder_are_told_and_a_tilde_is_ones_own(tmp_path):
    def said(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "lossnets", *arguments],
            env=os.environ | {"HOME": str(tmp_path), "LOSSNETS_HOME": "~/mine"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stderr

    made = f"made a new home, the folder {tmp_path / 'mine'}\n"
    assert said("sql", "select 1") == f"1 row\n{made}"
    assert said("sql", "select 1") == "1 row\n"
    assert said("export", "benchmark_catalog", "-o", "~/out") == (
        f"made the folder {tmp_path / 'out'}\n"
    )
    assert not (tmp_path / "~").exists()
