"""Backpropagation by the notes' equations alone, index by index: over examples, layers l, neurons j and k.

Every number comes from a function of `equations`, taken from a table that the caller may exchange. The factors that repeat,
da_j/dz_j and dL/da_j, are computed once for each neuron and kept, as the notes say. Numbers are Python's (64 bits); the
results are of the network's dtype.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.equations import EQUATIONS, Equation
from handgrad.gradient import Gradient, LayerGradient, LayerTrace, Trace
from handgrad.network import Dense, Network
from handgrad.scalars import SCALARS, Scalar, sigmoid, softmax

__all__ = ["chain", "gradient", "trace"]

Vector = list[float]
Quantities = dict[str, Any]
Equations = Mapping[int, Equation]
OneExample = Callable[[Sequence["Layer"], str, Vector, Vector, Equations, float], tuple[float, list[Quantities]]]


def gradient(net: Network, x: npt.ArrayLike, y: npt.ArrayLike, equations: Equations = EQUATIONS) -> Gradient:
    """Return the gradient vector ∇L by equations (8)–(14), index by index.

    Parameters
    ----------
    net : Network
        The network.
    x, y : array_like
        One example or a batch, as for `Network.gradient`.
    equations : mapping of int to Equation
        The table to compute with; `handgrad.equations.exchanged` gives one with a wrong equation in it.

    Returns
    -------
    Gradient
        What `net.gradient(x, y)` returns, but for rounding.

    Raises
    ------
    TypeError, ValueError
        For the same arguments as `Network.gradient`; for a net that is no Network, and a table that lacks an equation.

    Notes
    -----
    Section IV.D–G.

    Examples
    --------
    >>> from handgrad.network import Dense
    >>> gradient(Network([Dense([[1.0, 0.5]], [-0.5], "relu")]), [2.0, 1.0], [1.0])[1].w
    array([[4., 2.]])
    """
    checks.instance("net", net, Network, "a Network")
    examples, single, share = _examples(net, x, y, equations, _one_example)
    layers = []
    with np.errstate(over="ignore", invalid="ignore"):
        for place, layer in enumerate(net.layers):
            of_layer = [quantities[place] for _, quantities in examples]
            layers.append(LayerGradient(*_parameters(of_layer, net.dtype, layer.alpha)))
        dL_dx = _stacked([quantities[0]["dL_da_prev"] for _, quantities in examples], single, net.dtype)
    return Gradient(_total(examples, share), layers, dL_dx)


def trace(net: Network, x: npt.ArrayLike, y: npt.ArrayLike, equations: Equations = EQUATIONS) -> Trace:
    """Return every intermediate of equations (8)–(14), index by index.

    Parameters
    ----------
    net : Network
        The network.
    x, y : array_like
        One example or a batch, as for `Network.gradient`.
    equations : mapping of int to Equation
        As for `gradient`.

    Returns
    -------
    Trace
        What `net.trace(x, y)` returns, but for rounding.

    Raises
    ------
    TypeError, ValueError
        As `gradient`.

    Notes
    -----
    Section IV.D–G. **Beyond the notes:** a batch is the sum over its examples, each with the factor 1/N for the mean. Under a
    cross-entropy dL/da and da/dz of the output are joined in p − y, or a − y, and are None. The binary cross-entropy is (1) for
    each unit, its probabilities 1 − a and a; y between 0 and 1 weights both.
    """
    checks.instance("net", net, Network, "a Network")
    return _trace(net, x, y, equations, _one_example)


def chain(net: Network, x: npt.ArrayLike, y: npt.ArrayLike, equations: Equations = EQUATIONS) -> Trace:
    """Return every intermediate of the chain with one neuron a layer, by equations (3)–(7).

    Parameters
    ----------
    net : Network
        One unit in every layer and one input; squared error; no softmax.
    x, y : array_like
        One example or a batch, as for `Network.gradient`.
    equations : mapping of int to Equation
        As for `gradient`.

    Returns
    -------
    Trace
        What `net.trace(x, y)` returns, but for rounding.

    Raises
    ------
    TypeError, ValueError
        As `gradient`, and ValueError for a network that is no such chain.

    Notes
    -----
    Section IV.B.

    Examples
    --------
    >>> from handgrad.network import Dense
    >>> chain(Network([Dense([[2.0]], [1.0], "relu")]), [3.0], [5.0])[1].dL_dw
    array([[12.]])
    """
    checks.instance("net", net, Network, "a Network")
    names = [layer.activation.name for layer in net.layers]
    checks.one_neuron_a_layer(net.widths, names, net.loss_name)
    return _trace(net, x, y, equations, _one_example_of_a_chain)


@dataclass(frozen=True)
class Layer:
    """A layer as plain numbers: w[j][k], b[j], and g with g′ of each unit j; `learned` says that its slopes are α."""

    activation: str
    w: list[Vector]
    b: Vector
    units: list[Scalar]
    learned: bool


def _layer(layer: Dense) -> Layer:
    name, n = layer.activation.name, len(layer.b)
    if name == "softmax":
        units = []
    elif layer.negative_slope is None:
        units = [SCALARS[name](0.0)] * n
    else:
        slope = np.asarray(layer.negative_slope, layer.w.dtype)
        units = [SCALARS[name](slope_j) for slope_j in np.broadcast_to(slope, n).tolist()]
    return Layer(name, layer.w.tolist(), layer.b.tolist(), units, layer.alpha is not None)


def _trace(net: Network, x: npt.ArrayLike, y: npt.ArrayLike, equations: Equations, one_example: OneExample) -> Trace:
    examples, single, share = _examples(net, x, y, equations, one_example)
    layers = []
    with np.errstate(over="ignore", invalid="ignore"):
        for place, layer in enumerate(net.layers):
            of_layer = [quantities[place] for _, quantities in examples]
            arrays = {
                name: _stacked([quantities[name] for quantities in of_layer], single, net.dtype)
                for name in ("a_prev", "z", "a", "dL_da", "da_dz", "dL_dz", "dL_da_prev")
            }
            dL_dw, dL_db, dL_dalpha = _parameters(of_layer, net.dtype, layer.alpha)
            layers.append(LayerTrace(dL_dw=dL_dw, dL_db=dL_db, dL_dalpha=dL_dalpha, **arrays))  # type: ignore[arg-type]
    return Trace(_total(examples, share), tuple(layers))


def _examples(
    net: Network, x: npt.ArrayLike, y: npt.ArrayLike, equations: Equations, one_example: OneExample
) -> tuple[list[tuple[float, list[Quantities]]], bool, float]:
    """Return L_i and the layers' quantities of each example, whether it came without a batch axis, and its part of L."""
    checks.equations(equations, EQUATIONS)
    first = net.layers[0].w
    batch, single = checks.inputs(x, first.shape[1], first.shape, net.dtype)
    targets = checks.TARGETS[net.loss_name](y, len(batch), single, net.widths[-1], net.dtype)
    share = 1.0 if net.reduction == "sum" else 1 / len(batch)
    layers = [_layer(layer) for layer in net.layers]
    pairs = zip(batch.tolist(), targets.tolist(), strict=True)
    return [one_example(layers, net.loss_name, x_i, y_i, equations, share) for x_i, y_i in pairs], single, share


