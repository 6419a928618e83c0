"""Images and maps of roads: both layouts, and every fault in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

from lossnets.runners.data import checks, generated, roads
from lossnets.warehouse.errors import UserError

SUFFIXES = ".png, .tif, .tiff, .jpg, .jpeg, .bmp"


def _silent(done: int, total: int, what: str) -> None:
    """No progress."""


def _scene(folder: Path, name: str, *, size: tuple[int, int] = (6, 8), values=(0, 255)) -> None:
    """Write an image and its map, half of it road, in the given two values."""
    height, width = size
    rng = np.random.default_rng([height, width, *name.encode()])
    road_map = np.full((height, width), values[0], np.uint8)
    road_map[:, : width // 2] = values[1]
    for kind in ("sat", "map"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(image).save(folder / "sat" / f"{name}.tiff")
    Image.fromarray(road_map).save(folder / "map" / f"{name}.tif")


@pytest.fixture
def mrd(tmp_path: Path) -> Path:
    """The real layout: two images of one size in each split."""
    for split in roads.SPLITS:
        for name in ("a_1", "b_2"):
            _scene(tmp_path / "mrd" / split, name)
    return tmp_path / "mrd"


def _message(root: Path, tmp_path: Path) -> str:
    with pytest.raises(UserError) as told:
        roads.load(root, tmp_path / "packs", _silent)
    with pytest.raises(UserError) as checked:
        roads.check(root, _silent)
    assert checked.value.message == told.value.message
    return told.value.message


def test_images_and_maps_are_read_side_by_side(mrd, tmp_path):
    data = roads.load(mrd, tmp_path / "packs", _silent)
    assert data.train.names == ("a_1", "b_2")
    assert len(data.test) == 2
    scene = data.train[1]
    image = np.array(Image.open(mrd / "train" / "sat" / "b_2.tiff"))
    assert (scene[..., :3] == image).all()
    assert scene[0, :, 3].tolist() == [255, 255, 255, 255, 0, 0, 0, 0]
    assert roads.check(mrd, _silent) == "2 train, 2 valid, 2 test, roads cover 50.0%"
    assert data.train.smallest == (6, "a_1")


def test_the_identity_follows_the_content_and_not_the_place(mrd, tmp_path):
    identity = roads.load(mrd, tmp_path / "packs", _silent).identity
    shutil.copytree(mrd, tmp_path / "elsewhere")
    assert roads.load(tmp_path / "elsewhere", tmp_path / "other", _silent).identity == identity
    _scene(mrd / "valid", "a_1", values=(255, 0))
    assert roads.load(mrd, tmp_path / "packs", _silent).identity != identity


def test_maps_of_0_and_1_of_one_bit_and_of_colour_files_are_the_same_maps(mrd, tmp_path):
    _scene(mrd / "train", "a_1", values=(0, 1))
    path = mrd / "train" / "map" / "b_2.tif"
    Image.open(path).convert("1").save(path)
    path = mrd / "test" / "map" / "b_2.tif"
    Image.open(path).convert("RGB").save(path)
    data = roads.load(mrd, tmp_path / "packs", _silent)
    for scene in (data.train[0], data.train[1], data.test[1]):
        assert scene[0, :, 3].tolist() == [255, 255, 255, 255, 0, 0, 0, 0]


def test_images_of_several_sizes_stand_by_name(tmp_path):
    root = tmp_path / "own"
    sizes = {"a": (6, 8), "b": (8, 6), "c": (6, 8), "d": (9, 9), "e": (6, 8), "f": (5, 9)}
    for name, size in sizes.items():
        _scene(root, name, size=size)
    for name, end in (("b", "tiff"), ("f", "png")):  # upright by their EXIF alone
        path = root / "sat" / f"{name}.tiff"
        turned = Image.open(path).rotate(90, expand=True)
        path.unlink()
        exif = Image.Exif()
        exif[Base.Orientation] = 6
        turned.save(path.with_suffix(f".{end}"), exif=exif)
    data = roads.load(root, tmp_path / "packs", _silent)
    assert (data.train.names, data.valid.names, data.test.names) == (
        ("a", "b", "c", "f"),
        ("d",),
        ("e",),
    )
    for split in (data.train, data.valid, data.test):
        for name, scene in zip(split.names, split.pixels, strict=True):
            assert scene.shape == (*sizes[name], 4)
            assert (scene[:, : sizes[name][1] // 2, 3] == 255).all()
    assert data.train.smallest == (5, "f")


def test_smoke_data_are_the_same_for_a_seed_and_read_like_real_ones(tmp_path):
    for place in ("one", "two"):
        generated.make_roads(tmp_path / place, seed=1)
    identities = [
        roads.load(tmp_path / place, tmp_path / "packs", _silent).identity
        for place in ("one", "two")
    ]
    assert identities[0] == identities[1]
    assert roads.check(tmp_path / "one", _silent).startswith(
        "24 train, 4 valid, 8 test, roads cover 1"
    )


def test_the_registry_reads_with_this_module(mrd):
    assert checks.check("mrd", mrd, mrd, _silent) == roads.check(mrd, _silent)


def test_another_layout(tmp_path):
    root = tmp_path / "mrd"
    root.mkdir()
    assert _message(root, tmp_path) == (
        f"found no folder {root}/sat; valid is {{train,valid,test}}/{{sat,map}} or {{sat,map}}, "
        "with images in each"
    )


def test_a_missing_split(mrd, tmp_path):
    shutil.rmtree(mrd / "valid")
    assert _message(mrd, tmp_path) == (
        f"found no folder {mrd}/valid/sat; valid is {{train,valid,test}}/{{sat,map}} or "
        "{sat,map}, with images in each"
    )


def test_an_empty_folder(mrd, tmp_path):
    for path in (mrd / "test" / "map").iterdir():
        path.unlink()
    assert _message(mrd, tmp_path) == (
        f"found no images in {mrd}/test/map; valid are files in {SUFFIXES}"
    )


def test_a_missing_map_and_a_missing_image(mrd, tmp_path):
    (mrd / "test" / "map" / "b_2.tif").unlink()
    assert _message(mrd, tmp_path) == (
        f"found no map for {mrd}/test/sat/b_2.tiff in {mrd}/test/map; "
        "an image and its map have the same name"
    )
    (mrd / "train" / "sat" / "b_2.tiff").unlink()
    assert _message(mrd, tmp_path) == (
        f"found no image for {mrd}/train/map/b_2.tif in {mrd}/train/sat; "
        "an image and its map have the same name"
    )


def test_two_images_of_one_name(mrd, tmp_path):
    shutil.copy(mrd / "train" / "sat" / "b_2.tiff", mrd / "train" / "sat" / "b_2.tif")
    assert _message(mrd, tmp_path) == (
        f"found b_2.tif and b_2.tiff in {mrd}/train/sat; the names of images "
        "differ before their ends, rename one"
    )


def test_a_map_of_another_size(mrd, tmp_path):
    path = mrd / "train" / "map" / "b_2.tif"
    Image.open(path).resize((7, 6)).save(path)
    assert _message(mrd, tmp_path) == f"found the map {path} of 7×6 pixels; its image has 8×6"


def test_a_map_that_is_not_binary(mrd, tmp_path):
    path = mrd / "valid" / "map" / "a_1.tif"
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(path)
    assert _message(mrd, tmp_path) == (
        f"found 48 values from 0 to 47 in the map {path}; valid are 0 and 255, or 0 and 1"
    )
    Image.new("RGB", (8, 6), (255, 0, 0)).save(path)
    assert _message(mrd, tmp_path) == (
        f"found colours in the map {path}; valid are 0 and 255, or 0 and 1"
    )


def test_a_file_that_is_no_image(mrd, tmp_path):
    path = mrd / "train" / "sat" / "a_1.tiff"
    path.write_bytes(b"no image")
    assert _message(mrd, tmp_path) == (
        f"cannot read the image {path}, it is damaged or no image; put a whole one there"
    )


def test_too_few_images_to_split(tmp_path):
    root = tmp_path / "own"
    for name in "abcd":
        _scene(root, name)
    assert _message(root, tmp_path) == (
        f"found 4 images in {root}/sat; at least 5 are needed, of which the fourth of five "
        "validates and the fifth tests"
    )
