"""Every number of a network on some examples, derived in the notes' order: sections of steps, or a chosen part of them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.gradient import Gradient
from handgrad.homework.backward import backward, by_activation
from handgrad.homework.forward import forward, loss
from handgrad.homework.quantities import Quantities, is_chain
from handgrad.homework.steps import Section
from handgrad.homework.totals import descended, loss_over_examples, over_examples, places
from handgrad.losses import JOINED
from handgrad.network import Network

Array = npt.NDArray[Any]

# A thousand numbers are forty printed pages, and a page of a few megabytes.
LIMIT = 1000
# Of a unit that is chosen, so many weights are derived; the others go the same way.
WEIGHTS = 20


@dataclass(frozen=True)
class Part:
    """What is shown: everything, or a layer, one unit of it, one example.

    Parameters
    ----------
    layer, unit, example : int or None
        Counted from 1; None for all.
    """

    layer: int | None = None
    unit: int | None = None
    example: int | None = None


@dataclass(frozen=True)
class Derivation:
    """The sections, and what the step of descent did to the loss.

    Parameters
    ----------
    sections : tuple of Section
        In order.
    chain : bool
        One neuron a layer, in the letters of (3)–(7).
    before, after : float or None
        The loss, and the loss after the step, None without one.
    """

    sections: tuple[Section, ...]
    chain: bool
    before: float
    after: float | None


def derive(net: Network, x: Array, y: Array, rate: float | None, part: Part) -> Derivation:
    """Return the derivation.

    Parameters
    ----------
    net : Network
        Not changed.
    x, y : ndarray
        A batch, (N, n_0), and its targets, (N, n_L).
    rate : float or None
        Of the step of gradient descent, if there is one.
    part : Part
        What is shown.

    Returns
    -------
    Derivation
        Of at most `LIMIT` steps.

    Raises
    ------
    ValueError
        If there are more, or the step leads to an infinite parameter.
    """
    chain = is_chain(net)
    with np.errstate(all="ignore"):  # an overflow is shown as what it is
        g = net.gradient(x, y)
        stepped, after = _stepped(net, g, x, y, rate)
    chosen = (part.layer, part.unit, part.example)
    checks.not_too_many(_least(net, len(x), part), LIMIT, net.widths, len(x), chosen)
    sections: list[Section] = []
    count = 0
    for section in _sections(net, x, y, g, stepped, rate, part, chain):
        count += len(section.steps)
        checks.not_too_many(count, LIMIT, net.widths, len(x), chosen)
        sections.append(section)
    return Derivation(tuple(section for section in sections if section.steps), chain, g.loss, after)


def _least(net: Network, examples: int, part: Part) -> int:
    """Return how many numbers there are at least: a large network is refused before its formulas are made."""
    layers = range(1, len(net.widths)) if part.layer is None else [part.layer]
    of_layers = 0
    for layer in layers:
        units = net.widths[layer] if part.unit is None else 1
        # z, a, a factor, (7) and dL/db of each unit; (13) and dL/dw of each weight.
        of_layers += units * (5 + 2 * min(net.widths[layer - 1], _most_weights(net, part)))
        if net.layers[layer - 1].activation.name == "softmax" and (layer < len(net.layers) or net.loss_name not in JOINED):
            of_layers += units * net.widths[layer]  # its Jacobian
    return of_layers * (examples if part.example is None else 1)


def _stepped(net: Network, g: Gradient, x: Array, y: Array, rate: float | None) -> tuple[Network | None, float | None]:
    if rate is None:
        return None, None
    stepped = deepcopy(net)
    stepped.descend(g, rate)
    return stepped, stepped.loss(x, y)


def _sections(
    net: Network, x: Array, y: Array, g: Gradient, stepped: Network | None, rate: float | None, part: Part, chain: bool
) -> Iterator[Section]:
    examples = []
    for i in range(1, len(x) + 1) if part.example is None else [part.example]:
        with np.errstate(all="ignore"):
            trace = net.trace(x[i - 1], y[i - 1])
        examples.append(Quantities(net, trace, y[i - 1], i if len(x) > 1 else None, chain))
        yield from _of_example(examples[-1], part)
    layers = range(1, len(net.layers) + 1) if part.layer is None else [part.layer]
    shown = {layer: list(places(net, layer, part.unit, _most_weights(net, part))) for layer in layers}
    if len(examples) > 1:
        if len(net.layers) in layers:
            yield loss_over_examples(examples, g.loss)
        for layer in layers:
            yield over_examples(examples, g, layer, shown[layer])
    if stepped is not None and rate is not None:
        for layer in layers:
            yield descended(net, g, stepped, rate, layer, shown[layer], chain)


def _most_weights(net: Network, part: Part) -> int:
    return max(net.widths) if part.unit is None else WEIGHTS


def _of_example(of: Quantities, part: Part) -> Iterator[Section]:
    last = len(of.trace)
    layers = range(1, last + 1) if part.layer is None else range(part.layer, part.layer + 1)
    weights = _most_weights(of.net, part)

    def units(layer: int) -> range:
        return of.units(layer) if part.unit is None else range(part.unit, part.unit + 1)

    for layer in layers:
        yield Section("forward", tuple(forward(of, layer, units(layer))), layer, of.example)
    if last in layers:
        yield Section("loss", (loss(of),), None, of.example)
    for layer in reversed(layers):
        left_out = max(0, of.net.widths[layer - 1] - weights)
        yield Section("backward", tuple(backward(of, layer, units(layer), weights)), layer, of.example, left_out)
    if part.layer is None:
        yield Section("backward", tuple(by_activation(of, 0, k) for k in of.units(0)), 0, of.example)
