"""Independent gradients: `torch.autograd`, a module's own, and the complex step. None uses anything that handgrad computes.

They return {name: array} under handgrad's names, in the order of one pass: "z1", "a1", …, "loss", then from the last layer to
the first "dL_da2", "da_dz2", "dL_dz2", "w2", "b2", "alpha2", …, "x". Arrays have the leading axes of the plain.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # torch's own name for it

from verification.autograd.chains import chain_of
from verification.random_networks.plain import PlainCase, PlainLayer

Array = npt.NDArray[Any]

ANALYTIC = ("identity", "sigmoid", "tanh", "softmax")


def _activated(layer: PlainLayer, z: torch.Tensor, alpha: torch.Tensor | None) -> torch.Tensor:
    match layer.activation:
        case "identity":
            return z * 1  # a tensor of its own, so that it has a gradient of its own
        case "sigmoid":
            return torch.sigmoid(z)
        case "tanh":
            return torch.tanh(z)
        case "relu":
            return torch.relu(z)
        case "softmax":
            return torch.softmax(z, dim=-1)
        case "leaky_relu":
            return F.leaky_relu(z, _fixed_slope(layer))
        case _:
            return _prelu(z, alpha) if alpha is not None else z


def _fixed_slope(layer: PlainLayer) -> float:
    """Return leaky_relu's slope, which is the same for all contents."""
    return float(np.asarray(layer.slope).flat[0])


