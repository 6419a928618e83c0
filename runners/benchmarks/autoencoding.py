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
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from lossnets.runners.data import digit_archives, digits, generated
from lossnets.runners.data.catalog import locate
from lossnets.runners.data.digits import Digits
from lossnets.runners.models import predictors
from lossnets.runners.models.autoencoder import Autoencoder
from lossnets.runners.models.image_batches import Images, as_input
from lossnets.runners.models.predictors import Fitted, Fitting, Labelled, correct, fit
from lossnets.runners.models.reproduction import Pixels, Reproduction
from lossnets.runners.models.training import State, batches, generator, seed_draws, told
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.run import Progress, Result, Run, Work
from lossnets.runners.runs.run_folder import ItemValues
from lossnets.runners.runs.settings import check
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import Measurement

BASELINES = ("pixels",)
LEAST = {"epochs": 1, "batch": 1, "z": 1, "images": 10, "predictor_epochs": 1,
         "predictor_batch": 1, "predictor_patience": 1}  # fmt: skip
SHOWN = 8  # images in the gallery


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
            vars(self),
            choices={
                "dataset": tuple(digit_archives.ARCHIVES),
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

    Images of one's own are resized as `config.dataset`'s are, and have scores of their own. Errors:
    UserError on missing, damaged or other files, and on labels outside the classes.
    """
    archive = digit_archives.archive_of(config.dataset)
    if preset == "smoke" and folder is None:
        root = generated.folder(archive.name, home)
    else:
        root = locate(archive.name, folder, home)
    return digits.load(
        archive.name,
        root,
        folder=home / "packs",
        published=preset != "smoke",
        progress=progress,
    )


def scores(config: Config, data: Digits) -> list[str]:
    """The accuracy of the chosen predictor."""
    return [f"{data.dataset}_accuracy"]


def loss_network(what: Run[Config], device: torch.device) -> nn.Module:
    """The run's loss network; the baseline compares the images themselves."""
    config = what.config
    if what.architecture is None:
        return Pixels().to(device)
    return on_device(what.loss_network(mode=config.loss_network_mode), device, config.precision)


def train(what: Run[Config], data: Digits, work: Work) -> State:
    """Train an autoencoder with the run's loss network; the state holds the best one in the end."""
    config, device = what.config, work.device
    seed_draws(what.seed, epoch=0)
    model = Autoencoder(data.size, config.z).to(device).to(memory_format=torch.channels_last)
    network = loss_network(what, device)
    images = images_of(data, "unlabelled", what, device)
    index, validation = split(len(images), "unlabelled", what)
    task = Reproduction(
        network,
        images,
        batch=config.batch,
        precision=config.precision,
        fixed=config.loss_network_mode == "eval",
    ).keep(work.progress, depends_on(what, images))
    state = State.resume_or_start(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=config.lr, fused=True),
        loss_network=network if config.loss_network_mode == "train" else None,
        folder=work.folder,
        run_id=what.run_id,
    )
    for epoch in state.remaining(config.epochs, what.seed):
        model.train()
        network.train()
        total = torch.zeros((), device=device)
        parts = batches(len(index), config.batch, what.seed, epoch)
        for batch in told(parts, epoch, config.epochs, work.progress):
            loss, _ = task.loss(model, index[batch])
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
            total += loss.detach() * len(batch)
        state.note("train", "loss", total / len(index))
        error, outputs = task.mean_loss(model, validation)
        state.note("validation", "loss", error)
        state.note_outputs(outputs)
        state.keep_best(error, higher_is_better=False)
        state.save()
    state.restore_best()
    return state


def depends_on(what: Run[Config], images: Images) -> tuple[object, ...]:
    """All that the features of the images depend on."""
    chosen = images.chosen.numpy().tobytes()  # drawn by the seed where they are but some
    return (
        what.architecture,
        what.layers,
        what.weights,
        what.data,
        what.config,
        chosen,
        images.device,
    )


def images_of(data: Digits, name: str, what: Run[Config], device: torch.device) -> Images:
    """The images of a split that a run sees."""
    return Images(data, name, most=what.config.images, seed=what.seed, device=device)


def predict(model: Autoencoder, data: Digits, what: Run[Config], work: Work) -> Prediction:
    """Predictors fitted to a model's embeddings, and where the chosen one is right."""
    config = what.config
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
    model: Autoencoder, data: Digits, name: str, what: Run[Config], work: Work
) -> tuple[Labelled, list[str]]:
    """A split's embeddings and labels, on the device, and the names of its images."""
    model.eval()
    images = images_of(data, name, what, work.device)
    parts = torch.arange(len(images)).split(what.config.batch)
    embeddings = torch.cat([model.encode(images[part]) for part in parts])  # (N, Z)
    labels = torch.from_numpy(data.labels[name])[images.chosen].to(work.device)
    names = [data.items[name][index] for index in images.chosen.tolist()]
    return Labelled(embeddings, labels), names


def split(n: int, name: str, what: Run[Config]) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices below `n` to train and to validate with, drawn by the run's seed."""
    mixed = torch.randperm(n, generator=generator(what.seed, 0, f"split {name}"))
    validation = max(1, int(n * what.config.validation_fraction))
    return mixed[validation:], mixed[:validation]


def predictor_curves(fitted: Fitted) -> Iterator[tuple[int, str, str, float]]:
    """Each predictor's validation accuracy after every epoch."""
    for widths, column in zip(fitted.predictors.hidden, fitted.accuracies.t(), strict=True):
        name = "_".join(["accuracy", *(map(str, widths or ("linear",)))])
        for epoch, value in enumerate(column.tolist(), 1):
            yield epoch, "validation", name, value


@torch.no_grad()
def show(model: nn.Module, data: Digits, work: Work) -> None:
    """Keep some test images, the same in every run, and what the autoencoder makes of them."""
    names = data.items["test"]
    chosen = np.unique(np.linspace(0, len(names) - 1, SHOWN).astype(int))
    images = as_input(torch.from_numpy(data.images["test"][chosen]), data.padding)  # (N, 3, H, H)
    outputs = model(images.to(work.device)).cpu()
    for index, *pair in zip(chosen, images, outputs, strict=True):
        for role, image in zip(("input", "output"), pair, strict=True):
            pixels = (image * 255).round().permute(1, 2, 0).byte().numpy()  # (H, H, 3)
            work.folder.write_image(names[index], role, pixels)


def run(what: Run[Config], data: Digits, work: Work) -> Result:
    """Train an autoencoder, then predictors on its embeddings, and score the best of them."""
    state = train(what, data, work)
    assert isinstance(state.model, Autoencoder)
    prediction = predict(state.model, data, what, work)
    work.folder.write_curves([*state.curves, *predictor_curves(prediction.fitted)])
    show(state.model, data, work)
    (name,) = scores(what.config, data)
    accuracy = Measurement(
        architecture=what.architecture,
        layer=what.layer,
        score=name,
        value=float(prediction.right.mean()),
        n=len(prediction.right),
    )
    values = ItemValues(
        layer=what.layer,
        dataset=data.dataset,
        quantity="correct",
        items=prediction.items,
        values=prediction.right.astype(np.float64),
    )
    return Result(measurements=(accuracy,), items=(values,), collapsed=state.collapsed)


BENCHMARK = Benchmark(
    config=Config,
    protocols=PROTOCOLS,
    presets=PRESETS,
    baselines=BASELINES,
    separate=True,  # one model per extraction layer
    swept={"dataset": ("svhn", "stl10")},
    by_folder=("dataset",),
    load=load,
    scores=scores,
    run=run,
)
