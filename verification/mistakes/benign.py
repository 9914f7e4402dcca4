"""Right backpropagations that differ from handgrad's in rounding or convention alone; none may be called wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import fsum
from typing import Any

import numpy as np

from verification.mistakes.catalogue import Variant
from verification.mistakes.in_equations import by_equations
from verification.mistakes.reference import (
    RIGHT,
    Array,
    Backprop,
    GradientFunction,
    Layer,
    Result,
    Run,
    exchanged,
    gradient_with,
    named_parameters,
    without_intermediates,
)
from verification.submissions.description import Description

LEAKY = ("leaky_relu", "prelu")
# Its square is below the rounding of 1, and its product with a tiny g' is still held.
STEP = 2.0**-28


def _by(name: str, what: str, **steps: Any) -> Variant:
    return Variant(name, what, gradient_with(exchanged(**steps)))


def _at_zero(right: Callable[[Layer], Array], value: float) -> Callable[[Layer], Array]:
    """Return g′ with another value where z is exactly 0."""
    return lambda layer: np.where(layer.z == 0, np.asarray(value, layer.z.dtype), right(layer))


def _example_by_example(backwards: bool) -> GradientFunction:
    """Return the submission that takes one example at a time and adds up what it finds."""
    gradient = gradient_with(RIGHT)

    def one_by_one(network: Description, x: Any, y: Any) -> Result:
        if np.ndim(x) == 1:
            return gradient(network, x, y)
        rows = range(len(x))
        found = [gradient(network, x[i], y[i]) for i in (reversed(rows) if backwards else rows)]
        share = 1 / len(x) if network.reduction == "mean" else 1.0
        parameters = named_parameters(network)
        total: Result = {
            name: np.asarray(share * sum(each[name] for each in found), found[0][name].dtype) for name in parameters
        }
        return total | {"loss": share * sum(each["loss"] for each in found)}

    return one_by_one


def _in_double_precision(network: Description, x: Any, y: Any) -> Result:
    """Return the derivatives computed in float64 throughout and rounded at the end."""
    dtype = network.weights[0].dtype
    wide = replace(
        network,
        weights=[w.astype(np.float64) for w in network.weights],
        biases=[b.astype(np.float64) for b in network.biases],
        slopes=[slope.astype(np.float64) if isinstance(slope, np.ndarray) else slope for slope in network.slopes],
    )
    x = np.asarray(x).astype(dtype)
    y = np.asarray(y).astype(dtype) if np.asarray(y).dtype.kind == "f" else y
    found = gradient_with(RIGHT)(wide, x, y)
    return {name: value.astype(dtype) if isinstance(value, np.ndarray) else value for name, value in found.items()}


def _as_lists(network: Description, x: Any, y: Any) -> Result:
    found = gradient_with(RIGHT)(network, x, y)
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


def _column_major(network: Description, x: Any, y: Any) -> Result:
    found = gradient_with(RIGHT)(network, x, y)
    return {name: np.asfortranarray(value) if np.ndim(value) > 1 else value for name, value in found.items()}


def _sigmoid_in_two_pieces(z: Array, slope: Any) -> Array:
    a = np.empty_like(z)
    a[z >= 0] = 1 / (1 + np.exp(-z[z >= 0]))
    e = np.exp(z[z < 0])
    a[z < 0] = e / (1 + e)
    return a


def _sigmoid_derivative_by_exponential(layer: Layer) -> Array:
    e = np.exp(-np.abs(layer.z))
    return np.asarray(e / (1 + e) ** 2)


def _complex_step_sigmoid(layer: Layer) -> Array:
    # g' is even in z, and at |z| no power overflows.
    return np.asarray((1 / (1 + np.exp(-(np.abs(layer.z).astype(np.complex128) + 1j * STEP)))).imag / STEP, layer.z.dtype)


def _complex_step_tanh(layer: Layer) -> Array:
    return np.asarray(np.tanh(layer.z.astype(np.complex128) + 1j * STEP).imag / STEP, layer.z.dtype)


def _softmax_by_its_logarithm(z: Array, slope: Any) -> Array:
    below = z - z.max(axis=1, keepdims=True)
    return np.asarray(np.exp(below - np.log(np.exp(below).sum(axis=1, keepdims=True))))


def _not_fused(layer: Layer) -> Array:
    """Return Σ_j dL/dp_j · dp_j/dz_i with the p_j of dL/dp_j = −y_j / p_j divided out of row j of the Jacobian."""
    y, p = layer.run.y, layer.a
    rows = np.eye(p.shape[1], dtype=p.dtype) - p[:, None, :]
    return np.asarray(np.einsum("nj,nji->ni", -y, rows))


def _subtracting_at_the_class(layer: Layer) -> Array:
    p = layer.a.copy()
    if np.ndim(layer.run.y_given) < (1 if layer.run.single else 2):
        p[np.arange(len(p)), np.atleast_1d(layer.run.y_given)] -= 1
        return p
    return p - layer.run.y


def _without_jacobian(layer: Layer) -> Array:
    if layer.activation != "softmax":
        return RIGHT.through_activation(layer)
    a, dL_da = layer.a, layer.dL_da
    return np.asarray(a * (dL_da - (a * dL_da).sum(axis=1, keepdims=True)))


def _loss_by_logaddexp(layer: Layer) -> Array:
    log_of_sum = np.logaddexp.reduce(layer.z, axis=1, keepdims=True)
    return np.asarray((layer.run.y * (log_of_sum - layer.z)).sum(axis=1))


def _augmented(layer: Layer) -> Array:
    ones = np.ones((len(layer.a_prev), 1), layer.w.dtype)
    return np.asarray(np.hstack([layer.a_prev, ones]) @ np.hstack([layer.w, layer.b[:, None]]).T)


def _exact_sums(columns: Array) -> Array:
    """Return the sums over axis 0, each rounded once."""
    flat = columns.reshape(len(columns), -1).astype(np.float64)
    sums = [fsum(column) if np.isfinite(column).all() else column.sum() for column in flat.T]
    return np.array(sums).reshape(columns.shape[1:]).astype(columns.dtype)


def _outer_products(layer: Layer) -> Array:
    dL_dw = np.zeros_like(layer.w)
    for dL_dz_i, a_prev_i in zip(layer.dL_dz, layer.a_prev, strict=True):
        dL_dw += np.outer(dL_dz_i, a_prev_i)
    return dL_dw


def _upstream_by_columns(layer: Layer) -> Array:
    dL_da_prev = np.zeros_like(layer.a_prev)
    for j in reversed(range(len(layer.b))):
        dL_da_prev += layer.dL_dz[:, j : j + 1] * layer.w[j]
    return dL_da_prev


def _mean_at_the_end() -> GradientFunction:
    """Return the submission that sums over the batch and divides the parameters' derivatives by N."""
    summed = without_intermediates(gradient_with(exchanged(share=lambda run: 1.0)))

    def gradient(network: Description, x: Any, y: Any) -> Result:
        found = summed(network, x, y)
        N = len(x) if np.ndim(x) == 2 and network.reduction == "mean" else 1
        return {name: value if name == "loss" else np.asarray(value / N) for name, value in found.items()}

    return gradient


