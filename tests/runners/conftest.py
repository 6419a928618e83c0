"""What tests of runs share: memory is given back, whatever a run or a network has held."""

from __future__ import annotations

import ctypes
import gc
import platform
from collections.abc import Iterator

import psutil
import pytest

MUCH = 2**30  # bytes that a process holds


@pytest.fixture(scope="session", autouse=True)
def keep_no_memory() -> Iterator[None]:
    """Runs in this process leave its allocator as it is: one process is many runs here."""
    from lossnets.runners.runs import execution

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "keep_memory", lambda: False)
        yield


@pytest.fixture(autouse=True)
def give_memory_back() -> Iterator[None]:
    """Traced networks are cycles, which Python collects by their number and not by their size."""
    yield
    if psutil.Process().memory_info().rss > MUCH:
        gc.collect()
        if platform.libc_ver()[0] == "glibc":
            ctypes.CDLL(None).malloc_trim(0)
