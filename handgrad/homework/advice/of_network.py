"""Remarks on layers, weights and the way back: a function for each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handgrad import losses
from handgrad.homework.advice.remarks import Remark, Seen

__all__ = [
    "dead_units",
    "deep_squashing",
    "linear_layers",
    "not_finite",
    "relu_output",
    "saturated_output",
    "saturated_units",
    "softmax_of_one_unit",
    "softmax_squared_error",
    "symmetric_weights",
    "zero_gradient",
    "zero_weights",
]

# Of fewer examples a unit may have the same side by chance: of 10, one unit of a first layer in 2¹⁰.
FEWEST = 10
# The examples of a truth table. A unit that is dead on all of them, be it by chance, is a true fact about the data given.
TRUTH_TABLE = 4
# A network learns with a dead or a saturated unit here and there, not with a third of a layer.
MANY_UNITS = 1 / 3
# With few examples some units are dead by chance; half of a layer leaves too little even for a truth table.
HALF_OF_THE_UNITS = 1 / 2
# g′ below this share of its largest value passes next to nothing: |z| > 6 of the sigmoid, > 3 of tanh.
FLAT = 0.01
# A unit is saturated if it is so on nearly all examples; a few that are sure are what is wanted.
NEARLY_ALL = 0.9
# Of the examples, and of the outputs that are wrong: then it is the saturated outputs that stop the descent. Where only a few
# are surely wrong, the others still pull.
HALF = 1 / 2
# The largest g′, at z = 0.
STEEPEST = {"sigmoid": 0.25, "tanh": 1.0}
# Two squashing layers learn well; from three on the factors g′ < 1 multiply up.
DEEP = 3
# Of random networks with 3 hidden layers of sigmoid nearly all are below, by ten times in the median; with up to 12 of tanh all
# are above, by twice or more.
VANISHED = 0.03


def not_finite(seen: Seen) -> Iterator[Remark]:
    """Remark on a loss or derivatives that are infinite or not numbers."""
    if seen.finite:
        return
    bad = np.count_nonzero(~np.isfinite(seen.derivatives))
    largest = max(np.abs(array).max() for name, array in seen.parameters.items() if name.startswith("w"))
    yield seen.remark(
        "not-finite",
        {"loss": seen.trace.loss, "bad": bad, "derivatives": seen.derivatives.size, "w": largest, "x": np.abs(seen.x).max()},
    )


def zero_gradient(seen: Seen) -> Iterator[Remark]:
    """Remark on a gradient of which every number is 0, while there is a loss."""
    if seen.finite and seen.trace.loss > 0 and not seen.derivatives.any():
        yield seen.remark("zero-gradient", {"loss": seen.trace.loss, "derivatives": seen.derivatives.size})


def zero_weights(seen: Seen) -> Iterator[Remark]:
    """Remark on hidden layers whose every weight is 0; an output layer may well start so."""
    for number, _ in seen.hidden():
        if not seen.parameters[f"w{number}"].any():
            zero = np.count_nonzero(seen.derivatives == 0)
            yield seen.remark("zero-weights", {"zero": zero, "derivatives": seen.derivatives.size}, number)


def symmetric_weights(seen: Seen) -> Iterator[Remark]:
    """Remark on units of a hidden layer that compute the same and are used in the same way."""
    for number, layer in seen.hidden():
        w, onward = seen.parameters[f"w{number}"], seen.parameters[f"w{number + 1}"]
        if not w.any():  # said already
            continue
        columns = [w, seen.parameters[f"b{number}"][:, None], onward.T]
        alpha = seen.parameters.get(f"alpha{number}")
        if alpha is not None and alpha.ndim:
            columns.append(alpha[:, None])
        _, kind, count = np.unique(np.hstack(columns), axis=0, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(count > 1)
        if len(shared):
            difference = max(np.ptp(layer.dL_dw[kind.ravel() == one], axis=0).max() for one in shared)
            yield seen.remark(
                "symmetric-weights", {"alike": count[shared].sum(), "units": len(w), "difference": difference}, number
            )


def dead_units(seen: Seen) -> Iterator[Remark]:
    """Remark on hidden layers of which many units have a derivative of 0 on every example."""
    if len(seen.x) < TRUTH_TABLE:
        return
    many = MANY_UNITS if len(seen.x) >= FEWEST else HALF_OF_THE_UNITS
    for number, layer in seen.hidden():
        if seen.activation(number) not in ("relu", "leaky_relu", "prelu") or not seen.parameters[f"w{number}"].any():
            continue
        # It is where z <= 0; of leaky_relu and prelu only if their slope is 0, too.
        dead = ~np.any(layer.da_dz, axis=0)
        if dead.mean() >= many:
            yield seen.remark("dead-units", {"dead": dead.sum(), "units": dead.size, "examples": len(seen.x)}, number, "II")


def saturated_units(seen: Seen) -> Iterator[Remark]:
    """Remark on hidden layers of which many units are where sigmoid or tanh is flat, on nearly every example."""
    if len(seen.x) < FEWEST:
        return
    for number, layer in seen.hidden():
        steepest = STEEPEST.get(seen.activation(number))
        if steepest is None or layer.da_dz is None:
            continue
        flat = layer.da_dz < FLAT * steepest
        saturated = flat.mean(axis=0) >= NEARLY_ALL
        if saturated.mean() >= MANY_UNITS:
            yield seen.remark(
                "saturated-units",
                {
                    "saturated": saturated.sum(),
                    "units": saturated.size,
                    "examples": len(seen.x),
                    "percent": 100 * flat.mean(),
                    "z": np.abs(layer.z).mean(dtype=np.float64),
                },
                number,
                "II",
            )


def saturated_output(seen: Seen) -> Iterator[Remark]:
    """Remark on squared error's sigmoid or tanh that is where it is flat, on the wrong side, on half of the examples."""
    steepest = STEEPEST.get(seen.squared_error_after)
    output = seen.trace.layers[-1]
    if steepest is None or output.da_dz is None or not seen.finite:
        return
    low, high = seen.reach
    # A target out of reach counts as the end of the range that is next to it; that it is out of reach is said elsewhere.
    wrong = np.abs(output.a - np.clip(seen.y, low, high)) > (high - low) / 2
    stuck = wrong & (output.da_dz < FLAT * steepest)
    examples = stuck.any(axis=1)
    if examples.mean() >= HALF and stuck.sum() >= HALF * wrong.sum():
        share = len(seen.x) if seen.net.reduction == "mean" else 1
        yield seen.remark(
            "saturated-output",
            {
                "stuck": examples.sum(),
                "examples": len(seen.x),
                "z": np.abs(output.z[stuck]).mean(dtype=np.float64),
                "derivative": share * np.abs(output.dL_dz[stuck]).max(),
            },
            len(seen.trace),
            "II",
        )


