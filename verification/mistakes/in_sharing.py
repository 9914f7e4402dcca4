"""Mistakes of classes that share memory with their caller: arrays handed out and written again, arrays damaged.

Each is the right class of the reference with one thing in it wrong; its docstring says which.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from verification.mistakes.catalogue import Mistake, entry_in
from verification.mistakes.reference import (
    RIGHT,
    Array,
    Backprop,
    Layer,
    Result,
    copied,
    derivatives_in,
    exchanged,
    named_parameters,
)
from verification.submissions.description import Description

MISTAKES: list[Mistake] = []
entry = entry_in(MISTAKES)


# What a class hands out and keeps.


@entry(
    "gradient-arrays-reused",
    "the arrays of derivatives are made once and filled at every call",
    11,
    "a result kept while another batch goes through",
    "kept",
    kind="aliasing",
    signature="aliasing",
)
class _ReusedArrays(Backprop):
    """Writes every result into the arrays of the first."""

    arrays: Result

    def backward(self, y: Any) -> Result:
        """Return the same arrays, filled anew."""
        found = super().backward(y)
        if not hasattr(self, "arrays"):
            self.arrays = {}
        for name in derivatives_in(found):
            self.arrays.setdefault(name, np.empty_like(found[name]))[...] = found[name]
        return found | self.arrays


@entry(
    "result-dictionary-reused",
    "self.grads is returned, and updated at the next call",
    11,
    "a result kept while another batch goes through",
    "kept",
    kind="aliasing",
    signature="aliasing",
)
class _ReusedDictionary(Backprop):
    """Returns one dictionary, updated at every call."""

    result: Result

    def backward(self, y: Any) -> Result:
        """Return the dictionary of the first call, updated."""
        found = super().backward(y)
        if not hasattr(self, "result"):
            self.result = {}
        self.result.update(found)
        return self.result


@entry(
    "step-scales-the-gradient",
    "g *= rate; w -= g, in place, so that no third array is made",
    11,
    "a result kept while a step is taken",
    "kept",
    kind="aliasing",
    signature="aliasing",
)
class _ScaledGradient(Backprop):
    """Multiplies the arrays that it handed out by the rate."""

    def backward(self, y: Any) -> Result:
        """Return the very arrays that descend will use."""
        super().backward(y)
        return self.gradient

    def descend(self, rate: float) -> None:
        """Take a step, spoiling the gradient."""
        for name, parameter in named_parameters(self.network).items():
            self.gradient[name] *= rate
            parameter -= self.gradient[name]


@entry(
    "predictions-are-the-cache",
    "forward returns the last activation itself",
    9,
    "a caller that changes the predictions before backward",
    "edited",
    kind="aliasing",
    signature="aliasing",
)
class _HandedOutCache(Backprop):
    """Returns the array that backward reads."""

    def forward(self, x: Any) -> Array:
        """Return the last layer's own a."""
        super().forward(x)
        a = self.run.last.a = self.run.last.a.copy()
        return a[0] if self.run.single else a


@entry(
    "predictions-become-errors",
    "p[range(N), y] -= 1 makes p - y in place, in the array that forward returned",
    2,
    "cross-entropy: the predictions that the caller kept",
    "kept",
    kind="aliasing",
    signature="aliasing",
    needs=("cross-entropy",),
)
class _SubtractedInPlace(Backprop):
    """Turns the predictions into p − y where they lie."""

    def forward(self, x: Any) -> Array:
        """Return an array that backward will write to."""
        self.predictions = super().forward(x)
        return self.predictions

    def backward(self, y: Any) -> Result:
        """Return the derivatives, and subtract y from the predictions."""
        found = super().backward(y)
        if self.network.loss == "cross_entropy":
            self.predictions -= self.run.y.reshape(self.predictions.shape)
        return found


# What a class does to the caller's arrays.


