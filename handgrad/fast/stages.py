"""The steps of a plan: a layer, or a stack of like layers, as rows of calls with all the memory that they work in.

It is `a.dot(b, out)` and `a.__setitem__` here, since np.dot and np.copyto first look for an array type that has its own.
Beside each matrix line stands the indexed equation that it is: i the example, j a neuron of this layer, k one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import activations as act
from handgrad.fast.in_place import Call, Form, in_rows
from handgrad.gradient import Shapes, size

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Layer:
    """What a plan knows of a layer: its activation, the slope for z < 0 if it has one, and its parameters themselves."""

    activation: str
    slope: Array | float | None
    w: Array
    b: Array


class Single:
    """One layer, `form` None if its activation has none in place.

    It reads `a_prev` (N, n_prev), None for the first layer, whose x comes with each run, and leaves its own `a` (N, n). On the
    way back it leaves `dL_da_prev` in memory that the layers share, as `row` is, for what is added at once; the first layer has
    none. `ones` (N,) add up the examples.
    """

    def __init__(
        self, layer: Layer, form: Form | None, ones: Array, row: Array, a_prev: Array | None, dL_da_prev: Array
    ) -> None:
        self.layer, self.form, self.ones, self.a_prev, self.dL_da_prev = layer, form, ones, a_prev, dL_da_prev
        self.row = row
        self.a: Array = np.empty((len(ones), len(layer.b)), layer.w.dtype)
        self.z = np.empty_like(self.a) if form is None or form.needs_z else self.a
        self.rows_of_a = in_rows(self.a)
        self.rows_of_z = in_rows(self.z) if self.z is not self.a else self.rows_of_a

    def forward(self) -> list[Call]:
        """Return what makes a of a_prev; of the first layer, of what x.dot(w.T) has left in z."""
        layer, z = self.layer, self.rows_of_z
        calls: list[Call] = [] if self.a_prev is None else [(self.a_prev.dot, (layer.w.T, self.z))]  # (8): ik,jk->ij
        b = layer.b
        if len(self.ones) > 1:
            # A row of copies is added faster than b is to every example.
            b = self.row[: z.shape[-1]]
            calls.append((b.reshape(-1, len(layer.b)).__setitem__, (..., layer.b)))
        calls.append((np.add, (z, b, z)))
        if self.form is None:
            return [*calls, (self._plain_g, ())]
        if self.form.is_linear:
            return calls
        return calls + self.form.g(z, self.rows_of_a)  # (9)

    def backward(
        self, dL_da: Array, dL_dw: Array, dL_db: Array, dL_dalpha: Array | None, dL_dz: Array | None = None
    ) -> list[Call]:
        """Return what makes dL/dz of dL/da, written over a unless told where, and what follows from that.

        Of the first layer this is dL/db alone: dL/dw needs x, and dL/dx is for the plan.
        """
        calls: list[Call] = []
        dL_dz = self.a if dL_dz is None else dL_dz
        if self.form is None:
            calls.append((self._plain_backward, (dL_da, dL_dalpha, dL_dz)))
        elif not self.form.is_linear:
            calls += self.form.derivative(self.rows_of_z, self.rows_of_a, self.rows_of_a)
            calls.append((np.multiply, as_rows(self.a, dL_da, dL_dz)))  # (12) dL/da: ij,ij->ij
        elif dL_dz is not dL_da:
            calls.append((dL_dz.__setitem__, (..., dL_da)))
        if len(self.ones) > 1:
            calls.append((self.ones.dot, (dL_dz, dL_db)))  # (11) with (7): ij->j
        else:
            calls.append((dL_db.__setitem__, (..., dL_dz[0])))
        if self.a_prev is not None:
            calls.append((dL_dz.T.dot, (self.a_prev, dL_dw)))  # (11) with (13): ij,ik->jk
            calls.append((dL_dz.dot, (self.layer.w, self.dL_da_prev)))  # (14): ij,jk->ik
        return calls

    def _plain_g(self) -> None:
        self.a[...] = act.FORMS[self.layer.activation].g(self.z, self.layer.slope)  # (9)

    def _plain_backward(self, dL_da: Array, dL_dalpha: Array | None, dL_dz: Array) -> None:
        if dL_dalpha is not None:
            dL_dalpha[...] = act.alpha_gradient(self.z, dL_da, dL_dalpha)
        if self.layer.activation == "softmax":
            dL_dz[...] = act.softmax_backward(self.a, dL_da)
        else:
            g_prime = act.FORMS[self.layer.activation].derivative(self.z, self.layer.slope)
            np.multiply(g_prime, dL_da, dL_dz)  # (12) dL/da: ij,ij->ij


class Stack:
    """Small layers of one width and activation, one behind another: all g′, all dL/dw and all dL/db are one call each.

    An example is a column here, and a last row of ones makes w and b one matrix: z is [w b] times [a; 1].
    """

    def __init__(self, layers: Sequence[Layer], form: Form, ones: Array, a_prev: Array, w: Array, b: Array) -> None:
        number, n, _ = w.shape
        count = len(ones)
        self.layers, self.form, self.ones, self.a_prev, self.w, self.b = layers, form, ones, a_prev, w, b
        self.w_b: Array = np.empty((number, n, n + 1), w.dtype)
        self.inputs: Array = np.empty((number + 1, n + 1, count), w.dtype)
        self.inputs[:, n] = 1
        # Each a is what the next layer reads.
        self.columns = self.inputs[:, :n]
        self.z: Array = np.empty((number, n, count), w.dtype)
        self.dL_dz: Array = np.empty_like(self.z)
        self.product: Array = np.empty((n, count), w.dtype)
        self.dL_db: Array = np.empty(b.shape, w.dtype)
        self.a, self.dL_da_prev = self.columns[-1].T, self.product.T

    def forward(self) -> list[Call]:
        """Return what makes a of a_prev."""
        n = self.w.shape[1]
        calls: list[Call] = [
            (self.columns[0].__setitem__, (..., self.a_prev.T)),
            (self.w_b[:, :, :n].__setitem__, (..., self.w)),
            (self.w_b[:, :, n].__setitem__, (..., self.b)),
        ]
        if self.form.quick is None:
            return calls + self._upwards(self.form.g)
        return [*calls, *self._upwards(self.form.quick), (self._unless_finite, (self._upwards(self.form.g),))]

    def _upwards(self, g: Callable[[Array, Array], list[Call]]) -> list[Call]:
        calls: list[Call] = []
        for w_b, a_prev, z, a in zip(self.w_b, self.inputs, self.z, self.columns[1:], strict=False):
            calls.append((w_b.dot, (a_prev, z)))  # (8): jk,ki->ji
            calls += g(z.reshape(-1), a.reshape(-1))  # (9)
        return calls

    def _unless_finite(self, calls: Sequence[Call]) -> None:
        # Every z is still there: one look for NaN serves all layers.
        if not isfinite(np.vdot(self.z, self.z)):
            for function, arguments in calls:
                function(*arguments)

    def backward(self, dL_da: Array, dL_dw: Array, dL_db: Array, dL_dalpha: Array | None) -> list[Call]:
        """Return what makes dL/da_prev of dL/da, and the parameters' derivatives."""
        number = len(self.layers)
        z, a, dL_dz = (array.reshape(number, -1) for array in (self.z, self.columns[1:], self.dL_dz))
        calls = self.form.derivative(z, a, dL_dz)
        dL_da = dL_da.T
        for layer, of_layer in zip(reversed(self.layers), self.dL_dz[::-1], strict=True):
            calls.append((np.multiply, as_rows(of_layer, dL_da, of_layer)))  # (12) dL/da: ji,ji->ji
            calls.append((layer.w.T.dot, (of_layer, self.product)))  # (14): jk,ji->ki
            dL_da = self.product
        calls.append((np.matmul, (self.dL_dz, self.columns[:-1].transpose(0, 2, 1), dL_dw)))  # (11) with (13)
        # A product with ones adds the examples up several times faster than a sum along them.
        calls.append((self.dL_dz.reshape(-1, len(self.ones)).dot, (self.ones, self.dL_db.reshape(-1))))  # (11) with (7)
        calls.append((dL_db.__setitem__, (..., self.dL_db)))
        return calls


def as_rows(*arrays: Array) -> tuple[Array, ...]:
    """Return arrays of one shape as one row each, which NumPy goes through fastest, if all lie in memory so."""
    return tuple(array.reshape(-1) for array in arrays) if all(array.flags.c_contiguous for array in arrays) else arrays


def stacked(vector: Array, shapes: Shapes, start: int, number: int) -> tuple[Array, Array]:
    """Return the w (L, n, n_prev) and b (L, n) of L like layers without α, as views of a vector in figure 9's order."""
    (n, n_prev), _ = shapes[start]
    begin = size(shapes[:start])
    rows = vector[begin : begin + number * n * (n_prev + 1)].reshape(number, n * (n_prev + 1))
    return rows[:, : n * n_prev].reshape(number, n, n_prev), rows[:, n * n_prev :]
