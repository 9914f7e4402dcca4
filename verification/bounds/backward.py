"""The backward pass with its rounding errors: the loss, dL/da, da/dz, dL/dz, dL/dw, dL/db, dL/dα and dL/dx."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.forward import DERIVATIVES, Forward, sigmoid, slope_of, softmax_exponents
from verification.bounds.rounding import (
    EXP,
    SIGMOID,
    STABLE_DERIVATIVE,
    Bounded,
    Forms,
    Rounding,
    error_of_products,
    error_of_sum,
    nonzero,
    others,
    overflowing,
    product,
    unless_infinite,
)
from verification.random_networks.plain import PlainCase

Array = npt.NDArray[Any]


def backward(plain: PlainCase, passed: list[Forward], r: Rounding, forms: Forms) -> dict[str, Array]:
    """Return the bound of every quantity, forward and backward, under the oracles' names."""
    found: dict[str, Array] = {}
    for number, forward in enumerate(passed, start=1):
        found[f"z{number}"], found[f"a{number}"] = forward.z.error, forward.a.error
    count = plain.x.shape[-2]
    share = 1 / count if plain.reduction == "mean" else 1.0
    found["loss"] = _loss(plain, passed[-1], share, r, forms)

    dL_da: Bounded | None = None
    if plain.loss == "squared_error":
        a, y = passed[-1].a, plain.targets()
        difference = a.value - y
        dL_da = Bounded(2 * share * difference, 2 * share * (a.error + 4 * r.u * (np.abs(difference) + a.error)))
        # 2 (a − y) may overflow where its share of 1/N does not; whoever divides first has a number there.
        dL_da = overflowing(dL_da, 2 * (np.abs(difference) + a.error), r)
    backward: list[dict[str, Array]] = []
    for number, forward in reversed(list(enumerate(passed, start=1))):
        layer, a_prev, z = forward.layer, forward.a_prev, forward.z
        names: dict[str, Array] = {}
        if dL_da is None:
            joined = _a_minus_y if plain.loss == "binary_cross_entropy" else _joined
            dL_dz = joined(forward, plain.targets(), share, r, forms)
        else:
            names[f"dL_da{number}"] = dL_da.error
            if layer.activation == "softmax":
                names[f"da_dz{number}"] = _jacobian(forward, r, forms)
                dL_dz = _softmax_backward(forward, dL_da, r, forms)
            else:
                da_dz = _derivative(forward, r, forms)
                names[f"da_dz{number}"] = da_dz.error
                dL_dz = product(da_dz, dL_da, r)
        names[f"dL_dz{number}"] = dL_dz.error
        names[f"w{number}"] = error_of_products(dL_dz, a_prev, count, r, turned=True)
        names[f"b{number}"] = error_of_sum(dL_dz, -2, count, r)
        if layer.learned and dL_da is not None:
            below = Bounded(np.minimum(z.value, 0), np.where(z.value < z.error, z.error, 0))
            of_units = product(below, dL_da, r)
            n = layer.b.shape[-1]
            axes, terms = ((-2, -1), count * n) if layer.shared else (-2, count)
            names[f"alpha{number}"] = error_of_sum(of_units, axes, terms, r)
        w = forward.w
        dL_da = Bounded(dL_dz.value @ w.value, error_of_products(dL_dz, w, w.value.shape[-2], r))
        backward.append(names)
    for names in backward:
        found |= names
    if dL_da is not None:
        found["x"] = dL_da.error
    return found


def _derivative(forward: Forward, r: Rounding, forms: Forms) -> Bounded:
    """Bound da/dz (12), and each activation's own."""
    layer, z, a = forward.layer, forward.z, forward.a
    match layer.activation:
        case "identity":
            return Bounded(np.ones_like(z.value), np.zeros_like(z.error))
        case "sigmoid":
            steepness = 1
            # g (1 − g) keeps the error of g, however small 1 − g is.
            naive = (SIGMOID + 4) * r.u * a.most + np.where(forms.absolute, a.error, 0)
        case "tanh":
            steepness = 2
            naive = (2 * EXP + 4) * r.u * a.most**2 + np.where(forms.absolute, 2 * a.error * a.most, 0)
        case "relu" | "leaky_relu" | "prelu":
            slope = slope_of(layer)
            value = np.where(z.value > 0, 1, slope)
            either = (z.size <= z.error) & ((z.error > 0) | forms.open_kinks)
            return Bounded(value, np.where(either, np.abs(1 - slope), 0))
    # Within e of z, g′ changes by a factor of at most e^{steepness · e}, and is nowhere larger than nearest to 0.
    assert forward.derivative is not None
    value, nearest = forward.derivative, DERIVATIVES[layer.activation](np.maximum(z.size - z.error, 0))
    spread = np.where(z.error < 0.25, value * np.expm1(steepness * np.minimum(z.error, 1)), nearest)
    local = np.where(forms.cancels, naive + 4 * r.u * (value + spread), STABLE_DERIVATIVE * r.u * (value + spread))
    return Bounded(value, unless_infinite(z, spread + local + r.tiny))


