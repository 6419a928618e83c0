"""BAPPS: image patches with the judgements of people, read from the archives' layout.

    2afc/val/{traditional,cnn,superres,deblur,color,frameinterp}/{ref,p0,p1}/*.png, judge/*.npy
    jnd/val/{traditional,cnn}/{p0,p1}/*.png, same/*.npy

Source: Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, 2018.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np

from lossnets.runners.data import catalog, packs
from lossnets.runners.data.image_files import read_image, reading
from lossnets.runners.data.packs import Progress, Source
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import hash_of

SUBSETS = {
    "2afc": ("traditional", "cnn", "superres", "deblur", "color", "frameinterp"),
    "jnd": ("traditional", "cnn"),
}
IMAGES = {"2afc": ("ref", "p0", "p1"), "jnd": ("p0", "p1")}
LABEL = {"2afc": "judge", "jnd": "same"}
SIZE = 64  # pixels a side
HUNDREDS = {  # of items, as published
    "2afc": dict(zip(SUBSETS["2afc"], (47, 47, 109, 94, 47, 19), strict=True)),
    "jnd": {"traditional": 48, "cnn": 48},
}
LAYOUT = (
    "2afc/val/{traditional,cnn,superres,deblur,color,frameinterp}/{ref,p0,p1,judge} and "
    "jnd/val/{traditional,cnn}/{p0,p1,same}"
)


@dataclass(frozen=True, kw_only=True)
class Subset:
    """One distortion of one part: N triplets (2afc) or pairs (jnd), by name.

    images: (N, 3, 64, 64, 3) uint8 with ref, p0, p1 of a triplet side by side, or
    (N, 2, 64, 64, 3) with p0, p1 of a pair; memory-mapped. labels: (N,) float32, the fraction of
    judges for p1 (2afc) or for "the same" (jnd). digest: of names, pixels and labels.
    """

    part: str
    name: str
    items: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray
    digest: str

    def __len__(self) -> int:
        return len(self.items)

    @property
    def is_published(self) -> bool:
        """Whether it is as large as BAPPS' own, to a hundred items."""
        return round(len(self) / 100) == HUNDREDS[self.part][self.name]

    @property
    def ref(self) -> np.ndarray:
        """(N, 64, 64, 3) uint8, of a triplet."""
        return self._role("ref")

    @property
    def p0(self) -> np.ndarray:
        """(N, 64, 64, 3) uint8."""
        return self._role("p0")

    @property
    def p1(self) -> np.ndarray:
        """(N, 64, 64, 3) uint8."""
        return self._role("p1")

    @property
    def judge(self) -> np.ndarray:
        """(N,) float32: the fraction of judges who found p1 closer to ref than p0 (2afc)."""
        return self.labels

    @property
    def same(self) -> np.ndarray:
        """(N,) float32: the fraction of judges who called p0 and p1 the same (jnd)."""
        return self.labels

    def _role(self, role: str) -> np.ndarray:
        return self.images[:, IMAGES[self.part].index(role)]


def _silent(done: int, total: int, what: str) -> None:
    """No progress."""


def load(
    root: Path,
    part: str,
    subsets: Sequence[str] | None = None,
    *,
    folder: Path,
    progress: Progress = _silent,
) -> list[Subset]:
    """The subsets of a part ("2afc" or "jnd"), all by default, as packs kept in `folder`.

    Errors: UserError on another layout, a missing, unreadable or damaged file, an image of
    another size than 64×64, and a judgement outside [0, 1].
    """
    names = subsets or SUBSETS[part]
    _check_layout(root, {part: names})
    found = []
    for name in names:
        source = _source(root, part, name)
        place = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
        pack = packs.load(folder / f"bapps-{part}-{name}-{place}", source, progress)
        labels = np.array(pack.labels, np.float32)
        found.append(
            Subset(
                part=part,
                name=name,
                items=pack.names,
                images=pack.images,
                labels=labels,
                digest=pack.digest,
            )
        )
    return found


def identity(subsets: Sequence[Subset]) -> str:
    """What was read, the same wherever it lies: `bapps:` and a hash of names, pixels, labels."""
    return "bapps:" + hash_of({f"{one.part}/{one.name}": one.digest for one in subsets})[:12]