def deep_squashing(seen: Seen) -> Iterator[Remark]:
    """Remark on a stack of sigmoid and tanh layers whose first has next to no gradient beside the last layer's."""
    squashing = [number for number, _ in seen.hidden() if seen.activation(number) in STEEPEST]
    if len(squashing) < DEEP:
        return
    first, last = (np.abs(seen.trace[number].dL_dw).mean(dtype=np.float64) for number in (squashing[0], len(seen.trace)))
    if first < VANISHED * last:
        yield seen.remark(
            "deep-squashing",
            {"squashing": len(squashing), "ratio": first / last, "last": len(seen.trace)},
            squashing[0],
            "II.F",
        )


def linear_layers(seen: Seen) -> Iterator[Remark]:
    """Remark on hidden layers of which none bends anything."""
    hidden = [number for number, _ in seen.hidden()]
    if hidden and all(seen.activation(number) == "identity" for number in hidden):
        yield seen.remark("linear-layers", {"hidden": len(hidden)}, hidden[0], "II.F")


def relu_output(seen: Seen) -> Iterator[Remark]:
    """Remark on an output layer that is relu."""
    if seen.squared_error_after == "relu":
        z = seen.trace.layers[-1].z
        stuck = np.count_nonzero((z <= 0) & (seen.y > 0))
        yield seen.remark("relu-output", {"stuck": stuck, "outputs": z.size}, len(seen.trace), "II.F")


def softmax_of_one_unit(seen: Seen) -> Iterator[Remark]:
    """Remark on an output that can only be 1."""
    if seen.activation(len(seen.trace)) == "softmax" and seen.y.shape[1] == 1:
        yield seen.remark("softmax-of-one-unit", {"units": 1}, len(seen.trace), "II")


def softmax_squared_error(seen: Seen) -> Iterator[Remark]:
    """Remark on squared error after softmax, with the example that is surest of a wrong class."""
    if seen.squared_error_after != "softmax" or seen.y.shape[1] == 1 or not seen.finite:
        return
    output = seen.trace.layers[-1]
    wrong = np.where(np.arange(seen.y.shape[1]) == seen.y.argmax(axis=1)[:, None], 0, output.a)
    i = np.unravel_index(wrong.argmax(), wrong.shape)[0]
    share = len(seen.x) if seen.net.reduction == "mean" else 1
    yield seen.remark(
        "softmax-squared-error",
        {
            "p": wrong[i].max(),
            "derivative": share * np.abs(output.dL_dz[i]).max(),
            "joined": np.abs(losses.cross_entropy_derivative(output.a[i], seen.y[i])).max(),
        },
        len(seen.trace),
        "II",
    )
