"""The networks that are timed: from the lecture notes' own to one that takes a second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad import checks

Array = npt.NDArray[Any]

SEED = 2026
# Python's own loops over every index of a reduced network take well below a second.
FEW_UNITS, FEW_EXAMPLES = 12, 8


@dataclass(frozen=True)
class Row:
    """One network of the table: widths n_0, …, n_L, N examples, activations, and the loss, the mean over the examples."""

    name: str
    widths: tuple[int, ...]
    count: int
    hidden: str
    output: str
    loss: str

    @property
    def multiply_adds(self) -> int:
        """How many products are added up in the matrix products of one gradient: forward, dL/dw, and dL/da but for dL/dx."""
        layers = [n_prev * n for n_prev, n in pairwise(self.widths)]
        return self.count * (3 * sum(layers) - layers[0])

    @property
    def parameters(self) -> int:
        """How many weights and biases it has."""
        return sum(n_prev * n + n for n_prev, n in pairwise(self.widths))

    def minimum_bytes(self, dtype: npt.DTypeLike) -> int:
        """Return the memory that no backpropagation does without: parameters, gradients, x, and a of every layer."""
        numbers = 2 * self.parameters + self.count * sum(self.widths)
        return numbers * int(np.dtype(dtype).itemsize)

    def reduced(self) -> Row:
        """Return the same architecture, so small that every index can be gone through in Python."""
        widths = tuple(min(width, FEW_UNITS) for width in self.widths)
        return replace(self, widths=widths, count=min(self.count, FEW_EXAMPLES))


NETWORKS = (
    Row("2-2-2", (2, 2, 2), 1, "sigmoid", "sigmoid", "squared_error"),
    Row("4-8-3", (4, 8, 3), 1, "tanh", "softmax", "cross_entropy"),
    Row("64-64-10", (64, 64, 10), 32, "relu", "softmax", "cross_entropy"),
    Row("64-64-10-tanh", (64, 64, 10), 32, "tanh", "softmax", "cross_entropy"),
    Row("64-64-10/4096", (64, 64, 10), 4096, "relu", "softmax", "cross_entropy"),
    Row("64-64-10/65536", (64, 64, 10), 65_536, "relu", "softmax", "cross_entropy"),
    Row("784-128-10", (784, 128, 10), 64, "relu", "softmax", "cross_entropy"),
    Row("50x16", (16,) * 51, 8, "relu", "identity", "squared_error"),
    Row("784-1024-1024-10/256", (784, 1024, 1024, 10), 256, "relu", "softmax", "cross_entropy"),
    Row("784-1024-1024-10/512", (784, 1024, 1024, 10), 512, "relu", "softmax", "cross_entropy"),
    Row("4x2048", (2048,) * 5, 1024, "relu", "identity", "squared_error"),
)


def network_of(row: Row, dtype: npt.DTypeLike) -> tuple[hg.Network, Array, Array]:
    """Return the row's network with x (N, n_0) and y, class indices or (N, n_L): the same ones every time.

    >>> net, x, y = network_of(NETWORKS[1], "float32")
    >>> net, x.shape, y.dtype
    (Network(4-8-3, tanh, softmax; cross_entropy, mean; float32; 67 parameters), (1, 4), dtype('int64'))
    """
    count = checks.positive_integer("batch", row.count)
    activations = [*[row.hidden] * (len(row.widths) - 2), row.output]
    net = hg.Network.random(row.widths, activations=activations, loss=row.loss, seed=SEED, dtype=dtype)
    generator = np.random.default_rng(SEED + 1)
    x = generator.normal(size=(count, row.widths[0])).astype(net.dtype)
    if row.loss == "cross_entropy":
        return net, x, generator.integers(0, row.widths[-1], count)
    # Between 0 and 1, so that a sigmoid's output may reach it.
    return net, x, generator.uniform(size=(count, row.widths[-1])).astype(net.dtype)


def row_of(widths: tuple[int, ...], count: int, hidden: str, loss: str) -> Row:
    """Return a size of one's own, with the output layer that suits the loss."""
    output = "softmax" if loss == "cross_entropy" else "identity"
    return Row("-".join(map(str, widths)), widths, count, hidden, output, loss)
