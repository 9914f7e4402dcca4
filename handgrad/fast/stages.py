"""The steps of a plan: a layer, a stack of like layers, or the loss, each with all the memory that it works in.

It is `a.dot(b, out)` and `a[...] = b` here, since np.dot and np.copyto first look for an array type that has its own.
Beside each matrix line stands the indexed equation that it is: i the example, j a neuron of this layer, k one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log1p, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import activations as act
from handgrad import losses
from handgrad.fast.in_place import SMALL, Constants, Form, limits
from handgrad.gradient import Shapes, size

Array = npt.NDArray[Any]

# For so few logits of one example plain Python is faster than NumPy.
SCALARS = 16


@dataclass(frozen=True)
class Layer:
    """What a plan knows of a layer: its activation, the slope for z < 0 if it has one, and its parameters themselves."""

    activation: str
    slope: Array | float | None
    w: Array
    b: Array


class Single:
    """One layer. `dL_dz` is written over `a`; `spare` (N, n) and `dL_da_prev` are memory that all layers share."""

    def __init__(self, layer: Layer, form: Form, count: int, spare: Array, dL_da_prev: Array) -> None:
        n = layer.w.shape[0]
        self.g, self.derivative, self.c = form.g, form.derivative, Constants(layer.w.dtype, (count, n))
        self.w, self.w_T = layer.w, layer.w.T
        # NumPy adds a small b faster once it has the shape of z: for one example a view, for more a copy in each row.
        self.b = layer.b[None] if count == 1 else layer.b
        self.rows = spare if count > 1 and count * n <= SMALL else None
        self.a: Array = np.empty((count, n), layer.w.dtype)
        self.z = np.empty_like(self.a) if form.needs_z else self.a
        self.dL_dz, self.dL_dz_T, self.row = self.a, self.a.T, self.a[0]
        self.ones = np.ones(count, layer.w.dtype) if count > 1 else None
        self.dL_da_prev = dL_da_prev
        self.a_prev = self.a

    def forward(self, a_prev: Array) -> Array:
        """Return a of activations a_prev (N, n_prev)."""
        self.a_prev = a_prev
        a_prev.dot(self.w_T, self.z)  # (8): ik,jk->ij
        if self.rows is None:
            np.add(self.z, self.b, self.z)
        else:
            self.rows[...] = self.b
            np.add(self.z, self.rows, self.z)
        if self.g is not None:
            self.g(self.z, self.a, self.c)  # (9)
        return self.a

    def forget(self) -> None:
        """Let go of the caller's x, which may be large."""
        self.a_prev = self.a

    def backward(self, dL_da: Array, dL_dw: Array, dL_db: Array, dL_dalpha: Array | None, first: bool) -> Array:
        """Return dL/da_prev, unless this is the first stage; write the parameters' derivatives where they are wanted."""
        if dL_da is not self.a:  # where the output and a cross-entropy are joined, dL/dz is there already
            if self.derivative is None:
                self.a[...] = dL_da
            else:
                self.derivative(self.z, self.a, self.c)
                np.multiply(self.a, dL_da, self.a)  # (12) dL/da: ij,ij->ij
        self.dL_dz_T.dot(self.a_prev, dL_dw)  # (11) with (13): ij,ik->jk
        if self.ones is None:
            dL_db[...] = self.row
        else:
            self.ones.dot(self.dL_dz, dL_db)  # (11) with (7): ij->j
        return dL_da if first else self.dL_dz.dot(self.w, self.dL_da_prev)  # (14): ij,jk->ik