@entry(
    "inputs-overwritten",
    "dL/dx is written where x was, which is not needed any more",
    14,
    "x compared before and after",
    "arrays",
    kind="aliasing",
    signature="damage",
)
class _OverwrittenInputs(Backprop):
    """Writes dL/dx into the caller's x."""

    def forward(self, x: Any) -> Array:
        """Return the predictions, and keep hold of x."""
        self.x = x
        return super().forward(x)

    def backward(self, y: Any) -> Result:
        """Return the derivatives, dL/dx lying in x."""
        found = super().backward(y)
        np.copyto(self.x, found["x"], casting="unsafe")
        return found


@entry(
    "inputs-centred-in-place",
    "x -= x.mean() makes ready for training; it is put back, so it seemed, by adding the mean of what is then there",
    8,
    "x compared before and after",
    "arrays",
    kind="aliasing",
    signature="damage",
)
class _CentredInputs(Backprop):
    """Leaves the caller's x centred, having used x as it was."""

    def forward(self, x: Any) -> Array:
        """Return the predictions, and take the mean off x."""
        predictions = super().forward(x)
        mean = np.mean(x)
        np.subtract(x, mean, out=x, casting="unsafe")
        np.add(x, np.mean(x), out=x, casting="unsafe")
        return predictions


@entry(
    "targets-overwritten",
    "y -= a makes the error without another array",
    4,
    "floating-point y compared before and after",
    "arrays",
    kind="aliasing",
    signature="damage",
    needs=("numbers in y",),
)
class _OverwrittenTargets(Backprop):
    """Turns the caller's y into y − a."""

    def backward(self, y: Any) -> Result:
        """Return the derivatives, the error lying in y."""
        found = super().backward(y)
        if np.asarray(y).dtype.kind == "f":
            y -= self.run.last.a.reshape(y.shape)
        return found


@entry(
    "batch-shuffled-in-place",
    "the examples are shuffled before each pass, which changes no sum over them",
    11,
    "x and y compared before and after, a batch of examples that differ",
    "arrays",
    kind="aliasing",
    signature="damage",
    needs=("batch",),
)
class _ShuffledInPlace(Backprop):
    """Turns the order of the caller's examples round."""

    def forward(self, x: Any) -> Array:
        """Return the predictions, then turn x round."""
        predictions = super().forward(x)
        if np.ndim(x) == 2:
            x[...] = x[::-1].copy()
        return predictions


@entry(
    "parameters-not-copied",
    "self.w = network.weights[0] makes a copy",
    11,
    "the network's own arrays compared before and after a step of descent",
    "arrays",
    kind="aliasing",
    signature="damage",
)
class _NotCopied(Backprop):
    """Trains the caller's arrays."""

    def __init__(self, network: Description) -> None:
        super().__init__(network)
        self.network = network


@entry(
    "outer-list-copied",
    "list(network.weights) copies the weights; it copies the list alone",
    11,
    "the network's own weights compared before and after a step of descent",
    "arrays",
    kind="aliasing",
    signature="damage",
)
class _ShallowCopy(Backprop):
    """Shares the weights with the caller, not the biases and slopes."""

    def __init__(self, network: Description) -> None:
        super().__init__(network)
        self.network = replace(copied(network), weights=list(network.weights))


@entry(
    "z-activated-in-place",
    "np.where(..., out) writes a over z, whose sign is what counts",
    9,
    "leaky ReLU or PReLU with a z below 0: z itself, and with a slope of at most 0 the derivatives too",
    "",
    kind="aliasing",
    signature="damage",
)
class _ActivatedInPlace(Backprop):
    """Overwrites z by a in the leaky layers."""

    def __init__(self, network: Description) -> None:
        def activation(layer: Layer) -> Array:
            a = RIGHT.activation(layer)
            if layer.activation in ("leaky_relu", "prelu"):
                layer.z[...] = a
            return a

        self.steps = exchanged(activation=activation)
        super().__init__(network)
