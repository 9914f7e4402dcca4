"""The way back through one layer, step by step: (4) or p − y or (14), then (12), then (13) and (7) with (11) unit by unit.

With one neuron a layer it is (4)–(7) and (3). The factors that repeat are computed once; from the second weight on they are
marked as kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handgrad.homework.expressions import Difference, Expression, Function, Kept, Negative, Product, Quantity, Square, Sum
from handgrad.homework.forward import side
from handgrad.homework.quantities import Quantities
from handgrad.homework.steps import Step
from handgrad.losses import JOINED


def backward(of: Quantities, layer: int, units: range, weights: int) -> Iterator[Step]:
    """Yield everything that is derived in a layer.

    Parameters
    ----------
    of : Quantities
        The example.
    layer : int
        l.
    units : range
        Which units j.
    weights : int
        How many weights of each unit are shown at most.

    Yields
    ------
    Step
        First the factors of every unit, then its derivatives by weights and bias, and by α.
    """
    yield from factors(of, layer, units)
    for j in units:
        yield from _parameters(of, layer, j, weights)
    yield from _slopes(of, layer, units)


def factors(of: Quantities, layer: int, units: range) -> Iterator[Step]:
    """Yield dL/da and da/dz of a layer's units; or dL/dz, where the two are joined or a sum."""
    if layer == len(of.trace) and of.net.loss_name in JOINED:
        equation, reason = (2, "joined_classes") if of.net.loss_name == "cross_entropy" else (1, "joined_units")
        for j in units:
            difference = Difference(of.a(layer, j), of.target(j))
            yield Step(of.dL_dz(layer, j), difference, difference, (equation,), reason)
        return
    # Every output of softmax has a part in every dL/dz.
    needed = of.units(layer) if of.activation(layer) == "softmax" else units
    for j in needed:
        yield by_activation(of, layer, j)
    for j in units:
        if of.activation(layer) != "softmax":
            yield _slope_at(of, layer, j)
            continue
        for i in of.units(layer):
            a_i, a_j = of.a(layer, i), of.a(layer, j)
            entry: Expression = Product((a_i, Difference(1.0, a_j))) if i == j else Negative(Product((a_i, a_j)))
            yield Step(of.da_dz(layer, i, j), entry, entry, (12,))
        through = Sum(tuple(Product((of.da_dz(layer, i, j), of.dL_da(layer, i))) for i in of.units(layer)))
        yield Step(of.dL_dz(layer, j), through, through, (), "beyond")


def by_activation(of: Quantities, layer: int, k: int) -> Step:
    """Return the step of dL/da_k: (4) at the output, (14) before it; of layer 0 it is dL/dx_k."""
    quantity = of.dL_da(layer, k)
    if layer == len(of.trace):
        twice = Product((2.0, Difference(of.a(layer, k), of.target(k))))
        return Step(quantity, twice, twice, (4,))
    after = layer + 1

    def term(j: int, first: Quantity) -> Expression:
        rest = errors(of, after, j)
        return Product((*reversed(rest), first) if of.chain else (first, *rest))

    # dz_j/da_k is w_jk, which the notes never spell out.
    formula = Sum(tuple(term(j, of.dz_da(after, j, k)) for j in of.units(after)))
    numbers = Sum(tuple(term(j, of.w(after, j, k)) for j in of.units(after)))
    return Step(quantity, formula, numbers, (14,))


def _slope_at(of: Quantities, layer: int, j: int) -> Step:
    """Return the step of da_j/dz_j: (12), with one neuron (5)."""
    a, z, name = of.a(layer, j), of.z(layer, j), of.activation(layer)
    g = Function("g", (z,))
    letters: dict[str, Expression] = {
        "sigmoid": Product((g, Difference(1.0, g))),
        "tanh": Difference(1.0, Square(g)),
    }
    formula = letters.get(name, Function("g′", (z,)))
    numbers = DERIVATIVE[name](a, z, of.slope(layer, j))
    return Step(of.da_dz(layer, j), formula, numbers, (5 if of.chain else 12,), side(name, z))


# The formula of g′, from a and z and the slope for z < 0.
DERIVATIVE: dict[str, Callable[[Quantity, Quantity, float | Quantity], Expression]] = {
    "identity": lambda a, z, slope: 1.0,
    "sigmoid": lambda a, z, slope: Product((a, Difference(1.0, a))),
    "tanh": lambda a, z, slope: Difference(1.0, Square(a)),
    "relu": lambda a, z, slope: 1.0 if z.value > 0 else 0.0,
    "leaky_relu": lambda a, z, slope: 1.0 if z.value > 0 else slope,
    "prelu": lambda a, z, slope: 1.0 if z.value > 0 else slope,
}


def errors(of: Quantities, layer: int, j: int, first_use: bool = False) -> tuple[Quantity | Kept, ...]:
    """Return the factors da_j/dz_j and dL/da_j, or dL/dz_j alone: those that the notes compute once and keep."""
    joined = layer == len(of.trace) and of.net.loss_name in JOINED
    kept = (of.dL_dz(layer, j),) if joined or of.activation(layer) == "softmax" else (of.da_dz(layer, j), of.dL_da(layer, j))
    return kept if first_use else tuple(map(Kept, kept))


def _parameters(of: Quantities, layer: int, j: int, weights: int) -> Iterator[Step]:
    """Yield (13) with (11), or (6) with (3), for every weight of a unit, then (7) with (11) or (3) for its bias."""
    by_weight, by_bias, product = ((6,), (7,), (3,)) if of.chain else ((13,), (7,), (11,))
    for k in of.units(layer - 1)[:weights]:
        a_k, dz_dw = of.a(layer - 1, k), of.dz_dw(layer, j, k)
        yield Step(dz_dw, a_k, a_k, by_weight)
        chained = _chained(of, dz_dw, errors(of, layer, j, first_use=k == 1))
        yield Step(of.dL_dw(layer, j, k), chained, chained, product)
    dz_db = of.dz_db(layer, j)
    yield Step(dz_db, 1.0, 1.0, by_bias)
    chained = _chained(of, dz_db, errors(of, layer, j))
    yield Step(of.dL_db(layer, j), chained, chained, product)


def _chained(of: Quantities, first: Quantity, rest: tuple[Quantity | Kept, ...]) -> Product:
    """Return the product in the notes' order: dz/dw · da/dz · dL/da of (11); with one neuron, (3), from behind."""
    return Product((*reversed(rest), first) if of.chain else (first, *rest))


def _slopes(of: Quantities, layer: int, units: range) -> Iterator[Step]:
    """Yield dL/dα of a PReLU layer: one a unit, or one sum for a shared α."""
    alpha = of.net.layers[layer - 1].alpha
    if alpha is None:
        return
    for j in units:
        least = Function("min", (0.0, of.z(layer, j)))
        yield Step(of.da_dalpha(layer, j), least, least, (), "beyond")
    if alpha.ndim:
        for j in units:
            product = Product((of.da_dalpha(layer, j), Kept(of.dL_da(layer, j))))
            yield Step(of.dL_dalpha(layer, j), product, product, (), "beyond")
    elif units == of.units(layer):
        total = Sum(tuple(Product((of.da_dalpha(layer, j), Kept(of.dL_da(layer, j)))) for j in units))
        yield Step(of.dL_dalpha(layer, None), total, total, (), "beyond")
