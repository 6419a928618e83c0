"""Weights from a file: a state dict, however it was wrapped when it was saved."""

from __future__ import annotations

import argparse
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from pathlib import Path, PosixPath

import numpy as np
import torch
from numpy._core.multiarray import _reconstruct, scalar
from torch import nn

from lossnets.warehouse.errors import UserError

State = dict[str, torch.Tensor]
LEVELS = ("state_dict", "model", "model_state", "teacher", "model_ema", "module", "net")
SHOWN = 3  # names of a kind in a message
HARMLESS = (argparse.Namespace, PosixPath, np.dtype, np.ndarray, scalar, _reconstruct)
ESCAPE_CODES = re.compile(r"\x1b\[[0-9;]*m")


def read_state_dict(path: Path, names: frozenset[str] = frozenset()) -> State:
    """A state dict from a file, on the CPU: {parameter's name: value}.

    `.safetensors`, or what `torch.save` wrote under any name, beside what training scripts keep
    with it (`Namespace`, NumPy's numbers). Of dicts in it, at any level, the one that has most of
    `names`; of equals the outermost, those of LEVELS first. Errors: UserError on a file that holds
    none.
    """
    _check_file(path)
    try:
        content = _read(path)
    except Exception as fault:
        raise UserError(
            f"found no state dict in {path} ({_why(path, fault)}); "
            "write one with torch.save(model.state_dict(), path)"
        ) from None
    states = list(_states(content))
    if not states:
        raise UserError(
            f"found {type(content).__name__} in {path}, not a state dict (names and tensors); "
            "write one with torch.save(model.state_dict(), path)"
        )
    return max(states, key=lambda state: len(names & without_prefix(state, names).keys()))


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    kinds = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "?")]
    with torch.serialization.safe_globals([*HARMLESS, *kinds]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _why(path: Path, fault: Exception) -> str:
    """Why a file was not read: of objects whose classes would run, their names."""
    with suppress(Exception):
        classes = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        if classes:
            return (
                f"it holds objects of {', '.join(sorted(classes)[:SHOWN])}, which only their "
                "own code can read"
            )
    return ESCAPE_CODES.sub("", (str(fault) or type(fault).__name__).splitlines()[0])


def _states(content: object) -> Iterator[State]:
    """The state dicts in what a file holds: itself, else those of its levels, the likely first."""
    if not isinstance(content, Mapping):
        return
    if state := _tensors(content):
        yield state
    keys = [*(key for key in LEVELS if key in content), *(k for k in content if k not in LEVELS)]
    for key in keys:
        yield from _states(content[key])


def _tensors(state: Mapping[str, object]) -> State:
    return {str(name): value for name, value in state.items() if isinstance(value, torch.Tensor)}


def without_prefix(state: State, names: Set[str]) -> State:
    """The state dict without the common prefix of its keys that a network does not have.

    Or with the one that it has beyond them, as of a part that was saved alone: the one with which
    most names are found. Where only some keys carry it, such as `encoder_q.` beside a queue, those
    are taken.

    >>> without_prefix({"module.backbone.w": torch.ones(1)}, {"w"})
    {'w': tensor([1.])}
    >>> without_prefix({"0.w": torch.ones(1)}, {"features.0.w"})
    {'features.0.w': tensor([1.])}
    """
    here, missed = names & state.keys(), names - state.keys()
    if here or not missed:
        return state
    ends = {end: whole for whole in names for end in _ends(whole)}
    dropped = Counter(key[: -len(end)] for key in state for end in _ends(key) if end in names)
    added = Counter(ends[key][: -len(key)] for key in state if key in ends)
    if dropped:
        prefix = dropped.most_common(1)[0][0]
        return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    if added:
        prefix = added.most_common(1)[0][0]
        return {prefix + key: value for key, value in state.items()}
    return state


def _ends(name: str) -> Iterator[str]:
    """What is left of a name without one or more of its first parts."""
    while "." in name:
        name = name.partition(".")[2]
        yield name


def load_state_dict(
    module: nn.Module,
    path: Path,
    *,
    whole: nn.Module,
    architecture: str,
    spare: frozenset[str] = frozenset(),
) -> None:
    """Load into `module`, a part of `whole`, what it needs of the state dict at `path`.

    What belongs to the rest of the network, or is named in `spare`, may be missing. Errors:
    UserError on names that are missing, of another network, or of another shape, with what the
    file has beside what the network has.
    """
    needed, known = module.state_dict(), frozenset(whole.state_dict())
    state = without_prefix(read_state_dict(path, known), known)
    if architecture.startswith("densenet"):
        state = {_densenet_key(name): value for name, value in state.items()}
    counters = {name for name in needed if name.endswith("num_batches_tracked")}
    missing = sorted(needed.keys() - state.keys() - counters - spare)
    strange = sorted(name for name in state.keys() - known if not _is_head(name, needed, known))
    if missing or strange:
        raise UserError(
            f"found in {path.name} other weights than those of {architecture}: "
            + " and ".join(
                f"it {what} {len(names)} tensors, among them {', '.join(map(repr, names[:SHOWN]))}"
                for what, names in (("lacks", missing), ("has beyond it", strange))
                if names
            )
        )
    shapes = sorted(n for n in needed.keys() & state.keys() if needed[n].shape != state[n].shape)
    if shapes:
        name = shapes[0]
        raise UserError(
            f"found in {path.name} {name!r} of shape {tuple(state[name].shape)}; "
            f"{architecture} has {tuple(needed[name].shape)}"
        )
    module.load_state_dict({n: state.get(n, needed[n]) for n in needed})


def _is_head(name: str, needed: Mapping[str, object], known: Set[str]) -> bool:
    """Whether a name lies in a part of the network that is not needed: another head's."""
    part = name.partition(".")[0] + "."
    is_needed = any(one.startswith(part) for one in needed)
    return not is_needed and any(one.startswith(part) for one in known)


def _densenet_key(name: str) -> str:
    """DenseNet's published files name `norm.1` what its modules call `norm1`."""
    return re.sub(r"\.(norm|relu|conv)\.([12])\.", r".\1\2.", name)


def is_path(weights: str | Path) -> bool:
    """Whether weights are named by a file: by a path, a known suffix, or a file that is there."""
    if isinstance(weights, Path) or "/" in weights:
        return True
    if weights.endswith((".pt", ".pth", ".safetensors")):
        return True
    return weights != "random" and ":" not in weights and Path(weights).is_file()


def identity_of(path: Path) -> str:
    """A weights file's name and the first 12 digits of its SHA-256."""
    _check_file(path)
    with path.open("rb") as file:
        return f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"found no file {path} to read weights from")
