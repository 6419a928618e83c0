"""Records appended by 16 processes at once, each acknowledged once it is durable.

`python -m bench.appending [SECONDS]`. Each process appends entries of one record for as long, to
the log alone as the workers of a sweep do, and through the warehouse, which loads them too. The
last column is what appending would cost if it were nothing but the disk: the same bytes written,
synced and renamed, by as many processes. The log is on the disk of this folder.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

from lossnets.warehouse.sources.records import Measurement, RunRecord, write_entry
from lossnets.warehouse.store import Warehouse

SECONDS = 5.0
PROCESSES = (1, 4, 16)


def record(seed: int) -> RunRecord:
    """A run with the scores of four layers."""
    return RunRecord(
        benchmark="autoencoding",
        seed=seed,
        measurements=tuple(
            Measurement(architecture="vgg11", layer=layer, score="svhn_accuracy", value=0.5)
            for layer in ("early", "semi_early", "middle", "late")
        ),
    )


def to_log(home: Path, seed: int) -> None:
    """What a worker of a sweep does."""
    write_entry(home, [record(seed)])


def to_warehouse(home: Path, seed: int) -> None:
    """What `lossnets run` does."""
    Warehouse(home).append(record(seed))


def to_disk(home: Path, seed: int) -> None:
    """The least that a durable file takes."""
    path = home / "records" / f"{seed}.jsonl"
    text = record(seed).to_json().encode()
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, text)
    os.fsync(descriptor)
    os.close(descriptor)
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def rate(append: Callable[[Path, int], None], home: Path, processes: int, seconds: float) -> float:
    """Records a second, of all processes together; all of them are found afterwards."""
    fork = multiprocessing.get_context("forkserver")
    fork.set_forkserver_preload(["lossnets.warehouse.loading.building", "duckdb"])
    begin, counts = fork.Barrier(processes + 1), fork.SimpleQueue()
    workers = [
        fork.Process(target=_work, args=(append, home, seconds, begin, counts, i * 10**6))
        for i in range(processes)
    ]
    for worker in workers:
        worker.start()
    begin.wait()
    start = time.perf_counter()
    done = sum(counts.get() for _ in workers)
    taken = time.perf_counter() - start
    for worker in workers:
        worker.join()
    if append is not to_disk:
        count = "select count(*) from runs where source = 'measured'"
        assert Warehouse.open(home).rows(count)[1] == [(done,)]
    return done / taken


def _work(
    append: Callable[[Path, int], None],
    home: Path,
    seconds: float,
    begin: Barrier,
    counts: multiprocessing.SimpleQueue[int],
    first: int,
) -> None:
    begin.wait()
    end, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        append(home, first + done)
        done += 1
    counts.put(done)


def main(seconds: float = SECONDS) -> None:
    """Print records a second by how many processes append, and where to."""
    build = Path("build")  # on a disk, where the folder for temporary files may be memory
    build.mkdir(exist_ok=True)
    print(f"{'records/s by processes':24} {'log':>9} {'warehouse':>11} {'disk alone':>11}")
    for processes in PROCESSES:
        cells = []
        for append in (to_log, to_warehouse, to_disk):
            with tempfile.TemporaryDirectory(dir=build) as name:
                home = Path(name).resolve()
                (home / "records").mkdir()
                Warehouse.open(home)
                cells.append(rate(append, home, processes, seconds))
        print(f"{processes:<24} {cells[0]:9,.0f} {cells[1]:11,.1f} {cells[2]:11,.0f}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else SECONDS)
