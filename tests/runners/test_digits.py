"""SVHN, STL-10 and images of one's own: what is read, and what is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image
from torchvision import datasets

from lossnets.runners.data import digit_archives, digits, generated
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

NAMES = ("svhn", "stl10")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The generated data sets, in the layouts of the real ones."""
    roots = {name: tmp_path_factory.mktemp(name) for name in NAMES}
    for name, root in roots.items():
        generated.make_digits(name, root)
    return roots


@pytest.fixture
def copy(made, tmp_path) -> Callable[[str], Path]:
    """A data set to damage: its files are links until they are replaced."""

    def linked(name: str) -> Path:
        root = tmp_path / f"copy of {name}"
        for path in made[name].rglob("*.*"):
            target = root / path.relative_to(made[name])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(path)
        return root

    return linked


def _load(name: str, root: Path, tmp_path: Path) -> digits.Digits:
    return digits.load(name, root, folder=tmp_path / "packs", published=False)


def _replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def _refused(name: str, root: Path, tmp_path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        _load(name, root, tmp_path)
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_images_and_labels_are_torchvisions(made, tmp_path, monkeypatch, name):
    reader = {"svhn": datasets.SVHN, "stl10": datasets.STL10}[name]
    monkeypatch.setattr(reader, "_check_integrity", lambda self: True)
    splits = {"unlabelled": "extra" if name == "svhn" else "unlabeled", "train": "train",
              "test": "test"}  # fmt: skip
    found = _load(name, made[name], tmp_path)
    assert found.size == {"svhn": 64, "stl10": 96}[name]
    assert found.classes == 10
    for split, theirs in splits.items():
        expected = reader(made[name], split=theirs)
        assert np.array_equal(found.images[split].transpose(0, 3, 1, 2), expected.data)
        if split != "unlabelled":
            assert np.array_equal(found.labels[split], expected.labels)
            assert found.items[split][:2] == ("000000", "000001")


@pytest.mark.parametrize("name", NAMES)
def test_the_identity_is_of_the_contents_not_of_where_they_lie(made, copy, tmp_path, name):
    first = _load(name, made[name], tmp_path)
    root = copy(name)
    assert _load(name, root, tmp_path).identity == first.identity
    assert first.identity.startswith(f"{name}:")
    generated.make_digits(name, tmp_path / "other", seed=1)
    assert _load(name, tmp_path / "other", tmp_path).identity != first.identity


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_not_the_published_ones_are_refused_by_their_checksum(
    made, tmp_path, monkeypatch, name
):
    archive = digit_archives.ARCHIVES[name]
    real = {file: hashlib.md5((made[name] / file).read_bytes()).hexdigest() for file in archive.md5}
    first = archive.files["unlabelled"][0]
    _load(name, made[name], tmp_path)  # a pack of unchecked files is no excuse
    with pytest.raises(UserError) as caught:
        digits.load(name, made[name], folder=tmp_path / "packs")
    assert str(caught.value) == (
        f"found {made[name] / first} with the MD5 checksum {real[first]}; "
        f"{archive.title}'s is {archive.md5[first]}"
    )
    assert caught.value.hint == f"lossnets data fetch {name}"
    with pytest.raises(UserError, match="MD5"):
        digits.check(name, made[name])
    monkeypatch.setattr(digit_archives, "ARCHIVES", {name: _with_md5(archive, real)})
    digits.load(name, made[name], folder=tmp_path / "packs")
    assert digits.check(name, made[name]) == "256 unlabelled, 512 train, 256 test images"


def _with_md5(archive: digit_archives.Archive, md5: dict[str, str]) -> digit_archives.Archive:
    return digit_archives.Archive(**{**vars(archive), "md5": md5})


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named_with_all_that_are_needed(copy, tmp_path, name):
    root = copy(name)
    file = digit_archives.ARCHIVES[name].files["test"][0]
    (root / file).unlink()
    found = _refused(name, root, tmp_path)
    needed = ", ".join(digit_archives.ARCHIVES[name].md5)
    assert str(found) == (
        f"found no {file} in {root}; valid is a folder with {needed}, or with"
        " images in unlabelled/, train/<class>/ and test/<class>/"
    )
    assert found.hint == f"lossnets data fetch {name}"


def test_labels_outside_the_classes_are_refused(copy, tmp_path):
    svhn, stl10 = copy("svhn"), copy("stl10")
    content = scipy.io.loadmat(svhn / "test_32x32.mat")
    content["y"][7] = 11
    (svhn / "test_32x32.mat").unlink()
    scipy.io.savemat(svhn / "test_32x32.mat", {"X": content["X"], "y": content["y"]})
    path = svhn / "test_32x32.mat"
    assert str(_refused("svhn", svhn, tmp_path)) == (f"found label 11 in {path}; valid are 1 to 10")
    path = stl10 / "stl10_binary/train_y.bin"
    _replace(path, b"\0" + path.read_bytes()[1:])
    assert str(_refused("stl10", stl10, tmp_path)) == f"found label 0 in {path}; valid are 1 to 10"
    _replace(path, b"\1" * 511)
    assert str(_refused("stl10", stl10, tmp_path)) == (f"found 511 labels in {path} for 512 images")


def test_damaged_files_are_told(copy, tmp_path):
    svhn, stl10 = copy("svhn"), copy("stl10")
    path = svhn / "train_32x32.mat"
    _replace(path, path.read_bytes()[:4000])
    told = f"{path} is damaged, ends early, or is no MATLAB 5 file; fetch it anew"
    assert str(_refused("svhn", svhn, tmp_path)) == told
    _replace(path, path.read_bytes()[:10])
    assert str(_refused("svhn", svhn, tmp_path)) == told
    path.unlink()
    scipy.io.savemat(path, {"X": np.zeros((3, 32, 32, 4)), "y": np.ones((4, 1))})
    assert str(_refused("svhn", svhn, tmp_path)) == (
        f"found in {path} X of shape (3, 32, 32, 4) and type double; valid is (32, 32, 3, N), uint8"
    )
    path = stl10 / "stl10_binary/unlabeled_X.bin"
    _replace(path, path.read_bytes()[:-1])
    assert str(_refused("stl10", stl10, tmp_path)) == (
        f"found {path} of 7,077,887 bytes; valid are multiples of 27,648: 96×96 pixels, 3 bytes"
    )


def test_an_unknown_data_set_is_refused():
    with pytest.raises(UserError) as caught:
        digit_archives.archive_of("mnist")
    assert str(caught.value) == "found dataset 'mnist'; valid are svhn, stl10"


def _write_own(root: Path, *, unlabelled: bool = True) -> None:
    rng = np.random.default_rng(0)
    folders = ["train/cat", "train/dog", "test/dog", "test/cat"] + ["unlabelled"] * unlabelled
    for place, folder in enumerate(folders):
        (root / folder).mkdir(parents=True)
        for item in range(10):
            shape = (40, 50 + place, 3)
            image = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))
            image.save(root / folder / f"{item}.png")


