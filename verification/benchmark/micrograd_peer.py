"""micrograd: a node of the graph for every number, with the operations that it lacks added in its own style."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.benchmark.subject import Answer, Subject, UnsuitedError

Array = npt.NDArray[Any]

MOST_MULTIPLY_ADDS = 20_000


def of_micrograd(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return micrograd's backward() of the loss, written over every index."""
    from micrograd.engine import Value

    if net.dtype != np.float64:
        raise UnsuitedError("it computes in Python's numbers, which are float64")
    layers = [layer.w.size for layer in net.layers]
    multiply_adds = len(x) * (3 * sum(layers) - layers[0])
    if multiply_adds > MOST_MULTIPLY_ADDS:
        raise UnsuitedError(f"it is asked for at most {MOST_MULTIPLY_ADDS:,} multiply-adds")
    pairs = [
        ([[Value(number) for number in row] for row in layer.w.tolist()], [Value(number) for number in layer.b.tolist()])
        for layer in net.layers
    ]
    names = [layer.activation.name for layer in net.layers]
    joined = net.loss_name == "cross_entropy"
    if joined:
        names[-1] = "identity"
    parameters = [[number for row in w for number in row] for w, _ in pairs], [b for _, b in pairs]
    examples, targets = x.tolist(), y.tolist()

    def of_example(a: list[Any], target: Any) -> Any:
        for (w, b), name in zip(pairs, names, strict=True):
            g = ACTIVATIONS[name]
            a = [g(sum((w_jk * a_k for w_jk, a_k in zip(w_j, a, strict=True)), b_j)) for w_j, b_j in zip(w, b, strict=True)]
        if joined:
            return log(sum(exp(z_j) for z_j in a)) - a[target]
        return sum((a_j - y_j) ** 2 for a_j, y_j in zip(a, target, strict=True))

    def run() -> Any:
        for lists in parameters:
            for numbers in lists:
                for number in numbers:
                    number.grad = 0
        loss = sum(of_example(a, target) for a, target in zip(examples, targets, strict=True)) / len(examples)
        loss.backward()
        return loss

    def read(loss: Any) -> Answer:
        shapes = [array.shape for array in net.named().values()]
        flat = [numbers for pair in zip(*parameters, strict=True) for numbers in pair]
        arrays = [np.array([number.grad for number in numbers], np.float64) for numbers in flat]
        return loss.data, [array.reshape(shape) for array, shape in zip(arrays, shapes, strict=True)]

    return Subject(run, read)


def exp(z: Any) -> Any:
    """Return e^z of a Value."""
    out = type(z)(math.exp(z.data), (z,), "exp")

    def _backward() -> None:
        z.grad += out.data * out.grad

    out._backward = _backward
    return out


def log(z: Any) -> Any:
    """Return the natural logarithm of a Value."""
    out = type(z)(math.log(z.data), (z,), "log")

    def _backward() -> None:
        z.grad += out.grad / z.data

    out._backward = _backward
    return out


def tanh(z: Any) -> Any:
    """Return tanh z of a Value."""
    out = type(z)(math.tanh(z.data), (z,), "tanh")

    def _backward() -> None:
        z.grad += (1 - out.data**2) * out.grad

    out._backward = _backward
    return out


def sigmoid(z: Any) -> Any:
    """Return 1 / (1 + e^−z) of a Value."""
    return (1 + exp(-z)) ** -1


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": lambda z: z.relu(),
}
