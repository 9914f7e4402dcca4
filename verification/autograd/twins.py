"""The same network in torch, and back: equal numbers, no shared memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

import handgrad as hg
from handgrad.losses import JOINED, LOSSES
from verification.autograd.chains import LOG_SOFTMAX, Link, chain_of


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


def from_torch(module: nn.Module, *, loss: str = "squared_error", reduction: str = "mean") -> hg.Network:
    """Return a torch module that is a chain of Linear and the notes' activations as a handgrad network.

    Parameters
    ----------
    module : nn.Module
        A Linear, a Sequential, nested ones, or a module of one's own whose forward `torch.fx` traces as such a chain. Each
        Linear may be followed by one activation. A Linear without bias gets a bias of zeros. Identity, a Flatten of what is
        flat, and a Dropout in eval mode or with p = 0 are left out.
    loss, reduction : str
        As for `handgrad.Network`. Under cross_entropy the module ends in logits, or in their LogSoftmax, and a softmax takes
        its place; under binary_cross_entropy a sigmoid is added.

    Returns
    -------
    handgrad.Network
        Equal numbers in memory of its own. `from_torch(to_torch(net), loss=net.loss_name, reduction=net.reduction)` is net
        again, number for number.

    Raises
    ------
    TypeError
        If module is no such chain, has a hook, or cannot be copied: the error names what does not fit.
    ValueError
        If its layers do not make a network, as `handgrad.Network` says.

    Examples
    --------
    >>> from_torch(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    Network(2-3-1, tanh, identity; squared_error, mean; float32; 13 parameters)
    """
    links = chain_of(module)
    hg.checks.loss(loss, LOSSES)
    layers = [_dense(link, JOINED.get(loss) if link is links[-1] else None, loss) for link in links]
    return hg.Network(layers, loss, reduction)


def _dense(link: Link, joined: str | None, loss: str) -> hg.Dense:
    """Return one layer; `joined` is the activation that the loss is joined with, if it is the last."""
    name = link.activation
    if joined is not None and name is not None and (joined, name) != ("softmax", LOG_SOFTMAX):
        raise TypeError(f"{loss} takes logits: module must end in a Linear; it ends in {link.told}")
    if joined is None and name == LOG_SOFTMAX:
        raise TypeError(f"{link.told} may end a module under the loss cross_entropy, and is no activation elsewhere")
    alpha = None if link.alpha is None else hg.checks.real_array("alpha", link.alpha).astype(np.float64).tolist()
    slopes = {"slope": link.slope, "alpha": tuple(alpha) if alpha and len(alpha) > 1 else alpha and alpha[0]}
    w = hg.checks.real_array("w", link.weight)
    b = np.zeros(len(w), w.dtype) if link.bias is None else link.bias
    return hg.Dense(w, b, hg.Activation(joined or name or "identity", **slopes))  # type: ignore[arg-type]