def test_images_of_ones_own_are_resized_and_named_by_their_folders(tmp_path):
    root = tmp_path / "own"
    _write_own(root)
    found = _load("stl10", root, tmp_path)
    assert {split: images.shape for split, images in found.images.items()} == {
        "unlabelled": (10, 96, 96, 3),
        "train": (20, 96, 96, 3),
        "test": (20, 96, 96, 3),
    }
    assert found.own
    assert found.classes == 2
    assert found.labels["train"].tolist() == found.labels["test"].tolist() == [0] * 10 + [1] * 10
    assert found.items["test"][9:11] == ("test/cat/9.png", "test/dog/0.png")
    assert found.identity.startswith("images:")
    with Image.open(root / "test/dog/0.png") as image:
        middle = image.crop((6, 0, 46, 40)).resize((96, 96), Image.Resampling.BICUBIC)
    assert np.array_equal(found.images["test"][10], np.asarray(middle))


def test_without_unlabelled_images_the_training_images_stand_in(tmp_path):
    root = tmp_path / "own"
    _write_own(root, unlabelled=False)
    found = _load("svhn", root, tmp_path)
    assert np.array_equal(found.images["unlabelled"], found.images["train"])


def test_a_class_more_is_noticed_in_the_test_images_labels(tmp_path):
    root = tmp_path / "own"
    _write_own(root)
    assert _load("svhn", root, tmp_path).labels["test"].tolist() == [0] * 10 + [1] * 10
    (root / "train/ant").mkdir()
    assert _load("svhn", root, tmp_path).labels["test"].tolist() == [1] * 10 + [2] * 10


def test_faults_in_folders_of_ones_own_are_told(tmp_path):
    root = tmp_path / "own"
    _write_own(root)
    (root / "test/elk").mkdir()
    assert str(_refused("svhn", root, tmp_path)) == (
        f"found class 'elk' in {root / 'test'}; train has cat, dog"
    )
    (root / "test/elk").rmdir()
    (root / "unlabelled/3.png").unlink()
    assert str(_refused("svhn", root, tmp_path)) == (
        f"found 9 images in {root / 'unlabelled'}; at least 10 are needed"
    )
    (root / "unlabelled/3.png").write_bytes(b"no image")
    assert str(_refused("svhn", root, tmp_path)).startswith(
        f"cannot read the image {root / 'unlabelled/3.png'}"
    )
    for index in range(9):
        (root / f"train/{index}").mkdir()
    assert str(_refused("svhn", root, tmp_path)) == (
        f"found 11 classes in {root / 'train'}; valid are 2 to 10 folders"
    )
