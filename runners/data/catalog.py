"""The paper's data sets: where each lies, how large it is, where it comes from."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lossnets.warehouse.errors import UserError

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One download: a file, an archive to unpack, or an index page of files (`…/index.html`).

    folder: where its content goes, below the data set's. bytes, checksum (`md5:…`, `sha256:…`):
    None where its source publishes none.
    """

    url: str
    folder: str
    bytes: int | None
    checksum: str | None


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set: what it is for, what it takes, how its files lie, and where they come from.

    size: of the downloads.
    """

    name: str
    title: str
    benchmark: str
    size: str
    layout: str
    how: str = ""

    @property
    def archives(self) -> tuple[Archive, ...]:
        """What `lossnets data fetch` downloads."""
        return archives()[self.name]


DATA_SETS = {
    row.name: row
    for row in (
        DataSet(
            name="bapps",
            title="Berkeley-Adobe Perceptual Patch Similarity, validation",
            benchmark="perceptual-similarity",
            size="1.3 GB",
            layout="2afc/val/{traditional,cnn,superres,deblur,color,frameinterp}/"
            "{ref,p0,p1,judge} and jnd/val/{traditional,cnn}/{p0,p1,same}",
            how="Kaggle's chaitanyakohli678/berkeley-adobe-perceptual-patch-similarity-bapps has "
            "the same folders in `dataset`",
        ),
        DataSet(
            name="coco",
            title="MS-COCO 2014, train and validation images",
            benchmark="super-resolution",
            size="20.2 GB",
            layout="train2014/*.jpg and val2014/*.jpg",
        ),
        DataSet(
            name="set5",
            title="Set5",
            benchmark="super-resolution",
            size="0.9 MB",
            layout="5 images",
        ),
        DataSet(
            name="set14",
            title="Set14",
            benchmark="super-resolution",
            size="5 MB",
            layout="14 images",
        ),
        DataSet(
            name="bsd100",
            title="BSD100, the test images of BSDS300",
            benchmark="super-resolution",
            size="22 MB",
            layout="BSDS300/images/test/*.jpg, 100 images",
        ),
        DataSet(
            name="mrd",
            title="Massachusetts Roads",
            benchmark="delineation",
            size="about 8 GB",
            layout="{train,valid,test}/{sat,map}/*.tif*",
            how="Kaggle's balraj98/massachusetts-roads-dataset has the images too",
        ),
        DataSet(
            name="svhn",
            title="Street View House Numbers, 32×32",
            benchmark="autoencoding",
            size="1.6 GB",
            layout="{train,test,extra}_32x32.mat",
        ),
        DataSet(
            name="stl10",
            title="STL-10",
            benchmark="autoencoding",
            size="2.6 GB",
            layout="stl10_binary/{train,test}_{X,y}.bin and stl10_binary/unlabeled_X.bin",
        ),
    )
}


@cache
def archives() -> dict[str, tuple[Archive, ...]]:
    """Every data set's downloads, from `archives.csv`."""
    found: dict[str, tuple[Archive, ...]] = dict.fromkeys(DATA_SETS, ())
    with Path(__file__).with_name("archives.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["data_set"]] += (
                Archive(
                    url=row["url"],
                    folder=row["folder"],
                    bytes=int(row["bytes"]) if row["bytes"] else None,
                    checksum=row["checksum"] or None,
                ),
            )
    return found


def named(name: str) -> DataSet:
    """A data set by name; UserError, with the valid names, if there is none."""
    if name not in DATA_SETS:
        raise UserError(f"found data set {name!r}; valid are {', '.join(DATA_SETS)}")
    return DATA_SETS[name]


def default_folder(name: str, home: Path) -> Path:
    """Where a data set lies unless `--data` says otherwise."""
    return home / "datasets" / name


def locate(name: str, folder: Path | None, home: Path) -> Path:
    """The folder of a data set: `folder`, else its place in `home`.

    Errors: UserError, see `missing`, where there is none.
    """
    found = default_folder(name, home) if folder is None else folder
    if not found.is_dir():
        raise missing(name, found)
    return found


def missing(name: str, folder: Path) -> UserError:
    """That a data set is not there: how to get it, where to put it, how large it is."""
    data_set = named(name)
    elsewhere = f"; {data_set.how}" if data_set.how else ""
    return UserError(
        f"found no folder {folder} to read {data_set.title} from, a download of {data_set.size} "
        f"that holds {data_set.layout}{elsewhere}",
        hint=f"lossnets data fetch {name}, or --data with the folder that holds it",
    )


def overview(home: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    """(columns, rows): each data set, what it is for and takes, and whether it is there."""
    rows: list[tuple[str, ...]] = []
    for data_set in DATA_SETS.values():
        place = default_folder(data_set.name, home)
        kinds = {(one.checksum or "not published").partition(":")[0] for one in data_set.archives}
        rows.append(
            (
                data_set.name,
                data_set.benchmark,
                data_set.title,
                data_set.size,
                _state(place),
                str(place),
                ", ".join(sorted(kinds)),
                data_set.layout,
            )
        )
    columns = ["data_set", "benchmark", "title", "size", "state", "folder", "checksum", "layout"]
    return columns, rows


def _state(place: Path) -> str:
    names = {path.name for path in place.iterdir()} if place.is_dir() else set()
    if any((place / ".downloads").glob("*.part")):
        return "partly"
    return "there" if names - {".downloads"} else "missing"


def those_there(home: Path) -> list[str]:
    """The data sets that have a folder in `home`."""
    return [name for name in DATA_SETS if default_folder(name, home).is_dir()]
