"""Benchmark 4: autoencoders trained with a loss network, and labels predicted from embeddings.

    lossnets run autoencoding --architecture vgg11 --layer late --set dataset=stl10

An autoencoder learns to reproduce unlabelled images (SVHN's extra, STL-10's unlabeled) by the
features of a loss network (Eq. 6); seven small predictors then learn the labels of the training
images from its embeddings. The score is the test accuracy of the one with the best validation
accuracy. Source: paper, Sec. IV-D; docs/fidelity.md names what it leaves open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.data import digits
from lossnets.runners.data.catalog import generated, locate
from lossnets.runners.data.digits import Digits
from lossnets.runners.models import predictors
from lossnets.runners.models.autoencoder import Autoencoder
from lossnets.runners.models.image_batches import Images, as_input, room
from lossnets.runners.models.predictors import Fitted, Fitting, Labelled, correct, fit
from lossnets.runners.models.training import Shared, State, batches, epochs, generator, seed_draws
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.runs.devices import autocast
from lossnets.runners.runs.execution import ItemValues, Measurement, Progress, Result, Run, Work
from lossnets.runners.runs.settings import check
from lossnets.warehouse.errors import UserError

SEPARATE = True  # a run per extraction layer
BASELINES = ("pixels",)
LEAST = {"epochs": 1, "batch": 1, "z": 1, "images": 10, "predictor_epochs": 1,
         "predictor_batch": 1, "predictor_patience": 1}  # fmt: skip
SHOWN = 8  # images in the gallery

Features = dict[str, torch.Tensor]  # layer → (N, C, H, W)
TARGETS = Shared[Features | None]()  # of runs that differ in their seed alone


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that changes the result; units and sections of the paper beside each field."""

    dataset: str = "svhn"  # svhn | stl10
    epochs: int = 10  # of the autoencoder, Sec. IV-D
    batch: int = 256  # images
    lr: float = 1e-3  # of Adam
    z: int = 64  # numbers in an embedding, Sec. IV-D
    validation_fraction: float = 0.2  # of unlabelled, of labelled training images, Sec. IV-D
    images: int | None = None  # at most so many of every split, drawn by the seed
    predictor_epochs: int = 100  # Sec. IV-D
    predictor_batch: int = 256  # embeddings
    predictor_lr: float = 1e-3  # of Adam
    predictor_keep: str = "last"  # last epoch | best validation loss
    predictor_patience: int | None = None  # epochs without a lower validation loss, then it ends
    normalise: bool = True  # the loss network's input, by ImageNet's mean and deviation
    loss_network_mode: str = "eval"  # eval | train: batch norm by running | batch statistics
    baseline: str | None = None  # pixels: Eq. 6 on the images themselves, without a loss network
    precision: str = "fp32"  # fp32 | tf32 | bf16

    def __post_init__(self) -> None:
        check(
            self,
            choices={
                "dataset": tuple(digits.ARCHIVES),
                "predictor_keep": predictors.KEPT,
                "loss_network_mode": ("eval", "train"),
                "baseline": BASELINES,
            },
            least=LEAST,
            positive=("lr", "predictor_lr"),
        )
        if not 0 < self.validation_fraction < 1:
            raise UserError(
                f"found validation_fraction={self.validation_fraction}; valid are numbers "
                "between 0 and 1"
            )


PROTOCOLS: dict[str, dict[str, object]] = {
    "paper": {},
    "reference": {
        "normalise": False,
        "loss_network_mode": "train",
        "predictor_keep": "best",
        "predictor_patience": 10,
    },
}
PRESETS: dict[str, dict[str, object]] = {
    "smoke": {"epochs": 4, "batch": 16, "predictor_batch": 32},
    "small": {"images": 4000, "batch": 64, "predictor_batch": 64},
}


def load(
    config: Config, folder: Path | None, *, preset: str | None, home: Path, progress: Progress
) -> Digits:
    """The images of `config.dataset` in `folder`, by default in `home`; smoke generates its own.

    Errors: UserError on missing, damaged or other files, on labels outside the classes, and on
    images of one's own without a preset, whose scores would stand among the data set's.
    """
    archive = digits.archive_of(config.dataset)
    if preset == "smoke" and folder is None:
        root = generated(archive.name, home, partial(digits.make_smoke, archive.name))
    else:
        root = locate(archive.name, folder, home)
    found = digits.load(
        archive.name,
        root,
        folder=home / "packs",
        published=preset != "smoke",
        progress=progress,
    )
    if found.own and preset is None:
        raise UserError(
            f"found images of your own in {root}, whose scores are not {archive.title}'s; "
            "valid with a preset, which keeps them apart",
            hint=f"lossnets run autoencoding --preset small --data {root}",
        )
    return found


