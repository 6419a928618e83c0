"""Weights from a file: a state dict, however it was wrapped when it was saved."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from lossnets.warehouse.errors import UserError

State = dict[str, torch.Tensor]
LEVELS = ("state_dict", "model", "model_state", "teacher", "model_ema", "module", "net")
PREFIXES = ("module.", "backbone.", "encoder_q.", "encoder.", "_orig_mod.", "model.", "net.")


def read_state_dict(path: Path) -> State:
    """A state dict from a file, on the CPU: {parameter's name: value}.

    `.safetensors`, or what `torch.save` wrote under any name; a dict in it may lie some levels
    down (LEVELS). Errors: UserError on a file that holds none.
    """
    _check_file(path)
    try:
        state = _read(path)
    except Exception as fault:
        raise UserError(
            f"found no state dict in {path} ({_first_line(fault)}); "
            "write one with torch.save(model.state_dict(), path)"
        ) from None
    state = _innermost(state)
    if not isinstance(state, Mapping) or not _tensors(state):
        raise UserError(
            f"found {type(state).__name__} in {path}, not a state dict (names and tensors); "
            "write one with torch.save(model.state_dict(), path)"
        )
    return _tensors(state)


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _innermost(state: object) -> object:
    while isinstance(state, Mapping):
        level = next((key for key in LEVELS if isinstance(state.get(key), Mapping)), None)
        if level is None:
            break
        state = state[level]
    return state


def _tensors(state: Mapping[str, object]) -> State:
    """Its tensors, if tensors and single numbers are all that it holds; else nothing."""
    if not all(isinstance(v, torch.Tensor | int | float | str | None) for v in state.values()):
        return {}
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def without_prefix(state: State, names: set[str]) -> State:
    """The state dict with the common prefixes of its keys dropped that a network does not have.

    Where only some keys carry a prefix, such as `encoder_q.` beside a queue, those are taken.

    >>> without_prefix({"module.backbone.w": torch.ones(1)}, {"w"})
    {'w': tensor([1.])}
    """
    while not names & state.keys():
        prefix = next((p for p in PREFIXES if any(key.startswith(p) for key in state)), None)
        if prefix is None:
            break
        state = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    return state


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
    needed, known = module.state_dict(), set(whole.state_dict())
    state = without_prefix(read_state_dict(path), known)
    if architecture.startswith("densenet"):
        state = {_densenet_key(name): value for name, value in state.items()}
    counters = {name for name in needed if name.endswith("num_batches_tracked")}
    missing = sorted(needed.keys() - state.keys() - counters - spare)
    strange = sorted(name for name in state.keys() - known if not _is_head(name, needed, known))
    for fault, names, there in (
        ("lacks", missing, strange),
        ("has beyond it", strange, missing),
    ):
        if names:
            beside = f", where it has {there[0]!r}" if fault == "lacks" and there else ""
            raise UserError(
                f"found in {path.name} other weights than those of {architecture}: it {fault} "
                f"{len(names)} tensors, among them {names[0]!r}{beside}"
            )
    shapes = sorted(n for n in needed.keys() & state.keys() if needed[n].shape != state[n].shape)
    if shapes:
        name = shapes[0]
        raise UserError(
            f"found in {path.name} {name!r} of shape {tuple(state[name].shape)}; "
            f"{architecture} has {tuple(needed[name].shape)}"
        )
    module.load_state_dict({n: state.get(n, needed[n]) for n in needed})


def _is_head(name: str, needed: Mapping[str, object], known: set[str]) -> bool:
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


def _first_line(fault: BaseException) -> str:
    return (str(fault) or type(fault).__name__).splitlines()[0]