class Plain:
    """One layer of an activation without a form in place: what `Network.trace` does, but for the sums."""

    def __init__(self, layer: Layer, count: int, dL_da_prev: Array) -> None:
        self.layer, self.form = layer, act.FORMS[layer.activation]
        self.ones = np.ones(count, layer.w.dtype)
        self.dL_da_prev = dL_da_prev
        self.z = self.a = self.a_prev = self.dL_dz = np.empty((count, layer.w.shape[0]), layer.w.dtype)

    def forward(self, a_prev: Array) -> Array:
        """Return a of activations a_prev (N, n_prev)."""
        self.a_prev = a_prev
        self.z = a_prev @ self.layer.w.T + self.layer.b  # (8): ik,jk->ij
        self.a = self.form.g(self.z, self.layer.slope)  # (9)
        return self.a

    def forget(self) -> None:
        """Let go of the caller's x, which may be large."""
        self.a_prev = self.a

    def backward(self, dL_da: Array, dL_dw: Array, dL_db: Array, dL_dalpha: Array | None, first: bool) -> Array:
        """Return dL/da_prev, unless this is the first stage; write the parameters' derivatives where they are wanted."""
        if self.layer.activation == "softmax":
            self.dL_dz = act.softmax_backward(self.a, dL_da)
        else:
            self.dL_dz = self.form.derivative(self.z, self.layer.slope) * dL_da  # (12) dL/da: ij,ij->ij
        if dL_dalpha is not None:
            dL_dalpha[...] = act.alpha_gradient(self.z, dL_da, dL_dalpha)
        self.dL_dz.T.dot(self.a_prev, dL_dw)  # (11) with (13): ij,ik->jk
        self.ones.dot(self.dL_dz, dL_db)  # (11) with (7): ij->j
        return dL_da if first else self.dL_dz.dot(self.layer.w, self.dL_da_prev)  # (14): ij,jk->ik


class Stack:
    """Small layers of one width and activation, one behind another: all biases, all g′, all dL/dw are one call each."""

    def __init__(self, layers: Sequence[Layer], form: Form, count: int, w: Array, b: Array) -> None:
        number, n, _ = w.shape
        self.form, self.c = form, Constants(w.dtype, (count, n))
        self.b = b[:, None, :]
        self.inputs: Array = np.empty((number + 1, count, n), w.dtype)
        self.last: Array = self.inputs[-1]
        self.z, self.a = np.empty_like(self.inputs[1:]), self.inputs[1:]
        self.g_prime = np.empty_like(self.z)
        self.dL_dz_T = self.g_prime.transpose(0, 2, 1)
        self.product: Array = np.empty((count, n), w.dtype)
        layer_by_layer = [layer.w for layer in layers]
        self.up = [(a.dot, w_l.T, z, g_z) for a, w_l, z, g_z in zip(self.inputs, layer_by_layer, self.z, self.a, strict=False)]
        self.down = [(dL_dz, dL_dz.dot, w_l) for dL_dz, w_l in zip(self.g_prime, layer_by_layer, strict=True)][::-1]
        self.dL_dz = self.g_prime[0]

    def forward(self, a_prev: Array) -> Array:
        """Return a of activations a_prev (N, n_prev)."""
        self.inputs[0] = a_prev
        self.z[...] = self.b
        g, c, product = self.form.g, self.c, self.product
        for a_before_dot, w_T, z, a in self.up:
            a_before_dot(w_T, product)  # (8): ik,jk->ij
            np.add(z, product, z)
            if g is None:
                a[...] = z
            else:
                g(z, a, c)  # (9)
        return self.last

    def forget(self) -> None:
        """Do nothing: x was copied."""

    def backward(self, dL_da: Array, dL_dw: Array, dL_db: Array, dL_dalpha: Array | None, first: bool) -> Array:
        """Return dL/da_prev, unless this is the first stage; write the parameters' derivatives where they are wanted."""
        if self.form.derivative is None:
            self.g_prime.fill(1)
        else:
            self.g_prime[...] = self.a
            self.form.derivative(self.z, self.g_prime, self.c)
        for dL_dz, dL_dz_dot, w in self.down:
            np.multiply(dL_dz, dL_da, dL_dz)  # (12) dL/da: ij,ij->ij
            dL_da = dL_dz_dot(w, self.product)  # (14): ij,jk->ik
        np.matmul(self.dL_dz_T, self.inputs[:-1], dL_dw)  # (11) with (13): ij,ik->jk for each layer
        np.add.reduce(self.g_prime, 1, out=dL_db)  # (11) with (7): ij->j for each layer
        return dL_da


