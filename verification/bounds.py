"""How far a right answer may lie from the exact one: a running rounding-error analysis of the forward and the backward pass.

Every bound is on |computed − exact| for the inputs as they are. It holds for sums in any order, with or without fused
multiply-add, and is carried from layer to layer:

* standard model: fl(x op y) = (x op y)(1 + δ), |δ| <= u, plus at most `tiny` where a result underflows;
* a sum of n products errs by at most γ_n Σ|terms|, γ_n = n u / (1 − n u);
* exp, log and tanh err by at most 4 ULP = 8u (what NumPy and torch promise for their vector forms);
* at a kink nearer than the bound on z, either side's slope is right;
* where every product and partial sum of (8) is a number of the dtype, z is exact, and a kink is hit exactly or not at all;
* a bound of 0 stays 0: what is exactly zero must be exactly zero;
* where something may overflow the bound is infinite: not comparable.

Three forms differ in what cancels: the stable one (handgrad's matrix form), the naive one that keeps the notes' letters,
1 − g and p − y (handgrad's literal form, torch, and most others), and any right one, in which the activation itself may
have been computed from numbers near 1, as (1 + tanh(z/2)) / 2 is, or from larger ones, as e^{z − log Σ e^z} is.

Source: Higham (2002), *Accuracy and Stability of Numerical Algorithms*, 2nd ed., sections 2.2, 3.1–3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.problem import Layer, Problem

Array = npt.NDArray[Any]

# Errors of one elementary function, and of the short formulas built on it, in units of u. Each is the sum over its
# operations: exp 8; 1 + e and a division 2, and e's own error at most once more; a product 1.
EXP = 8
SIGMOID = 2 * EXP
STABLE_DERIVATIVE = 4 * EXP


@dataclass(frozen=True)
class Rounding:
    """What the dtype does to results: unit roundoff u, smallest normal number, largest number, digits of the significand."""

    u: float
    tiny: float
    largest: float
    digits: int

    def gamma(self, n: float) -> float:
        """Return γ_n = n u / (1 − n u)."""
        return n * self.u / (1 - n * self.u)


def rounding(dtype: np.dtype[Any]) -> Rounding:
    """Return the rounding of float32 or float64."""
    kind = np.finfo(dtype)
    return Rounding(float(kind.eps) / 2, float(kind.tiny), float(kind.max), kind.nmant + 1)


@dataclass(frozen=True, eq=False)
class Bounded:
    """Values near the exact ones, and the bound on how far a computed result lies from exact.

    The values are the same for every form; the errors have one axis more in front, with an entry for each form, or with one
    for all where the forms do not differ yet.
    """

    value: Array
    error: Array

    @property
    def most(self) -> Array:
        """The largest magnitude that the computed or the exact number can have."""
        return np.abs(self.value) + self.error


@dataclass(frozen=True)
class Form:
    """How a right computation may go about it.

    Parameters
    ----------
    cancels : bool
        1 − g and p − y are subtractions, so that their absolute error stays where they are near 0.
    absolute : bool
        g itself has an absolute error of a few u, not a relative one.
    open_kinks : bool
        At a kink hit exactly, either side's slope and any between are right.
    """

    cancels: bool = False
    absolute: bool = False
    open_kinks: bool = False


STABLE = Form()
NAIVE = Form(cancels=True)
ANY = Form(cancels=True, absolute=True)
ANY_CONVENTION = Form(cancels=True, absolute=True, open_kinks=True)


@dataclass(frozen=True, eq=False)
class _Forms:
    """Several forms at once: each property as truth values of shape (F, 1, …, 1), to choose between errors by."""

    cancels: Array
    absolute: Array
    open_kinks: Array


@dataclass(frozen=True, eq=False)
class _Forward:
    """One layer of the forward pass."""

    layer: Layer
    a_prev: Bounded
    z: Bounded
    a: Bounded


def bounds(problem: Problem, form: Form) -> dict[str, Array]:
    """Return the bound on |computed − exact| of every quantity.

    Parameters
    ----------
    problem : Problem
        With any leading axes (…).
    form : Form
        STABLE, NAIVE, ANY or ANY_CONVENTION.

    Returns
    -------
    dict of str to ndarray
        Under the names of `oracles.autograd`, in the same shapes, 64 bits; inf where overflow makes numbers incomparable.

    Notes
    -----
    The bound is computed from values of its own in float64. For float32 problems these are as good as exact; for
    float64 the magnitudes are increased by the bound itself.
    """
    return bounds_of_forms(problem, [form])[0]


def bounds_of_forms(problem: Problem, forms: Sequence[Form]) -> list[dict[str, Array]]:
    """Return the bounds of several forms, for little more time than those of one.

    Parameters
    ----------
    problem : Problem
        With any leading axes (…).
    forms : sequence of Form
        At least one.

    Returns
    -------
    list of dict of str to ndarray
        For each form what `bounds` returns. Not to be written to: forms may share arrays.
    """
    r = rounding(problem.dtype)
    of_arrays = (len(forms), *[1] * problem.x.ndim)

    def values(name: str) -> Array:
        return np.array([getattr(form, name) for form in forms]).reshape(of_arrays)

    chosen = _Forms(values("cancels"), values("absolute"), values("open_kinks"))
    with np.errstate(all="ignore"):
        found = _backward(problem, _forward(problem, r, chosen), r, chosen)
    allowed = {name: np.where(np.isnan(error), np.inf, error) for name, error in found.items()}
    return [{name: np.asarray(error[place % len(error)]) for name, error in allowed.items()} for place in range(len(forms))]


def both_bounds(problem: Problem) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the bounds of the stable and of the naive form."""
    stable, naive = bounds_of_forms(problem, [STABLE, NAIVE])
    return stable, naive


