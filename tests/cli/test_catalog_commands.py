"""`lossnets benchmark` and `lossnets score`."""

from __future__ import annotations

ADD = ("score", "add", "colour_error", "--benchmark", "colours", "--unit", "ΔE", "--dataset",
       "Kodak", "--min", 0, "--lower-is-better", "--decimals", 2)  # fmt: skip


def test_a_benchmark_and_its_score_are_registered_listed_and_removed(run):
    added = run("benchmark", "add", "colours", "--label", "Colour")
    assert (added.status, added.out) == (0, "colours: a benchmark without scores yet\n")
    assert added.err == ("next: lossnets score add colours_SCORE --benchmark colours --unit UNIT\n")
    assert run(*ADD).out == "colour_error: a score of colours in ΔE, lower is better\n"
    assert run("benchmark", "list").out.endswith("colours,Colour,false,1,0,\n")
    assert run("score", "list").out.endswith(
        "38,colour_error,colours,Kodak,,,ΔE,0.0,,false,2,,Kodak,,true\n"
    )
    assert run("score", "remove", "colour_error").out == "removed colour_error\n"
    assert run("benchmark", "remove", "colours").out == "removed colours\n"
    assert "colours" not in run("benchmark", "list").out


def test_a_score_of_no_benchmark_is_refused_with_what_to_type(run):
    assert run(*ADD).err == (
        "error: 'colours' is no benchmark, valid are perceptual_similarity, super_resolution, "
        "delineation, autoencoding\nhint: lossnets benchmark add colours\n"
    )