class SquaredError:
    """The loss (10), and dL/da (4) in memory that the layers share."""

    def __init__(self, dL_da: Array, share: float) -> None:
        self.dL_da, self.flat, self.share = dL_da, dL_da.reshape(-1), share
        self.twice_share = np.array(2 * share, dL_da.dtype)

    def loss(self, a: Array, y: Array) -> tuple[float, Array]:
        """Return L and dL/da."""
        np.subtract(a, y, self.dL_da)
        loss = float(self.flat.dot(self.flat)) * self.share  # (10)
        np.multiply(self.dL_da, self.twice_share, self.dL_da)  # (4): ij,ij->ij
        return loss, self.dL_da


class CrossEntropy:
    """The loss (1)–(2), and dL/dz = p − y written over the logits; `spare` (N, n_L) is memory that the layers share."""

    def __init__(self, logits: Array, spare: Array, share: float) -> None:
        count, n_L = logits.shape
        dtype = logits.dtype
        self.z, self.flat, self.spare, self.share = logits, logits.reshape(-1), spare, share
        self.starts = np.arange(0, count * n_L, n_L, dtype=np.intp)
        self.places = np.empty_like(self.starts)
        self.ones, self.ones_N, self.zeros_N = np.ones(n_L, dtype), np.ones(count, dtype), np.zeros(count, dtype)
        self.factor: Array = np.empty(count, dtype)
        self.factors = self.factor[:, None]
        self.share_array = np.array(share, dtype)
        self.calm, self.tiny = limits(dtype).calm, limits(dtype).tiny
        self.most = sqrt(self.calm / 2)
        self.few = count == 1 and n_L <= SCALARS

    def loss(self, a: Array, y: Array) -> tuple[float, Array]:
        """Return L, and dL/dz."""
        if y.ndim == 2:
            return self._distributions(y), self.z
        if self.few:
            logits = self.flat.tolist()
            if -self.most < min(logits) and max(logits) < self.most:
                return self._class(logits, y.item()), self.z
        return self._classes(y, self._is_calm()), self.z

    def _is_calm(self) -> bool:
        flat = self.flat
        if float(np.vdot(flat, flat)) < self.calm:  # unlike dot, it does not warn of a sum that overflows
            return True
        # The squares of many logits may add up to more, and those of any two still not.
        largest: float = max(abs(flat.item(flat.argmax())), abs(flat.item(flat.argmin())))
        return largest < self.most

    def _classes(self, y: Array, calm: bool) -> float:
        """Take class indices.

        With e_k left out, Σ e is the other classes' part: p_k − 1 is minus that part, and L_i (2) is log(1 + part / e_k).
        """
        z, flat, places = self.z, self.flat, self.places
        np.add(self.starts, y, places)
        if not calm:
            # Two logits may differ by more than the largest number; e^{-inf} = 0 is then the right value.
            with np.errstate(over="ignore"):
                np.subtract(z, np.maximum.reduce(z, axis=1, keepdims=True), z)
            s_k = flat[places]
        np.exp(z, z)
        e_k = flat[places]
        flat[places] = self.zeros_N
        others = z.dot(self.ones)
        flat[places] = np.negative(others)
        np.divide(self.share_array, np.add(others, e_k, self.factor), self.factor)
        self.spare[...] = self.factors  # a copy and a product of two like shapes take less time than broadcasting
        np.multiply(z, self.spare, z)
        if calm:
            of_examples = np.log1p(np.divide(others, e_k, e_k))
        else:
            # Where the quotient would overflow, its logarithm is taken term by term; e_k itself is next to nothing there.
            improbable = e_k < 4 * self.tiny * np.maximum(others, 1)
            quotient = others / np.where(improbable, 1, e_k)
            of_examples = np.where(improbable, np.log(others + e_k) - s_k, np.log1p(quotient))
        return float(of_examples.dot(self.ones_N)) * self.share

    def _class(self, logits: list[float], k: int) -> float:
        """Take the class index of one example with few classes: the same in Python's own numbers."""
        powers = [exp(s) for s in logits]
        e_k, powers[k] = powers[k], 0.0
        others = sum(powers)
        powers[k] = -others
        factor = self.share / (others + e_k)
        self.flat[:] = [power * factor for power in powers]
        return log1p(others / e_k) * self.share

    def _distributions(self, y: Array) -> float:
        loss = float(losses.cross_entropy(self.z, y).sum()) * self.share
        np.multiply(losses.cross_entropy_derivative(act.softmax(self.z), y), self.share, self.z)
        return loss


