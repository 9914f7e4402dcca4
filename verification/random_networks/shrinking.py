"""Make a failing case as small as a person can check by hand, after Hypothesis has done its own shrinking.

Each pass proposes simpler cases, most drastic first; the first that still fails is taken, and the passes start again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad.losses import JOINED
from verification.random_networks.cases import Case

Array = npt.NDArray[Any]

MOST_TRIALS = 600
# Of no more than so many each one is tried alone, and left out alone.
FEW = 8


@dataclass(frozen=True, eq=False)
class _Draft:
    """A case as plain arrays that may not fit together; whatever does not is no case."""

    layers: tuple[tuple[Array, Array, hg.Activation], ...]
    loss: str
    reduction: str
    x: Array
    y: Array

    def case(self) -> Case:
        dense = [hg.Dense(w, b, activation) for w, b, activation in self.layers]
        return Case(hg.Network(dense, self.loss, self.reduction), self.x, self.y)


def shrink(case: Case, fails: Callable[[Case], bool]) -> Case:
    """Return the simplest case found that still fails.

    Parameters
    ----------
    case : Case
        A failing case.
    fails : callable
        Says whether a case fails. It is called at most 600 times.

    Returns
    -------
    Case
        Fewest layers, then fewest units and examples, then plain activations, then the values 0, ±1, ±2 where possible.
    """
    best = _draft(case)
    trials = 0
    improved = True
    while improved and trials < MOST_TRIALS:
        improved = False
        for proposal in _simpler(best):
            trials += 1
            if trials > MOST_TRIALS:
                break
            if _still_fails(proposal, fails):
                best, improved = proposal, True
                break
    return best.case()


def _still_fails(draft: _Draft, fails: Callable[[Case], bool]) -> bool:
    try:
        case = draft.case()
        with np.errstate(all="ignore"):
            case.net.loss(case.x, case.y)
    except (TypeError, ValueError):
        return False
    return fails(case)


def _draft(case: Case) -> _Draft:
    layers = []
    for layer in case.net.layers:
        activation = layer.activation
        if layer.alpha is not None:
            activation = hg.Activation("prelu", alpha=layer.alpha.astype(np.float64))  # type: ignore[arg-type]  # any array
        layers.append((layer.w, layer.b, activation))
    return _Draft(tuple(layers), case.net.loss_name, case.net.reduction, case.x, case.y)


def _simpler(draft: _Draft) -> Iterator[_Draft]:
    yield from _fewer_layers(draft)
    yield from _smaller_squares(draft)
    yield from _narrower(draft)
    yield from _fewer_examples(draft)
    yield from _plainer_choices(draft)
    yield from _plainer_numbers(draft)


def _fewer_layers(draft: _Draft) -> Iterator[_Draft]:
    """Drop a layer, and fit the next one's inputs to what is left by cutting or repeating columns."""
    for place in range(len(draft.layers)) if len(draft.layers) > 1 else ():
        kept = [layer for other, layer in enumerate(draft.layers) if other != place]
        width = draft.x.shape[-1]
        fitted = []
        for w, b, activation in kept:
            fitted.append((np.resize(w, (w.shape[0], width)) if w.shape[1] != width else w, b, activation))
            width = w.shape[0]
        y = draft.y
        if draft.loss != "cross_entropy" and y.shape[-1] != width:
            y = np.resize(y, (*y.shape[:-1], width))
        yield replace(draft, layers=tuple(fitted), y=y)


def _narrower(draft: _Draft) -> Iterator[_Draft]:
    """Keep one unit, half of them, or all but one of the units of a layer, or of the inputs."""
    widths = [draft.x.shape[-1], *(len(b) for _, b, _ in draft.layers)]
    for place, width in enumerate(widths):
        for kept in _parts(width) if width > 1 else ():
            yield _with_units(draft, place, kept)


def _parts(count: int) -> Iterator[list[int]]:
    """Yield parts of so many: one alone, a half, all but one; of many, all but ever smaller blocks at either end."""
    every = list(range(count))
    if count <= FEW:
        yield from ([one] for one in every)
    size = count // 2
    while size:
        yield every[: count - size]
        yield every[size:]
        size = size // 2 if count > FEW else 0
    if count <= FEW:
        yield from (every[:one] + every[one + 1 :] for one in every)


def _smaller_squares(draft: _Draft) -> Iterator[_Draft]:
    """Keep as few units in every layer of a network of square ones, since some mistakes end in an error anywhere else."""
    widths = {draft.x.shape[-1], *(len(b) for _, b, _ in draft.layers)}
    if len(widths) > 1:
        return
    for width in range(1, widths.pop()):
        smaller = draft
        for place in range(len(draft.layers) + 1):
            smaller = _with_units(smaller, place, list(range(width)))
        yield smaller


