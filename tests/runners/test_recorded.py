"""Which runs are recorded: the same from the log, from its compacted entries, from the database."""

from __future__ import annotations

import pytest

from lossnets.runners.runs import recorded
from lossnets.runners.runs.recorded import Recorded
from lossnets.warehouse.loading import compaction
from lossnets.warehouse.sources.records import Measurement, RunRecord, write_entry
from lossnets.warehouse.store import Warehouse


@pytest.fixture
def written(tmp_path):
    """The ids of runs that are written to the log, an entry each: `written(seeds)`."""

    def write(seeds):
        runs = [
            RunRecord(
                benchmark="autoencoding",
                seed=seed,
                measurements=(
                    Measurement(architecture="vgg11", layer="late", score="svhn_accuracy", value=0),
                ),
            )
            for seed in seeds
        ]
        for run in runs:
            write_entry(tmp_path, [run])
        return {run.run_id for run in runs}

    return write


def _suffixes(home):
    return [path.suffix for path in sorted((home / "records").iterdir())]


def test_what_was_compacted_is_recorded_still(written, tmp_path, monkeypatch):
    monkeypatch.setattr(compaction, "LEAST", 3)
    before = Recorded(tmp_path, database=False)
    ids = written(range(3))
    assert before.ids() == ids
    Warehouse.open(tmp_path)
    assert _suffixes(tmp_path) == [".parquet"]
    ids |= written([5])
    assert before.ids() == ids
    assert Recorded(tmp_path, database=False).ids() == ids
    assert Recorded(tmp_path).ids() >= ids
    monkeypatch.setattr(recorded, "find_spec", lambda name: None)
    assert Recorded(tmp_path).ids() == ids
    assert "none" not in before
    (entry,) = (tmp_path / "records").glob("*.parquet")
    whole = entry.read_bytes()
    entry.write_bytes(whole[:50] + bytes(9) + whole[59:])  # damaged, it holds none
    assert len(Recorded(tmp_path).ids()) == 1


def test_what_is_compacted_while_it_is_read_is_seen(written, tmp_path, monkeypatch):
    ids = written(range(3))
    log, read = Recorded(tmp_path, database=False), recorded._ids_in

    def compacted_before(entry, known):
        monkeypatch.setattr(recorded, "_ids_in", read)
        monkeypatch.setattr(compaction, "LEAST", 3)
        Warehouse.open(tmp_path)
        assert _suffixes(tmp_path) == [".parquet"]
        return read(entry, known)

    monkeypatch.setattr(recorded, "_ids_in", compacted_before)
    assert log.ids() == ids


def test_what_is_known_to_be_recorded_is_not_looked_for(written, tmp_path, monkeypatch):
    ids = written(range(2))
    log = Recorded(tmp_path, database=False)
    assert log.ids() == ids
    monkeypatch.setattr(Recorded, "_names", None)
    assert all(run_id in log for run_id in ids)


def test_an_entry_that_is_a_link_to_nothing_hides_nothing(written, tmp_path):
    ids = written([1])
    (tmp_path / "records" / "x.jsonl").symlink_to(tmp_path / "none")
    assert Recorded(tmp_path, database=False).ids() == ids


def test_a_home_without_a_log_has_none(tmp_path):
    assert Recorded(tmp_path, database=False).ids() == set()
    assert Recorded(tmp_path / "file" / "below", database=False).ids() == set()


def test_what_was_imported_without_a_config_is_no_pass(tmp_path):
    measured = [
        Measurement(architecture="vgg11", layer=layer, score="bapps_2afc", value=0.6)
        for layer in ("early", "late")
    ]
    write_entry(tmp_path, [RunRecord(benchmark="perceptual_similarity", measurements=measured)])
    assert "another run" not in Recorded(tmp_path)
