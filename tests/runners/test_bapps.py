"""BAPPS from the archives' layout: what is read, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lossnets.runners.data import bapps, generated, packs
from lossnets.warehouse.errors import UserError

LAYOUT = (
    "2afc/val/{traditional,cnn,superres,deblur,color,frameinterp}/{ref,p0,p1,judge} and "
    "jnd/val/{traditional,cnn}/{p0,p1,same}"
)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BAPPS as the archives hold it: 3 items a subset."""
    root = tmp_path_factory.mktemp("bapps") / "dataset"
    generated.make_bapps(root, seed=1, items=3)
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    """A BAPPS of its own, to spoil."""
    return Path(shutil.copytree(written, tmp_path / "dataset"))


def load(root: Path, part: str = "2afc", *subsets: str) -> list[bapps.Subset]:
    return bapps.load(root, part, subsets or None, folder=root.parent / "packs")


def refused(root: Path, part: str = "2afc") -> UserError:
    with pytest.raises(UserError) as error:
        load(root, part)
    return error.value


def test_triplets_are_read_by_name(root):
    names = ["traditional", "cnn", "superres", "deblur", "color", "frameinterp"]
    assert [subset.name for subset in load(root)] == names
    (color,) = load(root, "2afc", "color")
    assert color.items == ("000000", "000001", "000002")
    assert len(color) == 3
    for role in ("ref", "p0", "p1"):
        pixels = getattr(color, role)
        assert pixels.shape == (3, 64, 64, 3)
        assert isinstance(pixels, np.memmap)
        expected = Image.open(root / "2afc" / "val" / "color" / role / "000001.png")
        assert np.array_equal(pixels[1], np.array(expected))
    assert color.judge.dtype == np.float32
    assert color.judge[2] == np.load(root / "2afc/val/color/judge/000002.npy")


def test_pairs_are_read_by_name(root):
    assert [subset.name for subset in load(root, "jnd")] == ["traditional", "cnn"]
    (cnn,) = load(root, "jnd", "cnn")
    assert cnn.images.shape == (3, 2, 64, 64, 3)
    expected = Image.open(root / "jnd" / "val" / "cnn" / "p1" / "000000.png")
    assert np.array_equal(cnn.p1[0], np.array(expected))
    assert cnn.same[1] == np.load(root / "jnd/val/cnn/same/000001.npy")


def test_the_identity_is_of_contents_wherever_they_lie(root, written, tmp_path):
    there = [*load(root), *load(root, "jnd")]
    other = Path(shutil.copytree(written, tmp_path / "other" / "name"))
    here = [*load(other), *load(other, "jnd")]
    assert bapps.identity(here) == bapps.identity(there)
    assert bapps.identity(here).startswith("bapps:")
    np.save(other / "jnd/val/cnn/same/000000.npy", np.array([0.123], np.float32))
    assert bapps.identity([*load(other), *load(other, "jnd")]) != bapps.identity(there)
    assert bapps.identity(there[:3]) != bapps.identity(there)


def test_a_number_without_an_axis_is_a_judgement_too(root):
    np.save(root / "jnd/val/cnn/same/000000.npy", np.float64(0.25))
    assert load(root, "jnd")[1].same[0] == 0.25


def test_files_of_other_kinds_are_passed_over(root):
    (root / "2afc/val/cnn/ref/.DS_Store").write_bytes(b"\0")
    (root / "2afc/val/cnn/ref/Thumbs.db").write_bytes(b"\0")
    assert len(load(root)[1]) == 3


def test_the_check_reads_it_all(root):
    told = []
    assert bapps.check(root, lambda *progress: told.append(progress)) == (
        "18 triplets in 6 subsets and 6 pairs in 2"
    )
    assert [progress[:2] for progress in told] == [
        *((done, 18) for done in range(18)), *((done, 6) for done in range(6)),
    ]  # fmt: skip
    np.save(root / "jnd/val/cnn/same/000002.npy", np.array([2.0], np.float32))
    with pytest.raises(UserError, match=r"found same 2 in .*; valid is 0 to 1"):
        bapps.check(root)


