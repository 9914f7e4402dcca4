"""Mistakes of classes that remember, or step wrongly: right on a first call, wrong once something came before.

Each is the right class of the reference with one thing in it wrong; its docstring says which.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from verification.mistakes.catalogue import Mistake, entry_in
from verification.mistakes.reference import (
    RIGHT,
    Array,
    Backprop,
    Layer,
    Result,
    Run,
    derivatives_in,
    exchanged,
    gradient_with,
    named_parameters,
)
from verification.submissions.description import Description

MISTAKES: list[Mistake] = []
STEP = 0.125
entry = entry_in(MISTAKES)


# What a class remembers from the call before.


class _Adding(Backprop):
    """Adds what backward finds to what the calls before found, for the parameters that `adds` names."""

    adds: tuple[str, ...] = ("w", "b", "alpha")

    def __init__(self, network: Description) -> None:
        super().__init__(network)
        self.sums: Result = {}

    def backward(self, y: Any) -> Result:
        found = super().backward(y)
        for name in derivatives_in(found):
            if name.rstrip("0123456789") in self.adds:
                found[name] = self.sums.get(name, 0) + found[name]
                self.sums[name] = found[name].copy()
        self.gradient = {name: np.array(value) for name, value in found.items()}
        return found


@entry(
    "gradients-accumulate",
    "+= sums over examples and paths; the sums are never set back to 0",
    11,
    "the second backward, which is the sum of both",
    "twice",
    signature="accumulates",
)
class _Accumulating(_Adding):
    """Every derivative is added to that of the call before."""


@entry(
    "bias-gradients-accumulate",
    "the weights' derivatives are assigned, the biases' are added with +=",
    7,
    "the second backward: the biases alone",
    "twice",
    signature="accumulates",
)
class _AccumulatingBiases(_Adding):
    """Only the biases' derivatives are added to those of the call before."""

    adds = ("b",)


@entry(
    "momentum-in-backward",
    "backward returns the velocity, 0.9 of the last one and the new gradient",
    11,
    "the second backward",
    "twice",
)
class _Momentum(Backprop):
    """Adds 0.9 of what the call before returned."""

    velocity: Result

    def backward(self, y: Any) -> Result:
        """Return the velocity."""
        found = super().backward(y)
        if not hasattr(self, "velocity"):
            self.velocity = {}
        for name in derivatives_in(found):
            if name in self.velocity:
                found[name] = found[name] + found[name].dtype.type(0.9) * self.velocity[name]
            self.velocity[name] = found[name].copy()
        return found


@entry(
    "loss-averaged-over-calls",
    "the loss is a running mean, for a smooth curve",
    10,
    "the second batch: the loss alone",
    "decoy",
)
class _RunningLoss(Backprop):
    """Returns the mean of the losses so far."""

    def __init__(self, network: Description) -> None:
        super().__init__(network)
        self.losses: list[float] = []

    def backward(self, y: Any) -> Result:
        """Return the derivatives of this batch with the mean loss of all."""
        found = super().backward(y)
        self.losses.append(found["loss"])
        return found | {"loss": sum(self.losses) / len(self.losses)}


@entry(
    "forward-cached-for-ever",
    "the forward pass is dear, so its result is kept",
    8,
    "the second batch, for which the first one's activations are used",
    "decoy",
    signature="stale",
)
class _CachedForward(Backprop):
    """Runs forward the first time only."""

    predictions: Array | None = None

    def forward(self, x: Any) -> Array:
        """Return the first call's predictions."""
        if self.predictions is None:
            self.predictions = super().forward(x)
        return self.predictions.copy()


@entry(
    "forward-cached-by-x",
    "the same x gives the same activations, so they are kept until another x comes",
    8,
    "the same x after a step of descent",
    "step",
    signature="stale",
)
class _CachedByInput(Backprop):
    """Runs forward only if x changed; a change of the weights goes unseen."""

    seen: Array | None = None
    predictions: Array

    def forward(self, x: Any) -> Array:
        """Return the predictions for x as they were when x was first seen."""
        if self.seen is None or not np.array_equal(self.seen, x):
            self.seen = np.array(x)
            self.predictions = super().forward(x)
        return self.predictions.copy()


class _Remembering(Backprop):
    """Exchanges one step for its first result, kept by layer; a batch of another size makes it anew."""

    step: str

    def __init__(self, network: Description) -> None:
        kept: dict[tuple[int, int], Array] = {}
        right = getattr(RIGHT, self.step)

        def remembered(at: Any) -> Any:
            place = (at.number, len(at.z)) if isinstance(at, Layer) else (0, len(at.x))
            if place not in kept:
                kept[place] = right(at)
            return kept[place]

        self.steps = exchanged(**{self.step: remembered})
        super().__init__(network)