class BinaryCrossEntropy:
    """The loss (1) for each sigmoid unit, and dL/dz = a − y written over the logits.

    With h the side that z is on, 1 for z ≥ 0 and 0 below, and m = e^{−|z|} / (1 + e^{−|z|}), a is h − m above and h + m below.
    So a − y is (h − y) ∓ m, where no digit is lost to 1 − a, and L_i is Σ_j z_j (h_j − y_j) + log(1 + e^{−|z_j|}).
    `spare` (N, n_L) is memory that the layers share.
    """

    def __init__(self, logits: Array, spare: Array, share: float) -> None:
        dtype = logits.dtype
        self.z, self.m, self.logarithm, self.distance, self.share = logits, *np.empty((2, *logits.shape), dtype), spare, share
        self.side: npt.NDArray[np.bool_] = np.empty(logits.shape, np.bool_)
        self.zeros, self.ones = np.zeros_like(logits), np.ones(logits.size, dtype)
        self.one, self.minus_one, self.share_array = limits(dtype).one, limits(dtype).minus_one, np.array(share, dtype)
        self.flat, self.flat_distance, self.flat_logarithm = (array.reshape(-1) for array in (logits, spare, self.logarithm))
        self.few = logits.size <= SCALARS

    def loss(self, a: Array, y: Array) -> tuple[float, Array]:
        """Return L, and dL/dz."""
        if self.few:
            return self._few(y.ravel().tolist()), self.z
        z, m, distance = self.z, self.m, self.distance
        np.add(z, self.zeros, z)  # a −0 becomes 0, which is on the side of 1 in both ways that follow
        np.greater_equal(z, self.zeros, self.side)
        np.subtract(self.side, y, distance)
        loss = float(self.flat.dot(self.flat_distance))
        np.copysign(z, self.minus_one, m)
        np.exp(m, m)
        np.log1p(m, self.logarithm)
        np.copysign(m, z, z)
        np.add(m, self.one, m)
        np.divide(z, m, z)
        np.subtract(distance, z, z)  # a − y: ij,ij->ij
        if self.share != 1:
            np.multiply(z, self.share_array, z)
        return (loss + float(self.flat_logarithm.dot(self.ones))) * self.share, z

    def _few(self, y: list[float]) -> float:
        """Take few numbers: the same in Python's own."""
        loss, derivatives = 0.0, []
        for z_j, y_j in zip(self.flat.tolist(), y, strict=True):
            e = exp(-abs(z_j))
            m = e / (1 + e)
            if z_j >= 0:
                loss += z_j * (1 - y_j) + log1p(e)
                derivatives.append((1 - y_j - m) * self.share)
            else:
                loss += log1p(e) - z_j * y_j
                derivatives.append((m - y_j) * self.share)
        self.flat[:] = derivatives
        return loss * self.share


def stacked(vector: Array, shapes: Shapes, start: int, number: int) -> tuple[Array, Array]:
    """Return the w (L, n, n_prev) and b (L, n) of L like layers without α, as views of a vector in figure 9's order."""
    (n, n_prev), _ = shapes[start]
    begin = size(shapes[:start])
    rows = vector[begin : begin + number * n * (n_prev + 1)].reshape(number, n * (n_prev + 1))
    return rows[:, : n * n_prev].reshape(number, n, n_prev), rows[:, n * n_prev :]
