"""Backpropagation by the notes' equations alone, index by index: over examples, layers l, neurons j and k.

Every number comes from a function of `equations`, taken from a table that the caller may exchange. The factors that repeat,
da_j/dz_j and dL/da_j, are computed once for each neuron and kept, as the notes say. Numbers are Python's (64 bits); the
results are of the network's dtype.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.equations import EQUATIONS, Equation
from handgrad.gradient import Gradient, LayerTrace, Trace
from handgrad.network import Dense, Network
from handgrad.scalars import SCALARS, Scalar, softmax

Vector = list[float]
Quantities = dict[str, Any]
Equations = Mapping[int, Equation]


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
    return trace(net, x, y, equations).gradient


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
    Section IV.D–G. **Beyond the notes:** a batch is the sum over its examples, each with the factor 1/N for the mean.
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
    checks.one_neuron_a_layer(net.widths, names)
    return _trace(net, x, y, equations, _one_example_of_a_chain)


def _trace(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    equations: Equations,
    one_example: Callable[[Network, Vector, Vector, Equations, float], tuple[float, list[Quantities]]],
) -> Trace:
    checks.equations(equations, EQUATIONS)
    first = net.layers[0].w
    batch, single = checks.inputs(x, first.shape[1], first.shape, net.dtype)
    check = checks.distribution if net.loss_name == "cross_entropy" else checks.outputs
    targets = check(y, len(batch), single, net.widths[-1], net.dtype)
    share = 1.0 if net.reduction == "sum" else 1 / len(batch)
    examples = [one_example(net, x_i, y_i, equations, share) for x_i, y_i in zip(batch.tolist(), targets.tolist(), strict=True)]
    layers = tuple(
        _layer_trace([layers[place] for _, layers in examples], single, net.dtype, layer.alpha)
        for place, layer in enumerate(net.layers)
    )
    return Trace(sum([share * L_i for L_i, _ in examples]), layers)


def _layer_trace(examples: list[Quantities], single: bool, dtype: np.dtype[Any], alpha: npt.NDArray[Any] | None) -> LayerTrace:
    """Stack a layer's quantities over the examples, and sum its parameters' derivatives over them."""

    def rounded(numbers: npt.ArrayLike) -> npt.NDArray[Any]:
        with np.errstate(over="ignore"):
            return np.array(numbers, np.float64).astype(dtype)

    def stacked(name: str) -> npt.NDArray[Any] | None:
        rows = [example[name] for example in examples]
        return None if rows[0] is None else rounded(rows[0] if single else rows)

    def summed(name: str) -> npt.NDArray[Any]:
        return rounded(np.sum([example[name] for example in examples], axis=0))

    dL_dalpha = None
    if alpha is not None:
        of_units = [example["dL_dalpha"] for example in examples]
        dL_dalpha = rounded(np.sum(of_units, axis=0 if alpha.ndim else None))
    arrays = {name: stacked(name) for name in ("a_prev", "z", "a", "dL_da", "da_dz", "dL_dz", "dL_da_prev")}
    return LayerTrace(dL_dw=summed("dL_dw"), dL_db=summed("dL_db"), dL_dalpha=dL_dalpha, **arrays)  # type: ignore[arg-type]


def _one_example(net: Network, x: Vector, y: Vector, equations: Equations, share: float) -> tuple[float, list[Quantities]]:
    """Return L_i and the quantities of every layer for one example; `share` is the example's part of L, 1/N for the mean."""
    L_i_probability, L_i_logits, L_i = (equations[n].function for n in (1, 2, 10))
    dL_da_of, dz_db, z_j_of, a_j_of = (equations[n].function for n in (4, 7, 8, 9))
    dL_dw_jk, da_j_dz_j, dz_j_dw_jk, dL_da_k = (equations[n].function for n in (11, 12, 13, 14))

    layers: list[Quantities] = []
    a = x
    for layer in net.layers:
        w, b = layer.w.tolist(), layer.b.tolist()
        a_prev = a
        z = [z_j_of(b_j, w_j, a_prev) for b_j, w_j in zip(b, w, strict=True)]
        if layer.activation.name == "softmax":
            probabilities = softmax(z)
            a = [a_j_of(lambda _, p_j=p_j: p_j, z_j) for p_j, z_j in zip(probabilities, z, strict=True)]
        else:
            a = [a_j_of(unit.g, z_j) for unit, z_j in zip(_units(layer), z, strict=True)]
        layers.append({"a_prev": a_prev, "z": z, "a": a, "w": w})

    dL_da: Vector | None = None
    if net.loss_name == "squared_error":
        loss = L_i(a, y)
        dL_da = [share * dL_da_of(a_j, y_j) for a_j, y_j in zip(a, y, strict=True)]
    else:
        loss = _cross_entropy(L_i_probability, L_i_logits, layers[-1]["z"], a, y)

    for layer, kept in zip(reversed(net.layers), reversed(layers), strict=True):
        z, a, w, a_prev = kept["z"], kept["a"], kept["w"], kept["a_prev"]
        if dL_da is None:
            # p − y joins the two factors; 1 stands in for the first of them in (11) and (14). Σy is 1 but for rounding.
            da_dz: Any = None
            total = sum(y)
            factors, joined = [1.0] * len(a), [share * (p_j * total - y_j) for p_j, y_j in zip(a, y, strict=True)]
        elif layer.activation.name == "softmax":
            da_dz = [[a_j * ((j == i) - a_i) for i, a_i in enumerate(a)] for j, a_j in enumerate(a)]
            factors = [1.0] * len(a)
            joined = [sum([da_dz[j][i] * dL_da_j for j, dL_da_j in enumerate(dL_da)]) for i in range(len(a))]
        else:
            da_dz = [
                da_j_dz_j(unit.g, z_j) if unit.derivative is None else unit.derivative(z_j)
                for unit, z_j in zip(_units(layer), z, strict=True)
            ]
            factors, joined = da_dz, dL_da
        kept["dL_da"], kept["da_dz"] = dL_da, da_dz
        kept["dL_dz"] = [da_dz_j * dL_da_j for da_dz_j, dL_da_j in zip(factors, joined, strict=True)]
        kept["dL_dw"] = [
            [dL_dw_jk(dz_j_dw_jk(a_k), da_dz_j, dL_da_j) for a_k in a_prev]
            for da_dz_j, dL_da_j in zip(factors, joined, strict=True)
        ]
        kept["dL_db"] = [dL_dw_jk(dz_db(), da_dz_j, dL_da_j) for da_dz_j, dL_da_j in zip(factors, joined, strict=True)]
        if layer.alpha is not None:
            kept["dL_dalpha"] = [min(z_j, 0.0) * dL_da_j for z_j, dL_da_j in zip(z, joined, strict=True)]
        # dz_j/da_k is w_jk: column k of w holds it for every j.
        dL_da = [dL_da_k(list(column), factors, joined) for column in zip(*w, strict=True)]
        kept["dL_da_prev"] = dL_da
    return loss, layers


