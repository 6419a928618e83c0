"""Torchvision's classification models by name, with the weights a user names."""

from __future__ import annotations

import csv
import difflib
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torchvision import models

from lossnets.warehouse.errors import UserError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
WEIGHTS = "IMAGENET1K_V1"  # what the paper used (Sec. III)


@cache
def extraction_layers() -> dict[str, dict[str, str]]:
    """The paper's extraction layers (Table II): {architecture: {layer: node}}, in its order.

    >>> extraction_layers()["vgg11"]
    {'early': 'features.1', 'semi_early': 'features.4', 'middle': 'features.9', \
'late': 'features.19'}
    """
    table = resources.files("lossnets.warehouse") / "shipped" / "paper" / "extraction_layers.csv"
    nodes: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines()):
        nodes.setdefault(row["architecture"], {})[row["layer"]] = row["node"]
    return nodes


@cache
def architectures() -> tuple[str, ...]:
    """Every classification model of the installed torchvision, by name."""
    return tuple(sorted(models.list_models(module=models)))


@dataclass(frozen=True)
class WeightsMetadata:
    """What torchvision publishes about a set of weights; None where it has no such set."""

    top1: float | None  # accuracy on ImageNet, %
    crop: int | None  # pixels a side it was measured at


def weights_metadata(architecture: str, weights: str = WEIGHTS) -> WeightsMetadata:
    """Accuracy and crop size of an architecture's weights, from torchvision's metadata.

    >>> weights_metadata("vgg11")
    WeightsMetadata(top1=69.02, crop=224)
    """
    member = models.get_model_weights(architecture).__members__.get(weights)
    if member is None:
        return WeightsMetadata(None, None)
    metrics = member.meta["_metrics"]["ImageNet-1K"]
    return WeightsMetadata(metrics["acc@1"], member.transforms().crop_size[0])


def close_names(name: str, names: tuple[str, ...], *, at_most: int = 5) -> str:
    """The names most like the one given, for an error's sentence.

    >>> close_names("vgg12", ("vgg11", "vgg16", "alexnet"), at_most=1)
    'vgg11'
    """
    likeness = difflib.SequenceMatcher(b=name.lower())

    def unlikeness(candidate: str) -> float:
        likeness.set_seq1(candidate.lower())
        return -likeness.ratio()

    return ", ".join(sorted(names, key=unlikeness)[:at_most])


def check_architecture(architecture: str) -> None:
    """Raise UserError, with close names, if torchvision has no such classification model."""
    if architecture not in architectures():
        raise UserError(
            f"found architecture {architecture!r}, which is no classification model of "
            f"torchvision; close names are: {close_names(architecture, architectures())}",
            hint="lossnets attribute measure --architecture "
            + close_names(architecture, architectures(), at_most=1),
        )


def without_weights(architecture: str, *, initialise: bool = True) -> nn.Module:
    """One of torchvision's models as it initialises it, or with `initialise=False` unfilled.

    Some models take `init_weights`, and warn when it is left out.
    """
    check_architecture(architecture)
    try:
        return models.get_model(architecture, weights=None, init_weights=initialise)
    except TypeError:
        return models.get_model(architecture, weights=None)


class _EmptyOnMeta(TorchFunctionMode):
    """Parameters are made without memory; what is computed while building is computed."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        extra = {"device": "meta"} if func is torch.empty else {}
        return func(*args, **{**(kwargs or {}), **extra})


def shapes_only(architecture: str) -> nn.Module:
    """One of torchvision's models on the meta device: shapes, no values, no memory."""
    with _EmptyOnMeta():
        return without_weights(architecture, initialise=False).to("meta")


def weights_of(architecture: str, weights: str) -> models.WeightsEnum:
    """One of torchvision's sets of weights by name; UserError, with the valid ones, if none."""
    check_architecture(architecture)
    enum = models.get_model_weights(architecture)
    if weights not in enum.__members__:
        valid = ", ".join([*(m.name for m in enum), "random", "or the path of a state dict"])
        raise UserError(f"found weights {weights!r} for {architecture}; valid are: {valid}")
    return enum[weights]


