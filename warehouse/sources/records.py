"""Runs and their measurements: validated, JSON in and out, durable. Standard library only."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lossnets.warehouse.durable import cannot_write, make_folder, replacing
from lossnets.warehouse.errors import CannotReadError, UserError
from lossnets.warehouse.sources import catalog, checksums, fields
from lossnets.warehouse.sources.catalog import Catalog

FORMAT = 1
WHAT_IS_RUN = ("benchmark", "weights", "config", "seed", "data", "preset")
OPTIONAL = ("seed", "weights", "data", "preset", "device", "duration_s", "peak_memory_bytes")
LONGEST_LINE = 16 << 20  # bytes of a record: a hundred thousand measurements
HASH = re.compile(r"[0-9a-f]{16}")  # an id that is the hash of what was run
MEASURED = "measured"  # the source of what a home runs


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One score of one loss network; of none (a baseline) where architecture and layer are None.

    value is in the unit of the score's catalog entry; n is how many items it averages over.
    """

    architecture: str | None
    layer: str | None
    score: str
    value: float
    n: int | None = None

    def __post_init__(self) -> None:
        if (self.architecture is None) != (self.layer is None):
            raise UserError("a measurement has both an architecture and a layer, or neither")
        fields.check("score", self.score)
        for name in ("architecture", "layer", "n"):
            if getattr(self, name) is not None:
                fields.check(name, getattr(self, name))
        if not fields.is_finite(self.value):
            raise UserError(f"{self.score} is {self.value!r}, valid are finite numbers")


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One execution of a benchmark: what was run, under what, and what it measured.

    weights and data identify the pretrained weights and the data; `preset` marks runs that are
    no real scores (smoke); versions: package → version; recorded_at: ISO time, UTC, now by
    default; nodes: layer → traced node, for layers beyond the paper; source: the published study
    that it comes from, where it is none of the home's own. `run_id` is the hash of what was run,
    so that the same run twice is one run, or a name of one's own that looks like no hash. Raises
    `UserError` for bad values.

    >>> run = RunRecord(benchmark="autoencoding", seed=1, measurements=(
    ...     Measurement(architecture="vgg11", layer="late", score="svhn_accuracy", value=0.8),))
    >>> run.run_id
    '3d23bb11a1b1bbcd'
    """

    benchmark: str
    measurements: tuple[Measurement, ...]
    config: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    weights: str | None = None
    data: str | None = None
    preset: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    device: str | None = None
    duration_s: float | None = None
    peak_memory_bytes: int | None = None
    recorded_at: str = ""
    nodes: dict[str, str] = field(default_factory=dict)
    run_id: str = ""
    source: str = MEASURED

    def __post_init__(self) -> None:
        object.__setattr__(self, "measurements", tuple(self.measurements))
        fields.check("benchmark", self.benchmark)
        _check_measurements(self.measurements)
        for name in ("config", "versions", "nodes"):
            fields.check(name, getattr(self, name))
        for name in OPTIONAL:
            if getattr(self, name) is not None:
                fields.check(name, getattr(self, name))
        fields.check("source", self.source)
        object.__setattr__(self, "recorded_at", fields.check("recorded_at", self.recorded_at))
        object.__setattr__(self, "run_id", self.run_id or self._hash())
        fields.check("run_id", self.run_id)
        if HASH.fullmatch(self.run_id) and self.run_id != self._hash():
            raise UserError(f"run_id is {self.run_id}, what was run gives {self._hash()}")

    @property
    def values(self) -> list[tuple[str, float]]:
        """(score, value) of each measurement."""
        return [(item.score, item.value) for item in self.measurements]

    def _hash(self) -> str:
        networks = {(item.architecture, item.layer) for item in self.measurements}
        what = {name: getattr(self, name) for name in WHAT_IS_RUN}
        run_id = run_id_of(what, networks)
        return run_id if self.source == MEASURED else hash_of([self.source, run_id])

    def to_json(self) -> str:
        """The record as one line of JSON, its checksum last."""
        content = {"format": FORMAT} | asdict(self)
        if self.source == MEASURED:
            del content["source"]
        return checksums.sealed(json.dumps(content, allow_nan=False, ensure_ascii=False))

    @classmethod
    def from_json(cls, text: str) -> RunRecord:
        """The record of one line of JSON; `UserError` says what is wrong with it."""
        try:
            content = json.loads(text, parse_constant=_no_constant)
        except RecursionError:
            raise UserError("it is nested too deeply") from None
        except ValueError as error:
            raise UserError(f"it is not JSON ({error})") from None
        if not isinstance(content, dict) or "measurements" not in content:
            raise UserError("it is no run: a JSON object with benchmark and measurements")
        found = content.pop("format", FORMAT)
        if found != FORMAT:
            raise UserError(f"its format is {found!r}, this lossnets reads {FORMAT}")
        if content.pop("checksum", None) is not None:
            checksums.check_sealed(text.strip())
        try:
            measurements = tuple(Measurement(**item) for item in content.pop("measurements"))
            return cls(**content, measurements=measurements)
        except (TypeError, AttributeError) as error:
            raise UserError(f"a field is wrong or missing ({_plain(error)})") from None


def run_id_of(what: dict[str, Any], loss_networks: Iterable[tuple[str | None, str | None]]) -> str:
    """The id of a run, which can be told before it runs: the hash of what is run.

    what: a value for each of WHAT_IS_RUN; loss_networks: (architecture, layer) of each that is
    scored, (None, None) for a baseline.

    >>> what = dict.fromkeys(WHAT_IS_RUN) | {"benchmark": "autoencoding", "config": {}, "seed": 1}
    >>> run_id_of(what, [("vgg11", "late")])
    '3d23bb11a1b1bbcd'
    """
    networks = sorted(loss_networks, key=lambda pair: (pair[0] or "", pair[1] or ""))
    return hash_of({name: what[name] for name in WHAT_IS_RUN} | {"loss_networks": networks})


def hash_of(what: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of something as canonical JSON.

    >>> hash_of({"b": 1, "a": None})
    'c0bf82ad036cb0a5'
    """
    text = json.dumps(what, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_entry(home: Path | str, records: Iterable[RunRecord]) -> Path:
    """Write one entry of the log, one record a line, and return its path once it is durable.

    A crash at any point leaves the whole entry or none. Raises `UserError` where the disk is
    full or read-only, and on a benchmark, a score or a value that the home's catalog does not
    have.
    """
    known = catalog.read(home)
    records = list(records)
    for record in records:
        _check_known(record, known)
    lines = [_line(record) for record in records]
    if not lines:
        raise UserError("there is no record to write")
    path = new_entry(Path(home), ".jsonl")
    try:
        make_folder(path.parent)
        with replacing(path) as temporary:
            temporary.write_bytes(b"".join(lines))
    except OSError as error:
        raise cannot_write(path.parent, error) from None
    return path


def _line(record: RunRecord) -> bytes:
    line = record.to_json().encode() + b"\n"
    if len(line) > LONGEST_LINE:
        raise _too_long(f"the record of {record.run_id}")
    return line


def _too_long(what: str) -> UserError:
    return UserError(f"{what} is longer than {LONGEST_LINE >> 20} MiB, the most of a record")


def new_entry(home: Path, suffix: str) -> Path:
    """The path of an entry to be: entries sort by when they were written."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return home / "records" / f"{now}-{secrets.token_hex(6)}{suffix}"


def read_entry(path: Path | str, known: Catalog | None = None) -> list[RunRecord]:
    """The records of a file of JSON lines; `UserError` names the file, the line and the fault.

    known: what benchmarks, scores and values are checked against. `CannotReadError` where the
    system does not give the file.
    """
    path = Path(path)
    records = []
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                records.append(RunRecord.from_json(line))
                if known is not None:
                    _check_known(records[-1], known)
            except UserError as error:
                raise UserError(f"{path}, line {number}: {error.message}") from None
    if not records:
        raise UserError(f"{path} holds no record")
    return records


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file, none of which is held whole that is too long to be a record."""
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    raise _too_long(f"{path}, a line")
                yield line.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise CannotReadError(f"cannot read {path}: {error.strerror}") from None


def _check_known(record: RunRecord, known: Catalog) -> None:
    if record.source == "paper":
        raise UserError("the paper's scores are shipped, and no run has them")
    known.check_source(record.source)
    known.check(record.benchmark, record.values)


def _check_measurements(measurements: tuple[Measurement, ...]) -> None:
    if not measurements:
        raise UserError("a run without measurements is no run")
    seen = set()
    for item in measurements:
        key = (item.architecture, item.layer, item.score)
        if key in seen:
            raise UserError(f"{item.score} of {item.architecture} {item.layer} stands twice")
        seen.add(key)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _plain(error: Exception) -> str:
    return str(error).replace("RunRecord.__init__() ", "").replace("Measurement.__init__() ", "")
