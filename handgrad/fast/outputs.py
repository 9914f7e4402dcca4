"""The losses of a plan: L, and the derivative that starts the way back, in memory that is there."""

from __future__ import annotations

from math import exp, log1p, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import activations as act
from handgrad import losses
from handgrad.fast.in_place import Call, limits

Array = npt.NDArray[Any]

# For so few logits of one example plain Python is faster than NumPy.
SCALARS = 16


class SquaredError:
    """The loss (10) of activations a (N, n_L), and dL/da (4) in memory that the layers share."""

    def __init__(self, a: Array, dL_da: Array, share: float) -> None:
        self.a, self.derivative, self.flat, self.share = a, dL_da, dL_da.reshape(-1), share
        self.twice_share = np.array(2 * share, dL_da.dtype)

    def loss(self, y: Array) -> float:
        """Return L, and leave dL/da."""
        np.subtract(self.a, y, self.derivative)
        loss = float(self.flat.dot(self.flat)) * self.share  # (10)
        np.multiply(self.flat, self.twice_share, self.flat)  # (4): ij,ij->ij
        return loss


class CrossEntropy:
    """The loss (1)–(2), and dL/dz = p − y written over the logits; `spare` (N, n_L) is memory that the layers share."""

    def __init__(self, logits: Array, spare: Array, share: float) -> None:
        count, n_L = logits.shape
        dtype = logits.dtype
        self.z, self.flat, self.share = logits, logits.reshape(-1), share
        self.derivative = logits
        self.starts = np.arange(0, count * n_L, n_L, dtype=np.intp)
        self.places = np.empty_like(self.starts)
        self.ones_N = np.ones(count, dtype)
        self.calm, self.tiny = limits(dtype).calm, limits(dtype).tiny
        self.most = sqrt(self.calm / 2)
        self.few = count == 1 and n_L <= SCALARS
        self.e_k, self.others, self.factor = np.empty((3, count), dtype)
        minus_others = np.empty_like(self.others)
        # With e_k left out, Σ e is the other classes' part: p_k − 1 is minus that part, and L_i (2) is log(1 + part / e_k).
        self.powers: list[Call] = [
            (np.exp, (self.flat, self.flat)),
            (self.flat.take, (self.places, None, self.e_k, "clip")),
            (self.flat.__setitem__, (self.places, np.zeros(count, dtype))),
            (logits.dot, (np.ones(n_L, dtype), self.others)),
            (np.negative, (self.others, minus_others)),
            (self.flat.__setitem__, (self.places, minus_others)),
            (np.add, (self.others, self.e_k, self.factor)),
            (np.divide, (np.array(share, dtype), self.factor, self.factor)),
            # A copy and a product of two like shapes take less time than broadcasting.
            (spare.__setitem__, (..., self.factor[:, None])),
            (np.multiply, (self.flat, spare.reshape(-1), self.flat)),
        ]
        self.of_calm: list[Call] = [
            *self.powers,
            (np.divide, (self.others, self.e_k, self.e_k)),
            (np.log1p, (self.e_k, self.e_k)),
        ]

    def loss(self, y: Array) -> float:
        """Return L, and leave dL/dz."""
        if y.ndim == 2:
            return self._distributions(y)
        if self.few:
            logits = self.flat.tolist()
            if -self.most < min(logits) and max(logits) < self.most:
                return self._class(logits, y.item())
        np.add(self.starts, y, self.places)
        if not self._is_calm():
            return self._far_apart()
        for function, arguments in self.of_calm:
            function(*arguments)
        return float(self.e_k.dot(self.ones_N)) * self.share

    def _is_calm(self) -> bool:
        flat = self.flat
        if flat.dot(flat) < self.calm:
            return True
        # The squares of many logits may add up to more, and those of any two still not.
        largest: float = max(abs(flat.item(flat.argmax())), abs(flat.item(flat.argmin())))
        return largest < self.most

    def _far_apart(self) -> float:
        z, others, e_k = self.z, self.others, self.e_k
        # Two logits may differ by more than the largest number; e^{-inf} = 0 is then the right value.
        np.subtract(z, np.maximum.reduce(z, axis=1, keepdims=True), z)
        s_k = self.flat[self.places]
        for function, arguments in self.powers:
            function(*arguments)
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
        self.few, self.derivative = logits.size <= SCALARS, logits

    def loss(self, y: Array) -> float:
        """Return L, and leave dL/dz."""
        if self.few:
            return self._few(y.ravel().tolist())
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
        return (loss + float(self.flat_logarithm.dot(self.ones))) * self.share

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
