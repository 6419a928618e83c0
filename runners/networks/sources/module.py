"""A network of one's own: `module:FILE:FUNCTION`, or an `nn.Module` given in Python.

The function takes no argument and returns an nn.Module. The module may state how its images are
normalised as `mean`, `std` (three numbers each, or tensors) and `image_size` (pixels a side).
"""

from __future__ import annotations

import copy
import hashlib
import runpy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

import torch
from torch import nn

from lossnets.runners.networks.sources import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from lossnets.warehouse.errors import UserError

OWN = "own"  # weights as the module comes with them
_given: WeakValueDictionary[str, nn.Module] = WeakValueDictionary()


class Given:
    """A module that was given in Python, to be found by a name as long as this lives.

    Copies are the same; where one is unpickled, the module is found as well.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.name = f"module:{type(module).__name__}@{uuid4().hex[:8]}"
        _given[self.name] = module

    def __deepcopy__(self, memo: dict[int, Any]) -> Given:
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _given[self.name] = self.module


def check(name: str) -> None:
    """Raise UserError if there is no such file, or no such function in it."""
    if name not in _given:
        _builder(name)


def build(name: str, *, initialise: bool) -> nn.Module:
    """The network as its function returns it; of a module given in Python a copy.

    `initialise` draws the copy's values anew.
    """
    if name in _given:
        copied = copy.deepcopy(_given[name])
        for part in copied.modules() if initialise else ():
            if callable(reset := getattr(part, "reset_parameters", None)):
                reset()
        return copied
    network = _builder(name)()
    if not isinstance(network, nn.Module):
        raise UserError(
            f"found that {name} returns {type(network).__name__}; it must return an nn.Module"
        )
    return network


def default_weights(name: str) -> str:
    """Those that it comes with."""
    return OWN


def weights_name(name: str, weights: str) -> str:
    """`own:` and the first 12 digits of the SHA-256 of the file, or of the module's values."""
    if weights != OWN:
        raise UserError(
            f"found weights {weights!r} for {name}; valid are: {OWN}, random, "
            "or the path of a state dict"
        )
    return OWN + version(name)


def version(name: str) -> str:
    """The hash of its file, or of the values of a module given in Python."""
    if name in _given:
        return f":{_digest(_given[name])}"
    return f":{hashlib.sha256(_file(name).read_bytes()).hexdigest()[:12]}"


def with_weights(name: str, weights: str) -> nn.Module:
    """The network with the weights that it comes with."""
    weights_name(name, weights)
    return build(name, initialise=False)


def preprocessing(name: str) -> Preprocessing:
    """What the module states as `mean`, `std` and `image_size`, else ImageNet's at 224 px."""
    network = _given[name] if name in _given else build(name, initialise=False)
    mean, std = (
        _three(getattr(network, key, None), default)
        for key, default in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD))
    )
    size = getattr(network, "image_size", None)
    return Preprocessing(mean, std, size if isinstance(size, int) else 224)


def family(name: str) -> str:
    """Other."""
    return "Other"


def _builder(name: str) -> Callable[[], nn.Module]:
    function = name.rpartition(":")[2]
    path = _file(name)
    values = runpy.run_path(str(path))
    if not callable(values.get(function)):
        offered = [key for key, value in values.items() if callable(value) and key[0] != "_"]
        raise UserError(
            f"found no function {function} in {path}; there are: {', '.join(offered) or 'none'}"
        )
    return values[function]


def _file(name: str) -> Path:
    file, colon, _ = name.removeprefix("module:").rpartition(":")
    if not colon:
        raise UserError(
            f"found architecture {name!r}; valid is module:FILE:FUNCTION, such as "
            "module:my_file.py:build"
        )
    if not Path(file).is_file():
        raise UserError(f"found no file {file} to read the architecture {name} from")
    return Path(file)


def _digest(module: nn.Module) -> str:
    digest = hashlib.sha256(repr(module).encode())
    for key, value in module.state_dict().items():
        digest.update(key.encode())
        digest.update(
            value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        )
    return digest.hexdigest()[:12]


def _three(value: object, default: tuple[float, ...]) -> tuple[float, ...]:
    if isinstance(value, torch.Tensor):
        value = value.flatten().tolist()
    if not isinstance(value, Iterable) or isinstance(value, str):
        return default
    numbers = tuple(float(number) for number in value)
    return numbers if len(numbers) == 3 else default