def _joined(forward: Forward, y: Array, share: float, r: Rounding, forms: Forms) -> Bounded:
    """Bound dL/dz = p − y of softmax with cross-entropy."""
    p, classes = forward.a, y.shape[-1]
    rising, falling = p.most * others(y), y * others(p.most)
    stable = r.gamma(2 * classes + 8) * (rising + falling) + p.error * others(y) + y * others(p.error)
    total = y.sum(axis=-1, keepdims=True)
    naive = p.error * total + r.gamma(classes + 8) * (p.most * total + y)
    error = np.where(forms.cancels, naive, stable) + r.tiny * (nonzero(rising) + nonzero(falling))
    return Bounded(share * (p.value * others(y) - y * others(p.value)), share * error)


def _a_minus_y(forward: Forward, y: Array, share: float, r: Rounding, forms: Forms) -> Bounded:
    """Bound dL/dz = a − y of sigmoid with binary cross-entropy, in the stable form a (1 − y) − y (1 − a)."""
    a, rest = forward.a, _rest(forward, r, forms)
    rising, falling = a.most * (1 - y), y * rest.most
    stable = a.error * (1 - y) + y * rest.error + r.gamma(6) * (rising + falling)
    naive = a.error + r.gamma(6) * (a.most + y)
    # −y/a + (1 − y)/(1 − a) times g′ keeps the relative error of a and of 1 − a.
    by_quotients = (1 - y) * a.value * _lost(a.error + r.u, rest.value) + y * rest.value * _lost(a.error + r.u, a.value)
    error = np.where(forms.cancels, naive, stable) + np.where(forms.absolute, by_quotients, 0) + 2 * r.tiny
    return Bounded(share * (a.value * (1 - y) - y * rest.value), share * error)


def _rest(forward: Forward, r: Rounding, forms: Forms) -> Bounded:
    """Bound 1 − a = g(−z) of a sigmoid, whose g′ is that at z."""
    return sigmoid(Bounded(-forward.z.value, forward.z.error), forward.derivative, r, forms)


def _lost(error: Array, p: Array) -> Array:
    """Return the relative error of a probability with this error; 0 where no digit is left, and only others' ways are right."""
    return np.where(error < p / 4, error / np.maximum(p - error, np.finfo(float).tiny), 0)


def _jacobian(forward: Forward, r: Rounding, forms: Forms) -> Array:
    """Bound softmax's da_j/dz_i = a_j (δ_ji − a_i)."""
    a = forward.a
    n = a.value.shape[-1]
    p, e = a.value, a.error
    off = (
        p[..., :, None] * e[..., None, :]
        + e[..., :, None] * (p + e)[..., None, :]
        + 4 * r.u * (p[..., :, None] * p[..., None, :])
    )
    rest, rest_error = others(p), others(e)
    diagonal = p * rest_error + e * (rest + rest_error) + r.gamma(2 * n + 8) * p * rest
    diagonal = diagonal + np.where(forms.cancels, e * (p + e) + 4 * r.u * p, 0)
    error = off * (1 - np.eye(n)) + diagonal[..., None] * np.eye(n)
    return np.where(forms.cancels[..., None] | (n > 1), error + r.tiny, 0)


def _softmax_backward(forward: Forward, dL_da: Bounded, r: Rounding, forms: Forms) -> Bounded:
    """Bound dL/dz_i = a_i Σ_j a_j (dL/da_i − dL/da_j)."""
    a = forward.a
    p, v, n = a.value, dL_da.value, a.value.shape[-1]
    differences = v[..., :, None] - v[..., None, :]
    mean_difference = (p[..., None, :] * differences).sum(axis=-1)

    # The stable form: every dL/da_j counts from that of the largest probability, whose own is then exactly 0.
    reach = np.abs(differences).max(axis=(-1, -2))[..., None] + 2 * dL_da.error.max(axis=-1, keepdims=True)
    largest = np.arange(n) == p.argmax(axis=-1)[..., None]
    rest = np.where(largest, 0, p)
    rest_error = np.where(largest, 0, a.error)
    shifted = np.where(largest, 0, np.abs(v - np.take_along_axis(v, p.argmax(axis=-1)[..., None], axis=-1)))
    inner = (rest_error * reach + r.gamma(n + 6) * rest * reach).sum(axis=-1, keepdims=True)
    moved = dL_da.error * others(a.most) + others(a.most * dL_da.error)
    stable = (p + a.error) * (inner + moved + 4 * r.u * (shifted + rest.sum(axis=-1, keepdims=True) * reach))
    stable = stable + a.error * np.abs(mean_difference)

    most = dL_da.most
    inner = ((a.error + r.gamma(n + 8) * (p + a.error)) * most).sum(axis=-1, keepdims=True)
    mean = (a.most * most).sum(axis=-1, keepdims=True)
    moved = dL_da.error + (a.most * dL_da.error).sum(axis=-1, keepdims=True)
    naive = (p + a.error) * (inner + moved + 8 * r.u * (most + mean)) + a.error * (most + mean)

    magnitude = np.where(forms.cancels, most.max(axis=-1, keepdims=True) * n, reach)
    zero = (magnitude == 0) | (~forms.cancels & (n == 1))
    error = np.where(zero, 0, np.where(forms.cancels, naive, stable) + r.tiny)
    return overflowing(Bounded(p * mean_difference, error), magnitude + 0 * p, r)


