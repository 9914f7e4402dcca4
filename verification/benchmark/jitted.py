"""Backpropagation as one would write it for numba: plain loops, and BLAS for the products that are worth its call.

These are functions of arrays in plain Python until `compiled` hands them to numba. All parameters are one array, and so are all
gradients, which is what a call of a compiled function takes least time for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from verification.benchmark.networks import Array

IDENTITY, SIGMOID, TANH, RELU = range(4)
CODES = {"identity": IDENTITY, "sigmoid": SIGMOID, "tanh": TANH, "relu": RELU}
# A product of fewer multiply-adds is done in loops before BLAS has begun.
FEW = 4096
# Sums may be taken in any order, as BLAS does; NaN and infinity keep their meaning.
FAST = {"reassoc", "contract", "nsz"}

# (θ, a row of n^(l−1), n^l and a code of each layer, x, y) → the loss, and dL/dθ.
Compiled = Callable[[Array, Array, Array, Array], tuple[float, Array]]


@cache
def compiled(loss: str) -> Compiled:
    """Return loss and gradient of networks with one of the two losses; numba compiles for a dtype at the first call.

    Cross-entropy is joined with the softmax before it, whose layer counts as identity; both losses are means over the examples.
    """
    import numba

    jit = numba.njit(fastmath=FAST, error_model="numpy")
    of_outputs = jit({"cross_entropy": _cross_entropy, "squared_error": _squared_error}[loss])
    made: Compiled = jit(_joined(jit(_layer), of_outputs, jit(_of_z), jit(_of_w), jit(_of_a)))
    return made


def _joined(layer: Any, of_outputs: Any, of_z: Any, of_w: Any, of_a: Any) -> Compiled:
    """Return the whole pass, made of these steps: names that numba compiles must be functions that it has compiled."""

    def gradient(theta: Array, layers: Array, x: Array, y: Array) -> tuple[float, Array]:
        count = len(x)
        a, dL_dtheta = np.empty(count * layers[:, 1].sum(), theta.dtype), np.empty_like(theta)
        at = of = 0
        a_l = x
        for n_prev, n, code in layers:
            w, at = theta[at : at + n * n_prev].reshape(n, n_prev), at + n * n_prev
            b, at = theta[at : at + n], at + n
            a_prev, a_l, of = a_l, a[of : of + count * n].reshape(count, n), of + count * n
            layer(a_prev, w, b, code, a_l)
        dL_da = np.empty_like(a_l)
        loss = of_outputs(a_l, y, dL_da)
        for place in range(len(layers) - 1, -1, -1):
            n_prev, n, code = layers[place]
            a_l, of = a[of - count * n : of].reshape(count, n), of - count * n
            a_prev = a[of - count * n_prev : of].reshape(count, n_prev) if place else x
            of_z(a_l, code, dL_da)
            at -= n * n_prev + n
            end = at + n * n_prev
            of_w(dL_da, a_prev, dL_dtheta[at:end].reshape(n, n_prev), dL_dtheta[end : end + n])
            if place:
                dL_dz, dL_da = dL_da, np.empty_like(a_prev)
                of_a(dL_dz, theta[at:end].reshape(n, n_prev), dL_da)
        return loss, dL_dtheta

    return gradient


def _layer(a_prev: Array, w: Array, b: Array, code: int, a: Array) -> None:
    """Fill a = g(a_prev wᵀ + b)."""
    if a_prev.size * len(w) < FEW:
        for i in range(len(a)):
            for j in range(len(w)):
                z = b[j]
                for k in range(w.shape[1]):
                    z += a_prev[i, k] * w[j, k]
                a[i, j] = z
    else:
        np.dot(a_prev, w.T, a)
        for i in range(len(a)):
            for j in range(len(w)):
                a[i, j] += b[j]
    numbers, zero, one = a.reshape(-1), a.dtype.type(0), a.dtype.type(1)
    if code == SIGMOID:
        for i in range(len(numbers)):
            numbers[i] = one / (one + np.exp(-numbers[i]))
    elif code == TANH:
        for i in range(len(numbers)):
            numbers[i] = np.tanh(numbers[i])
    elif code == RELU:
        for i in range(len(numbers)):
            numbers[i] = max(numbers[i], zero)


def _cross_entropy(z: Array, y: Array, dL_dz: Array) -> float:
    """Fill dL/dz of the softmax joined with cross-entropy, and return the loss."""
    count = z.dtype.type(len(z))
    loss = z.dtype.type(0)
    for i in range(len(z)):
        largest = z[i].max()
        total = z.dtype.type(0)
        for j in range(z.shape[1]):
            dL_dz[i, j] = np.exp(z[i, j] - largest)
            total += dL_dz[i, j]
        for j in range(z.shape[1]):
            dL_dz[i, j] /= total * count
        dL_dz[i, y[i]] -= 1 / count
        loss += np.log(total) - (z[i, y[i]] - largest)
    return float(loss / count)


def _squared_error(a: Array, y: Array, dL_da: Array) -> float:
    """Fill dL/da, and return the loss."""
    count, two = a.dtype.type(len(a)), a.dtype.type(2)
    loss = a.dtype.type(0)
    for i in range(len(a)):
        for j in range(a.shape[1]):
            error = a[i, j] - y[i, j]
            loss += error * error
            dL_da[i, j] = two * error / count
    return float(loss / count)


def _of_z(a: Array, code: int, dL_da: Array) -> None:
    """Make dL/dz of dL/da, in its place."""
    numbers, slopes = a.reshape(-1), dL_da.reshape(-1)
    zero, one = a.dtype.type(0), a.dtype.type(1)
    if code == SIGMOID:
        for i in range(len(numbers)):
            slopes[i] *= numbers[i] * (one - numbers[i])
    elif code == TANH:
        for i in range(len(numbers)):
            slopes[i] *= one - numbers[i] * numbers[i]
    elif code == RELU:
        for i in range(len(numbers)):
            slopes[i] = slopes[i] if numbers[i] > zero else zero


def _of_w(dL_dz: Array, a_prev: Array, dL_dw: Array, dL_db: Array) -> None:
    """Fill dL/dw and dL/db."""
    dL_db[:] = 0
    for i in range(len(dL_dz)):
        for j in range(len(dL_db)):
            dL_db[j] += dL_dz[i, j]
    if a_prev.size * len(dL_dw) >= FEW:
        np.dot(dL_dz.T, a_prev, dL_dw)
        return
    dL_dw[:] = 0
    for i in range(len(dL_dz)):
        for j in range(len(dL_dw)):
            for k in range(dL_dw.shape[1]):
                dL_dw[j, k] += dL_dz[i, j] * a_prev[i, k]


def _of_a(dL_dz: Array, w: Array, dL_da_prev: Array) -> None:
    """Fill dL/da of the layer before."""
    if dL_dz.size * w.shape[1] >= FEW:
        np.dot(dL_dz, w, dL_da_prev)
        return
    dL_da_prev[:] = 0
    for i in range(len(dL_dz)):
        for j in range(len(w)):
            for k in range(w.shape[1]):
                dL_da_prev[i, k] += dL_dz[i, j] * w[j, k]
