"""What is timed: a call that gives a loss and its gradient, in whatever types its owner uses."""

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
    """A gradient ready to be computed: parameters and data are in its owner's types already.

    Parameters
    ----------
    run : callable
        Computes the loss and the gradients; this is what is timed.
    read : callable
        Turns what `run` returned into an `Answer`; this is not timed.
    """

    run: Callable[[], Any]
    read: Callable[[Any], Answer] = plain


def handgrad(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return handgrad's own: the public call with its checks and its result, of a network whose numbers nobody else has."""
    own = hg.Network(net.layers, net.loss_name, net.reduction)
    return Subject(lambda: own.gradient(x, y), lambda g: (g.loss, list(g.named().values())))


def agree(answer: Answer, expected: Answer) -> None:
    """Raise unless two answers are the same but for rounding.

    Parameters
    ----------
    answer : Answer
        A peer's.
    expected : Answer
        handgrad's.

    Raises
    ------
    DisagreementError
        If an array has another shape or dtype, or the norm of its difference is too large a part of its own norm, or the
        loss's is: √(n ε) for sums of n terms. A pre-activation errs by about n ε of its size, so that about such a share of the
        ReLUs may be at their kink for rounding alone, and a share of the terms moves a norm by its square root.
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
    for name, given, right in zip(names, gradients, gradients_expected, strict=True):
        _close(name, given, right, part)
    _close("the loss", np.asarray(loss, dtype), np.asarray(loss_expected, dtype), part)


def _close(name: str, given: Array, right: Array, part: float) -> None:
    size, distance = float(np.linalg.norm(right)), float(np.linalg.norm(given - right))
    allowed = part * size
    # A NaN is not close either.
    if not distance <= allowed:
        raise DisagreementError(f"{name} must be handgrad's within {allowed:.1e}; got {distance:.1e} beside it")
