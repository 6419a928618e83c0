"""Where a run computes and how exactly: device, precision, memory, versions."""

from __future__ import annotations

import ctypes
import platform
import resource
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib import metadata
from typing import Any

import torch

from lossnets.warehouse.errors import UserError

PRECISIONS = ("fp32", "tf32", "bf16")
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1  # of glibc's malloc.h
KEPT_BYTES = (2**30, 2**25)  # blocks up to here are kept; some versions take no more than 2**25


def device(name: str = "auto") -> torch.device:
    """A device by name: auto (CUDA, else MPS, else the CPU), cpu, cuda, cuda:1, mps.

    Errors: UserError on an unknown name, and on a device that is not there.

    >>> device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else _mps() or "cpu"
    valid = "valid are auto, cpu, cuda, cuda:N and mps"
    try:
        found = torch.device(name)
    except RuntimeError:
        raise UserError(f"found device {name!r}; {valid}") from None
    if found.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"found device {name!r}; {valid}")
    if found.type == "cuda":
        return _cuda(found)
    if found.type == "mps" and not _mps():
        raise UserError("found no mps device here; `--device auto` takes what there is")
    return torch.device(found.type)


def _mps() -> str:
    return "mps" if torch.backends.mps.is_available() else ""


def _cuda(wanted: torch.device) -> torch.device:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        raise UserError(
            "found no CUDA device that torch can use; `--device auto` takes what there is"
        )
    index = wanted.index if wanted.index is not None else torch.cuda.current_device()
    if index >= count:
        raise UserError(f"found device 'cuda:{index}'; valid are cuda:0 to cuda:{count - 1}")
    return torch.device("cuda", index)


def check_precision(name: str, where: torch.device) -> None:
    """Raise UserError on a precision that is unknown, or that a device does not have.

    tf32 is a mode of CUDA devices; elsewhere it would be fp32 under another name.
    """
    if name not in PRECISIONS:
        raise UserError(f"found precision {name!r}; valid are {', '.join(PRECISIONS)}")
    if name == "tf32" and where.type != "cuda":
        raise UserError(
            f"found precision 'tf32' on {where.type}, which only CUDA devices have; "
            "valid there are fp32 and bf16"
        )


@contextmanager
def matmul_precision(name: str) -> Iterator[None]:
    """For the block, products and convolutions of float32 on CUDA are exact, unless "tf32".

    By default torch computes convolutions in TF32, with 10 bits of mantissa.
    """
    backends: Any = torch.backends  # its stubs lack the switches
    if hasattr(backends.cuda.matmul, "fp32_precision"):
        holders, attribute = (backends.cuda.matmul, backends.cudnn.conv), "fp32_precision"
        value: object = "tf32" if name == "tf32" else "ieee"
    else:  # torch before 2.9
        holders, attribute = (backends.cuda.matmul, backends.cudnn), "allow_tf32"
        value = name == "tf32"
    before = [getattr(holder, attribute) for holder in holders]
    try:
        for holder in holders:
            setattr(holder, attribute, value)
        yield
    finally:
        for holder, was in zip(holders, before, strict=True):
            setattr(holder, attribute, was)


def autocast(precision: str, where: torch.device) -> AbstractContextManager[object]:
    """The context of a forward pass: bfloat16 where precision is "bf16", else nothing.

    >>> with autocast("bf16", torch.device("cpu")):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.bfloat16
    """
    if precision != "bf16":
        return nullcontext()
    return torch.autocast(where.type, dtype=torch.bfloat16)


@cache
def keep_memory() -> bool:
    """Have glibc keep freed blocks instead of giving them back to the system; whether it does.

    Large blocks otherwise go back after every step, and the page faults of the next cost more
    than its arithmetic. The price: resident memory stays at its peak until the process ends.
    Elsewhere than on glibc nothing happens.
    """
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    kept = any(mallopt(M_MMAP_THRESHOLD, size) for size in KEPT_BYTES)
    return bool(kept and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))


def reset_peak_memory(where: torch.device) -> None:
    """Start to measure the peak of a CUDA device anew."""
    if where.type == "cuda":
        torch.cuda.reset_peak_memory_stats(where)


def peak_memory_bytes(where: torch.device) -> int:
    """The greatest memory in use: torch's on CUDA, elsewhere the process's since it started."""
    if where.type == "cuda":
        return int(torch.cuda.max_memory_allocated(where))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def describe(where: torch.device) -> str:
    """A device as a record states it: the GPU's name, or the processor's architecture."""
    if where.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(where)}"
    return f"{where.type}: {platform.machine()}"


def versions(where: torch.device) -> dict[str, str]:
    """What results can depend on beside what is run: packages, threads, CUDA and cuDNN."""
    found = {"python": platform.python_version(), "threads": str(torch.get_num_threads())}
    found |= {name: _installed(name) for name in ("lossnets", "torch", "torchvision", "numpy")}
    if where.type == "cuda":
        found["cuda"] = str(torch.version.cuda)
        found["cudnn"] = str(torch.backends.cudnn.version())
    return found


@cache
def _installed(name: str) -> str:
    """A package's version; to read it takes milliseconds, every time."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
