"""The predictors: their gradients, that each is its own, and what is kept of them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lossnets.runners.models import predictors
from lossnets.runners.models.predictors import HIDDEN, Fitting, Labelled, Predictors, correct, fit
from lossnets.runners.models.training import order
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch


def _data(n: int = 100, seed: int = 0, kind: torch.dtype = torch.float64) -> Labelled:
    """Embeddings that tell four classes apart, but for noise."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (n,), generator=draws)
    inputs = nn.functional.one_hot(labels, 6).to(kind)
    return Labelled(inputs + torch.randn(n, 6, generator=draws, dtype=kind) * 0.7, labels)


def _modules(group: Predictors) -> list[nn.Sequential]:
    """The same predictors as torch's own modules."""
    networks = []
    for layers in group.layers:
        modules: list[nn.Module] = []
        for weight, bias in layers:
            linear = nn.Linear(weight.shape[1], weight.shape[0]).to(weight)
            linear.load_state_dict({"weight": weight.clone(), "bias": bias.clone()})
            modules += [linear, nn.LeakyReLU()]
        networks.append(nn.Sequential(*modules[:-1]))
    return networks


def _reference_fit(train: Labelled, group: Predictors, how: Fitting) -> list[nn.Sequential]:
    """One predictor after the other, by autograd and torch's Adam, from the group's start."""
    networks = _modules(group)
    targets = nn.functional.one_hot(train.labels, 4).to(train.inputs)
    for network in networks:
        adam = torch.optim.Adam(network.parameters(), lr=how.lr)
        for epoch in range(1, how.epochs + 1):
            for batch in order(len(train.labels), how.seed, epoch).split(how.batch):
                loss = nn.functional.mse_loss(network(train.inputs[batch]), targets[batch])
                adam.zero_grad()
                loss.backward()
                adam.step()
    return networks


def test_the_seven_have_the_papers_widths_and_torchs_first_parameters():
    group = Predictors(64, 10)
    shapes = [[tuple(layer.weight.shape) for layer in layers] for layers in group.layers]
    assert shapes == [
        [(10, 64)],
        [(32, 64), (10, 32)],
        [(64, 64), (10, 64)],
        [(32, 64), (32, 32), (10, 32)],
        [(64, 64), (32, 64), (10, 32)],
        [(64, 64), (64, 64), (10, 64)],
        [(128, 64), (128, 128), (10, 128)],
    ]
    weight, bias = group.layers[6][1]
    assert 0.99 / 128**0.5 < weight.abs().max() <= 1 / 128**0.5
    assert bias.abs().max() <= 1 / 128**0.5
    assert not torch.equal(group.layers[1][0].weight, group.layers[3][0].weight)


def test_the_gradients_written_out_are_autograds():
    inputs, labels = _data()
    targets = nn.functional.one_hot(labels, 4).to(inputs)
    group = Predictors(6, 4, like=inputs)
    group.backward(inputs, targets)
    parts = group.parts(group.gradients)
    for network, part in zip(_modules(group), parts, strict=True):
        nn.functional.mse_loss(network(inputs), targets).backward()
        expected = torch.cat([p.grad.flatten() for p in network.parameters()])
        torch.testing.assert_close(part, expected, rtol=1e-12, atol=1e-15)


