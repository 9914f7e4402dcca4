"""What follows the examples, parameter by parameter: the derivatives of the whole batch, and the step of gradient descent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.gradient import Gradient
from handgrad.homework.expressions import Difference, Expression, Product, Quantity, Quotient, Sum
from handgrad.homework.quantities import Quantities
from handgrad.homework.steps import Section, Step
from handgrad.network import Network

# A parameter's kind, and its units j and k, None of what belongs to none.
Place = tuple[str, int | None, int | None]


def places(net: Network, layer: int, unit: int | None, weights: int) -> Iterator[Place]:
    """Yield the parameters of a layer in figure 9's order, of one unit if it is given, with at most so many weights each."""
    n, n_prev = net.widths[layer], net.widths[layer - 1]
    units = range(1, n + 1) if unit is None else range(unit, unit + 1)
    yield from (("w", j, k) for j in units for k in range(1, min(n_prev, weights) + 1))
    yield from (("b", j, None) for j in units)
    alpha = net.layers[layer - 1].alpha
    if alpha is not None and (alpha.ndim or unit is None):
        yield from (("alpha", j if alpha.ndim else None, None) for j in (units if alpha.ndim else units[:1]))


def over_examples(examples: Sequence[Quantities], g: Gradient, layer: int, shown: Sequence[Place]) -> Section:
    """Return the derivatives of a layer's parameters for the whole batch: the mean of the examples' derivatives, or their sum.

    Parameters
    ----------
    examples : sequence of Quantities
        Every example of the batch.
    g : Gradient
        Of the batch.
    layer : int
        l.
    shown : sequence of Place
        Which parameters.

    Returns
    -------
    Section
        A step a parameter.
    """
    steps = []
    for kind, j, k in shown:
        total = _quantity(f"dL_d{kind}", getattr(g[layer], kind), layer, j, k, examples[0].chain)
        terms = [_of_example(of, kind, layer, j, k) for of in examples]
        steps.append(_reduced(total, terms, examples[0].net.reduction))
    return Section("examples", tuple(steps), layer)


def loss_over_examples(examples: Sequence[Quantities], loss: float) -> Section:
    """Return the loss of the batch: the mean of the examples' losses, or their sum."""
    return Section("examples", (_reduced(Quantity("L", loss), [of.loss() for of in examples], examples[0].net.reduction),))


def _reduced(total: Quantity, terms: Sequence[Quantity], reduction: str) -> Step:
    formula: Expression = Sum(tuple(terms))
    if reduction == "mean":
        formula = Product((Quotient(1.0, float(len(terms))), formula))
    return Step(total, formula, formula, (), reduction)


def descended(
    net: Network, g: Gradient, stepped: Network, rate: float, layer: int, shown: Sequence[Place], chain: bool
) -> Section:
    """Return what becomes of a layer's parameters: each minus rate times its derivative.

    Parameters
    ----------
    net, stepped : Network
        Before and after the step.
    g : Gradient
        Of the batch.
    rate : float
        η.
    layer : int
        l.
    shown : sequence of Place
        Which parameters.
    chain : bool
        Without indices, as in (3)–(7).

    Returns
    -------
    Section
        A step a parameter.
    """
    steps = []
    for kind, j, k in shown:
        old = _quantity(kind, getattr(net.layers[layer - 1], kind), layer, j, k, chain)
        new = _quantity(f"{kind}_new", getattr(stepped.layers[layer - 1], kind), layer, j, k, chain)
        derivative = _quantity(f"dL_d{kind}", getattr(g[layer], kind), layer, j, k, chain)
        formula = Difference(old, Product((Quantity("eta", rate), derivative)))
        steps.append(Step(new, formula, formula, ()))
    return Section("step", tuple(steps), layer)


def _of_example(of: Quantities, kind: str, layer: int, j: int | None, k: int | None) -> Quantity:
    if kind == "w" and j is not None and k is not None:
        return of.dL_dw(layer, j, k)
    return of.dL_db(layer, j) if kind == "b" and j is not None else of.dL_dalpha(layer, j)


def _quantity(kind: str, array: npt.NDArray[Any], layer: int, j: int | None, k: int | None, chain: bool) -> Quantity:
    value = float(np.asarray(array)[tuple(unit - 1 for unit in (j, k) if unit is not None)])
    return Quantity(kind, value, layer, *((None, None) if chain else (j, k)))
