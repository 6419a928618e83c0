"""Device, precision, memory."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from lossnets.runners.runs import devices
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")


def test_auto_takes_what_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.device("auto") == CPU
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.device("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    assert devices.device("auto") == torch.device("cuda:0")
    assert devices.device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "found device 'gpu'; valid are auto, cpu, cuda, cuda:N and mps"),
        ("meta", "found device 'meta'; valid are auto, cpu, cuda, cuda:N and mps"),
        (
            "cuda",
            "found no CUDA device that torch can use; `--device auto` takes what there is",
        ),
        ("mps", "found no mps device here; `--device auto` takes what there is"),
    ],
)
def test_a_device_that_is_not_there_is_told(name, message, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError) as error:
        devices.device(name)
    assert error.value.message == message


def test_a_cuda_device_beyond_the_last_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError) as error:
        devices.device("cuda:2")
    assert error.value.message == "found device 'cuda:2'; valid are cuda:0 to cuda:1"


def test_tf32_is_refused_where_it_would_be_fp32():
    devices.check_precision("fp32", CPU)
    devices.check_precision("bf16", CPU)
    devices.check_precision("tf32", torch.device("cuda:0"))
    with pytest.raises(UserError) as error:
        devices.check_precision("tf32", CPU)
    assert error.value.message == (
        "found precision 'tf32' on cpu, which only CUDA devices have; valid there are fp32 and bf16"
    )
    with pytest.raises(UserError) as error:
        devices.check_precision("fp16", CPU)
    assert error.value.message == "found precision 'fp16'; valid are fp32, tf32, bf16"


def test_fp32_is_fp32_in_convolutions_and_products_for_the_block():
    matmul, convolution = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = matmul.fp32_precision, convolution.fp32_precision
    for name, expected in (("fp32", "ieee"), ("bf16", "ieee"), ("tf32", "tf32")):
        with devices.matmul_precision(name):
            assert (matmul.fp32_precision, convolution.fp32_precision) == (expected, expected)
    assert (matmul.fp32_precision, convolution.fp32_precision) == before


def test_before_torch_2_9_the_old_switches_are_set(monkeypatch):
    class Switch:
        allow_tf32 = True

    class Backends:
        class cuda:  # noqa: N801
            matmul = Switch()

        cudnn = Switch()

    monkeypatch.setattr(torch, "backends", Backends)
    with devices.matmul_precision("fp32"):
        assert (Backends.cuda.matmul.allow_tf32, Backends.cudnn.allow_tf32) == (False, False)
    assert (Backends.cuda.matmul.allow_tf32, Backends.cudnn.allow_tf32) == (True, True)


def test_autocast_is_for_bf16_alone():
    a = torch.ones(2, 2)
    for name, expected in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with devices.autocast(name, CPU):
            assert (a @ a).dtype is expected


def test_memory_is_kept_on_glibc_alone(monkeypatch):
    monkeypatch.setattr(devices.platform, "libc_ver", lambda: ("musl", "1"))
    devices.keep_memory.cache_clear()
    assert devices.keep_memory() is False
    monkeypatch.undo()
    devices.keep_memory.cache_clear()
    expected = devices.platform.libc_ver()[0] == "glibc"
    assert devices.keep_memory() is expected


def test_kept_memory_is_not_asked_for_again():
    code = """
import resource, sys, torch
from lossnets.runners.runs.devices import keep_memory
if sys.argv[1] == "keep":
    keep_memory()
for _ in range(8):
    torch.ones(2**24)  # 64 MB
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

    def page_faults(how: str) -> int:
        command = [sys.executable, "-c", code, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    if devices.platform.libc_ver()[0] == "glibc":
        # Left alone, each of the eight blocks is asked for anew; kept, one at the most.
        assert page_faults("keep") < page_faults("leave") / 4
