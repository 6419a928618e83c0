"""MATLAB 5 files: what SciPy writes is read, what is written SciPy reads, damage is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from lossnets.runners.data import matlab
from lossnets.runners.data.matlab import Numbers
from lossnets.warehouse.errors import UserError

X = np.random.default_rng(0).integers(0, 256, (4, 4, 3, 50), dtype=np.uint8)
Y = np.arange(50.0)[:, None] % 10 + 1  # (50, 1)


def _read(path: Path, name: str, at_once: int) -> tuple[tuple[int, ...], np.ndarray]:
    with Numbers.open(path, name) as numbers:
        parts = [numbers.read(at_once) for _ in range(-(-int(np.prod(numbers.shape)) // at_once))]
        assert len(numbers.read(1)) == 0
        return numbers.shape, np.concatenate(parts)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("at_once", [7, 48, 10**6])
def test_what_scipy_writes_is_read_piece_by_piece(tmp_path, compressed, at_once):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"X": X, "y": Y, "z": np.uint8([[3, 4]])}, do_compression=compressed)
    shape, numbers = _read(path, "X", at_once)
    assert shape == (4, 4, 3, 50)
    assert np.array_equal(numbers, X.reshape(-1, order="F"))
    assert np.array_equal(_read(path, "y", at_once)[1], Y[:, 0])
    assert _read(path, "z", at_once)[1].tolist() == [3, 4]


def test_scipy_reads_what_is_written(tmp_path):
    path = tmp_path / "a.mat"
    matlab.write(path, {"X": X, "y": Y})
    found = scipy.io.loadmat(path)
    assert np.array_equal(found["X"], X)
    assert np.array_equal(found["y"], Y)
    assert np.array_equal(_read(path, "X", 1000)[1], X.reshape(-1, order="F"))


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_that_ends_early_is_told_wherever_it_ends(tmp_path, compressed):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"X": X}, do_compression=compressed)
    whole = path.read_bytes()
    for length in (130, 140, 160, 190, 200, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError) as caught:
            _read(path, "X", 48)
        assert str(caught.value) == f"{path} is damaged or ends early; fetch it anew"


def test_a_changed_byte_in_what_is_compressed_is_told(tmp_path):
    path = tmp_path / "a.mat"
    matlab.write(path, {"X": X})
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1  # in the checksum
    path.write_bytes(whole)
    with pytest.raises(UserError, match="is damaged or ends early"):
        _read(path, "X", 48)


def test_what_is_no_such_file_is_refused(tmp_path):
    path = tmp_path / "a.mat"
    faults = {
        b"": f"found in {path} no MATLAB 5 file",
        b"PK\3\4" * 100: f"found in {path} no MATLAB 5 file",
        b"\x89HDF\r\n\x1a\n" + bytes(600): f"found in {path} a MATLAB 7.3 file; valid is MATLAB 5",
        b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(600): (
            f"found in {path} a MATLAB 7.3 file; valid is MATLAB 5"
        ),
    }
    for content, expected in faults.items():
        path.write_bytes(content)
        with pytest.raises(UserError) as caught:
            _read(path, "X", 1)
        assert str(caught.value) == expected


def test_arrays_that_are_missing_or_hold_no_numbers_are_told(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"y": Y, "s": "text", "c": np.array([[1]], object)})
    with pytest.raises(UserError) as caught:
        _read(path, "X", 1)
    assert str(caught.value) == f"found in {path} y, s, c; X is needed"
    with pytest.raises(UserError) as caught:
        _read(path, "c", 1)
    assert str(caught.value) == f"found in {path} c, which is no array of numbers"
    with pytest.raises(UserError) as caught:
        _read(tmp_path / "none.mat", "X", 1)
    assert str(caught.value) == f"cannot read {tmp_path / 'none.mat'}: No such file or directory"
