"""timm's models: `timm:convnext_atto`, or with the tag of its weights `timm:convnext_tiny.in12k`.

Vision transformers take images of any size, with their position embeddings interpolated.
"""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

from torch import nn

from lossnets.runners.networks.sources import Preprocessing
from lossnets.runners.networks.sources.close_names import close_names
from lossnets.warehouse.errors import UserError

ANY_SIZE: tuple[dict[str, Any], ...] = (
    {"dynamic_img_size": True},
    {"strict_img_size": False},
    {},
)  # what models that were made for one size take to be given others


def check(name: str) -> None:
    """Raise UserError, with close names, if timm has no such model."""
    timm, (model, tag) = _timm(), _parts(name)
    if not timm.is_model(model):
        close = close_names(model, tuple(timm.list_models()))
        raise UserError(
            f"found architecture {name!r}, which is no model of timm; close names are: "
            + ", ".join(f"timm:{one}" for one in close.split(", "))
        )
    if tag:
        weights_name(name, tag)


def build(name: str, *, initialise: bool) -> nn.Module:
    """One of timm's models without trained weights."""
    check(name)
    return _create(_parts(name)[0], pretrained=False)


def default_weights(name: str) -> str:
    """The tag in the name, else timm's default, else `random`."""
    model, tag = _parts(name)
    config = _timm().get_pretrained_cfg(model, allow_unregistered=True)
    return tag or (config.tag if config is not None and config.tag else "random")


def weights_name(name: str, weights: str) -> str:
    """A tag of timm's weights; `DEFAULT` is the default's."""
    tags = _tags(name)
    tag = default_weights(name) if weights == "DEFAULT" else weights
    if tag not in tags:
        valid = ", ".join([*tags, "random", "or the path of a state dict"])
        raise UserError(f"found weights {weights!r} for {name}; valid are: {valid}")
    return tag


def version(name: str) -> str:
    """Nothing: a name is one network."""
    return ""


def with_weights(name: str, weights: str) -> nn.Module:
    """One of timm's models with the weights of a tag, from timm's cache or fetched."""
    tag = weights_name(name, weights)
    try:
        return _create(f"{_parts(name)[0]}.{tag}", pretrained=True)
    except Exception as fault:
        reason = (str(fault) or type(fault).__name__).splitlines()[0]
        raise UserError(
            f"found no weights {tag} of {name}, and they could not be fetched ({reason}); "
            "weights 'random' need no file"
        ) from None


def preprocessing(name: str) -> Preprocessing:
    """Mean, standard deviation and size that timm states for the model's weights."""
    model, tag = _parts(name)
    config = _timm().get_pretrained_cfg(f"{model}.{tag}" if tag else model, allow_unregistered=True)
    if config is None:
        return Preprocessing()
    return Preprocessing(tuple(config.mean), tuple(config.std), int(config.input_size[-1]))


def family(name: str) -> str:
    """The first word of timm's module that defines it, such as `Convnext`."""
    module = _timm().model_entrypoint(_parts(name)[0]).__module__.rpartition(".")[2]
    return re.split(r"[_\d]", module)[0].capitalize()


def _timm() -> ModuleType:
    try:
        import timm
    except ImportError:
        raise UserError(
            "found no timm, which architectures named timm:… come from",
            hint="pip install 'lossnets[timm]'",
        ) from None
    return timm


def _parts(name: str) -> tuple[str, str]:
    model, _, tag = name.removeprefix("timm:").partition(".")
    return model, tag


def _tags(name: str) -> list[str]:
    model = _parts(name)[0]
    return [one.partition(".")[2] for one in _timm().list_pretrained(f"{model}.*")]


def _create(model: str, *, pretrained: bool) -> nn.Module:
    for options in ANY_SIZE:
        try:
            return _timm().create_model(model, pretrained=pretrained, **options)
        except TypeError as fault:
            if not options or next(iter(options)) not in str(fault):
                raise
    raise AssertionError