def test_smoke_data_are_the_same_for_the_same_seed(tmp_path, written):
    for name, seed in (("same", 1), ("other", 2)):
        generated.make_bapps(tmp_path / name, seed=seed, items=3)
    ids = [bapps.identity(load(root)) for root in (tmp_path / "same", tmp_path / "other")]
    copy = Path(shutil.copytree(written, tmp_path / "written" / "dataset"))
    assert bapps.identity(load(copy)) == ids[0] != ids[1]


def test_smoke_data_can_be_told_by_their_distances(written, tmp_path):
    copy = Path(shutil.copytree(written, tmp_path / "dataset"))
    right = 0.0
    for subset in load(copy):
        ref, p0, p1 = (getattr(subset, r).astype(float) for r in ("ref", "p0", "p1"))
        p1_is_closer = np.square(ref - p1).mean((1, 2, 3)) < np.square(ref - p0).mean((1, 2, 3))
        right += np.where(p1_is_closer, subset.judge, 1 - subset.judge).mean() / 6
    assert right > 0.6


# ---- what is refused ---------------------------------------------------------------------------


def test_no_data_set_at_all(tmp_path):
    error = refused(tmp_path / "bapps")
    assert error.message == (
        f"found no folder {tmp_path}/bapps to read Berkeley-Adobe Perceptual Patch Similarity, "
        f"validation from, a download of 1.3 GB that holds {LAYOUT}; Kaggle's "
        "chaitanyakohli678/berkeley-adobe-perceptual-patch-similarity-bapps has the same folders "
        "in `dataset`"
    )
    assert error.hint == "lossnets data fetch bapps, or --data with the folder that holds it"


@pytest.mark.parametrize("level", ["..", "2afc", "2afc/val"])
def test_a_folder_that_is_a_level_off_names_the_right_one(root, level):
    wrong = (root / level).resolve()
    error = refused(wrong)
    assert error.message == (
        f"found no 2afc/val/traditional in {wrong}, but in {root}; that is the folder to name"
    )
    assert error.hint == f"--data {root}"


def test_another_folder_says_what_it_holds(tmp_path):
    root = tmp_path / "a" / "b" / "c"
    root.mkdir(parents=True)
    expected = f"found no 2afc/val/traditional in {root}, which is empty; valid is {LAYOUT}"
    assert refused(root).message == expected
    for name in "fedcba":
        (root / name).mkdir()
    assert refused(root).message == expected.replace("is empty", "holds a, b, c, d, e …")


def test_a_subset_that_is_missing(root):
    shutil.rmtree(root / "2afc/val/color")
    assert refused(root).message == (
        f"found no 2afc/val/color in {root}, which holds 2afc, jnd; valid is {LAYOUT}"
    )


def test_a_judge_file_that_is_missing(root):
    (root / "2afc/val/color/judge/000001.npy").unlink()
    error = refused(root)
    assert error.message == (
        f"found no {root}/2afc/val/color/judge/000001.npy, but ref/000001.png; 1 of 3 items of "
        "2afc color lack their judge"
    )
    assert error.hint == "lossnets data fetch bapps"


def test_a_judge_file_without_images(root):
    for role in ("p0", "p1"):
        (root / f"jnd/val/cnn/{role}/000002.png").unlink()
    assert refused(root, "jnd").message == (
        f"found no {root}/jnd/val/cnn/p0/000002.png, but same/000002.npy; 1 of 3 items of "
        "jnd cnn lack their p0"
    )


def test_a_folder_of_a_subset_that_is_missing(root):
    shutil.rmtree(root / "2afc/val/color/p1")
    assert refused(root).message == (
        f"cannot read {root}/2afc/val/color/p1: No such file or directory"
    )


