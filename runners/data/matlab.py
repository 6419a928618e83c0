"""Arrays of numbers in MATLAB 5 files, read bit by bit: SVHN comes in such files.

    with Numbers.open(Path("extra_32x32.mat"), "X") as images:
        images.shape           # (32, 32, 3, 531131), the first fastest
        images.read(3072)      # the first image's numbers

Never more is held than what is asked for, compressed or not; SciPy would hold 1.6 GB twice.
Source: MAT-File Level 5 format, The MathWorks.
"""

from __future__ import annotations

import io
import math
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from lossnets.warehouse.errors import UserError

TYPES: dict[int, np.dtype] = {
    1: np.dtype("<i1"), 2: np.dtype("<u1"), 3: np.dtype("<i2"), 4: np.dtype("<u2"),
    5: np.dtype("<i4"), 6: np.dtype("<u4"), 7: np.dtype("<f4"), 9: np.dtype("<f8"),
    12: np.dtype("<i8"), 13: np.dtype("<u8"),
}  # fmt: skip
MATRIX, COMPRESSED = 14, 15
HEADER = 128  # bytes before the first element
CLASS_UINT8 = 9
AT_ONCE = 1 << 20  # bytes of a compressed file


class _Bytes(Protocol):
    def read(self, count: int, /) -> bytes: ...


class Numbers:
    """One array in a MATLAB 5 file, read from its beginning on.

    shape: as in MATLAB, whose first dimension runs fastest. Errors: UserError if the file is
    missing, of another format, damaged, or has no such array.
    """

    def __init__(self, path: Path, stream: _Bytes, shape: tuple[int, ...], kind: np.dtype) -> None:
        self.path, self.shape, self.dtype = path, shape, kind
        self._stream = stream
        self._left = math.prod(shape)

    @classmethod
    @contextmanager
    def open(cls, path: Path, name: str) -> Iterator[Numbers]:
        """The array of that name; the file is open as long as the block runs."""
        try:
            file = path.open("rb")
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None
        with file:
            with _damage(path):
                found = _find(path, file, name)
            yield cls(path, *found)

    def read(self, count: int) -> np.ndarray:
        """The next numbers, `count` of them or what is left: (count,)."""
        count = min(count, self._left)
        self._left -= count
        with _damage(self.path):
            content = _exactly(self._stream, count * self.dtype.itemsize)
            if not self._left:
                self._stream.read(8)  # padding, and the checksum of what was compressed
        return np.frombuffer(content, self.dtype)


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed MATLAB 5 file of arrays of uint8.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.mat"
    >>> write(path, {"X": np.arange(6, dtype=np.uint8).reshape(2, 3)})
    >>> with Numbers.open(path, "X") as numbers:
    ...     numbers.shape, numbers.read(6).tolist()
    ((2, 3), [0, 3, 1, 4, 2, 5])
    """
    content = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    for name, array in arrays.items():
        matrix = (
            _element(6, struct.pack("<2I", CLASS_UINT8, 0))
            + _element(5, np.array(array.shape, "<i4").tobytes())
            + _element(1, name.encode())
            + _element(2, array.astype(np.uint8).tobytes(order="F"))
        )
        packed = zlib.compress(_element(MATRIX, matrix))
        content += struct.pack("<2I", COMPRESSED, len(packed)) + packed
    path.write_bytes(content)


class _Inflated:
    """What a compressed element of a file holds."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file, self._length = file, length
        self._inflate = zlib.decompressobj()

    def read(self, count: int, /) -> bytes:
        parts = []
        while count and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._next()
            part = self._inflate.decompress(packed, count)
            if not packed and not part:
                break
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _next(self) -> bytes:
        packed = self._file.read(min(AT_ONCE, self._length))
        self._length -= len(packed)
        return packed


def _matrices(file: BinaryIO) -> Iterator[_Bytes]:
    """The content of every array in the file, each to be read before the next."""
    size = os.fstat(file.fileno()).st_size
    while tag := file.read(8):
        kind, length = struct.unpack("<2I", tag)
        end = file.tell() + length
        if end > size:
            raise EOFError
        stream: _Bytes = _Inflated(file, length) if kind == COMPRESSED else file
        if kind == COMPRESSED:
            kind, _ = struct.unpack("<2I", _exactly(stream, 8))
        if kind == MATRIX:
            yield stream
        file.seek(end)


def _find(path: Path, file: BinaryIO, name: str) -> tuple[_Bytes, tuple[int, ...], np.dtype]:
    """The array of that name: its numbers, shape and type."""
    _check_header(path, file.read(HEADER))
    names = []
    for stream in _matrices(file):
        _part(stream)  # flags: MATLAB's class, which says no more than the numbers' type
        shape = tuple(np.frombuffer(_part(stream), "<i4").tolist())
        names.append(_part(stream).decode("latin-1"))
        kind, length, small = _tag(stream)
        if names[-1] != name:
            continue
        if kind not in TYPES or length != math.prod(shape) * TYPES[kind].itemsize:
            raise UserError(f"found in {path} {name}, which is no array of numbers")
        return io.BytesIO(small) if small else stream, shape, TYPES[kind]
    raise UserError(f"found in {path} {', '.join(names) or 'no array'}; {name} is needed")


def _part(stream: _Bytes) -> bytes:
    """The content of the next element, without its padding."""
    _, length, small = _tag(stream)
    return small or _exactly(stream, -(-length // 8) * 8)[:length]


def _tag(stream: _Bytes) -> tuple[int, int, bytes]:
    """Type and length of the next element; its content if that is in the tag (four bytes)."""
    tag = _exactly(stream, 8)
    kind, length = struct.unpack("<2I", tag)
    if kind >> 16:
        return kind & 0xFFFF, kind >> 16, tag[4 : 4 + (kind >> 16)]
    return kind, length, b""


def _element(kind: int, content: bytes) -> bytes:
    padded = content.ljust(-(-len(content) // 8) * 8, b"\0")
    return struct.pack("<2I", kind, len(padded if kind == MATRIX else content)) + padded


def _exactly(stream: _Bytes, count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise EOFError
    return content


def _check_header(path: Path, header: bytes) -> None:
    if header[:8] == b"\x89HDF\r\n\x1a\n" or header[124:] == b"\x00\x02IM":
        raise UserError(f"found in {path} a MATLAB 7.3 file; valid is MATLAB 5")
    if len(header) < HEADER or header[124:] != b"\x00\x01IM":
        raise UserError(f"found in {path} no MATLAB 5 file")


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, struct.error, ValueError):
        raise UserError(f"{path} is damaged or ends early; fetch it anew") from None
