"""The forward pass with its rounding errors: z (8) and a (9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.rounding import (
    EXP,
    SIGMOID,
    Bounded,
    Forms,
    Rounding,
    nonzero,
    overflowing,
    transposed,
    unless_infinite,
)
from verification.random_networks.plain import PlainCase, PlainLayer

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Forward:
    """One layer of the forward pass; of the sigmoid and tanh with g′(z), which the bounds of both passes take."""

    layer: PlainLayer
    w: Bounded
    a_prev: Bounded
    z: Bounded
    a: Bounded
    derivative: Array | None


def forward(plain: PlainCase, r: Rounding, forms: Forms) -> list[Forward]:
    """Return every layer of the forward pass, first layer first."""
    x = plain.x.astype(np.float64)
    a = Bounded(x, np.zeros((1, *x.shape)), exact=True)
    passed = []
    for layer in plain.layers:
        w = Bounded(layer.w.astype(np.float64), np.zeros(()), exact=True)
        z = _pre_activation(layer, w, a, r)
        derivative = DERIVATIVES[layer.activation](z.size) if layer.activation in DERIVATIVES else None
        passed.append(Forward(layer, w, a, z, _activation(layer, z, derivative, r, forms), derivative))
        a = passed[-1].a
    return passed


def _pre_activation(layer: PlainLayer, w: Bounded, a: Bounded, r: Rounding) -> Bounded:
    """Bound z = b + Σ_k w_jk a_k (8)."""
    b, magnitudes = layer.b.astype(np.float64)[..., None, :], transposed(w.size)
    z = a.value @ transposed(w.value) + b
    spread = a.error @ magnitudes
    terms = a.size @ magnitudes + spread + np.abs(b)
    error = spread + r.gamma(w.value.shape[-1] + 1) * terms + r.tiny * (a.support @ transposed(w.support))
    # No error is below 0: their sum is 0 where all are. A product takes less time than a sum of few numbers each.
    known = a.error @ np.ones((w.value.shape[-1], 1)) == 0
    if known.any():
        error = np.where(known & _is_exact_sum(w.value, b, a.value, terms, r), 0, error)
    return overflowing(Bounded(z, error), terms, r)


def _lowest_bit(array: Array) -> Array:
    """Return the exponent q of the lowest set bit of each number, so that it is an odd multiple of 2^q; a large q for 0."""
    significand, exponent = np.frexp(array)
    whole = (significand * 2.0**53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    return np.where(array == 0, 9999, exponent - 53 + lowest)


def _is_exact_sum(w: Array, b: Array, a: Array, terms: Array, r: Rounding) -> Array:
    """Say where every product and every partial sum of z is a number of the dtype, so that any order gives z itself.

    All terms are multiples of 2^q; a sum whose terms' magnitudes stay within 2^digits such multiples is never rounded.
    """
    flat, ends = _lowest_bit(np.concatenate((w, a, b), axis=None)), (w.size, w.size + a.size)
    of_w, of_a = flat[: ends[0]].reshape(w.shape), flat[ends[0] : ends[1]].reshape(a.shape)
    q = flat[ends[1] :].reshape(b.shape)
    for k in range(w.shape[-1]):
        q = np.minimum(q, of_w[..., None, :, k] + of_a[..., k, None])
    return _is_exact(q, terms, r)


def _is_exact(q: Array, magnitude: Array, r: Rounding) -> Array:
    """Say where a multiple of 2^q of this magnitude, or a smaller one, is a number of the dtype."""
    return np.asarray((magnitude <= np.ldexp(1.0, np.minimum(q + r.digits, 1000))) & (q >= r.lowest))


def _activation(layer: PlainLayer, z: Bounded, derivative: Any, r: Rounding, forms: Forms) -> Bounded:
    """Bound a = g(z) (9)."""
    match layer.activation:
        case "identity":
            return z
        case "sigmoid":
            return sigmoid(z, derivative, r, forms)
        case "tanh":
            value = np.tanh(z.value)
            spread = np.where(z.error < 0.5, derivative * z.error * np.exp(2 * z.error), 2)
            local = r.u * np.where(forms.absolute, 2 * SIGMOID, EXP * np.abs(value))
            local = local + r.tiny * nonzero(z.most)
            return Bounded(value, unless_infinite(z, np.minimum(spread + local, 2)))
        case "softmax":
            return _softmax(z, r, forms)
        case "relu" | "leaky_relu" | "prelu":
            return _leaky(layer, z, r)
        case unknown:
            raise NotImplementedError(f"no bound for activation {unknown!r}")


def sigmoid(z: Bounded, derivative: Any, r: Rounding, forms: Forms) -> Bounded:
    """Bound the sigmoid g(z), with g′(z)."""
    value = 1 / (1 + np.exp(-z.value))
    spread = np.where(z.error < 1, derivative * z.error * np.exp(z.error), 1)
    local = SIGMOID * r.u * np.where(forms.absolute, 1, value) + r.tiny
    return Bounded(value, unless_infinite(z, np.minimum(spread + local, 1)))


def sigmoid_derivative(size: Array) -> Array:
    """Return the sigmoid's g′(z) for |z|, in which nothing cancels."""
    e = np.exp(-size)
    return np.asarray(e / (1 + e) ** 2)