def _total(examples: list[tuple[float, list[Quantities]]], share: float) -> float:
    return sum([share * L_i for L_i, _ in examples])


def _parameters(
    examples: list[Quantities], dtype: np.dtype[Any], alpha: npt.NDArray[Any] | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Return dL/dw, dL/db and dL/dα of a layer, each summed over the examples; a shared α sums over the units, too."""

    def summed(name: str, axis: int | None = 0) -> npt.NDArray[Any]:
        of_examples = np.array([example[name] for example in examples], np.float64)
        return np.asarray(of_examples.sum(axis), dtype)

    dL_dalpha = None if alpha is None else summed("dL_dalpha", 0 if alpha.ndim else None)
    return summed("dL_dw"), summed("dL_db"), dL_dalpha


def _stacked(rows: list[Any], single: bool, dtype: np.dtype[Any]) -> npt.NDArray[Any] | None:
    """Return a quantity of every example, (N, …), or of the one example without the batch axis; None if it is not formed."""
    if rows[0] is None:
        return None
    return np.array(rows[0] if single else rows, np.float64).astype(dtype, copy=False)


def _one_example(
    layers: Sequence[Layer], loss_name: str, x: Vector, y: Vector, equations: Equations, share: float
) -> tuple[float, list[Quantities]]:
    """Return L_i and the quantities of every layer for one example; `share` is the example's part of L, 1/N for the mean."""
    L_i_probability, L_i_logits, L_i = (equations[n].function for n in (1, 2, 10))
    dL_da_of, dz_db, z_j_of, a_j_of = (equations[n].function for n in (4, 7, 8, 9))
    dL_dw_jk, da_j_dz_j, dz_j_dw_jk, dL_da_k = (equations[n].function for n in (11, 12, 13, 14))

    found: list[Quantities] = []
    a = x
    for layer in layers:
        a_prev = a
        z = [z_j_of(b_j, w_j, a_prev) for b_j, w_j in zip(layer.b, layer.w, strict=True)]  # (8)
        if layer.activation == "softmax":
            probabilities = softmax(z)
            a = [a_j_of(lambda _, p_j=p_j: p_j, z_j) for p_j, z_j in zip(probabilities, z, strict=True)]  # (9)
        else:
            a = [a_j_of(unit.g, z_j) for unit, z_j in zip(layer.units, z, strict=True)]  # (9)
        found.append({"a_prev": a_prev, "z": z, "a": a})

    dL_da: Vector | None = None
    if loss_name == "squared_error":
        loss = L_i(a, y)  # (10)
        dL_da = [share * dL_da_of(a_j, y_j) for a_j, y_j in zip(a, y, strict=True)]  # (4)
    elif loss_name == "cross_entropy":
        loss = _cross_entropy(L_i_probability, L_i_logits, found[-1]["z"], a, y)
    else:
        loss = sum(
            [
                _cross_entropy(L_i_probability, L_i_logits, [0.0, z_j], [sigmoid(-z_j), a_j], [1 - y_j, y_j])
                for z_j, a_j, y_j in zip(found[-1]["z"], a, y, strict=True)
            ]
        )

    for layer, kept in zip(reversed(layers), reversed(found), strict=True):
        z, a, a_prev = kept["z"], kept["a"], kept["a_prev"]
        if dL_da is None:
            # p − y, or a − y, joins the two factors; 1 stands in for the first of them in (11) and (14). A distribution's Σy is
            # 1 but for rounding.
            da_dz: Any = None
            total = sum(y) if layer.activation == "softmax" else 1.0
            factors, joined = [1.0] * len(a), [share * (p_j * total - y_j) for p_j, y_j in zip(a, y, strict=True)]
        elif layer.activation == "softmax":
            da_dz = [[a_j * ((j == i) - a_i) for i, a_i in enumerate(a)] for j, a_j in enumerate(a)]
            factors = [1.0] * len(a)
            joined = [sum([da_dz[j][i] * dL_da_j for j, dL_da_j in enumerate(dL_da)]) for i in range(len(a))]
        else:
            da_dz = [  # (12)
                da_j_dz_j(unit.g, z_j) if unit.derivative is None else unit.derivative(z_j)
                for unit, z_j in zip(layer.units, z, strict=True)
            ]
            factors, joined = da_dz, dL_da
        kept["dL_da"], kept["da_dz"] = dL_da, da_dz
        kept["dL_dz"] = [da_dz_j * dL_da_j for da_dz_j, dL_da_j in zip(factors, joined, strict=True)]
        # (13): dz_j/dw_jk is a_k for every j.
        dz_dw = [dz_j_dw_jk(a_k) for a_k in a_prev]
        kept["dL_dw"] = [  # (11)
            [dL_dw_jk(dz_dw_k, da_dz_j, dL_da_j) for dz_dw_k in dz_dw] for da_dz_j, dL_da_j in zip(factors, joined, strict=True)
        ]
        # (11) with (7)
        kept["dL_db"] = [dL_dw_jk(dz_db(), da_dz_j, dL_da_j) for da_dz_j, dL_da_j in zip(factors, joined, strict=True)]
        if layer.learned:
            kept["dL_dalpha"] = [min(z_j, 0.0) * dL_da_j for z_j, dL_da_j in zip(z, joined, strict=True)]
        # (14): dz_j/da_k is w_jk, and column k of w holds it for every j.
        dL_da = [dL_da_k(column, factors, joined) for column in zip(*layer.w, strict=True)]
        kept["dL_da_prev"] = dL_da
    return loss, found


def _one_example_of_a_chain(
    layers: Sequence[Layer], loss_name: str, x: Vector, y: Vector, equations: Equations, share: float
) -> tuple[float, list[Quantities]]:
    """Return L_i and the quantities of every layer, each a list of the layer's one neuron, for one example."""
    dL_dw_of, dL_da_of, da_dz_of, dz_dw_of, dz_db_of, L_i = (equations[n].function for n in (3, 4, 5, 6, 7, 10))

    kept: list[tuple[float, float, float, float]] = []
    a = x[0]
    for layer in layers:
        ((w,),), (b,), (unit,) = layer.w, layer.b, layer.units
        a_prev = a
        z = w * a_prev + b  # (8) with one neuron
        a = unit.g(z)  # (9) with one neuron
        kept.append((a_prev, w, z, a))

    loss = L_i([a], y)  # (10)
    dL_da = share * dL_da_of(a, y[0])  # (4)
    found: list[Quantities] = []
    for layer, (a_prev, w, z, a) in zip(reversed(layers), reversed(kept), strict=True):
        (unit,) = layer.units
        da_dz = da_dz_of(unit.g, z) if unit.derivative is None else unit.derivative(z)  # (5)
        dL_da_prev = dL_da * da_dz * w  # (14) with one neuron
        found.append(
            {
                "a_prev": [a_prev],
                "z": [z],
                "a": [a],
                "dL_da": [dL_da],
                "da_dz": [da_dz],
                "dL_dz": [dL_da * da_dz],
                "dL_dw": [[dL_dw_of(dL_da, da_dz, dz_dw_of(a_prev))]],  # (3) with (6)
                "dL_db": [dL_dw_of(dL_da, da_dz, dz_db_of())],  # (3) with (7)
                "dL_dalpha": [dL_da * min(z, 0.0)],
                "dL_da_prev": [dL_da_prev],
            }
        )
        dL_da = dL_da_prev
    return loss, found[::-1]


def _cross_entropy(
    L_i_probability: Callable[[Sequence[float], int], float],
    L_i_logits: Callable[[Sequence[float], int], float],
    s: Vector,
    P: Vector,
    y: Vector,
) -> float:
    """Return L_i of one example: (1) for a class, (2) for a distribution over classes, Σ_k y_k times the loss of class k.

    (2) also serves a class whose probability is too small to be held with all its digits. A sigmoid unit has two classes, no
    and yes, with the logits 0 and z, since a = e^z / (e^0 + e^z); 1 − a is taken as g(−z), which has all its digits.
    """
    if y.count(0.0) == len(y) - 1 and 1.0 in y and P[y.index(1.0)] > sys.float_info.min:
        return L_i_probability(P, y.index(1.0))
    return sum([y_k * L_i_logits(s, k) for k, y_k in enumerate(y) if y_k > 0])
