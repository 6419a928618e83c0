"""Images of any depth: scaled by the range of their type, or refused with file and mode."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lossnets.runners.data import photograph_files, roads
from lossnets.runners.data.image_files import read_image
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

GREYS = np.array([[0, 257, 128 * 257], [40_000, 65_535, 300]], np.uint16)  # 2 × 3


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bits_of_grey_are_scaled_by_their_range(tmp_path, name):
    Image.fromarray(GREYS).save(tmp_path / name)
    expected = np.array([[0, 1, 128], [156, 255, 1]], np.uint8)
    assert np.array_equal(read_image(tmp_path / name), expected[..., None].repeat(3, 2))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(np.float32, "'F' (floating point)"), (np.int32, "'I' (32-bit whole numbers)")],
)
def test_depths_without_a_white_are_refused_in_every_benchmarks_data(tmp_path, kind, mode):
    (tmp_path / "own").mkdir()
    path = tmp_path / "own" / "a.tif"
    Image.fromarray(GREYS.astype(kind)).save(path)
    for read in (read_image, lambda path: photograph_files.check(path.parent, lambda *_: None)):
        with pytest.raises(UserError) as error:
            read(path)
        assert error.value.message == (
            f"found the image {path} of mode {mode}; valid are 8 or 16 bits a channel, grey or "
            "RGB: only of them is known what is white"
        )


@pytest.mark.parametrize("road", [1, 255, 65_535])
def test_a_map_of_16_bits_has_roads_whatever_their_value(tmp_path, road):
    Image.new("RGB", (3, 2)).save(tmp_path / "image.png")
    values = np.array([[0, road, 0], [0, 0, road]], np.uint16)
    Image.fromarray(values).save(tmp_path / "map.png")
    scene, _ = roads.read_scene((tmp_path / "image.png", tmp_path / "map.png"))
    assert (scene[..., 3] > 0).tolist() == (values > 0).tolist()


def test_two_photographs_of_one_name_are_told_before_anything_runs(tmp_path):
    for name in ("p0.png", "p0.jpg", "p1.png", "p2.png", "p3.png", "p4.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    with pytest.raises(UserError) as error:
        photograph_files.find(tmp_path, tmp_path)
    assert error.value.message == (
        f"found p0.jpg and p0.png in {tmp_path}; the names of images differ before their ends, "
        "rename one"
    )