def _loss(plain: PlainCase, last: Forward, share: float, r: Rounding, forms: Forms) -> Array:
    """Bound the loss (10), (1)–(2), summed over the examples."""
    y = plain.targets()
    count, n = y.shape[-2:]
    if plain.loss == "squared_error":
        difference = Bounded(last.a.value - y, last.a.error)
        of_units = product(difference, difference, r)
        # Twice u for the difference itself, which enters twice.
        of_units = Bounded(of_units.value, of_units.error + 4 * r.u * difference.most**2)
        return share * error_of_sum(of_units, (-2, -1), count * n + 3, r)
    if plain.loss == "binary_cross_entropy":
        return _binary_loss(last, y, share, r, forms)
    z = last.z
    below = z.value.max(axis=-1, keepdims=True) - z.value
    p, rounded = softmax_exponents(z, r, forms)
    relative = np.expm1(rounded)
    largest = np.arange(n) == z.value.argmax(axis=-1)[..., None]
    powers = np.where(largest, 0, np.exp(-below))
    rest = powers.sum(axis=-1, keepdims=True)
    logarithm = np.log1p(rest)
    of_examples = (y * (below + logarithm)).sum(axis=-1, keepdims=True)
    # How far the loss moves with z: |p_k Σ y − y_k| for each logit, with p's own spread.
    total_y = y.sum(axis=-1, keepdims=True)
    moved = ((p * others(y) + y * others(p) + total_y * last.a.error) * z.error).sum(axis=-1, keepdims=True)
    of_rest = ((powers * relative).sum(axis=-1, keepdims=True) + r.gamma(n) * rest) / (1 + rest)
    local = r.gamma(n + 8) * (of_examples + moved) + total_y * (of_rest + EXP * r.u * logarithm)
    # The naive form computes log Σ and −log p from numbers near 1: an absolute error remains, however small the loss.
    spread = (p * relative).sum(axis=-1, keepdims=True) + r.gamma(n + 8)
    of_terms = (y * (relative + (EXP + 4) * r.u * (below + logarithm))).sum(axis=-1, keepdims=True)
    local = local + np.where(forms.cancels, of_terms + total_y * spread, 0)
    error = np.where(np.isfinite(z.error).all(axis=-1, keepdims=True), moved + local, np.inf)
    summed = error.sum(axis=(-2, -1)) + r.gamma(count + 2) * of_examples.sum(axis=(-2, -1))
    magnitude = np.asarray(of_examples.sum(axis=(-2, -1)) + below.max(axis=(-2, -1)))
    return np.where(magnitude < r.largest, share * summed + r.tiny * nonzero(magnitude), np.inf)


def _binary_loss(last: Forward, y: Array, share: float, r: Rounding, forms: Forms) -> Array:
    """Bound the loss (1) of each unit's yes or no, summed over units and examples."""
    z, a, rest = last.z, last.a, _rest(last, r, forms)
    size = np.abs(z.value)
    far, logarithm = size * np.where(z.value > 0, 1 - y, y), np.log1p(np.exp(-size))
    of_units = far + logarithm
    # How far the loss moves with z: |a − y| for each unit, with a's own spread.
    moved = (np.abs(a.value * (1 - y) - y * rest.value) + a.error) * z.error
    local = 3 * r.u * far + 2 * EXP * r.u * logarithm + 2 * r.tiny
    # The naive form is −log of a probability with its own relative error, or a difference of numbers as large as |z|.
    naive = (SIGMOID + 2) * r.u + (EXP + 2) * r.u * (size + logarithm)
    by_probabilities = y * _lost(a.error + r.u, a.value) + (1 - y) * _lost(a.error + r.u, rest.value)
    local = local + np.where(forms.cancels, naive, 0) + np.where(forms.absolute, by_probabilities, 0)
    error = np.where(np.isfinite(z.error), moved + local, np.inf)
    count, n = y.shape[-2:]
    total = np.asarray(of_units.sum(axis=(-2, -1)))
    summed = error.sum(axis=(-2, -1)) + r.gamma(2 * count * n + 2) * (total + error.sum(axis=(-2, -1)))
    magnitude = np.asarray((size + of_units).sum(axis=(-2, -1)))
    return np.where(magnitude < r.largest, share * summed, np.inf)
