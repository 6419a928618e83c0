"""Photographs: every layout, every fault, and pixels as torchvision and Pillow would have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sklearn.model_selection import train_test_split
from torchvision import transforms

from lossnets.runners.benchmarks.super_resolution import Config
from lossnets.runners.data import generated, photograph_files, photographs
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

SMALL = Config(size=40, images=6, validation_images=2)


def _write(folder: Path, count: int, size: tuple[int, int] = (60, 48), end: str = ".png") -> None:
    """So many images of width × height, of random colours."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in range(count):
        pixels = np.random.default_rng(item).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"img_{item + 1:03d}{end}")


def _load(root: Path, config: Config = SMALL) -> photographs.Photographs:
    return photographs.load(config, root, root / "home", lambda *_: None)


def _counts(root: Path) -> tuple[int, int, dict[str, int]]:
    found = photograph_files.find(root, root / "home")
    tests = {name: len(files) for name, files in found.tests.items()}
    return len(found.training), len(found.validation), tests


def _message(root: Path, config: Config = SMALL) -> str:
    with pytest.raises(UserError) as caught:
        _load(root, config)
    return caught.value.message


def test_a_folder_of_photographs_is_split_by_name(tmp_path):
    _write(tmp_path, 12)
    found = photograph_files.find(tmp_path, tmp_path)
    assert [path.stem for path in found.validation] == ["img_004", "img_009"]
    assert [path.stem for path in found.tests["own"]] == ["img_005", "img_010"]
    assert len(found.training) == 8


def test_own_folders_for_validation_and_test_are_used_as_they_are(tmp_path):
    for name, count in {"train": 6, "validation": 2, "test": 3}.items():
        _write(tmp_path / name, count)
    assert _counts(tmp_path) == (6, 2, {"own": 3})


def test_own_photographs_may_be_tested_on_the_sets_of_the_field(tmp_path):
    _write(tmp_path / "train", 10)
    _write(tmp_path / "set5", 5)
    assert _counts(tmp_path) == (8, 2, {"set5": 5})


def test_test_sets_are_read_as_selfexsr_and_bsds_have_them(tmp_path):
    _write(tmp_path / "train", 5)
    for factor in (2, 4):
        _write(tmp_path / "set5" / f"image_SRF_{factor}", 5, end=f"_SRF_{factor}_HR.png")
        _write(tmp_path / "set5" / f"image_SRF_{factor}", 5, end=f"_SRF_{factor}_LR.png")
    _write(tmp_path / "set14", 14, end="_SRF_2_HR.png")
    _write(tmp_path / "bsd100" / "BSDS300" / "images" / "test", 100, (8, 8), ".jpg")
    found = photograph_files.find(tmp_path, tmp_path)
    assert found.tests["set5"][0].name == "img_001_SRF_4_HR.png"
    assert [len(files) for files in found.tests.values()] == [5, 14, 100]


def test_coco_is_read_where_fetching_leaves_it(tmp_path):
    generated.make_photographs(tmp_path)
    data = _load(tmp_path)
    assert (len(data.training), len(data.validation)) == (6, 2)
    assert [(one.name, len(one)) for one in data.tests] == [
        ("set5", 5), ("set14", 14), ("bsd100", 100)
    ]  # fmt: skip
    assert data.training.targets.shape == (6, 40, 40, 3)
    assert data.training.inputs.shape == (6, 10, 10, 3)
    assert [image.shape for image in data.tests[0].targets] == [(48, 72, 3)] * 5
    assert [image.shape for image in data.tests[0].inputs] == [(12, 18, 3)] * 5


def test_the_draw_is_that_of_scikit_learn():
    files = [Path(f"{item:04d}.jpg") for item in range(200)]
    expected, _ = train_test_split(files, train_size=30, random_state=42)
    assert photograph_files.draw(files, 30, 42) == sorted(expected)
    assert photograph_files.draw(files, 300, 42) == files


def test_the_identity_is_of_what_is_read_not_of_where_it_lies(tmp_path):
    for name in ("here", "there"):
        _write(tmp_path / name, 10)
    same, first = _load(tmp_path / "here").identity, _load(tmp_path / "there").identity
    assert same == first
    image = np.array(Image.open(tmp_path / "there" / "img_001.png"))
    image[20, 20] ^= 255
    Image.fromarray(image).save(tmp_path / "there" / "img_001.png")
    assert _load(tmp_path / "there").identity != first


def test_a_target_is_what_torchvision_makes_of_the_image(tmp_path):
    for size in ((60, 48), (47, 71), (40, 40)):
        _write(tmp_path, 1, size)
        expected = transforms.Compose([transforms.Resize(40), transforms.CenterCrop(40)])
        image = Image.open(tmp_path / "img_001.png")
        found = photographs.read_target(tmp_path / "img_001.png", 40)
        np.testing.assert_array_equal(found, np.asarray(expected(image)))


def test_an_input_of_the_reference_is_of_the_photograph_not_of_the_target(tmp_path):
    _write(tmp_path, 1, (61, 48))
    resize = transforms.Resize(12, interpolation=transforms.InterpolationMode.BICUBIC)
    blurred = Image.open(tmp_path / "img_001.png").filter(ImageFilter.GaussianBlur(radius=1))
    expected = transforms.CenterCrop(12)(resize(blurred))
    found = photographs.read_input(tmp_path / "img_001.png", 12)
    np.testing.assert_array_equal(found, np.asarray(expected))


def test_reference_inputs_are_kept_as_packs_too(tmp_path):
    _write(tmp_path, 5)
    config = Config(size=40, inputs="photograph", test_images="crops")
    data = _load(tmp_path, config)
    (own,) = data.tests
    assert own.targets.shape == (1, 40, 40, 3)
    expected = photographs.read_input(tmp_path / "img_005.png", 10)
    np.testing.assert_array_equal(own.inputs[0], expected)