class Trainer(Backprop):
    """A class that keeps what it may: the right way to cache.

    It runs forward again only if x or the parameters changed, and copies what it keeps and what it hands out.

    Parameters
    ----------
    network : Description
        The network, copied.
    """

    def __init__(self, network: Description) -> None:
        super().__init__(network)
        self.seen: Array | None = None
        self.predictions: Array | None = None

    def forward(self, x: Any) -> Array:
        """Return the predictions for x."""
        if self.predictions is None or not _same(self.seen, x):
            self.predictions = super().forward(x)
            self.seen = np.array(x)
        return self.predictions.copy()

    def descend(self, rate: float) -> None:
        """Take one step, and forget what belongs to the old parameters."""
        super().descend(rate)
        self.predictions = None


def _same(seen: Array | None, x: Any) -> bool:
    return seen is not None and seen.dtype == np.asarray(x).dtype and np.array_equal(seen, x)


def _reversed_sum(run: Run) -> float:
    L_i = getattr(RIGHT, run.network.loss)(run.last)[::-1].tolist()
    return float(sum(L_i)) / (len(L_i) if run.network.reduction == "mean" else 1)


BENIGN: tuple[Variant, ...] = (
    Variant("matrix-form", "the reference of the catalogue: g(1 - g) and 1 - a² from the stored a", gradient_with(RIGHT)),
    Variant("literal-equations", "the notes' equations, index by index", by_equations()),
    Variant("one-class", "the reference as a class", Backprop),
    Variant("caching-class", "a class that keeps activations and knows when they are out of date", Trainer),
    Variant("example-by-example", "one example at a time, summed; no intermediates", _example_by_example(backwards=False)),
    Variant(
        "last-example-first", "one example at a time, from the last; no intermediates", _example_by_example(backwards=True)
    ),
    Variant("mean-at-the-end", "sums over the batch, divided by N at the end; no intermediates", _mean_at_the_end()),
    Variant("double-precision-inside", "float64 throughout, rounded to the network's dtype at the end", _in_double_precision),
    Variant("nested-lists", "lists in place of arrays, which have no dtype", _as_lists),
    Variant("column-major-results", "arrays in Fortran order", _column_major),
    _by(
        "einsum",
        "every product by np.einsum",
        pre_activation=lambda layer: np.einsum("nk,jk->nj", layer.a_prev, layer.w) + layer.b,
        weight_gradient=lambda layer: np.einsum("nj,nk->jk", layer.dL_dz, layer.a_prev),
        upstream=lambda layer: np.einsum("nj,jk->nk", layer.dL_dz, layer.w),
    ),
    _by(
        "weights-stored-transposed",
        "w as (n_prev, n) inside, turned on the way in and out",
        pre_activation=lambda layer: layer.a_prev @ np.ascontiguousarray(layer.w.T) + layer.b,
        weight_gradient=lambda layer: (layer.a_prev.T @ layer.dL_dz).T,
        upstream=lambda layer: layer.dL_dz @ np.ascontiguousarray(layer.w.T).T,
    ),
    _by("bias-as-weight", "the bias is one more weight, its input 1", pre_activation=_augmented),
    _by("bias-first", "b + Σ in place of Σ + b", pre_activation=lambda layer: layer.b + (layer.a_prev * 1) @ layer.w.T),
    _by(
        "inputs-summed-backwards",
        "Σ over k from the last input to the first",
        pre_activation=lambda layer: layer.a_prev[:, ::-1] @ layer.w[:, ::-1].T + layer.b,
    ),
    _by(
        "bias-by-product",
        "dL/db as a row of ones times dL/dz",
        bias_gradient=lambda layer: np.ones(len(layer.a), layer.a.dtype) @ layer.dL_dz,
    ),
    _by(
        "exact-sums",
        "math.fsum over the examples, for weights and biases",
        weight_gradient=lambda layer: _exact_sums(layer.dL_dz[:, :, None] * layer.a_prev[:, None, :]),
        bias_gradient=lambda layer: _exact_sums(layer.dL_dz),
    ),
    _by("outer-products", "dL/dw as a sum of outer products in a loop", weight_gradient=_outer_products),
    _by("upstream-by-columns", "(14) as a loop over j from the last unit to the first", upstream=_upstream_by_columns),
    _by("loss-summed-backwards", "L as Python's sum of the L_i, last one first", loss=_reversed_sum),
    _by(
        "sigmoid-plain",
        "1 / (1 + e^{-z}) as it stands: e^{-z} may be infinite, and 1/inf is 0",
        g={"sigmoid": lambda z, slope: 1 / (1 + np.exp(-z))},
    ),
    _by("sigmoid-in-two-pieces", "e^z / (1 + e^z) for z < 0, by masks", g={"sigmoid": _sigmoid_in_two_pieces}),
    _by(
        "sigmoid-by-tanh",
        "(1 + tanh(z/2)) / 2: right to the last digits of 1, not of a g near 0",
        g={"sigmoid": lambda z, slope: (1 + np.tanh(z / 2)) / 2},
    ),
    _by(
        "sigmoid-by-logaddexp",
        "e^{-log(1 + e^{-z})}",
        g={"sigmoid": lambda z, slope: np.exp(-np.logaddexp(np.zeros_like(z), -z))},
    ),
    _by(
        "stable-derivatives",
        "e / (1 + e)² with e = e^{-|z|}, and 1 / cosh² z",
        g_prime={"sigmoid": _sigmoid_derivative_by_exponential, "tanh": lambda layer: 1 / np.cosh(layer.z) ** 2},
    ),
    _by(
        "difference-of-squares",
        "(1 - a)(1 + a) for tanh, a - a² for the sigmoid",
        g_prime={"sigmoid": lambda layer: layer.a - layer.a**2, "tanh": lambda layer: (1 - layer.a) * (1 + layer.a)},
    ),
    _by(
        "complex-step",
        "g' of the analytic activations as the imaginary part of g(z + ih) / h",
        g_prime={"sigmoid": _complex_step_sigmoid, "tanh": _complex_step_tanh},
    ),
    _by("softmax-not-fused", "dL/dp and the Jacobian in place of p - y", joined=_not_fused),
    _by("softmax-class-subtracted", "1 taken off a copy of p at the true class", joined=_subtracting_at_the_class),
    _by("softmax-without-jacobian", "a (dL/da - Σ a dL/da)", through_activation=_without_jacobian),
    _by("softmax-by-its-logarithm", "e^{log p}, log p by log-sum-exp", g={"softmax": _softmax_by_its_logarithm}),
    _by("loss-by-logaddexp", "the logarithm of the sum by np.logaddexp", cross_entropy=_loss_by_logaddexp),
    _by(
        "binary-by-two-terms",
        "(1 - y) a - y (1 - a) in place of a - y",
        binary_joined=lambda layer: (1 - layer.run.y) * layer.a - layer.run.y * (1 - layer.a),
    ),
    _by(
        "binary-loss-by-log1p",
        "max(z, 0) - y z + log(1 + e^{-|z|})",
        binary_cross_entropy=lambda layer: (
            np.maximum(layer.z, 0) - layer.run.y * layer.z + np.log1p(np.exp(-np.abs(layer.z)))
        ).sum(axis=1),
    ),
    _by("relu-by-product", "z times the mask z > 0", g={"relu": lambda z, slope: z * (z > 0)}),
    _by(
        "leaky-by-two-parts",
        "max(z, 0) + slope min(z, 0)",
        g=dict.fromkeys(LEAKY, lambda z, slope: np.maximum(z, 0) + np.asarray(slope, z.dtype) * np.minimum(z, 0)),
    ),
    _by("relu-derivative-1-at-0", "a convention: g'(0) = 1", g_prime={"relu": _at_zero(RIGHT.g_prime["relu"], 1)}),
    _by("relu-derivative-half-at-0", "a convention: g'(0) = 1/2", g_prime={"relu": _at_zero(RIGHT.g_prime["relu"], 0.5)}),
    _by(
        "leaky-derivative-1-at-0",
        "a convention: g'(0) = 1 for the leaky ones",
        g_prime=dict.fromkeys(LEAKY, _at_zero(RIGHT.g_prime["prelu"], 1)),
    ),
)