@entry(
    "derivative-cached-for-ever",
    "da/dz is one of the factors that the notes say to compute once",
    12,
    "the second batch, for which the first one's da/dz is used",
    "decoy",
    signature="stale",
    needs=("some not identity",),
)
class _CachedDerivative(_Remembering):
    """Keeps da/dz from the first batch."""

    step = "derivative"


@entry(
    "targets-cached-for-ever",
    "the targets belong to the problem and do not change",
    4,
    "the second batch, which is compared with the first one's targets",
    "decoy",
    signature="stale",
)
class _CachedTargets(_Remembering):
    """Keeps y from the first batch."""

    step = "targets"


@entry(
    "batch-size-cached",
    "N is read from the first batch",
    11,
    "reduction mean and a batch of another size",
    "size",
    signature="stale",
    needs=("mean",),
)
class _CachedBatchSize(Backprop):
    """Keeps 1/N from the first batch."""

    def __init__(self, network: Description) -> None:
        kept: list[float] = []

        def share(run: Run) -> float:
            kept.append(RIGHT.share(run))
            return kept[0]

        self.steps = exchanged(share=share)
        super().__init__(network)


@entry(
    "buffer-keeps-old-rows",
    "dL/dz is written into a buffer as large as the largest batch, and the whole buffer is summed for the bias",
    7,
    "a smaller batch after a larger one",
    "size",
    signature="stale",
)
class _OldRows(Backprop):
    """Sums the rows that a larger batch left behind into dL/db."""

    def __init__(self, network: Description) -> None:
        buffers: dict[int, Array] = {}

        def bias_gradient(layer: Layer) -> Array:
            rows = len(layer.dL_dz)
            buffer = buffers.get(layer.number, layer.dL_dz[:0])
            if rows > len(buffer):
                buffer = buffers[layer.number] = np.zeros_like(layer.dL_dz)
            buffer[:rows] = layer.dL_dz
            return np.asarray(buffer.sum(axis=0))

        self.steps = exchanged(bias_gradient=bias_gradient)
        super().__init__(network)


@entry(
    "transposed-weights-cached",
    "the weights are put aside once, ready for (14)",
    14,
    "after a step of descent, two layers; dL/dx always",
    "step",
    signature="stale",
)
class _CachedWeights(Backprop):
    """Goes back through the weights as they were at the start."""

    def __init__(self, network: Description) -> None:
        super().__init__(network)
        first = [w.copy() for w in self.network.weights]
        self.steps = exchanged(upstream=lambda layer: layer.dL_dz @ first[layer.number - 1])


@entry(
    "layers-reversed-in-place",
    "layers.reverse() gives the layers in backward order; it also leaves them so",
    14,
    "the second backward, which goes through the layers forward; one layer hides it",
    "twice",
    kind="order",
    needs=("hidden layer",),
)
class _ReversedInPlace(Backprop):
    """Finds the list of layers the wrong way round in every other backward."""

    times = 0

    def backward(self, y: Any) -> Result:
        """Return the derivatives, every other time beginning at the first layer."""
        self.times += 1
        if self.times % 2:
            return super().backward(y)
        self.run.layers.reverse()
        try:
            return super().backward(y)
        finally:
            self.run.layers.reverse()


@entry(
    "cache-popped-in-backward",
    "each layer's cache is popped from a stack on the way back",
    11,
    "the second backward: IndexError",
    "twice",
    signature="error",
)
class _Popped(Backprop):
    """Uses up what forward left."""

    stack: list[Run]

    def forward(self, x: Any) -> Array:
        """Return the predictions, and put the pass on the stack."""
        predictions = super().forward(x)
        self.stack = [self.run]
        return predictions

    def backward(self, y: Any) -> Result:
        """Return the derivatives of the pass on top of the stack."""
        self.run = self.stack.pop()
        return super().backward(y)


@entry(
    "cache-shared-by-instances",
    "the cache is a class attribute: cache = {} below the class line",
    8,
    "a second network used between forward and backward of the first",
    "instances",
    signature="stale",
)
class _SharedCache(Backprop):
    """Keeps the pass where every instance sees it."""

    cache: ClassVar[dict[str, Run]] = {}

    def forward(self, x: Any) -> Array:
        """Return the predictions, and keep the pass for all instances."""
        predictions = super().forward(x)
        self.cache["run"] = self.run
        return predictions

    def backward(self, y: Any) -> Result:
        """Return the derivatives of the last pass of any instance."""
        self.run = self.cache["run"]
        return super().backward(y)