def run(what: Run, data: Digits, work: Work) -> Result:
    """Train an autoencoder, then predictors on its embeddings, and score the best of them."""
    config: Config = what.config
    seed_draws(what.seed, epoch=0)
    model = Autoencoder(data.size, config.z).to(work.device).to(memory_format=torch.channels_last)
    network = loss_network(what, work.device)
    state = State(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=config.lr, fused=True),
        loss_network=network if config.loss_network_mode == "train" else None,
    )
    images = Images(data, "unlabelled", what, work.device)
    train, validation = split(len(images), "unlabelled", what)
    chosen = images.chosen.numpy().tobytes()  # drawn by the seed where they are but some
    depends_on = (
        what.architecture,
        what.layers,
        what.weights,
        what.data,
        config,
        chosen,
        work.device,
    )
    task = Reproduction(network, images, config, work.progress, depends_on)
    for epoch in epochs(state, what, work):
        model.train()
        network.train()
        total = torch.zeros((), device=work.device)
        for batch in batches(len(train), epoch, what, work):
            loss, _ = task.loss(model, train[batch])
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
            total += loss.detach() * len(batch)
        state.note("train", "loss", total / len(train))
        error, outputs = validate(model, task, validation)
        state.note("validation", "loss", error)
        state.note_outputs(outputs)
        state.keep_best(error, higher_is_better=False)
    prediction = predict(model, data, what, work)
    work.folder.write_curves([*state.curves, *_curves(prediction.fitted)])
    _write_gallery(model, data, work)
    return _result(what, data, prediction, state.collapsed)


def loss_network(what: Run, device: torch.device) -> nn.Module:
    """The run's loss network; the baseline compares the images themselves."""
    network = Pixels() if what.architecture is None else what.loss_network()
    return on_device(network, device, what.config.precision)


class Pixels(nn.Module):
    """In the place of a loss network: its features are the images."""

    def forward(self, images: torch.Tensor) -> Features:
        return {"pixels": images}


