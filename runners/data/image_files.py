"""Image files of any kind as 8 bits a channel, or refused with what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lossnets.warehouse.errors import UserError

EIGHT_BITS = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr")
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")  # grey; colours of 16 bits open as RGB


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What the operating system refuses to read, as one sentence."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def read_image(path: Path) -> np.ndarray:
    """An image file's pixels as RGB, uint8 (H, W, 3), upright as its EXIF says.

    16 bits are scaled to 8 by the range of the type, transparency is dropped. Errors: UserError on
    a file that cannot be read, is no image, is not whole, or has pixels of another type.
    """
    image = _upright(path)
    if image.mode in SIXTEEN_BITS:
        return np.repeat(_of_16_bits(np.asarray(image))[..., None], 3, axis=2)
    return np.array(image.convert("RGB"))


def read_map(path: Path) -> np.ndarray:
    """A binary map's values as they stand in the file, scaled to 255 where they go beyond: uint8.

    (H, W, 3), as `read_image`; 0 and 1 of 16 bits stay 0 and 1. Errors: as for `read_image`.
    """
    image = _upright(path)
    values = np.asarray(image)
    if image.mode in SIXTEEN_BITS and values.max(initial=0) <= 1:
        return np.repeat(values.astype(np.uint8)[..., None], 3, axis=2)
    return read_image(path)


def check_names(paths: Sequence[Path]) -> None:
    """UserError where two files have one name but for their ends: items are told apart by it."""
    seen: dict[str, Path] = {}
    for path in paths:
        other = seen.setdefault(path.stem, path)
        if other != path:
            raise UserError(
                f"found {other.name} and {path.name} in {path.parent}; the names of images differ "
                "before their ends, rename one"
            )


def _upright(path: Path) -> Image.Image:
    with reading(path):
        content = path.read_bytes()
    try:
        with Image.open(BytesIO(content)) as image:
            if image.mode not in (*EIGHT_BITS, *SIXTEEN_BITS):
                raise _other_type(path, image.mode)
            upright = ImageOps.exif_transpose(image)
            if "transparency" in upright.info:  # of a palette: dropped like any other
                upright = upright.convert("RGBA")
            upright.load()
            return upright
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        reason = "it is truncated" if "truncated" in str(fault) else "it is damaged or no image"
    raise UserError(f"cannot read the image {path}, {reason}; put a whole one there")


def _other_type(path: Path, mode: str) -> UserError:
    meaning = {"F": "floating point", "I": "32-bit whole numbers"}.get(mode)
    what = f"{mode!r} ({meaning})" if meaning else repr(mode)
    return UserError(
        f"found the image {path} of mode {what}; valid are 8 or 16 bits a channel, grey or RGB: "
        "only of them is known what is white"
    )


def _of_16_bits(values: np.ndarray) -> np.ndarray:
    """uint16, 0 to 65,535, as uint8, 0 to 255.

    >>> _of_16_bits(np.array([0, 128, 129, 65535], np.uint16))
    array([  0,   0,   1, 255], dtype=uint8)
    """
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