def tanh_derivative(size: Array) -> Array:
    """Return tanh's g′(z) for |z|, in which nothing cancels."""
    e = np.exp(-2 * size)
    return np.asarray(4 * e / (1 + e) ** 2)


DERIVATIVES = {"sigmoid": sigmoid_derivative, "tanh": tanh_derivative}


def slope_of(layer: PlainLayer) -> Array:
    """Return the slope for z < 0, 0 for relu, so that it broadcasts against z."""
    slope = layer.slope_of_units()
    return np.zeros(()) if slope is None else slope.astype(np.float64)


def _leaky(layer: PlainLayer, z: Bounded, r: Rounding) -> Bounded:
    """Bound the ReLUs: z above 0, slope · z below."""
    slope = slope_of(layer)
    steep, above = np.abs(slope), z.value > z.error
    value = np.where(z.value > 0, z.value, slope * z.value)
    steepest = np.where(above, 1, np.where(z.value < -z.error, steep, np.maximum(1, steep)))
    # The product slope · z is rounded unless it is known and has few enough digits.
    unrounded, known = above, z.error == 0
    if known.any():
        unrounded = above | (known & _is_exact(_lowest_bit(slope) + _lowest_bit(z.value), np.abs(value), r))
    product = np.where(unrounded, 0, r.u * steep * z.most + r.tiny * nonzero(slope * z.most))
    # A slope above 1 may take z beyond the largest number.
    return overflowing(Bounded(value, steepest * z.error + product), np.abs(value), r)


def softmax_exponents(z: Bounded, r: Rounding, forms: Forms) -> tuple[Array, Array]:
    """Return p, and for each logit the exponent's error in computing e^{z_j − max} (or, naive, e^{log p_j}) from z."""
    below = z.value.max(axis=-1, keepdims=True) - z.value
    e = np.exp(-below)
    total = e.sum(axis=-1, keepdims=True)
    below = below + 2 * z.error.max(axis=-1, keepdims=True)
    rounded = r.u * below + EXP * r.u
    # log-softmax and its exponential: log Σ with its own error, two more subtractions on numbers up to |log p|.
    of_logarithm = 2 * r.u * (below + np.log(total) + 1) + EXP * r.u * np.log(total)
    # log Σ e^z of the logits as they are, the largest added again: its rounding is that of the largest |z|.
    of_largest = 4 * r.u * np.abs(z.value).max(axis=-1, keepdims=True)
    return e / total, rounded + np.where(forms.cancels, of_logarithm, 0) + np.where(forms.absolute, of_largest, 0)


def _softmax(z: Bounded, r: Rounding, forms: Forms) -> Bounded:
    p, rounded = softmax_exponents(z, r, forms)
    relative = np.expm1(rounded + z.error)
    of_sum = (p * relative).sum(axis=-1, keepdims=True) + r.gamma(z.value.shape[-1] + 2)
    small = (relative < 0.25).all(axis=-1, keepdims=True)
    error = np.where(small, p * (relative + of_sum) / (1 - np.where(small, of_sum, 0)) + r.tiny, 1)
    # A softmax of one unit is e^0 / e^0 = 1.
    error = np.where(forms.cancels | (z.value.shape[-1] > 1), np.minimum(error, 1), 0)
    return Bounded(p, unless_infinite(Bounded(z.value, z.error.max(axis=-1, keepdims=True)), error))