def with_weights(architecture: str, weights: str) -> nn.Module:
    """One of torchvision's models with the weights of one of its enums, such as IMAGENET1K_V1.

    Errors: UserError if there is no such set of weights, or its file is neither in torch's
    folder nor to be had.
    """
    member = weights_of(architecture, weights)
    try:
        with torch.random.fork_rng(devices=[]):  # it initialises before it loads
            return models.get_model(architecture, weights=member)
    except (URLError, OSError) as fault:
        file = Path(torch.hub.get_dir()) / "checkpoints" / member.url.rsplit("/", 1)[-1]
        reason = getattr(fault, "reason", None) or fault
        raise UserError(
            f"found no {file.name} in {file.parent}, and it could not be fetched ({reason}); "
            f"weights 'random' need no file",
            hint=f"curl --create-dirs -o {file} {member.url}",
        ) from None
    except (RuntimeError, EOFError, ValueError) as fault:
        raise UserError(
            f"found a damaged file of the weights {weights} of {architecture} in "
            f"{Path(torch.hub.get_dir()) / 'checkpoints'} ({_first_line(fault)}); delete it"
        ) from None


def randomly(architecture: str, seed: int, *, initialise: bool = True) -> nn.Module:
    """One of torchvision's models as torchvision initialises it, the same for the same seed.

    The generators of the caller are left as they were.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # the CPU's alone: models are made there
        return without_weights(architecture, initialise=initialise)


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """A state dict from a file, on the CPU; {parameter's name: value}.

    DenseNet's published files name `norm.1` what the modules call `norm1`: mended here.
    """
    _check_file(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as fault:
        raise UserError(
            f"found no state dict in {path} ({_first_line(fault)}); "
            "write one with torch.save(model.state_dict(), path)"
        ) from None
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise UserError(
            f"found {type(state).__name__} in {path}, not a state dict (names and tensors); "
            "write one with torch.save(model.state_dict(), path)"
        )
    return {re.sub(r"\.(norm|relu|conv)\.([12])\.", r".\1\2.", k): v for k, v in state.items()}


def load_state_dict(module: nn.Module, path: Path, *, whole: nn.Module, architecture: str) -> None:
    """Load into `module`, a part of `whole`, what it needs of the state dict at `path`.

    What belongs to the rest of the network may be missing or there. Errors: UserError on names
    that are missing, of another network, or of another shape.
    """
    state, needed = read_state_dict(path), module.state_dict()
    counters = {name for name in needed if name.endswith("num_batches_tracked")}
    missing = sorted(needed.keys() - state.keys() - counters)
    strange = sorted(state.keys() - whole.state_dict().keys())
    shapes = sorted(
        name for name in needed.keys() & state.keys() if needed[name].shape != state[name].shape
    )
    for fault, names in (("lacks", missing), ("has beyond it", strange)):
        if names:
            raise UserError(
                f"found in {path.name} other weights than those of {architecture}: it {fault} "
                f"{len(names)} tensors, among them {names[0]!r}"
            )
    if shapes:
        name = shapes[0]
        raise UserError(
            f"found in {path.name} {name!r} of shape {tuple(state[name].shape)}; "
            f"{architecture} has {tuple(needed[name].shape)}"
        )
    module.load_state_dict({n: state.get(n, needed[n]) for n in needed})


def identity(architecture: str, weights: str | Path, seed: int = 0) -> str:
    """What weights are, as a record states it, told without building the network.

    The name of one of torchvision's sets (DEFAULT: of the set it stands for), `random:SEED`, or
    the name of a file and the first 12 digits of its SHA-256. Errors: as for `LossNetwork`.

    >>> identity("vgg11", "DEFAULT"), identity("vgg11", "random", 3), identity("vgg11", "random:4")
    ('IMAGENET1K_V1', 'random:3', 'random:4')
    """
    if is_path(weights):
        return identity_of(Path(weights))
    drawn = random_seed(str(weights), seed)
    return weights_of(architecture, str(weights)).name if drawn is None else f"random:{drawn}"


def is_path(weights: str | Path) -> bool:
    """Whether weights are named by a file."""
    return isinstance(weights, Path) or "/" in weights or weights.endswith((".pt", ".pth"))


def random_seed(weights: str | Path, seed: int) -> int | None:
    """The seed of `random` (the one given) and `random:SEED`; None for weights of another kind."""
    kind, colon, number = str(weights).partition(":")
    if is_path(weights) or kind != "random":
        return None
    if colon and not number.isdecimal():
        raise UserError(f"found weights {weights!r}; valid is random:SEED, such as random:0")
    return int(number) if colon else seed


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