def _cubic(x: float) -> float:
    """Keys' kernel with a = -1/2."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def _reference_degraded(row: np.ndarray, factor: int) -> np.ndarray:
    """One row: the Gaussian's sum with reflected borders, then the widened kernel's."""
    weights = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    padded = np.pad(row, 4, mode="reflect")
    blurred = np.array([weights @ padded[i : i + 9] for i in range(len(row))]) / weights.sum()
    result = []
    for i in range(len(row) // factor):
        centre = (i + 0.5) * factor
        taps = np.array([_cubic((j + 0.5 - centre) / factor) for j in range(len(row))])
        result.append(taps @ blurred / taps.sum())
    return np.array(result)


@pytest.mark.parametrize("factor", [4, 8])
def test_degrading_is_the_gaussian_and_the_bicubic_kernel_written_out(factor):
    row = np.random.default_rng(0).integers(60, 190, 64)
    image = np.broadcast_to(row[None, :, None], (64, 64, 3)).astype(np.uint8)
    expected = np.round(_reference_degraded(row, factor))
    found = photographs.degrade(image, factor)
    assert found.shape == (64 // factor, 64 // factor, 3)
    np.testing.assert_array_equal(found, np.broadcast_to(expected[None, :, None], found.shape))
    turned = photographs.degrade(image.transpose(1, 0, 2), factor)
    np.testing.assert_array_equal(turned, found.transpose(1, 0, 2))


def test_downsampling_is_pillows(tmp_path):
    """Of an image so smooth that the blur changes next to nothing."""
    rows, columns = np.mgrid[:96, :96]
    image = (128 + 50 * np.sin(rows / 30) + 50 * np.cos(columns / 25)).astype(np.uint8)
    image = np.repeat(image[..., None], 3, 2)
    expected = np.asarray(Image.fromarray(image).resize((24, 24), Image.Resampling.BICUBIC))
    found = photographs.degrade(image, 4)
    assert np.abs(found.astype(int) - expected)[2:-2, 2:-2].max() <= 1


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 77, [77, 77, 77]),
        ("RGBA", (10, 20, 30, 0), [10, 20, 30]),
        ("LA", (50, 128), [50, 50, 50]),
        ("P", 0, [0, 0, 0]),
        ("1", 1, [255, 255, 255]),
        ("CMYK", (0, 0, 0, 0), [255, 255, 255]),
    ],
)
def test_every_kind_of_image_becomes_rgb(tmp_path, mode, colour, expected):
    path = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    options = {"transparency": 0} if mode == "P" else {}
    Image.new(mode, (50, 50), colour).save(path, **options)
    assert photographs.read_target(path, 40)[20, 20].tolist() == expected


def test_an_image_stands_upright_as_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    Image.new("RGB", (80, 40)).save(tmp_path / "image.jpg", exif=exif)
    assert photographs.read_image(tmp_path / "image.jpg").shape == (80, 40, 3)


def test_folders_without_images_are_refused(tmp_path):
    layout = (
        "a folder of photographs, or one that holds train, or coco/train2014 and coco/val2014, "
        "and test sets beside it"
    )
    assert _message(tmp_path / "x") == f"found no folder {tmp_path}/x; valid is {layout}"
    assert _message(tmp_path) == f"found no images in {tmp_path}; valid is {layout}"


def test_too_few_photographs_to_split_are_refused(tmp_path):
    _write(tmp_path, 4)
    assert _message(tmp_path) == (
        f"found 4 images in {tmp_path}; at least 5 are needed, of which every fourth of five "
        "validates and every fifth tests"
    )


def test_a_test_set_that_lacks_images_is_refused(tmp_path):
    _write(tmp_path / "train", 5)
    _write(tmp_path / "set14", 13)
    assert _message(tmp_path) == f"found 13 images in {tmp_path}/set14; set14 has 14"


def test_photographs_smaller_than_a_target_are_refused(tmp_path):
    _write(tmp_path, 5, (60, 39))
    assert _message(tmp_path) == (
        f"found {tmp_path}/img_001.png of 39×60 pixels; at least 40×40 are needed"
    )


def test_test_images_too_small_to_be_scored_are_refused(tmp_path):
    _write(tmp_path / "train", 5)
    _write(tmp_path / "test", 1, (60, 18))
    assert _message(tmp_path) == (
        f"found {tmp_path}/test/img_001.png of 18×60 pixels; at least 20×20 are needed"
    )


def test_damaged_images_are_refused(tmp_path):
    _write(tmp_path, 5)
    whole = (tmp_path / "img_002.png").read_bytes()
    (tmp_path / "img_002.png").write_bytes(whole[:2000])
    assert _message(tmp_path) == (
        f"cannot read the image {tmp_path}/img_002.png, it is truncated; put a whole one there"
    )


def test_check_says_what_is_there(tmp_path):
    generated.make_photographs(tmp_path)
    assert (
        photograph_files.check(tmp_path / "coco", lambda *_: None)
        == "28 images, 64 to 72 pixels a side"
    )
    assert (
        photograph_files.check(tmp_path / "set5", lambda *_: None)
        == "5 images, 48 to 72 pixels a side"
    )
    (tmp_path / "set5" / "004.png").unlink()
    with pytest.raises(UserError, match=r"found 4 images in .*/set5; set5 has 5"):
        photograph_files.check(tmp_path / "set5", lambda *_: None)


def test_smoke_photographs_are_the_same_for_the_same_seed(tmp_path):
    for name in ("a", "b"):
        generated.make_photographs(tmp_path / name)
    for path in (tmp_path / "a").rglob("*.png"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