def _with_mutable_default() -> Any:
    def gradient(network: Description, x: Any, y: Any, sums: dict[tuple[str, tuple[int, ...]], Array] = {}) -> Result:  # noqa: B006  # the mistake itself
        found = gradient_with(RIGHT)(network, x, y)
        for name in derivatives_in(found):
            place = (name, found[name].shape)
            sums[place] = found[name] + sums.get(place, np.zeros_like(found[name]))
            found[name] = sums[place].copy()
        return found

    return gradient


entry(
    "mutable-default-argument",
    "def gradient(network, x, y, grads={}): the default is made afresh at every call",
    11,
    "the second call of the function",
    "twice",
    signature="accumulates",
)(_with_mutable_default())


# Steps of descent.


@entry(
    "backward-takes-the-step",
    "backward ends by taking the step, as in the training loop it was cut from",
    11,
    "the parameters before and after backward, and whatever comes after",
    "step",
    kind="order",
)
class _StepsInBackward(Backprop):
    """Takes a step of its own in every backward."""

    def backward(self, y: Any) -> Result:
        """Return the derivatives, the step taken."""
        found = super().backward(y)
        self.descend(STEP)
        return found


@entry(
    "step-inside-backward",
    "each layer is updated as soon as its derivative is known, and the error goes back through the new weights",
    14,
    "two layers; dL/dx always; the parameters after backward",
    "",
    kind="order",
    signature="updated weights",
)
class _StepsOnTheWay(Backprop):
    """Updates w before (14) uses it."""

    def __init__(self, network: Description) -> None:
        def upstream(layer: Layer) -> Array:
            layer.w -= layer.w.dtype.type(STEP) * layer.dL_dw
            return RIGHT.upstream(layer)

        self.steps = exchanged(upstream=upstream)
        super().__init__(network)


class _Stepping(Backprop):
    """Takes the step `factor · rate`, of the parameters that `moves` names."""

    factor: float = 1
    moves: tuple[str, ...] = ("w", "b", "alpha")

    def descend(self, rate: float) -> None:
        """Take a step."""
        for name, parameter in named_parameters(self.network).items():
            if name.rstrip("0123456789") in self.moves:
                parameter -= self.factor * rate * self.gradient[name]


@entry(
    "step-uphill",
    "the gradient is added: it is the direction to go",
    11,
    "the parameters after a step",
    "step",
    signature="ratio -1",
)
class _Uphill(_Stepping):
    """Adds the gradient."""

    factor = -1


@entry(
    "step-twice",
    "each layer is updated in the loop over the layers and again in the loop over the parameters",
    11,
    "the parameters after a step",
    "step",
    signature="ratio 2",
)
class _TwoSteps(_Stepping):
    """Takes the step twice."""

    factor = 2


@entry(
    "step-without-biases",
    "learning is a matter of the weights",
    7,
    "the biases after a step",
    "step",
    signature="zero",
)
class _FrozenBiases(_Stepping):
    """Leaves the biases as they are."""

    moves = ("w", "alpha")


@entry(
    "step-without-alpha",
    "the parameters are w and b; alpha was added to the network later",
    11,
    "PReLU: alpha after a step",
    "step",
    signature="zero",
    needs=("prelu",),
)
class _FrozenAlpha(_Stepping):
    """Leaves α as it is."""

    moves = ("w", "b")


@entry(
    "step-on-a-copy",
    "w = w - rate * g in the loop assigns the loop's own name",
    11,
    "the parameters after a step, which are the old ones",
    "step",
    signature="zero",
)
class _Rebinding(Backprop):
    """Changes nothing."""

    def descend(self, rate: float) -> None:
        """Compute the new parameters and drop them."""
        for name, parameter in named_parameters(self.network).items():
            parameter = parameter - rate * self.gradient[name]


@entry(
    "step-with-the-first-gradient",
    "the gradient is kept if there is none yet",
    11,
    "the second step",
    "second step",
    signature="stale",
)
class _FirstGradient(Backprop):
    """Takes every step with the first backward's gradient."""

    first: Result

    def backward(self, y: Any) -> Result:
        """Return the derivatives, keeping the first ones for the steps."""
        found = super().backward(y)
        if not hasattr(self, "first"):
            self.first = self.gradient
        self.gradient = self.first
        return found