def _one_example_of_a_chain(
    net: Network, x: Vector, y: Vector, equations: Equations, share: float
) -> tuple[float, list[Quantities]]:
    """Return L_i and the quantities of every layer, each a list of the layer's one neuron, for one example."""
    dL_dw_of, dL_da_of, da_dz_of, dz_dw_of, dz_db_of, L_i = (equations[n].function for n in (3, 4, 5, 6, 7, 10))

    kept: list[tuple[float, float, float, float]] = []
    a = x[0]
    for layer in net.layers:
        w, b, (unit,) = layer.w.item(), layer.b.item(), _units(layer)
        a_prev = a
        z = w * a_prev + b
        a = unit.g(z)
        kept.append((a_prev, w, z, a))

    loss = L_i([a], y)
    dL_da = share * dL_da_of(a, y[0])
    layers: list[Quantities] = []
    for layer, (a_prev, w, z, a) in zip(reversed(net.layers), reversed(kept), strict=True):
        (unit,) = _units(layer)
        da_dz = da_dz_of(unit.g, z) if unit.derivative is None else unit.derivative(z)
        dL_da_prev = dL_da * da_dz * w
        layers.append(
            {
                "a_prev": [a_prev],
                "z": [z],
                "a": [a],
                "dL_da": [dL_da],
                "da_dz": [da_dz],
                "dL_dz": [dL_da * da_dz],
                "dL_dw": [[dL_dw_of(dL_da, da_dz, dz_dw_of(a_prev))]],
                "dL_db": [dL_dw_of(dL_da, da_dz, dz_db_of())],
                "dL_dalpha": [dL_da * min(z, 0.0)],
                "dL_da_prev": [dL_da_prev],
            }
        )
        dL_da = dL_da_prev
    return loss, layers[::-1]


def _units(layer: Dense) -> list[Scalar]:
    """Return g and g′ of each unit; a slope is taken for granted to be 0 where the activation has none."""
    slope = 0.0 if layer.negative_slope is None else np.asarray(layer.negative_slope, layer.w.dtype)
    return [SCALARS[layer.activation.name](slope_j) for slope_j in np.broadcast_to(slope, layer.b.shape).tolist()]


def _cross_entropy(
    L_i_probability: Callable[[Sequence[float], int], float],
    L_i_logits: Callable[[Sequence[float], int], float],
    s: Vector,
    P: Vector,
    y: Vector,
) -> float:
    """Return L_i of one example: (1) for a class, (2) for a distribution over classes, Σ_k y_k times the loss of class k.

    (2) also serves a class whose probability is too small to be held with all its digits.
    """
    if y.count(0.0) == len(y) - 1 and 1.0 in y and P[y.index(1.0)] > sys.float_info.min:
        return L_i_probability(P, y.index(1.0))
    return sum([y_k * L_i_logits(s, k) for k, y_k in enumerate(y) if y_k > 0])
