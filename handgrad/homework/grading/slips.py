"""The classic slips of backpropagation on paper: for each quantity the formulas that give another number, with their equation.

Each is tried with the numbers that stand on the paper; what gives the answer is named.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from handgrad.homework.backward import errors
from handgrad.homework.expressions import (
    Difference,
    Exponential,
    Expression,
    Function,
    Negative,
    Product,
    Quantity,
    Quotient,
    Square,
    Sum,
)
from handgrad.homework.intervals import Interval
from handgrad.homework.quantities import Quantities
from handgrad.homework.steps import Step
from handgrad.losses import JOINED


@dataclass(frozen=True)
class Slip:
    """A slip that is known.

    Parameters
    ----------
    key : str
        Of the words.
    equations : tuple of int
        Which equation it gets wrong.
    """

    key: str
    equations: tuple[int, ...]


# A formula that gives another number: its key, the equation that is wrong in it, 0 for the step's own, and itself.
Model = tuple[str, int, Expression]
# With one neuron a layer the equations have other numbers.
OF_CHAIN = {11: 3, 12: 5, 13: 6}


def recognised(
    step: Step, of: Quantities, worked_out: Callable[[Expression], Interval], is_written: Callable[[Interval], bool]
) -> Slip | None:
    """Return the slip that gives an answer.

    Parameters
    ----------
    step : Step
        How it is derived.
    of : Quantities
        The letters of the example.
    worked_out : callable
        From a formula to its value with the numbers on the paper.
    is_written : callable
        Whether a value is what was written.

    Returns
    -------
    Slip or None
        The first that gives it, None if no slip that is known does.
    """
    for key, equation, formula in _models(step, of):
        if is_written(worked_out(formula)):
            number = OF_CHAIN.get(equation, equation) if of.chain else equation
            return Slip(key, (number,) if number else step.equations)
    return None


def _models(step: Step, of: Quantities) -> Iterator[Model]:
    """Yield the wrong formulas of a quantity: the turned sign, which is the commonest, and what is peculiar to it."""
    q = step.quantity
    yield "sign", 0, Negative(step.numbers)
    # One neuron a layer has no indices.
    yield from MODELS[q.kind](of, q, q.layer or len(of.trace), q.j or 1)


def _of_z(of: Quantities, q: Quantity, layer: int, j: int) -> Iterator[Model]:
    before = of.units(layer - 1)
    weighted = tuple(Product((of.w(layer, j, k), of.a(layer - 1, k))) for k in before)
    yield "z_no_bias", 0, Sum(weighted)
    yield "z_minus_bias", 0, Difference(Sum(weighted), of.b(layer, j))
    if len(before) == len(of.units(layer)) > 1:
        exchanged = tuple(Product((of.w(layer, k, j), of.a(layer - 1, k))) for k in before)
        yield "z_exchanged", 0, Sum((of.b(layer, j), *exchanged))
    if layer > 1 and len(before) == len(of.units(0)):
        yield "z_before_last", 0, Sum((of.b(layer, j), *(Product((of.w(layer, j, k), of.a(0, k))) for k in before)))


def _of_a(of: Quantities, q: Quantity, layer: int, j: int) -> Iterator[Model]:
    z, name = of.z(layer, j), of.activation(layer)
    yield "a_is_z", 0, z
    if name == "identity":
        yield "a_of_relu", 0, Function("max", (0.0, z))
        yield "a_of_sigmoid", 0, _sigmoid(z)
    elif name == "softmax":
        yield "a_undivided", 0, Exponential(z)
    elif name == "sigmoid":
        yield "a_is_derivative", 0, Product((_sigmoid(z), Difference(1.0, _sigmoid(z))))
    elif name == "relu" and z.value > 0:
        yield "a_is_derivative", 0, 1.0


def _of_loss(of: Quantities, q: Quantity, layer: int, j: int) -> Iterator[Model]:
    units = of.units(layer)
    if of.net.loss_name != "squared_error":
        if of.net.loss_name == "cross_entropy":
            minus_log = Sum(tuple(Negative(Product((of.target(j), _log10(of.a(layer, j))))) for j in units))
            yield "L_log10", 0, minus_log
        return
    differences = tuple(Difference(of.a(layer, j), of.target(j)) for j in units)
    total = Sum(tuple(map(Square, differences)))
    yield "L_half", 0, Product((0.5, total))
    yield "L_mean", 0, Quotient(total, float(len(units)))
    yield "L_unsquared", 0, Sum(differences)
    yield "L_unsquared", 0, Negative(Sum(differences))


def _of_dL_da(of: Quantities, q: Quantity, layer: int, k: int) -> Iterator[Model]:
    if layer == len(of.trace):
        yield "dL_da_no_two", 4, Difference(of.a(layer, k), of.target(k))
        return
    after = layer + 1
    units = of.units(after)
    its = {j: errors(of, after, j) for j in units}
    if not _is_joined(of, after):
        yield "dL_da_weights_alone", 14, Sum(tuple(Product((of.w(after, j, k), of.dL_da(after, j))) for j in units))
    if len(units) == len(of.units(layer)) > 1:
        yield "dL_da_exchanged", 14, Sum(tuple(Product((of.w(after, k, j), *its[j])) for j in units))
    if len(units) > 1:
        yield from (("dL_da_one_term", 14, Product((of.w(after, j, k), *its[j]))) for j in units)
    yield "dL_da_no_weight", 14, Sum(tuple(Product(its[j]) for j in units))


def _of_da_dz(of: Quantities, q: Quantity, layer: int, j: int) -> Iterator[Model]:
    a, z, name = of.a(layer, j), of.z(layer, j), of.activation(layer)
    if name == "softmax":
        return
    if name == "sigmoid":
        yield "da_dz_at_a", 12, Product((_sigmoid(a), Difference(1.0, _sigmoid(a))))
        yield "da_dz_of_z", 12, Product((z, Difference(1.0, z)))
    elif name == "tanh":
        yield "da_dz_not_squared", 12, Difference(1.0, a)
        yield "da_dz_of_z", 12, Difference(1.0, Square(z))
    elif name != "identity":
        yield "da_dz_other_side", 12, of.slope(layer, j) if z.value > 0 else 1.0
    yield "da_dz_is_one", 12, 1.0
    yield "da_dz_is_a", 12, a
    yield "da_dz_of_sigmoid", 12, Product((a, Difference(1.0, a)))


def _of_dL_dz(of: Quantities, q: Quantity, layer: int, j: int) -> Iterator[Model]:
    if of.net.loss_name in JOINED and layer == len(of.trace):
        a, y = of.a(layer, j), of.target(j)
        yield "dL_dz_times_slope", 0, Product((Difference(a, y), a, Difference(1.0, a)))
        yield "dL_dz_plus", 0, Sum((a, y))


def _of_dL_dw(of: Quantities, q: Quantity, layer: int, j: int) -> Iterator[Model]:
    k, its = q.k or 1, errors(of, layer, j)
    a_k = of.a(layer - 1, k)
    if not _is_joined(of, layer):
        yield "dL_dw_no_slope", 11, Product((a_k, of.dL_da(layer, j)))
        yield "dL_dw_no_error", 11, Product((a_k, of.da_dz(layer, j)))
    yield "dL_dw_weight", 13, Product((of.w(layer, j, k), *its))
    yield "dL_dw_own_a", 13, Product((of.a(layer, j), *its))
    if layer > 1:
        yield "dL_dw_of_z", 13, Product((of.z(layer - 1, k), *its))
    if layer > 1 and len(of.units(0)) >= k:
        yield "dL_dw_of_x", 13, Product((of.a(0, k), *its))
    if k in of.units(layer) and j in of.units(layer - 1) and j != k:
        yield "dL_dw_exchanged", 11, Product((of.a(layer - 1, j), *errors(of, layer, k)))
    yield "dL_dw_no_input", 13, Product(its)
    yield from (("dL_dw_other_input", 13, Product((of.a(layer - 1, i), *its))) for i in of.units(layer - 1) if i != k)


def _of_dL_db(of: Quantities, q: Quantity, layer: int, j: int) -> Iterator[Model]:
    its = errors(of, layer, j)
    if not _is_joined(of, layer):
        yield "dL_db_no_slope", 11, of.dL_da(layer, j)
    yield "dL_db_bias", 7, Product((of.b(layer, j), *its))
    yield from (("dL_db_input", 7, Product((of.a(layer - 1, k), *its))) for k in of.units(layer - 1))


def _is_joined(of: Quantities, layer: int) -> bool:
    """Say whether dL/dz of a layer is no product of da/dz and dL/da."""
    return of.activation(layer) == "softmax" or (layer == len(of.trace) and of.net.loss_name in JOINED)


def _sigmoid(z: Expression) -> Expression:
    return Quotient(1.0, Sum((1.0, Exponential(Negative(z)))))


def _log10(p: Quantity) -> Expression:
    return Quotient(Function("log", (p,)), math.log(10))


MODELS: dict[str, Callable[[Quantities, Quantity, int, int], Iterator[Model]]] = {
    "z": _of_z,
    "a": _of_a,
    "L": _of_loss,
    "dL_da": _of_dL_da,
    "da_dz": _of_da_dz,
    "dL_dz": _of_dL_dz,
    "dL_dw": _of_dL_dw,
    "dL_db": _of_dL_db,
    "dL_dalpha": lambda of, q, layer, j: iter(()),
}
