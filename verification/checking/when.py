"""When it is wrong: what the smallest network that shows it cannot do without, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.checking.questions import KINKED
from verification.checking.sizes import bisected, scaled
from verification.random_networks.cases import Case

# What is drawn ordinarily: up to so many units and examples.
ORDINARY_SIZE = 6
FAINT = 1e-2


def when(smallest: Case, fails: Callable[[Case], bool], wrong: Sequence[Case] = ()) -> str:
    """Return in what circumstances a submission is wrong that is right on ordinary networks.

    Parameters
    ----------
    smallest : Case
        The smallest network that shows it.
    fails : callable
        Says whether the submission is wrong on another.
    wrong : sequence of Case
        Others on which it is wrong: what these lack has nothing to do with it.

    Returns
    -------
    str
        "for more than 8 units in a layer", "where an activation is between 0 and 1e-05"; "" if nothing stands out.
    """
    net, x, _ = smallest
    count = _count(smallest)
    if max(net.widths) > ORDINARY_SIZE:
        return f"for more than {max(net.widths) - 1} units in a layer"
    if count > ORDINARY_SIZE:
        return f"for more than {count - 1} examples"
    if len(net.layers) > 4:
        return f"for more than {len(net.layers) - 1} layers"
    faint = _faint(smallest, fails)
    if faint:
        return faint
    for words, holds in (ONE_CLASS, *_of_kinks(smallest), *_of_dtypes(np.asarray(x)), *CORNERS):
        if holds(smallest) and all(map(holds, wrong)):
            return words
    return ""


def _count(drawn: Case) -> int:
    return 1 if np.ndim(drawn.x) == 1 else len(drawn.x)


Corner = tuple[str, Callable[[Case], bool]]


def _of_kinks(smallest: Case) -> Iterator[Corner]:
    for name in sorted({layer.activation.name for layer in smallest.net.layers} & set(KINKED)):
        yield f"where z is exactly 0 in a layer with {name}", partial(_is_at_kink, name)


def _is_at_kink(name: str, drawn: Case) -> bool:
    with np.errstate(all="ignore"):
        trace = drawn.net.trace(drawn.x, drawn.y)
    layers = enumerate(drawn.net.layers, start=1)
    return any(layer.activation.name == name and (np.asarray(trace[number].z) == 0).any() for number, layer in layers)


def _of_dtypes(x: npt.NDArray[Any]) -> Iterator[Corner]:
    yield f"for x of dtype {x.dtype}", lambda drawn: x.dtype.kind in "iu" and np.asarray(drawn.x).dtype == x.dtype
    yield "for integers in x", lambda drawn: np.asarray(drawn.x).dtype.kind in "iu"


def _fits(drawn: Case) -> bool:
    with np.errstate(all="ignore"):
        return drawn.net.loss_name != "cross_entropy" and np.array_equal(drawn.net(drawn.x), drawn.y)


ONE_CLASS: Corner = (
    "for a softmax of one unit",
    lambda drawn: any(layer.activation.name == "softmax" and len(layer.b) == 1 for layer in drawn.net.layers),
)
CORNERS: tuple[Corner, ...] = (
    ("for an x that is not in C order", lambda drawn: np.ndim(drawn.x) == 2 and not np.asarray(drawn.x).flags.c_contiguous),
    (
        "for integers in y",
        lambda drawn: drawn.net.loss_name != "cross_entropy" and np.asarray(drawn.y).dtype.kind in "iu",
    ),
    ("where the prediction is exactly the target", _fits),
    ("for a batch of one example", lambda drawn: np.ndim(drawn.x) == 2 and _count(drawn) == 1),
    ("where every layer has one unit", lambda drawn: max(drawn.net.widths) == 1),
    ("where x is all zeros", lambda drawn: not np.asarray(drawn.x).any()),
    ("where an array is all zeros", lambda drawn: not all(array.any() for array in (*drawn.net.named().values(), drawn.x))),
)


def _faint(smallest: Case, fails: Callable[[Case], bool]) -> str:
    """Return up to which activation it is wrong, if it is wrong for small ones alone; "" otherwise."""
    net, x, y = smallest
    for place, layer in enumerate(net.layers):
        with np.errstate(all="ignore"):
            a = np.abs(np.asarray(net.trace(x, y)[place + 1].a))
        smallest_a = a[a > 0].min(initial=np.inf)
        if not smallest_a < FAINT:
            continue

        def fails_at(factor: float, place: int = place) -> bool:
            return fails(scaled(smallest, place, factor))

        high = float(FAINT * 10 / smallest_a)
        if fails_at(high):
            continue
        low, _ = bisected(1.0, high, fails_at)
        name = layer.activation.name
        return f"where an activation is between 0 and {smallest_a * low:.3g} in a layer with {name}"
    return ""
