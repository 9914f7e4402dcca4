"""The same network in torch, and back: equal numbers, no shared memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

import handgrad as hg
from handgrad.losses import JOINED, LOSSES


class SquaredError(nn.Module):
    """The notes' squared error (10): the sum over outputs, and the mean or the sum over examples.

    Parameters
    ----------
    reduction : str
        "mean" or "sum". torch's own MSELoss(reduction="mean") divides by the outputs, too.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, a: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return L of outputs and targets (N, n_L), or (n_L,)."""
        of_examples = ((a - y) ** 2).sum(dim=-1)
        return of_examples.mean() if self.reduction == "mean" else of_examples.sum()


class BinaryCrossEntropy(nn.Module):
    """The binary cross-entropy of logits: (1) summed over the units, and the mean or the sum over examples.

    Parameters
    ----------
    reduction : str
        "mean" or "sum". torch's own BCEWithLogitsLoss(reduction="mean") divides by the units, too.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction
        self.of_units = nn.BCEWithLogitsLoss(reduction="none")

    def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return L of logits and targets 0 … 1, (N, n_L), or (n_L,)."""
        of_examples: torch.Tensor = self.of_units(z, y).sum(dim=-1)
        return of_examples.mean() if self.reduction == "mean" else of_examples.sum()


def _prelu(layer: hg.Dense) -> nn.Module:
    alpha = torch.tensor(np.asarray(layer.alpha))
    module = nn.PReLU(alpha.numel(), dtype=alpha.dtype)
    module.weight = nn.Parameter(alpha.reshape(-1))
    return module


MODULES: dict[str, Callable[[hg.Dense], nn.Module | None]] = {
    "identity": lambda layer: None,
    "sigmoid": lambda layer: nn.Sigmoid(),
    "tanh": lambda layer: nn.Tanh(),
    "relu": lambda layer: nn.ReLU(),
    "leaky_relu": lambda layer: nn.LeakyReLU(layer.activation.slope or 0.0),
    "prelu": _prelu,
    "softmax": lambda layer: nn.Softmax(dim=-1),
}


def to_torch(net: hg.Network) -> nn.Sequential:
    """Return the network as an ordinary `nn.Sequential`, to train or to compare.

    Parameters
    ----------
    net : handgrad.Network
        The network.

    Returns
    -------
    nn.Sequential
        Linear and activation modules with equal numbers in memory of their own. Under a cross-entropy the last softmax,
        or sigmoid, is left out, because torch's losses take logits: `softmax(module(x))` is then `net(x)`.

    Raises
    ------
    TypeError
        If net is no Network.

    Examples
    --------
    >>> to_torch(hg.Network([hg.Dense([[1.0, 2.0]], [0.5], "relu")]))
    Sequential(
      (0): Linear(in_features=2, out_features=1, bias=True)
      (1): ReLU()
    )
    """
    hg.checks.instance("net", net, hg.Network, "a handgrad Network")
    modules: list[nn.Module] = []
    for place, layer in enumerate(net.layers):
        w, b = torch.tensor(layer.w), torch.tensor(layer.b)
        linear = nn.Linear(w.shape[1], w.shape[0], device="meta")
        linear.weight, linear.bias = nn.Parameter(w), nn.Parameter(b)
        modules.append(linear)
        joined = net.loss_name in JOINED and place == len(net.layers) - 1
        activation = None if joined else MODULES[layer.activation.name](layer)
        if activation is not None:
            modules.append(activation)
    return nn.Sequential(*modules)


def to_torch_loss(net: hg.Network) -> nn.Module:
    """Return the network's loss as a torch module, to be called with `to_torch(net)(x)` and the targets.

    Parameters
    ----------
    net : handgrad.Network
        The network.

    Returns
    -------
    nn.Module
        `nn.CrossEntropyLoss` or `BinaryCrossEntropy` on logits, or the notes' squared error (10).

    Raises
    ------
    TypeError
        If net is no Network.
    """
    hg.checks.instance("net", net, hg.Network, "a handgrad Network")
    if net.loss_name == "cross_entropy":
        return nn.CrossEntropyLoss(reduction=net.reduction)
    return BinaryCrossEntropy(net.reduction) if net.loss_name == "binary_cross_entropy" else SquaredError(net.reduction)


def from_torch(module: nn.Sequential, *, loss: str = "squared_error", reduction: str = "mean") -> hg.Network:
    """Return a Sequential of Linear and the notes' activations as a handgrad network.

    Parameters
    ----------
    module : nn.Sequential
        Each Linear may be followed by one activation module. A Linear without bias gets a bias of zeros.
    loss, reduction : str
        As for `handgrad.Network`. Under cross_entropy the module ends in logits, and a softmax is added; under
        binary_cross_entropy a sigmoid.

    Returns
    -------
    handgrad.Network
        Equal numbers in memory of its own. `from_torch(to_torch(net), loss=net.loss_name, reduction=net.reduction)` is net
        again, number for number.

    Raises
    ------
    TypeError
        If module is no Sequential, or a module in it cannot be taken: the error names it.
    ValueError
        If its layers do not make a network, as `handgrad.Network` says.

    Examples
    --------
    >>> from_torch(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    Network(2-3-1, tanh, identity; squared_error, mean; float32; 13 parameters)
    """
    hg.checks.instance("module", module, nn.Sequential, "an nn.Sequential")
    layers: list[tuple[nn.Linear, hg.Activation | None]] = []
    for place, each in enumerate(module):
        if type(each) is nn.Linear:
            layers.append((each, None))
            continue
        activation = _activation(each, place)
        if not layers or layers[-1][1] is not None:
            raise TypeError(f"module {place} must follow a Linear without an activation yet; got {each}")
        layers[-1] = (layers[-1][0], activation)
    hg.checks.one_of("loss", loss, LOSSES)
    if layers and loss in JOINED:
        if layers[-1][1] is not None:
            raise TypeError(f"{loss} takes logits: module must end in a Linear; it ends in {module[-1]}")
        layers[-1] = (layers[-1][0], hg.Activation(JOINED[loss]))
    dense = []
    for linear, taken in layers:
        w = linear.weight.detach().cpu().numpy()
        b = np.zeros(len(w), w.dtype) if linear.bias is None else linear.bias.detach().cpu().numpy()
        dense.append(hg.Dense(w, b, taken or "identity"))
    return hg.Network(dense, loss, reduction)


def _activation(module: nn.Module, place: int) -> hg.Activation:
    plain = {nn.Identity: "identity", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh", nn.ReLU: "relu"}
    if type(module) in plain:
        return hg.Activation(plain[type(module)])
    if type(module) is nn.LeakyReLU:
        return hg.Activation("leaky_relu", slope=module.negative_slope)
    if type(module) is nn.PReLU:
        alpha = module.weight.detach().cpu().double().tolist()
        return hg.Activation("prelu", alpha=alpha[0] if len(alpha) == 1 else tuple(alpha))
    if type(module) is nn.Softmax and module.dim in (1, -1):
        return hg.Activation("softmax")
    taken = "Linear, Identity, Sigmoid, Tanh, ReLU, LeakyReLU, PReLU and Softmax(dim=-1)"
    raise TypeError(f"module {place} must be one of {taken}; got {module}")
