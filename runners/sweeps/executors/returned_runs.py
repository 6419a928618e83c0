"""A run that was executed where no shared folder is: packed up there, kept in the sweep's home."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lossnets.runners.runs.recorded import Recorded
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.runners.sweeps.executors.executor import FAILURE, Ended, failed, failure_of
from lossnets.runners.sweeps.plan import Row
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import RunRecord, hash_of, write_entry

LEFT_BEHIND = (".lock", "checkpoint.pt")


@dataclass(frozen=True, kw_only=True)
class ReturnedRun:
    """What a run left: lines of records (none of a run that failed), and its folder's files."""

    run_id: str
    records: tuple[str, ...]
    files: dict[str, bytes]

    def keep(self, home: Path) -> None:
        """Write it to a home: the files first, then the record, which makes it a run.

        Errors: UserError where the disk is full or read-only.
        """
        folder = RunFolder(home / "runs" / self.run_id)
        before = (failure_of(folder.path) or {}).get("attempts", 0)
        for name, content in self.files.items():
            if name == FAILURE:
                failure = json.loads(content)
                folder.write_json(FAILURE, failure | {"attempts": before + 1})
            else:
                with folder.replacing(name) as temporary:
                    temporary.write_bytes(content)
        if self.records:
            write_entry(home, [RunRecord.from_json(line) for line in self.records])
            folder.remove(FAILURE)


def place(home: Path, run_id: str) -> Path:
    """The home, on a node's own disk, of one run of a sweep's home; the same if begun again."""
    mine = Path(tempfile.gettempdir()) / f"lossnets-{os.getuid()}"
    return mine / f"{hash_of(str(home))}-{run_id}"


def take(home: Path, run_id: str) -> ReturnedRun:
    """What a run left in its place."""
    left = place(home, run_id)
    folder = left / "runs" / run_id
    lines = [
        line
        for entry in sorted((left / "records").glob("*.jsonl"))
        for line in entry.read_text(encoding="utf-8").splitlines()
    ]
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in LEFT_BEHIND
    }
    return ReturnedRun(run_id=run_id, records=tuple(lines[:1]), files=files)


def clear(home: Path, run_id: str) -> None:
    """Remove what a run left in its place, once it is returned."""
    shutil.rmtree(place(home, run_id), ignore_errors=True)


class Here:
    """The home that returned runs are kept in: holds the runs that others are at elsewhere."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._recorded = Recorded(home, database=False)
        self._held: dict[str, ExitStack] = {}

    def claim(self, row: Row) -> Ended | None:
        """Hold a run for this sweep; how it ended where it is recorded, or another one has it."""
        if row.run_id in self._held:  # it is begun again
            return None
        hold = ExitStack()
        alone = hold.enter_context(RunFolder(self._home / "runs" / row.run_id).alone())
        if alone and row.run_id not in self._recorded:
            self._held[row.run_id] = hold
            return None
        hold.close()
        return Ended(row=row, state="recorded already" if alone else "busy")

    def settle(self, ended: Ended, returned: ReturnedRun | None) -> Ended:
        """Keep what came back of a run, and let it go."""
        with self._held.pop(ended.row.run_id):
            try:
                if returned is not None:
                    returned.keep(self._home)
            except UserError as error:
                return failed(ended.row, self._home, error.message)
            if returned is not None and returned.records:  # even if it had ended there before
                return replace(ended, state="recorded")
            return ended