def check(root: Path, progress: Progress = _silent) -> str:
    """Read every file of the data set at `root` and say what is there.

    Errors: UserError as for `load`.
    """
    _check_layout(root, SUBSETS)
    counts = {}
    for part, names in SUBSETS.items():
        sources = {name: _source(root, part, name) for name in names}
        counts[part] = sum(len(source.names) for source in sources.values())
        done = 0
        for name, source in sources.items():
            for files in source.files:
                progress(done, counts[part], f"reading {part} {name}")
                source.read(files)
                done += 1
    return f"{counts['2afc']:,} triplets in 6 subsets and {counts['jnd']:,} pairs in 2"


def _source(root: Path, part: str, name: str) -> Source:
    """The files of a subset, item by item; every item has each of its files."""
    folder, roles, label = root / part / "val" / name, IMAGES[part], LABEL[part]
    stems = {role: _stems(folder / role, ".png") for role in roles}
    stems[label] = _stems(folder / label, ".npy")
    everything = sorted(set().union(*stems.values()))
    for role, found in stems.items():
        missing = [stem for stem in everything if stem not in found]
        if missing:
            other = next(role for role in stems if missing[0] in stems[role])
            end = {label: ".npy"}
            raise UserError(
                f"found no {folder / role / missing[0]}{end.get(role, '.png')}, but "
                f"{other}/{missing[0]}{end.get(other, '.png')}; {len(missing):,} of "
                f"{len(everything):,} items of {part} {name} lack their {role}",
                hint="lossnets data fetch bapps",
            )
    if not everything:
        raise UserError(f"found no images in {folder}; valid is {{{','.join(stems)}}} with files")
    files = [
        (*(folder / role / f"{stem}.png" for role in roles), folder / label / f"{stem}.npy")
        for stem in everything
    ]
    shape = (len(roles), SIZE, SIZE, 3)
    return Source(names=everything, files=files, shape=shape, read=partial(_read, label))


def _stems(folder: Path, end: str) -> set[str]:
    with reading(folder):
        return {path.stem for path in folder.iterdir() if path.suffix == end}


def _read(label: str, files: tuple[Path, ...]) -> tuple[np.ndarray, float]:
    images = [read_image(path) for path in files[:-1]]
    for path, image in zip(files, images, strict=False):
        if image.shape != (SIZE, SIZE, 3):
            height, width, _ = image.shape
            raise UserError(f"found {path} of {height}×{width} pixels; valid is {SIZE}×{SIZE}")
    return np.stack(images), _read_label(files[-1], label)  # (roles, 64, 64, 3)


def _read_label(path: Path, label: str) -> float:
    with reading(path):
        content = path.read_bytes()
    try:
        value = np.load(BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        raise UserError(
            f"cannot read {path}; valid is one number as numpy.save writes it"
        ) from None
    if value.shape not in ((), (1,)) or value.dtype.kind not in "fiu":
        raise UserError(
            f"found a {label} of shape {value.shape} and type {value.dtype} in {path}; "
            "valid is one number"
        )
    if not 0 <= value.item() <= 1:  # NaN too
        raise UserError(f"found {label} {value.item():g} in {path}; valid is 0 to 1")
    return float(value.item())


def _check_layout(root: Path, parts: Mapping[str, Sequence[str]]) -> None:
    """Raise UserError where the folders of parts are not below `root`, and say where they are."""
    if not root.is_dir():
        raise catalog.missing("bapps", root)
    missing = [
        f"{part}/val/{name}"
        for part, names in parts.items()
        for name in names
        if not (root / part / "val" / name).is_dir()
    ]
    if not missing:
        return
    for other in _near(root):
        if all((other / part / "val").is_dir() for part in parts):
            raise UserError(
                f"found no {missing[0]} in {root}, but in {other}; that is the folder to name",
                hint=f"--data {other}",
            )
    raise UserError(
        f"found no {missing[0]} in {root}, which {_contents(root)}; valid is {LAYOUT}",
        hint="lossnets data fetch bapps",
    )


def _near(root: Path) -> Iterator[Path]:
    """The folders that are one or two levels off."""
    yield from list(root.absolute().parents)[:2]
    for depth in ("*", "*/*"):
        yield from sorted(path for path in root.glob(depth) if path.is_dir())[:100]


def _contents(root: Path) -> str:
    with reading(root):
        names = sorted(path.name for path in root.iterdir())
    return f"holds {', '.join(names[:5])}{' …' if len(names) > 5 else ''}" if names else "is empty"
