"""Features of maps of one channel through a loss network, and the loss between them.

A map goes through the loss network repeated to three channels and normalised. Both are linear, so
they fold into the network's first convolution, exactly: its weights are summed over the input
channels, divided by the standard deviations, and a second input plane of ones carries what the
means subtract. The convolution pads both planes with zeros, as it pads the normalised image, so
the borders are exact too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn

from lossnets.runners.networks.kernels import rearranged
from lossnets.runners.networks.loss_network import LossNetwork

Features = dict[str, torch.Tensor]


class MapFeatures(nn.Module):
    """A loss network for maps (N, 1, H, W) in [0, 1]: their features, {layer: (N, C, H, W)}.

    Takes the loss network over and folds the repetition and the normalisation into its first
    convolution; one that does not start with a convolution gets the map repeated.

    >>> network = LossNetwork("squeezenet1_1", "early", weights="random")
    >>> maps = torch.rand(1, 1, 32, 32)
    >>> repeated = network(maps.expand(-1, 3, -1, -1))["early"]
    >>> torch.allclose(MapFeatures(network)(maps)["early"], repeated, atol=1e-5)
    True
    """

    def __init__(self, network: LossNetwork) -> None:
        super().__init__()
        self.network = network
        target = _first_convolution(network.extractor) if rearranged() else None
        self.folded = target is not None
        if target is not None:
            parent, _, name = target.rpartition(".")
            folded = _folded(network.extractor.get_submodule(target), network)
            setattr(network.extractor.get_submodule(parent), name, folded)

    def forward(self, maps: torch.Tensor) -> Features:
        if not self.folded:
            return self.network(maps.expand(-1, 3, -1, -1))
        planes = torch.cat([maps, torch.ones_like(maps)], 1)  # (N, 2, H, W)
        features = self.network.extractor(planes.contiguous(memory_format=torch.channels_last))
        return {layer: features[node] for layer, node in self.network.nodes.items()}

    def loss(self, maps: torch.Tensor, targets: Features) -> torch.Tensor:
        """L_top (Eq. 5): the mean squared difference of features, averaged over layers and maps.

        maps: (N, 1, H, W); targets: the features of the true maps. Without weights per layer:
        the mean over all positions and channels is 1 / (M W H) of the sum. Gradients reach the
        maps alone, and are computed at once, so that the features need not be kept.
        """
        return _FeatureLoss.apply(maps, self, targets)


class _FeatureLoss(torch.autograd.Function):
    """The loss and, while its features are still there, its gradient with respect to the maps."""

    @staticmethod
    def forward(
        ctx: Any, maps: torch.Tensor, network: MapFeatures, targets: Features
    ) -> torch.Tensor:
        with torch.enable_grad():
            leaf = maps.detach().requires_grad_()
            features = network(leaf)
        differences = [feature.detach() - targets[layer] for layer, feature in features.items()]
        scales = [1 / (len(differences) * difference.numel()) for difference in differences]
        # The first scale is left to the gradient of the maps, which is far smaller.
        slopes = [
            difference if scale == scales[0] else difference * (scale / scales[0])
            for difference, scale in zip(differences, scales, strict=True)
        ]
        (gradient,) = torch.autograd.grad(list(features.values()), leaf, slopes)
        ctx.save_for_backward(gradient.mul_(2 * scales[0]))
        return torch.stack(
            [scale * _squared(d) for d, scale in zip(differences, scales, strict=True)]
        ).sum()

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * slopes[0], None, None


def _squared(difference: torch.Tensor) -> torch.Tensor:
    """The sum of squares; first over channels, as one long sum in single precision drifts."""
    lengths = torch.linalg.vector_norm(difference, dim=1, dtype=torch.float32)  # (N, H, W)
    return lengths.square().sum()


def _first_convolution(extractor: nn.Module) -> str | None:
    """The name of the convolution that alone reads the input, if there is one to fold into."""
    if not isinstance(extractor, fx.GraphModule):
        return None
    image = next(node for node in extractor.graph.nodes if node.op == "placeholder")
    if len(image.users) != 1:
        return None
    (reader,) = image.users
    if reader.op != "call_module":
        return None
    name, module = str(reader.target), extractor.get_submodule(str(reader.target))
    while isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        name, module = f"{name}.0", module[0]
    foldable = (
        isinstance(module, nn.Conv2d) and module.groups == 1 and module.padding_mode == "zeros"
    )
    return name if foldable else None


def _folded(convolution: nn.Module, network: LossNetwork) -> nn.Conv2d:
    """The convolution that gives of (map, ones) what the given one gives of a normalised image."""
    assert isinstance(convolution, nn.Conv2d)
    folded = nn.utils.skip_init(
        nn.Conv2d,
        2,
        convolution.out_channels,
        convolution.kernel_size,
        convolution.stride,
        convolution.padding,
        convolution.dilation,
        bias=convolution.bias is not None,
    )
    weight = convolution.weight.detach().double()  # (out, 3, h, w)
    shift, scale = network.mean.double(), network.std.double()  # (1, 3, 1, 1)
    if not network.normalise:
        shift, scale = torch.zeros_like(shift), torch.ones_like(scale)
    planes = [(weight / scale).sum(1), -(weight * shift / scale).sum(1)]
    folded.weight = nn.Parameter(torch.stack(planes, 1).to(convolution.weight), requires_grad=False)
    if convolution.bias is not None:
        folded.bias = nn.Parameter(convolution.bias.detach(), requires_grad=False)
    return folded.train(convolution.training)