class Reproduction:
    """What an autoencoder is to do: reproduce images, by the features of a loss network.

    The features of the images are computed once and kept where they cannot change and fit. The
    images that go through the network together are then the same in every run, so that one that
    goes on after it was killed has the same features to the bit. With `depends_on`, all that the
    features depend on, the next run in the process that has the same shares them.
    """

    def __init__(
        self,
        network: nn.Module,
        images: Images,
        config: Config,
        progress: Progress = lambda done, total, what: None,
        depends_on: tuple[object, ...] = (),
    ) -> None:
        self.network, self.images = network, images
        self.batch, self.precision = config.batch, config.precision
        self.kept: Features | None = None
        if config.loss_network_mode == "eval" and not isinstance(network, Pixels):
            compute = partial(self._all_features, progress)
            self.kept = TARGETS.get(depends_on, compute) if depends_on else compute()

    def loss(self, model: nn.Module, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Eq. 6 for the images at some indices, and the outputs (N, 3, H, H)."""
        images = self.images[index]  # (N, 3, H, H)
        with autocast(self.precision, self.images.device):
            targets = self._features(images, index)
            outputs = model(images)
            return feature_loss(self.network(outputs), targets), outputs

    @torch.no_grad()
    def _features(self, images: torch.Tensor, index: torch.Tensor) -> Features:
        if self.kept is None:
            found: Features = self.network(images)
            return found
        return {layer: kept[index.to(kept.device)] for layer, kept in self.kept.items()}

    @torch.no_grad()
    def _all_features(self, progress: Progress) -> Features | None:
        """The features of all images, in batches, or None where they take too much memory."""
        kept: Features = {}
        parts = torch.arange(len(self.images)).split(self.batch)
        for done, index in enumerate(parts):
            with autocast(self.precision, self.images.device):
                found: Features = self.network(self.images[index])
            if not kept:
                size = sum(f.nbytes for f in found.values()) / len(index) * len(self.images)
                if size > room(self.images.device):
                    return None
                kept = {k: _room_for(len(self.images), f) for k, f in found.items()}
            progress(done, len(parts), "features of the images")
            for layer, features in found.items():
                kept[layer][index.to(features.device)] = features
        return kept


def feature_loss(outputs: Features, targets: Features) -> torch.Tensor:
    """Eq. 6: the mean squared error between features, summed over layers.

    >>> feature_loss({"early": torch.ones(2, 3, 4, 4)}, {"early": torch.zeros(2, 3, 4, 4)})
    tensor(1.)
    """
    return torch.stack([_error(outputs[layer], targets[layer]) for layer in targets]).sum()


def _error(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error, of images compared in the order in which they lie in memory.

    Else its gradient comes with the channels first, and what it meets on its way back is read
    across.
    """
    if output.ndim == 4:
        output, target = output.movedim(1, -1), target.movedim(1, -1)  # (N, H, W, C)
    return functional.mse_loss(output.float(), target.float())


@torch.no_grad()
def validate(
    model: nn.Module, task: Reproduction, index: torch.Tensor
) -> tuple[float, torch.Tensor]:
    """The loss over all images at some indices, and the first batch of outputs (N, 3, H, H)."""
    model.eval()
    task.network.eval()
    total, first = 0.0, None
    for part in index.split(task.batch):
        loss, outputs = task.loss(model, part)
        total += float(loss) * len(part)
        first = outputs if first is None else first
    assert first is not None
    return total / len(index), first


def predict(model: Autoencoder, data: Digits, what: Run, work: Work) -> Prediction:
    """Predictors fitted to a model's embeddings, and where the chosen one is right."""
    config: Config = what.config
    labelled, _ = embedded(model, data, "train", what, work)
    test, items = embedded(model, data, "test", what, work)
    train, validation = split(len(labelled.labels), "train", what)
    fitted = fit(
        labelled.at(train),
        labelled.at(validation),
        outputs=data.classes,
        how=Fitting(
            epochs=config.predictor_epochs,
            batch=config.predictor_batch,
            lr=config.predictor_lr,
            keep=config.predictor_keep,
            patience=config.predictor_patience,
            seed=what.seed,
        ),
        progress=work.progress,
    )
    outcomes = fitted.predictors(test.inputs)[fitted.chosen]  # (N, K)
    return Prediction(fitted, items, correct(outcomes, test.labels).cpu().numpy())


class Prediction(NamedTuple):
    """Fitted predictors, the names of the test images, and where the chosen one is right: (N,)."""

    fitted: Fitted
    items: list[str]
    right: np.ndarray


@torch.no_grad()
def embedded(
    model: Autoencoder, data: Digits, name: str, what: Run, work: Work
) -> tuple[Labelled, list[str]]:
    """A split's embeddings and labels, on the device, and the names of its images."""
    model.eval()
    images = Images(data, name, what, work.device)
    parts = torch.arange(len(images)).split(what.config.batch)
    embeddings = torch.cat([model.encode(images[part]) for part in parts])  # (N, Z)
    labels = torch.from_numpy(data.labels[name])[images.chosen].to(work.device)
    names = [data.items[name][index] for index in images.chosen.tolist()]
    return Labelled(embeddings, labels), names


def split(n: int, name: str, what: Run) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices below `n` to train and to validate with, drawn by the run's seed."""
    mixed = torch.randperm(n, generator=generator(what.seed, 0, f"split {name}"))
    validation = max(1, int(n * what.config.validation_fraction))
    return mixed[validation:], mixed[:validation]


def _curves(fitted: Fitted) -> Iterator[tuple[int, str, str, float]]:
    """Each predictor's validation accuracy after every epoch."""
    for widths, column in zip(fitted.predictors.hidden, fitted.accuracies.t(), strict=True):
        name = "_".join(["accuracy", *(map(str, widths or ("linear",)))])
        for epoch, value in enumerate(column.tolist(), 1):
            yield epoch, "validation", name, value


@torch.no_grad()
def _write_gallery(model: Autoencoder, data: Digits, work: Work) -> None:
    """Some test images, the same in every run, and what the autoencoder makes of them."""
    names = data.items["test"]
    chosen = np.unique(np.linspace(0, len(names) - 1, SHOWN).astype(int))
    images = as_input(torch.from_numpy(data.images["test"][chosen]), data.padding)  # (N, 3, H, H)
    outputs = model(images.to(work.device)).cpu()
    for index, *pair in zip(chosen, images, outputs, strict=True):
        for role, image in zip(("input", "output"), pair, strict=True):
            pixels = (image * 255).round().permute(1, 2, 0).byte().numpy()  # (H, H, 3)
            work.folder.write_image(names[index], role, pixels)


def _result(what: Run, data: Digits, prediction: Prediction, collapsed: str | None) -> Result:
    layer = what.layers[0] if what.layers else None
    accuracy = Measurement(
        architecture=what.architecture,
        layer=layer,
        score=f"{data.name}_accuracy",
        value=float(prediction.right.mean()),
        n=len(prediction.right),
    )
    values = ItemValues(
        layer=layer,
        dataset=data.name,
        quantity="correct",
        items=prediction.items,
        values=prediction.right.astype(np.float64),
    )
    return Result(measurements=(accuracy,), items=(values,), collapsed=collapsed)


def _room_for(n: int, features: torch.Tensor) -> torch.Tensor:
    """Memory for the features of `n` images, in the layout of some of them."""
    last = features.ndim == 4 and features.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format
    kind, where = features.dtype, features.device
    return torch.empty((n, *features.shape[1:]), dtype=kind, device=where, memory_format=layout)