def _with_units(draft: _Draft, place: int, kept: list[int]) -> _Draft:
    """Return the draft with these units alone in layer `place`; 0 is the inputs."""
    layers = list(draft.layers)
    x, y = draft.x, draft.y
    if place == 0:
        x = x[..., kept]
    else:
        w, b, activation = layers[place - 1]
        if isinstance(activation.alpha, tuple):
            activation = hg.Activation("prelu", alpha=tuple(activation.alpha[unit] for unit in kept))
        layers[place - 1] = (w[kept], b[kept], activation)
    if place < len(layers):
        w, b, activation = layers[place]
        layers[place] = (w[:, kept], b, activation)
    elif y.ndim == x.ndim:
        y = _renormalised(y[..., kept]) if draft.loss == "cross_entropy" else y[..., kept]
    else:
        # A class that is left keeps its unit; the others become the last.
        y = np.asarray([kept.index(k) if k in kept else len(kept) - 1 for k in np.ravel(y).tolist()], y.dtype).reshape(y.shape)
    return replace(draft, layers=tuple(layers), x=x, y=y)


def _renormalised(y: Array) -> Array:
    """Return soft labels over fewer classes: the lost part goes to the first."""
    rest = y.copy()
    rest[..., 0] += (1 - y.sum(axis=-1)).astype(y.dtype)
    return rest


def _fewer_examples(draft: _Draft) -> Iterator[_Draft]:
    if draft.x.ndim == 1:
        return
    count = len(draft.x)
    if count == 1:
        yield replace(draft, x=draft.x[0], y=np.asarray(draft.y[0]))
        return
    for kept in _parts(count):
        # A slice leaves the memory layout as it is.
        rows = slice(kept[0], kept[-1] + 1) if len(kept) == kept[-1] - kept[0] + 1 else kept
        yield replace(draft, x=draft.x[rows], y=draft.y[rows])


def _plainer_choices(draft: _Draft) -> Iterator[_Draft]:
    if draft.reduction == "mean":
        yield replace(draft, reduction="sum")
    if draft.layers[0][0].dtype == np.float32:
        layers = tuple((w.astype(np.float64), b.astype(np.float64), activation) for w, b, activation in draft.layers)
        kind = np.float64 if draft.y.dtype.kind == "f" else draft.y.dtype
        yield replace(draft, layers=layers, x=draft.x.astype(np.float64), y=draft.y.astype(kind))
    for part in ("x", "y"):
        values = _part(draft, part, 0)
        if not values.flags.c_contiguous:
            yield _with_part(draft, part, 0, np.array(values, order="C"))
    if draft.y.dtype.kind in "iu" and draft.y.dtype != np.int64:
        yield replace(draft, y=draft.y.astype(np.int64))
    for place, (w, b, activation) in enumerate(draft.layers):
        for name in ("identity", "relu"):
            output = place == len(draft.layers) - 1 and draft.loss in JOINED
            if activation.name in ("identity", name) or output:
                break
            plainer = (w, b, hg.Activation(name))
            yield replace(draft, layers=(*draft.layers[:place], plainer, *draft.layers[place + 1 :]))


def _plainer_numbers(draft: _Draft) -> Iterator[_Draft]:
    """Make whole arrays 0, 1, or rounded; then every number 0, ±1, ±2, or rounded to a whole or a sixteenth."""
    places: list[tuple[str, int]] = [("x", 0), ("y", 0)]
    places += [(part, place) for place in range(len(draft.layers)) for part in ("w", "b")]
    for part, place in places:
        array = _part(draft, part, place)
        if array.dtype.kind == "f":
            for whole in (np.zeros_like(array), np.ones_like(array), np.rint(array)):
                if _complexity(whole) < _complexity(array):
                    yield _with_part(draft, part, place, whole)
    for part, place in places:
        array = _part(draft, part, place)
        if array.dtype.kind != "f":
            continue
        for index in np.ndindex(array.shape):
            value = float(array[index])
            for simple in (*SIMPLEST, float(round(value)), round(value * 16) / 16):
                if _weight(simple) < _weight(value):
                    changed = array.copy()
                    changed[index] = simple
                    yield _with_part(draft, part, place, changed)


SIMPLEST = (0.0, 1.0, -1.0, 2.0, -2.0)


def _weight(value: float) -> float:
    """Return how hard a number is to work with by hand."""
    if value in SIMPLEST:
        return SIMPLEST.index(value)
    if value == round(value):
        return 10 + math.log2(abs(value))
    return 100 + abs(math.log2(abs(value))) if value * 16 == round(value * 16) else 1000


def _complexity(array: Array) -> float:
    return sum(_weight(value) for value in array.ravel().tolist())


def _part(draft: _Draft, part: str, place: int) -> Array:
    if part in "xy":
        return draft.x if part == "x" else draft.y
    w, b, _ = draft.layers[place]
    return w if part == "w" else b


def _with_part(draft: _Draft, part: str, place: int, array: Array) -> _Draft:
    if part in "xy":
        return replace(draft, x=array) if part == "x" else replace(draft, y=array)
    layers = list(draft.layers)
    w, b, activation = layers[place]
    layers[place] = (array, b, activation) if part == "w" else (w, array, activation)
    return replace(draft, layers=tuple(layers))