def _forward(problem: Problem, r: Rounding, forms: _Forms) -> list[_Forward]:
    x = problem.x.astype(np.float64)
    a = Bounded(x, np.zeros((1, *x.shape)))
    passed = []
    for layer in problem.layers:
        z = _pre_activation(layer, a, r)
        passed.append(_Forward(layer, a, z, _activation(layer, z, r, forms)))
        a = passed[-1].a
    return passed


def _nonzero(array: Array) -> Array:
    return np.asarray(array != 0, np.float64)


def _transposed(array: Array) -> Array:
    return np.swapaxes(array, -1, -2)


def _pre_activation(layer: Layer, a: Bounded, r: Rounding) -> Bounded:
    """Bound z = b + Σ_k w_jk a_k (8)."""
    w, b = layer.w.astype(np.float64), layer.b.astype(np.float64)[..., None, :]
    w_t, magnitudes = _transposed(w), _transposed(np.abs(w))
    z = a.value @ w_t + b
    spread = a.error @ magnitudes
    terms = np.abs(a.value) @ magnitudes + spread + np.abs(b)
    error = spread + r.gamma(w.shape[-1] + 1) * terms + r.tiny * (_nonzero(a.most) @ _nonzero(w_t))
    error = np.where(_is_exact_sum(w, b, a, terms, r), 0, error)
    return _overflowing(Bounded(z, error), terms, r)


