"""PyTorch, thrice: its autograd on functions, its modules, and the gradients written by hand in its operations."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812  # the name that everybody gives it

import handgrad as hg
from verification.autograd.twins import to_torch, to_torch_loss
from verification.benchmark.subject import Subject

Array = npt.NDArray[Any]

ACTIVATIONS = {"identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
# dL/dz from a and dL/da.
BACKWARD = {
    "identity": lambda a, dL_da: dL_da,
    "sigmoid": lambda a, dL_da: dL_da * a * (1 - a),
    "tanh": lambda a, dL_da: dL_da * (1 - a * a),
    "relu": lambda a, dL_da: dL_da * (a > 0),
}


def functional(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return torch.autograd.grad of a loss written with torch.nn.functional."""
    parameters = [torch.tensor(array, requires_grad=True) for array in net.named().values()]
    pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
    inputs, targets, joined = torch.tensor(x), torch.tensor(y), net.loss_name == "cross_entropy"
    names = [layer.activation.name for layer in net.layers]
    activations = [ACTIVATIONS[name] for name in (names[:-1] if joined else names)]

    def run() -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        a = inputs
        for (w, b), g in zip(pairs, activations, strict=False):
            a = g(F.linear(a, w, b))
        if joined:
            loss = F.cross_entropy(F.linear(a, *pairs[-1]), targets)
        else:
            loss = ((a - targets) ** 2).sum(dim=1).mean()
        return loss, torch.autograd.grad(loss, parameters)

    return Subject(run, lambda answer: (answer[0].item(), [gradient.numpy() for gradient in answer[1]]))


def module(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return backward() of an nn.Sequential."""
    model, of_loss = to_torch(net), to_torch_loss(net)
    parameters = list(model.parameters())
    inputs, targets = torch.tensor(x), torch.tensor(y)

    def run() -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        model.zero_grad()
        loss: torch.Tensor = of_loss(model(inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss, [parameter.grad for parameter in parameters]

    return Subject(run, lambda answer: (answer[0].item(), [gradient.numpy() for gradient in answer[1]]))


def by_hand(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return the matrix form in torch's operations, without its autograd."""
    pairs = [(torch.tensor(layer.w), torch.tensor(layer.b)) for layer in net.layers]
    inputs, targets, joined = torch.tensor(x), torch.tensor(y), net.loss_name == "cross_entropy"
    names = [layer.activation.name for layer in net.layers]
    if joined:
        names[-1] = "identity"
    count, every = len(x), torch.arange(len(x))

    @torch.no_grad()
    def run() -> tuple[torch.Tensor, list[torch.Tensor]]:
        a = [inputs]
        for (w, b), name in zip(pairs, names, strict=True):
            a.append(ACTIVATIONS[name](torch.addmm(b, a[-1], w.t())))
        if joined:
            log_p = F.log_softmax(a[-1], dim=1)
            loss = F.nll_loss(log_p, targets)
            dL_da = log_p.exp_()
            dL_da[every, targets] -= 1
            dL_da /= count
        else:
            error = a[-1] - targets
            loss = error.square().sum() / count
            dL_da = error.mul_(2 / count)
        gradients: list[torch.Tensor] = []
        for place in reversed(range(len(pairs))):
            dL_dz = BACKWARD[names[place]](a[place + 1], dL_da)
            gradients += [dL_dz.sum(dim=0), dL_dz.t() @ a[place]]
            if place:
                dL_da = dL_dz @ pairs[place][0]
        return loss, gradients[::-1]

    return Subject(run, lambda answer: (answer[0].item(), [gradient.numpy() for gradient in answer[1]]))