def _prelu(z: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """Return torch's own prelu, whose slopes lie along axis 1: every unit of every content becomes a channel there."""
    contents, n = z.shape[:-2], z.shape[-1]
    slopes = (alpha.unsqueeze(-1) if alpha.ndim == len(contents) else alpha).expand(*contents, n)
    channels = z.movedim(-2, 0)
    return F.prelu(channels.reshape(len(channels), -1), slopes.reshape(-1)).reshape(channels.shape).movedim(0, -2)


def autograd(plain: PlainCase) -> dict[str, Array]:
    """Return the loss, every gradient and every intermediate by `torch.autograd`.

    Parameters
    ----------
    plain : PlainCase
        With any leading axes (…), each content independent of the others.

    Returns
    -------
    dict of str to ndarray
        In the plain's dtype.
    """
    found: dict[str, Array] = {}
    product = torch.bmm if plain.x.ndim == 3 else torch.matmul
    a = x = _copied(plain.x).requires_grad_()
    backward: list[dict[str, torch.Tensor]] = []
    # What torch differentiates, and from which derivative on: the loss, and for da/dz alone each activation of a z without its
    # past.
    differentiated: list[torch.Tensor] = []
    starts: list[torch.Tensor] = []
    for number, layer in enumerate(plain.layers, start=1):
        # Turned before torch records anything; their derivatives are turned back.
        w, b = _copied(layer.w).mT.requires_grad_(), _copied(layer.b).unsqueeze(-2).requires_grad_()
        alpha = _copied(layer.slope).requires_grad_() if layer.learned and layer.slope is not None else None
        z = product(a, w) + b
        joined = plain.is_joined(number - 1)
        a = _activated(layer, z.detach() if joined else z, alpha)
        found[f"z{number}"], found[f"a{number}"] = z.detach().numpy(), a.detach().numpy()
        leaves = {f"dL_dz{number}": z, f"w{number}": w, f"b{number}": b}
        if not joined:
            alone = _alone(layer, z)
            leaves = {f"dL_da{number}": a, f"da_dz{number}": alone} | leaves
            differentiated.append(_activated(layer, alone, None if alpha is None else alpha.detach()))
            starts.append(_own(layer, differentiated[-1]))
        if alpha is not None:
            leaves[f"alpha{number}"] = alpha
        backward.append(leaves)

    losses = _losses(plain, z, a)
    found["loss"] = losses.detach().numpy()
    names = [name for leaves in reversed(backward) for name in leaves] + ["x"]
    of = [tensor for leaves in reversed(backward) for tensor in leaves.values()] + [x]
    gradients = torch.autograd.grad([losses, *differentiated], of, [torch.ones_like(losses), *starts])
    for name, gradient in zip(names, gradients, strict=True):
        array = gradient.numpy()
        found[name] = array.swapaxes(-1, -2) if name[0] == "w" else array[..., 0, :] if name[0] == "b" else array
    return found


def _copied(array: Array) -> torch.Tensor:
    return torch.from_numpy(array.copy())


def of_module(module: nn.Module, plain: PlainCase) -> dict[str, Array]:
    """Return the loss, and the derivatives by the parameters and inputs, of a module that is called as it is.

    Parameters
    ----------
    module : nn.Module
        A chain of layers, which a copy is made of: neither its parameters' .grad nor anything else of it changes.
    plain : PlainCase
        Its layers, loss and data, without leading axes.

    Returns
    -------
    dict of str to ndarray
        In the plain's dtype; zeros for what the loss does not depend on, as in a forward under `torch.no_grad`; nothing for
        the bias of a layer that has none.

    Raises
    ------
    TypeError
        If its forward raises a RuntimeError.
    """
    own = deepcopy(module).cpu().requires_grad_()
    links = chain_of(own)
    parameters: dict[str, torch.Tensor | None] = {}
    for number, link in enumerate(links, start=1):
        parameters |= {f"w{number}": link.weight, f"b{number}": link.bias, f"alpha{number}": link.alpha}
    leaves = {name: parameter for name, parameter in parameters.items() if parameter is not None}
    x = torch.tensor(plain.x, requires_grad=True)
    try:
        output = own(x)
    except RuntimeError as error:  # for example of a tensor that was made in inference mode
        raise TypeError(f"module's forward must be one that torch can differentiate: {error}") from None
    # A module that ends in a LogSoftmax gives logits, too: another one changes none of them.
    loss = _losses(plain, output, output)
    # What takes no part, or none that torch has recorded, has the derivative 0.
    of = [*leaves.values(), x]
    if loss.requires_grad:
        gradients = torch.autograd.grad(loss, of, allow_unused=True, materialize_grads=True)
    else:
        gradients = tuple(map(torch.zeros_like, of))
    found = {name: gradient.detach().numpy() for name, gradient in zip([*leaves, "x"], gradients, strict=True)}
    for number, layer in enumerate(plain.layers, start=1):
        if layer.shared and layer.learned:  # torch keeps one slope in shape (1,)
            found[f"alpha{number}"] = found[f"alpha{number}"].reshape(())
    return {"loss": loss.detach().numpy()} | found


def _losses(plain: PlainCase, z: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """Return L of each content, (…)."""
    if plain.loss == "squared_error":
        of_examples = F.mse_loss(a, torch.tensor(plain.y), reduction="none").sum(dim=-1)
    elif plain.loss == "binary_cross_entropy":
        of_examples = F.binary_cross_entropy_with_logits(z, torch.tensor(plain.y), reduction="none").sum(dim=-1)
    else:
        logits = z.reshape(-1, z.shape[-1])
        y = torch.tensor(plain.y)
        y = y.reshape(-1) if plain.indices else y.reshape(logits.shape)
        of_examples = F.cross_entropy(logits, y, reduction="none").reshape(z.shape[:-1])
    return of_examples.mean(dim=-1) if plain.reduction == "mean" else of_examples.sum(dim=-1)


def _alone(layer: PlainLayer, z: torch.Tensor) -> torch.Tensor:
    """Return z (…, N, n) without its past; for softmax (…, N, n, n), once for each row of its Jacobian."""
    alone = z.detach()
    if layer.activation == "softmax":
        alone = alone.unsqueeze(-2).repeat_interleave(z.shape[-1], dim=-2)
    return alone.requires_grad_()


def _own(layer: PlainLayer, a: torch.Tensor) -> torch.Tensor:
    """Return 1 for each activation, which depends on its own z alone; of softmax's copies, for a_j of the j-th."""
    if layer.activation != "softmax":
        return torch.ones_like(a)
    return torch.eye(a.shape[-1], dtype=a.dtype).expand_as(a)


def complex_step(plain: PlainCase, name: str, index: tuple[int, ...]) -> float:
    """Return one derivative dL/dθ as Im L(θ + ih) / h, h so small that no digit is lost.

    Parameters
    ----------
    plain : PlainCase
        Without leading axes; every activation analytic: identity, sigmoid, tanh or softmax.
    name : str
        The parameter's name, "w1", "b2", …, or "x".
    index : tuple of int
        Which of its numbers.

    Returns
    -------
    float
        The derivative, computed in the widest complex numbers that NumPy has here.

    Raises
    ------
    ValueError
        If an activation is not analytic.

    Notes
    -----
    Source: Squire and Trapp (1998), *Using complex variables to estimate derivatives of real functions*, eq. 5.
    """
    unsuited = [layer.activation for layer in plain.layers if layer.activation not in ANALYTIC]
    if unsuited:
        raise ValueError(f"the complex step needs analytic activations, {', '.join(ANALYTIC)}; got {unsuited[0]}")
    h = 2.0**-500
    arrays = {"x": plain.x.astype(np.clongdouble)}
    for number, layer in enumerate(plain.layers, start=1):
        arrays |= {f"w{number}": layer.w.astype(np.clongdouble), f"b{number}": layer.b.astype(np.clongdouble)}
    arrays[name][index] += h * 1j

    a = arrays["x"]
    for number, layer in enumerate(plain.layers, start=1):
        # Written out rather than with @, whose complex product could mix an infinite part into the other.
        z = (a[:, None, :] * arrays[f"w{number}"]).sum(axis=-1) + arrays[f"b{number}"]
        a = z if plain.is_joined(number - 1) else _complex_activation(layer.activation, z)
    y = plain.targets()
    if plain.loss == "squared_error":
        of_examples = ((a - y) ** 2).sum(axis=-1)
    elif plain.loss == "binary_cross_entropy":
        # −log a is log(1 + e^{−z}), and −log(1 − a) that with z for −z; the branch keeps the power finite.
        right = a.real >= 0
        of_yes = np.log1p(np.exp(np.where(right, -a, a))) + np.where(right, 0, -a)
        of_examples = (y * of_yes + (1 - y) * (of_yes + a)).sum(axis=-1)
    else:
        shift = a.real.max(axis=-1, keepdims=True)
        of_examples = (y * (np.log(np.exp(a - shift).sum(axis=-1, keepdims=True)) + shift - a)).sum(axis=-1)
    loss = of_examples.mean() if plain.reduction == "mean" else of_examples.sum()
    return float(loss.imag / h)


def _complex_activation(name: str, z: npt.NDArray[np.clongdouble]) -> npt.NDArray[np.clongdouble]:
    match name:
        case "sigmoid":
            # The branch keeps e^{±z} finite; both are the same function.
            e = np.exp(np.where(z.real < 0, z, -z))
            return np.asarray(np.where(z.real < 0, e, np.ones_like(e)) / (1 + e))
        case "tanh":
            return np.asarray(np.tanh(z))
        case "softmax":
            e = np.exp(z - z.real.max(axis=-1, keepdims=True))
            return np.asarray(e / e.sum(axis=-1, keepdims=True))
        case _:
            return z
