"""A torch module as a submission, so that an `autograd.Function` with a backward written by hand can be checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any

import torch
from torch import nn

from verification.submissions.description import Array, Description


def module_submission(
    make_module: Callable[[Description], nn.Module], names: Mapping[str, str] | None = None
) -> Callable[[Description, Array, Array], dict[str, Any]]:
    """Return a submission `gradient(network, x, y)` that runs loss.backward() through a torch module. Works as a decorator.

    Parameters
    ----------
    make_module : callable
        Takes a description and returns an `nn.Module` with its parameters, of its dtype. The module's forward takes x and
        returns the activations a^(L), or under a cross-entropy, as torch's losses want, the logits z^(L).
    names : mapping of str to str, optional
        From the module's parameter names to handgrad's, {"0.weight": "w1", …}. Without it the module must use
        handgrad's: w1, b1, alpha1, w2, …

    Returns
    -------
    callable
        It returns the parameters' .grad by name, the loss, and dL/dx if the module lets one through.

    Notes
    -----
    The loss and its derivative by the module's output are torch's own: what is checked is the module.

    Examples
    --------
    >>> import handgrad as hg
    >>> from verification.submissions.description import describe
    >>> @module_submission
    ... def gradient(network):
    ...     module = nn.Module()
    ...     module.w1, module.b1 = nn.Parameter(torch.tensor(network.weights[0])), nn.Parameter(torch.tensor(network.biases[0]))
    ...     module.forward = lambda x: x @ module.w1.T + module.b1
    ...     return module
    >>> network = describe(hg.Network([hg.Dense([[1.0, 0.5]], [-0.5])]))
    >>> gradient(network, [2.0, 1.0], [1.0])["w1"]
    tensor([[4., 2.]], dtype=torch.float64)
    """

    def gradient(network: Description, x: Array, y: Array) -> dict[str, Any]:
        module = make_module(network)
        dtype = torch.from_numpy(network.weights[0]).dtype
        inputs = torch.tensor(x, dtype=dtype, requires_grad=True)
        loss = _loss(network, module(inputs), y)
        torch.autograd.backward(loss)
        answer: dict[str, Any] = {"loss": loss.detach()}
        for name, parameter in module.named_parameters():
            own = name if names is None else names.get(name, name)
            # nn.PReLU keeps one shared slope in shape (1,).
            shared = own.startswith("alpha") and parameter.shape == (1,) and network.named().get(own, parameter).shape == ()
            answer[own] = parameter.grad if parameter.grad is None or not shared else parameter.grad[0]
        return answer if inputs.grad is None else answer | {"x": inputs.grad}

    update_wrapper(gradient, make_module)
    return gradient


def _loss(network: Description, output: torch.Tensor, y: Array) -> torch.Tensor:
    if network.loss == "cross_entropy":
        indices = y.ndim < output.ndim
        target = torch.tensor(y, dtype=torch.int64 if indices else output.dtype)
        return nn.functional.cross_entropy(output, target, reduction=network.reduction)
    if network.loss == "binary_cross_entropy":
        of_units = nn.functional.binary_cross_entropy_with_logits(output, torch.tensor(y, dtype=output.dtype), reduction="none")
        return of_units.sum(dim=-1).mean() if network.reduction == "mean" else of_units.sum()
    times = {"squared_error": 1.0, "half_squared_error": 0.5, "mean_squared_error": 1 / output.shape[-1]}[network.loss]
    of_examples = times * ((output - torch.tensor(y, dtype=output.dtype)) ** 2).sum(dim=-1)
    return of_examples.mean() if network.reduction == "mean" else of_examples.sum()
