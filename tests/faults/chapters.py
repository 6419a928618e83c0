"""What happens to a data folder, each chapter with as many faults as it is told, then the check.

`test_*.py` go through every chapter with a few faults, `soak.py` with hundreds, again and again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import acts
import failing
from disks import COMMANDS, RECORDING, disk, little_room, names_the_disk
from invariant import check, check_rebuilt, check_sweep, files, left_over
from kills import Killer, Process

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.sources.records import write_entry
from lossnets.warehouse.store import Warehouse

WRITERS = {
    "append": (acts.append, 0.4),
    "append without DuckDB": (acts.write, 0.05),
    "import": (acts.imports, 0.3),
}
LOADERS = {"load": (acts.load, 0.1), "rebuild": (acts.rebuild, 0.6)}
AT_ONCE = {
    "appender": acts.append,
    "other appender": acts.append,
    "node": acts.write,
    "node whose clock was set back": acts.Skewed(acts.write, -400),
    "node whose clock is ahead": acts.Skewed(acts.write, 3),
    "importer": acts.imports,
    "reader": acts.load,
    "builder": acts.rebuild,
}
ONE_PLAN = {"first": acts.sweep, "second": acts.sweep, "third": acts.sweep, "run": acts.run}


def writers(killer: Killer, faults: int, name: str) -> None:
    """Writers are killed, and each time everything acknowledged is there."""
    act, longest_s = WRITERS[name]
    while killer.faults < faults:
        killer.at_a_moment(act, longest_s, words=3)
        check(killer.home, killer.acknowledged)
    check_rebuilt(killer.home)


def loaders(killer: Killer, faults: int, name: str) -> None:
    """Whoever loads is killed, and the next command loads the rest."""
    act, longest_s = LOADERS[name]
    while killer.faults < faults:
        killer.at_a_moment(acts.write, 0.03)  # something to load
        killer.at_a_moment(act, longest_s)
        check(killer.home, killer.acknowledged)
    check_rebuilt(killer.home)


def storm(killer: Killer, faults: int) -> None:
    """Writers, importers, readers and builders at once, each killed again and again."""
    killer.storm(AT_ONCE, kills=faults, pause_s=0.12)
    assert killer.told == [], killer.told
    check(killer.home, killer.acknowledged)
    check_rebuilt(killer.home)


def compaction(killer: Killer, faults: int) -> None:
    """The log is long, and whoever makes it shorter is killed."""
    while killer.faults < faults:
        fresh = killer.seeds(1100)
        for seed in fresh:
            write_entry(killer.home, [acts.record(seed)])
        killer.acknowledged.update(fresh)
        for _ in range(4):
            killer.at_a_moment(acts.load, 1.2)
            killer.at_a_moment(acts.write, 0.03)
        check(killer.home, killer.acknowledged)
    check_rebuilt(killer.home)


def clocks(killer: Killer, faults: int) -> None:
    """Clocks of writers are set back, and ahead, and the writers killed."""
    days = (0.0, -400, 3, -0.01, -20_000)
    while killer.faults < faults:
        act = acts.Skewed(killer.chance.choice([acts.write, acts.append]),
                          killer.chance.choice(days))  # fmt: skip
        killer.at_a_moment(act, 0.2, words=2)
        check(killer.home, killer.acknowledged)
    check_rebuilt(killer.home)


def report(killer: Killer, faults: int) -> None:
    """Whoever writes the report is killed; the next writes the page that it would have written."""
    folder, other = killer.home.with_name("report"), killer.home.with_name("other_report")
    while killer.faults < faults:
        killer.at_a_moment(acts.append, 0.1, words=1)  # without news there is nothing to write
        killer.at_a_moment(acts.ShortReport(str(folder)), 1.2)
    for each in (folder, other):
        Process(acts.ShortReport(str(each)), killer.home).wait()
    assert files(folder) == files(other), "not the report of the same records"
    assert left_over(folder) == sorted({"data", "index.html", ".history.json", ".stamp.json"})
    check(killer.home, killer.acknowledged)


def runs(killer: Killer, faults: int, name: str) -> None:
    """A run or a sweep is killed; what it recorded is kept, and the same command goes on."""
    act = getattr(acts, name)
    for _ in range(faults):
        killer.at_a_moment(act, 1.0)
        check_sweep(killer.home, killer.acknowledged)
    Process(act, killer.home).wait()
    check_sweep(killer.home, killer.acknowledged, ended=True)


def one_plan(killer: Killer, faults: int) -> None:
    """Sweeps and a run on one plan are killed; nothing is executed twice."""
    killer.storm(ONE_PLAN, kills=faults, pause_s=0.5)
    check_sweep(killer.home, killer.acknowledged)
    processes = [killer.start(act) for act in ONE_PLAN.values()]
    for process in processes:
        process.wait()
        killer.acknowledged.update(process.said)
    check_sweep(killer.home, killer.acknowledged, ended=True)


def little_disk(killer: Killer, faults: int, name: str) -> None:
    """A command has a disk with little room: it does its work or says why not."""
    with disk(killer.home.with_name("disk"), "32m") as mounted:
        home = killer.home.with_name("disk") / "data"
        home.mkdir()
        shutil.copy(killer.home / "warehouse.duckdb", home)
        store, told = Warehouse.open(home), []
        for number in range(faults):
            room = int(10 ** killer.chance.uniform(2, 6.5)) if number else 0
            waiting, seed = killer.seeds(2)
            write_entry(home, [acts.record(waiting)])
            killer.acknowledged.add(waiting)
            killer.faults += 1
            with little_room(home.parent, mounted, room):
                try:
                    COMMANDS[name](store, seed)
                    killer.acknowledged |= {seed} if name in RECORDING else set()
                except UserError as error:
                    told.append(error.message)
                assert store.rows("select 42")[1] == [(42,)]
            assert check(home, killer.acknowledged) - killer.acknowledged <= {seed}
        check_rebuilt(home)
    assert told, "nothing was refused"
    assert all(map(names_the_disk, told)), told


def damage(killer: Killer, faults: int) -> None:
    """Files of the log are copied damaged: the next command works, and says what it left out."""
    home = killer.home
    fresh = killer.seeds(9)
    write_entry(home, [acts.record(seed) for seed in fresh[:3]])
    import_records(Warehouse(home), acts.table([acts.record(seed) for seed in fresh[3:]]))
    killer.acknowledged.update(fresh)
    entries = sorted((home / "records").iterdir())
    for number in range(faults):
        entry = entries[number % 2]
        date = killer.chance.choice(["1999", "2999"])
        damaged = entry.with_name(f"{date}{number}{entry.suffix}")
        damaged.write_bytes(_damaged(entry, killer))
        killer.faults += 1
        store = Warehouse.open(home)
        assert all(path == f"records/{damaged.name}" for path, _ in store.skipped())
        assert all(fault.isprintable() for _, fault in store.skipped())
        damaged.unlink()
    check(home, killer.acknowledged)
    check_rebuilt(home)


def _damaged(entry: Path, killer: Killer) -> bytes:
    """Cut off, with zeros inside, or noise from somewhere on."""
    content = bytearray(entry.read_bytes())
    place = killer.chance.randrange(len(content))
    kind = killer.chance.choice(["cut", "zeros", "noise"])
    if kind == "cut":
        return bytes(content[:place])
    if kind == "zeros":
        return bytes(content[:place] + bytes(300) + content[place + 300 :])
    return bytes(content[:place]) + killer.chance.randbytes(len(content) - place)


def failing_calls(killer: Killer, faults: int, name: str) -> None:
    """As many calls of the system as faults, from a random one on, fail in a command one by one."""
    folder = killer.home.with_name("failing")
    folder.mkdir()
    failing.prepare(folder)
    error = killer.chance.choice(list(failing.ERRORS))
    calls = f"{killer.chance.randint(1, 5)}:{killer.chance.randint(1, 5)}:{faults}"
    done = failing.started(folder, name, error, calls)
    killer.faults += done.stdout.count("\n")
    assert done.returncode == 0, done.stderr