def test_an_empty_subset(root):
    for role in ("p0", "p1", "same"):
        shutil.rmtree(root / "jnd/val/cnn" / role)
        (root / "jnd/val/cnn" / role).mkdir()
    assert refused(root, "jnd").message == (
        f"found no images in {root}/jnd/val/cnn; valid is {{p0,p1,same}} with files"
    )


def test_an_image_of_another_size(root):
    path = root / "2afc/val/color/p0/000001.png"
    Image.new("RGB", (32, 64)).save(path)
    assert refused(root).message == f"found {path} of 64×32 pixels; valid is 64×64"


def test_an_image_that_is_cut_short(root):
    path = root / "2afc/val/color/p0/000001.png"
    path.write_bytes(path.read_bytes()[:2000])
    assert refused(root).message == (
        f"cannot read the image {path}, it is truncated; put a whole one there"
    )


def test_an_image_that_is_none(root):
    path = root / "2afc/val/color/p0/000001.png"
    path.write_bytes(b"<html>")
    assert refused(root).message == (
        f"cannot read the image {path}, it is damaged or no image; put a whole one there"
    )


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        (np.array([1.5]), "found judge 1.5 in PATH; valid is 0 to 1"),
        (np.array([-0.1]), "found judge -0.1 in PATH; valid is 0 to 1"),
        (np.array([np.nan]), "found judge nan in PATH; valid is 0 to 1"),
        (
            np.array([0.5, 0.5]),
            "found a judge of shape (2,) and type float64 in PATH; valid is one number",
        ),
        (np.array("a"), "found a judge of shape () and type <U1 in PATH; valid is one number"),
    ],
)
def test_a_judge_that_is_none(root, judge, message):
    path = root / "2afc/val/color/judge/000001.npy"
    np.save(path, judge)
    assert refused(root).message == message.replace("PATH", str(path))


@pytest.mark.parametrize("content", [b"", b"0.5", b"\x93NUMPY\x01\x00"])
def test_a_judge_file_that_is_no_array(root, content):
    path = root / "2afc/val/color/judge/000001.npy"
    path.write_bytes(content)
    assert (
        refused(root).message == f"cannot read {path}; valid is one number as numpy.save writes it"
    )


def test_a_file_that_may_not_be_read(root, monkeypatch):
    path = root / "2afc/val/color/p0/000001.png"
    whole = Path.read_bytes

    def read_bytes(self: Path) -> bytes:
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return whole(self)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert refused(root).message == f"cannot read {path}: Permission denied"


def test_nothing_is_kept_of_a_subset_that_is_refused(root):
    (root / "2afc/val/traditional/p0/000001.png").write_bytes(b"")
    refused(root)
    assert not list((root.parent / "packs").glob("*.npy"))


def test_the_smoke_version_is_made_once_and_whole(tmp_path, monkeypatch):
    folder = generated.folder("bapps", tmp_path)
    assert folder == tmp_path / "datasets" / "smoke" / "bapps"
    before = bapps.identity(load(folder))
    monkeypatch.setitem(generated.MAKE, "bapps", None)
    assert bapps.identity(load(generated.folder("bapps", tmp_path))) == before
    assert [path.name for path in folder.parent.iterdir() if path.name[0] == "."] == []


def test_a_smoke_version_that_fails_half_way_is_not_there(tmp_path, monkeypatch):
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise RuntimeError

    monkeypatch.setitem(generated.MAKE, "bapps", fail)
    with pytest.raises(RuntimeError):
        generated.folder("bapps", tmp_path)
    assert list((tmp_path / "datasets" / "smoke").iterdir()) == []


def test_packs_of_two_roots_do_not_replace_each_other(root, written, tmp_path):
    other = Path(shutil.copytree(written, tmp_path / "other"))
    folder = tmp_path / "packs"
    for one in (root, other):
        bapps.load(one, "jnd", folder=folder)
    made = {path: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    assert len(made) == 4
    for one in (root, other):
        bapps.load(one, "jnd", folder=folder)
    assert made == {path: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    assert all(packs.is_whole(path.with_suffix("")) for path in made)