def test_fitted_together_they_are_what_each_is_alone_by_torchs_own_means():
    train, validation = _data(), _data(seed=1)
    how = Fitting(epochs=20, batch=16, lr=0.01, seed=5)
    fitted = fit(train, validation, outputs=4, how=how)
    start = Predictors(6, 4, seed=5, like=train.inputs)
    outcomes = fitted.predictors(validation.inputs)
    for k, network in enumerate(_reference_fit(train, start, how)):
        torch.testing.assert_close(network(validation.inputs), outcomes[k], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("k", range(len(HIDDEN)))
def test_a_predictor_is_the_same_alone_and_in_the_group(k):
    train, validation = _data(), _data(seed=1)
    how = Fitting(epochs=10, batch=16, lr=0.01, seed=2)
    together = fit(train, validation, outputs=4, how=how)
    alone = fit(train, validation, outputs=4, how=how, hidden=HIDDEN[k : k + 1])
    (expected,) = alone.predictors.parts(alone.predictors.parameters)
    found = together.predictors.parts(together.predictors.parameters)[k]
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    assert torch.equal(together.accuracies[:, k], alone.accuracies[:, 0])


def test_in_single_precision_the_group_changes_accuracies_no_more_than_threads_do():
    train, validation = _data(kind=torch.float32), _data(400, seed=1, kind=torch.float32)
    how = Fitting(epochs=10, batch=16, lr=0.01)
    together = fit(train, validation, outputs=4, how=how)
    threads = torch.get_num_threads()
    torch.set_num_threads(2 if threads == 1 else 1)
    try:
        other = fit(train, validation, outputs=4, how=how)
    finally:
        torch.set_num_threads(threads)
    by_threads = (together.accuracy - other.accuracy).abs().max()
    for k, hidden in enumerate(HIDDEN):
        alone = fit(train, validation, outputs=4, how=how, hidden=[hidden])
        assert abs(alone.accuracy[0] - together.accuracy[k]) <= max(by_threads, 1 / 400)


def test_the_best_validation_accuracy_is_chosen_and_of_equals_the_first():
    fitted = fit(_data(), _data(seed=1), outputs=4, how=Fitting(epochs=5, lr=0.01, batch=16))
    accuracies = [correct(outcome, _data(seed=1).labels).double().mean().item()
                  for outcome in fitted.predictors(_data(seed=1).inputs)]  # fmt: skip
    assert fitted.accuracy.tolist() == accuracies
    assert fitted.chosen == accuracies.index(max(accuracies))
    ties = predictors.Fitted(
        predictors=fitted.predictors,
        accuracy=torch.tensor([0.5, 0.75, 0.75]),
        accuracies=fitted.accuracies,
        losses=fitted.losses,
    )
    assert ties.chosen == 1


def test_what_is_kept_is_the_last_epoch_or_the_least_validation_loss():
    train, validation = _data(30), _data(200, seed=1)
    last = fit(train, validation, outputs=4, how=Fitting(epochs=40, lr=0.05, batch=8))
    best = fit(train, validation, outputs=4, how=Fitting(epochs=40, lr=0.05, batch=8, keep="best"))
    assert torch.equal(last.losses, best.losses)
    epoch = best.losses.argmin(0)  # (P,)
    assert (epoch < 39).any()
    assert torch.equal(last.accuracy, last.accuracies[-1])
    assert torch.equal(best.accuracy, best.accuracies.gather(0, epoch[None])[0])


def test_with_patience_a_predictor_keeps_what_it_had_when_it_stopped():
    how = Fitting(epochs=40, lr=0.05, batch=8, keep="best", patience=2)
    fitted = fit(_data(30), _data(200, seed=1), outputs=4, how=how)
    for k in range(len(HIDDEN)):
        losses = fitted.losses[:, k].tolist()
        best, waited = 0, 0
        for epoch, loss in enumerate(losses):
            if waited == 2:
                break
            best, waited = (epoch, 0) if loss < min([*losses[:epoch], 9.0]) else (best, waited + 1)
        assert fitted.accuracy[k] == fitted.accuracies[best, k]


def test_the_same_seed_gives_the_same_predictors_and_another_one_others():
    def parameters(seed: int) -> torch.Tensor:
        how = Fitting(epochs=2, batch=16, seed=seed)
        return fit(_data(), _data(), outputs=4, how=how).predictors.parameters

    assert torch.equal(parameters(0), parameters(0))
    assert not torch.equal(parameters(0), parameters(1))


def test_embeddings_that_are_no_numbers_end_in_an_accuracy_all_the_same():
    inputs, labels = _data()
    fitted = fit(
        Labelled(inputs * torch.nan, labels), _data(seed=1), outputs=4, how=Fitting(epochs=1)
    )
    assert fitted.chosen == 0
    assert 0 <= fitted.accuracy[0] <= 1


def test_an_unknown_choice_of_what_to_keep_is_refused():
    with pytest.raises(UserError) as caught:
        Fitting(keep="first")
    assert str(caught.value) == "found 'first' predictors to keep; valid are last, best"
