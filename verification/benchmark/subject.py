"""What is timed: a subject; handgrad itself, and the limit; and whether a peer's answer is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg

Array = npt.NDArray[Any]
# The loss, and the derivatives by w1, b1, w2, b2, …
Answer = tuple[float, list[Array]]


class UnsuitedError(ValueError):
    """A peer cannot do this network; the message says why."""


class MissingError(ImportError):
    """A peer's package is not installed."""


class DisagreementError(ValueError):
    """A peer's answer is another than handgrad's; the message says where."""


def plain(answer: Any) -> Answer:
    """Return the loss and the gradients of (loss, gradients) as NumPy's."""
    loss, gradients = answer
    return float(loss), [np.asarray(gradient) for gradient in gradients]


@dataclass(frozen=True)
class Subject:
    """A gradient ready to be computed, in its owner's types: `run` is timed, `read` makes an `Answer` of its result."""

    run: Callable[[], Any]
    read: Callable[[Any], Answer] = plain


def handgrad(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return handgrad's own: the public call with its checks and its result, of a network whose numbers nobody else has."""
    own = hg.Network(net.layers, net.loss_name, net.reduction)
    return Subject(lambda: own.gradient(x, y), lambda g: (g.loss, list(g.named().values())))


def products(net: hg.Network, x: Array) -> list[tuple[Array, Array, Array]]:
    """Return left, right and out of every matrix product of one gradient, in the order of one pass.

    These are z of every layer, then dL/dw and, but for the first layer, dL/da^(l−1) from the last layer to the first, each into
    memory that is there already. Nothing lies between the products, so that the numbers are no gradient.
    """
    a = [x, *(np.empty((len(x), n), net.dtype) for n in net.widths[1:])]
    found = [(a_prev, layer.w.T, z) for layer, a_prev, z in zip(net.layers, a, a[1:], strict=False)]
    for place, layer in reversed(list(enumerate(net.layers))):
        found.append((a[place + 1].T, a[place], np.empty_like(layer.w)))
        if place:
            # a^(l−1) has served, and its memory takes dL/da^(l−1).
            found.append((a[place + 1], layer.w, a[place]))
    return found


def bare(net: hg.Network, x: Array) -> Subject:
    """Return the limit, the products alone, as a subject; it has no answer to read."""
    row, dot = products(net, x), np.dot

    def run() -> None:
        for left, right, out in row:
            dot(left, right, out)

    return Subject(run)


def agree(answer: Answer, expected: Answer) -> None:
    """Raise a DisagreementError unless a peer's answer is handgrad's but for rounding.

    Shapes and dtypes are compared first. The norm of a difference may be √(n ε) of its array's own for sums of n terms: a
    pre-activation errs by about n ε of its size, so that about such a share of the ReLUs may be at their kink for rounding
    alone, and a share of the terms moves a norm by its square root.
    """
    loss, gradients = answer
    loss_expected, gradients_expected = expected
    if len(gradients) != len(gradients_expected):
        raise DisagreementError(f"it must give {len(gradients_expected)} gradients; got {len(gradients)}")
    names = [f"{kind}{number}" for number in range(1, len(gradients) // 2 + 1) for kind in ("w", "b")]
    for name, given, right in zip(names, gradients, gradients_expected, strict=True):
        if (given.shape, given.dtype) != (right.shape, right.dtype):
            raise DisagreementError(f"{name} must be {right.shape} {right.dtype}; got {given.shape} {given.dtype}")
    dtype, terms = gradients_expected[0].dtype, max(right.shape[-1] for right in gradients_expected)
    part = float(np.sqrt(terms * np.finfo(dtype).eps))
    rows = [*zip(names, gradients, gradients_expected, strict=True)]
    for name, given, right in [*rows, ("the loss", np.asarray(loss, dtype), np.asarray(loss_expected, dtype))]:
        allowed, distance = part * float(np.linalg.norm(right)), float(np.linalg.norm(given - right))
        # A NaN is not close either.
        if not distance <= allowed:
            raise DisagreementError(f"{name} must be handgrad's within {allowed:.1e}; got {distance:.1e} beside it")