def _lowest_bit(array: Array) -> Array:
    """Return the exponent q of the lowest set bit of each number, so that it is an odd multiple of 2^q; a large q for 0."""
    significand, exponent = np.frexp(array)
    whole = (significand * 2.0**53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    return np.where(array == 0, 9999, exponent - 53 + lowest)


def _is_exact_sum(w: Array, b: Array, a: Bounded, terms: Array, r: Rounding) -> Array:
    """Say where every product and every partial sum of z is a number of the dtype, so that any order gives z itself.

    All terms are multiples of 2^q; a sum whose terms' magnitudes stay within 2^digits such multiples is never rounded.
    """
    known = (a.error == 0).all(axis=-1)[..., None]
    if not known.any():
        return np.broadcast_to(False, terms.shape)
    bits = _lowest_bit(w)[..., None, :, :] + _lowest_bit(a.value)[..., :, None, :]
    q = np.minimum(bits.min(axis=-1), _lowest_bit(b))
    fits = (terms <= np.ldexp(1.0, np.minimum(q + r.digits, 1000))) & (q >= np.log2(r.tiny))
    return np.asarray(known & fits)


def _activation(layer: Layer, z: Bounded, r: Rounding, forms: _Forms) -> Bounded:
    """Bound a = g(z) (9)."""
    match layer.activation:
        case "identity":
            return z
        case "sigmoid":
            value = 1 / (1 + np.exp(-z.value))
            spread = np.where(z.error < 1, _sigmoid_derivative(z.value) * z.error * np.exp(z.error), 1)
            local = SIGMOID * r.u * np.where(forms.absolute, 1, value) + r.tiny
            return Bounded(value, _unless_infinite(z, np.minimum(spread + local, 1)))
        case "tanh":
            value = np.tanh(z.value)
            spread = np.where(z.error < 0.5, _tanh_derivative(z.value) * z.error * np.exp(2 * z.error), 2)
            local = r.u * np.where(forms.absolute, 2 * SIGMOID, EXP * np.abs(value))
            local = local + r.tiny * _nonzero(z.most)
            return Bounded(value, _unless_infinite(z, np.minimum(spread + local, 2)))
        case "softmax":
            return _softmax(z, r, forms)
        case _:
            return _leaky(layer, z, r)


def _unless_infinite(z: Bounded, error: Array) -> Array:
    """Return the error of g(z), which is in a bounded range; but of a z that may overflow even g may be no number."""
    return np.where(np.isfinite(z.error), error, np.inf)


def _sigmoid_derivative(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return np.asarray(e / (1 + e) ** 2)


def _tanh_derivative(z: Array) -> Array:
    e = np.exp(-2 * np.abs(z))
    return np.asarray(4 * e / (1 + e) ** 2)


def _slope(layer: Layer) -> Array:
    slope = layer.slope_of_units()
    return np.zeros(()) if slope is None else slope.astype(np.float64)


def _leaky(layer: Layer, z: Bounded, r: Rounding) -> Bounded:
    """Bound the ReLUs: z above 0, slope · z below."""
    slope = np.broadcast_to(_slope(layer), z.value.shape)
    value = np.where(z.value > 0, z.value, slope * z.value)
    steepest = np.where(z.value > z.error, 1, np.where(z.value < -z.error, np.abs(slope), np.maximum(1, np.abs(slope))))
    # The product slope · z is rounded unless it is known and has few enough digits.
    bits = _lowest_bit(slope) + _lowest_bit(z.value)
    exact = (z.error == 0) & (np.abs(value) <= np.ldexp(1.0, np.minimum(bits + r.digits, 1000))) & (bits >= np.log2(r.tiny))
    product = np.where((z.value > z.error) | exact, 0, r.u * np.abs(slope) * z.most + r.tiny * _nonzero(slope * z.most))
    # A slope above 1 may take z beyond the largest number.
    return _overflowing(Bounded(value, steepest * z.error + product), np.abs(value), r)


def _softmax_exponents(z: Bounded, r: Rounding, forms: _Forms) -> tuple[Array, Array]:
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


def _softmax(z: Bounded, r: Rounding, forms: _Forms) -> Bounded:
    p, rounded = _softmax_exponents(z, r, forms)
    relative = np.expm1(rounded + z.error)
    of_sum = (p * relative).sum(axis=-1, keepdims=True) + r.gamma(z.value.shape[-1] + 2)
    small = (relative < 0.25).all(axis=-1, keepdims=True)
    error = np.where(small, p * (relative + of_sum) / (1 - np.where(small, of_sum, 0)) + r.tiny, 1)
    # A softmax of one unit is e^0 / e^0 = 1.
    error = np.where(forms.cancels | (z.value.shape[-1] > 1), np.minimum(error, 1), 0)
    return Bounded(p, _unless_infinite(Bounded(z.value, z.error.max(axis=-1, keepdims=True)), error))


def _backward(problem: Problem, passed: list[_Forward], r: Rounding, forms: _Forms) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for number, forward in enumerate(passed, start=1):
        found[f"z{number}"], found[f"a{number}"] = forward.z.error, forward.a.error
    count = problem.x.shape[-2]
    share = 1 / count if problem.reduction == "mean" else 1.0
    found["loss"] = _loss(problem, passed[-1], share, r, forms)

    dL_da: Bounded | None = None
    if problem.loss == "squared_error":
        a, y = passed[-1].a, problem.targets()
        difference = a.value - y
        dL_da = Bounded(2 * share * difference, 2 * share * (a.error + 4 * r.u * (np.abs(difference) + a.error)))
        # 2 (a − y) may overflow where its share of 1/N does not; whoever divides first has a number there.
        dL_da = _overflowing(dL_da, 2 * (np.abs(difference) + a.error), r)
    backward: list[dict[str, Array]] = []
    for number, forward in reversed(list(enumerate(passed, start=1))):
        layer, a_prev, z = forward.layer, forward.a_prev, forward.z
        names: dict[str, Array] = {}
        if dL_da is None:
            dL_dz = _joined(forward, problem.targets(), share, r, forms)
        else:
            names[f"dL_da{number}"] = dL_da.error
            if layer.activation == "softmax":
                names[f"da_dz{number}"] = _jacobian(forward, r, forms)
                dL_dz = _softmax_backward(forward, dL_da, r, forms)
            else:
                da_dz = _derivative(layer, z, forward.a, r, forms)
                names[f"da_dz{number}"] = da_dz.error
                dL_dz = _product(da_dz, dL_da, r)
        names[f"dL_dz{number}"] = dL_dz.error
        names[f"w{number}"] = _sum_of_products(_swapped(dL_dz), a_prev, count, r).error
        names[f"b{number}"] = _sum(dL_dz, -2, count, r).error
        if layer.learned and dL_da is not None:
            below = Bounded(np.minimum(z.value, 0), np.where(z.value < z.error, z.error, 0))
            of_units = _product(below, dL_da, r)
            n = layer.b.shape[-1]
            names[f"alpha{number}"] = (
                _sum(of_units, (-2, -1), count * n, r) if layer.shared else _sum(of_units, -2, count, r)
            ).error
        w = layer.w.astype(np.float64)
        dL_da = _sum_of_products(dL_dz, Bounded(w, np.zeros_like(w)), w.shape[-2], r)
        backward.append(names)
    for names in backward:
        found |= names
    if dL_da is not None:
        found["x"] = dL_da.error
    return found


def _overflowing(result: Bounded, magnitude: Array, r: Rounding) -> Bounded:
    """Make the bound infinite where a number of this magnitude, with its error, may be beyond the largest."""
    return Bounded(result.value, np.where(magnitude + result.error < r.largest, result.error, np.inf))


def _swapped(matrix: Bounded) -> Bounded:
    return Bounded(_transposed(matrix.value), _transposed(matrix.error))


def _product(p: Bounded, q: Bounded, r: Rounding) -> Bounded:
    """Bound p · q, element by element."""
    error = np.abs(p.value) * q.error + p.error * q.most + 2 * r.u * p.most * q.most
    # 0 · inf is no number: where one factor is exactly 0 the product is, unless the other may be infinite.
    error = error + r.tiny * _nonzero(p.most) * _nonzero(q.most)
    return _overflowing(Bounded(p.value * q.value, error), p.most * q.most, r)


def _sum_of_products(p: Bounded, q: Bounded, terms: int, r: Rounding) -> Bounded:
    """Bound the matrix product p q, each element a sum of so many terms."""
    p_value, q_most = np.abs(p.value), q.most
    spread = p_value @ q.error + p.error @ q_most
    magnitude = p_value @ np.abs(q.value) + spread
    error = spread + r.gamma(terms + 1) * magnitude + r.tiny * (_nonzero(p.most) @ _nonzero(q_most))
    return _overflowing(Bounded(p.value @ q.value, error), magnitude, r)


def _sum(p: Bounded, axis: int | tuple[int, int], terms: int, r: Rounding) -> Bounded:
    magnitude = p.most.sum(axis=axis)
    error = p.error.sum(axis=axis) + r.gamma(terms) * magnitude
    return _overflowing(Bounded(p.value.sum(axis=axis), error), magnitude, r)


def _derivative(layer: Layer, z: Bounded, a: Bounded, r: Rounding, forms: _Forms) -> Bounded:
    """Bound da/dz (12), and each activation's own."""
    match layer.activation:
        case "identity":
            return Bounded(np.ones_like(z.value), np.zeros_like(z.error))
        case "sigmoid":
            derivative, steepness = _sigmoid_derivative, 1
            # g (1 − g) keeps the error of g, however small 1 − g is.
            naive = (SIGMOID + 4) * r.u * a.most + np.where(forms.absolute, a.error, 0)
        case "tanh":
            derivative, steepness = _tanh_derivative, 2
            naive = (2 * EXP + 4) * r.u * a.most**2 + np.where(forms.absolute, 2 * a.error * a.most, 0)
        case _:
            slope = np.broadcast_to(_slope(layer), z.value.shape)
            value = np.where(z.value > 0, 1, slope)
            either = (np.abs(z.value) <= z.error) & ((z.error > 0) | forms.open_kinks)
            return Bounded(value, np.where(either, np.abs(1 - slope), 0))
    # Within e of z, g′ changes by a factor of at most e^{steepness · e}, and is nowhere larger than nearest to 0.
    value, nearest = derivative(z.value), derivative(np.maximum(np.abs(z.value) - z.error, 0))
    spread = np.where(z.error < 0.25, value * np.expm1(steepness * np.minimum(z.error, 1)), nearest)
    local = np.where(forms.cancels, naive + 4 * r.u * (value + spread), STABLE_DERIVATIVE * r.u * (value + spread))
    return Bounded(value, _unless_infinite(z, spread + local + r.tiny))


def _others(p: Array) -> Array:
    """Return Σ_{i≠j} p_i for each j, without cancellation."""
    n = p.shape[-1]
    return np.asarray(p @ (1 - np.eye(n)))


def _joined(forward: _Forward, y: Array, share: float, r: Rounding, forms: _Forms) -> Bounded:
    """Bound dL/dz = p − y of softmax with cross-entropy."""
    p, classes = forward.a, y.shape[-1]
    rising, falling = p.most * _others(y), y * _others(p.most)
    stable = r.gamma(2 * classes + 8) * (rising + falling) + p.error * _others(y) + y * _others(p.error)
    total = y.sum(axis=-1, keepdims=True)
    naive = p.error * total + r.gamma(classes + 8) * (p.most * total + y)
    error = np.where(forms.cancels, naive, stable) + r.tiny * (_nonzero(rising) + _nonzero(falling))
    return Bounded(share * (p.value * _others(y) - y * _others(p.value)), share * error)


def _jacobian(forward: _Forward, r: Rounding, forms: _Forms) -> Array:
    """Bound softmax's da_j/dz_i = a_j (δ_ji − a_i)."""
    a = forward.a
    n = a.value.shape[-1]
    p, e = a.value, a.error
    off = (
        p[..., :, None] * e[..., None, :]
        + e[..., :, None] * (p + e)[..., None, :]
        + 4 * r.u * (p[..., :, None] * p[..., None, :])
    )
    rest, rest_error = _others(p), _others(e)
    diagonal = p * rest_error + e * (rest + rest_error) + r.gamma(2 * n + 8) * p * rest
    diagonal = diagonal + np.where(forms.cancels, e * (p + e) + 4 * r.u * p, 0)
    error = off * (1 - np.eye(n)) + diagonal[..., None] * np.eye(n)
    return np.where(forms.cancels[..., None] | (n > 1), error + r.tiny, 0)


def _softmax_backward(forward: _Forward, dL_da: Bounded, r: Rounding, forms: _Forms) -> Bounded:
    """Bound dL/dz_i = a_i Σ_j a_j (dL/da_i − dL/da_j)."""
    a = forward.a
    p, v, n = a.value, dL_da.value, a.value.shape[-1]
    differences = v[..., :, None] - v[..., None, :]
    mean_difference = (p[..., None, :] * differences).sum(axis=-1)

    # The stable form: every dL/da_j counts from that of the largest probability, whose own is then exactly 0.
    reach = np.abs(differences).max(axis=(-1, -2))[..., None] + 2 * dL_da.error.max(axis=-1, keepdims=True)
    largest = np.arange(n) == p.argmax(axis=-1)[..., None]
    others = np.where(largest, 0, p)
    others_error = np.where(largest, 0, a.error)
    shifted = np.where(largest, 0, np.abs(v - np.take_along_axis(v, p.argmax(axis=-1)[..., None], axis=-1)))
    inner = (others_error * reach + r.gamma(n + 6) * others * reach).sum(axis=-1, keepdims=True)
    moved = dL_da.error * _others(a.most) + _others(a.most * dL_da.error)
    stable = (p + a.error) * (inner + moved + 4 * r.u * (shifted + others.sum(axis=-1, keepdims=True) * reach))
    stable = stable + a.error * np.abs(mean_difference)

    most = dL_da.most
    inner = ((a.error + r.gamma(n + 8) * (p + a.error)) * most).sum(axis=-1, keepdims=True)
    mean = (a.most * most).sum(axis=-1, keepdims=True)
    moved = dL_da.error + (a.most * dL_da.error).sum(axis=-1, keepdims=True)
    naive = (p + a.error) * (inner + moved + 8 * r.u * (most + mean)) + a.error * (most + mean)

    magnitude = np.where(forms.cancels, most.max(axis=-1, keepdims=True) * n, reach)
    zero = (magnitude == 0) | (~forms.cancels & (n == 1))
    error = np.where(zero, 0, np.where(forms.cancels, naive, stable) + r.tiny)
    return _overflowing(Bounded(p * mean_difference, error), magnitude + 0 * p, r)


def _loss(problem: Problem, last: _Forward, share: float, r: Rounding, forms: _Forms) -> Array:
    """Bound the loss (10), (2), summed over the examples."""
    y = problem.targets()
    count, n = y.shape[-2:]
    if problem.loss == "squared_error":
        difference = Bounded(last.a.value - y, last.a.error)
        of_units = _product(difference, difference, r)
        # Twice u for the difference itself, which enters twice.
        of_units = Bounded(of_units.value, of_units.error + 4 * r.u * difference.most**2)
        total = _sum(of_units, (-2, -1), count * n + 3, r)
        return share * total.error
    z = last.z
    below = z.value.max(axis=-1, keepdims=True) - z.value
    p, rounded = _softmax_exponents(z, r, forms)
    relative = np.expm1(rounded)
    largest = np.arange(n) == z.value.argmax(axis=-1)[..., None]
    powers = np.where(largest, 0, np.exp(-below))
    rest = powers.sum(axis=-1, keepdims=True)
    logarithm = np.log1p(rest)
    of_examples = (y * (below + logarithm)).sum(axis=-1, keepdims=True)
    # How far the loss moves with z: |p_k Σ y − y_k| for each logit, with p's own spread.
    total_y = y.sum(axis=-1, keepdims=True)
    moved = ((p * _others(y) + y * _others(p) + total_y * last.a.error) * z.error).sum(axis=-1, keepdims=True)
    of_rest = ((powers * relative).sum(axis=-1, keepdims=True) + r.gamma(n) * rest) / (1 + rest)
    local = r.gamma(n + 8) * (of_examples + moved) + total_y * (of_rest + EXP * r.u * logarithm)
    # The naive form computes log Σ and −log p from numbers near 1: an absolute error remains, however small the loss.
    spread = (p * relative).sum(axis=-1, keepdims=True) + r.gamma(n + 8)
    of_terms = (y * (relative + (EXP + 4) * r.u * (below + logarithm))).sum(axis=-1, keepdims=True)
    local = local + np.where(forms.cancels, of_terms + total_y * spread, 0)
    error = np.where(np.isfinite(z.error).all(axis=-1, keepdims=True), moved + local, np.inf)
    summed = error.sum(axis=(-2, -1)) + r.gamma(count + 2) * of_examples.sum(axis=(-2, -1))
    magnitude = np.asarray(of_examples.sum(axis=(-2, -1)) + below.max(axis=(-2, -1)))
    return np.where(magnitude < r.largest, share * summed + r.tiny * _nonzero(magnitude), np.inf)
