"""Mistakes in a forward pass over a batch: matrices, activations, losses, targets, dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from verification.mistakes.catalogue import BINARY, Mistake, by_step
from verification.mistakes.reference import RIGHT, Array, Layer, Run, gradient_with, inputs, of_probability


def _from_probabilities(minus_log: Any) -> Any:
    """Return the cross-entropy Σ_k y_k · minus_log(p_k) of each example, from probabilities in place of logits."""
    return lambda layer: (layer.run.y * minus_log(layer.a)).sum(axis=1)


def _softmax_of(powers: Any, axis: int | None = 1) -> Any:
    """Return the softmax whose powers are those given, divided by their sum along `axis`."""

    def g(z: Array, slope: Any) -> Array:
        e = powers(z)
        a: Array = e / e.sum(axis=axis, keepdims=True)
        return a

    return g


def _dropout(layer: Layer) -> Array:
    a = RIGHT.activation(layer)
    kept = np.random.default_rng(layer.number).random(a.shape) < 0.5
    return np.asarray(a if layer is layer.run.last else a * kept)


def _column_order(run: Run) -> Array:
    given = np.atleast_2d(run.x_given)
    return given.ravel(order="K").reshape(given.shape).astype(run.dtype)


def _labels_from_1(run: Run) -> Array:
    y = RIGHT.targets(run)
    indices = run.network.loss == "cross_entropy" and np.ndim(run.y_given) < np.ndim(run.x_given)
    return np.roll(y, -1, axis=1) if indices else y


def _whole_numbers(run: Run) -> Array:
    y = RIGHT.targets(run)
    return y if run.network.loss == "cross_entropy" else np.asarray(y.astype(np.int64).astype(y.dtype))


def _hardened(layer: Layer) -> Array:
    y = np.eye(layer.a.shape[1], dtype=layer.a.dtype)[layer.run.y.argmax(axis=1)]
    largest = layer.z.max(axis=1, keepdims=True)
    log_of_sum = largest + np.log(np.exp(layer.z - largest).sum(axis=1, keepdims=True))
    return np.asarray((y * (log_of_sum - layer.z)).sum(axis=1))


def _with_epsilon(layer: Layer) -> Array:
    a, y, epsilon = layer.a, layer.run.y, layer.a.dtype.type(1e-7)
    return np.asarray(-(y * np.log(a + epsilon) + (1 - y) * np.log(1 - a + epsilon)).sum(axis=1))


def _clipped(layer: Layer) -> Array:
    a, y = np.clip(layer.a, 1e-3, 1 - 1e-3), layer.run.y
    return np.asarray(-(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=1))


def _always_double(network: Any, x: Any, y: Any) -> dict[str, Any]:
    found = gradient_with(RIGHT)(network, x, y)
    return {name: value.astype(np.float64) if isinstance(value, np.ndarray) else value for name, value in found.items()}


MISTAKES = (
    # (8): z in matrix form.
    by_step(
        "forward-weights-not-transposed",
        "x times w, as the formula z = wx has one w and one x",
        8,
        "square layers of two units or more give wrong numbers, other shapes an error; width 1 hides it",
        signature="transpose",
        needs=("2 units in some layer",),
        pre_activation=lambda layer: layer.a_prev @ layer.w + layer.b,
    ),
    by_step(
        "forward-bias-as-column",
        "the bias is a column vector, as on the blackboard, but the batch has its units in columns",
        8,
        "N = n, two or more: the bias of unit i goes to example i; other N give an error or a wrong shape; n = 1 hides it",
        needs=("2 units in a layer",),
        pre_activation=lambda layer: layer.a_prev @ layer.w.T + layer.b[:, None],
    ),
    by_step(
        "forward-bias-of-first-unit",
        "one bias a layer, as in the chain with one neuron a layer",
        8,
        "a layer of two units or more whose biases differ",
        needs=("2 units in a layer",),
        pre_activation=lambda layer: layer.a_prev @ layer.w.T + layer.b[0],
    ),
    by_step(
        "forward-always-from-x",
        "every layer multiplies the input x",
        8,
        "two layers: wrong numbers if the widths let x in, otherwise an error",
        needs=("hidden layer",),
        pre_activation=lambda layer: layer.run.x @ layer.w.T + layer.b,
    ),
    # (9): the activations.
    by_step(
        "sigmoid-positive-exponent",
        "1 / (1 + e^z), the minus lost in copying",
        9,
        "sigmoid, any z but 0",
        needs=("sigmoid",),
        g={"sigmoid": lambda z, slope: 1 / (1 + np.exp(z))},
    ),
    by_step(
        "sigmoid-overflow",
        "e^z / (1 + e^z) is the same, and has no minus",
        9,
        "sigmoid with z above 709 (float64) or 88 (float32): infinity by infinity",
        signature="nan",
        needs=("sigmoid", "|z| above 80"),
        g={"sigmoid": lambda z, slope: np.exp(z) / (1 + np.exp(z))},
    ),
    by_step(
        "tanh-overflow",
        "sinh z / cosh z, the definition, typed in",
        9,
        "tanh with |z| above 709 (float64) or 88 (float32): infinity by infinity",
        signature="nan",
        needs=("tanh", "|z| above 80"),
        g={"tanh": lambda z, slope: np.sinh(z) / np.cosh(z)},
    ),
    by_step(
        "tanh-of-half",
        "2 sigma(z) - 1 for tanh, where 2 sigma(2z) - 1 is right",
        9,
        "tanh, any z but 0",
        needs=("tanh",),
        g={"tanh": lambda z, slope: np.tanh(z / 2)},
    ),
    by_step(
        "relu-absolute",
        "a rectifier turns what is negative positive",
        9,
        "ReLU with a z below 0",
        needs=("relu",),
        g={"relu": lambda z, slope: np.abs(z)},
    ),
    by_step(
        "leaky-by-maximum",
        "max(z, slope z), which holds for slopes up to 1",
        9,
        "leaky ReLU or PReLU with a slope above 1, any z but 0",
        needs=("slope above 1",),
        g=dict.fromkeys(("leaky_relu", "prelu"), lambda z, slope: np.maximum(z, np.asarray(slope, z.dtype) * z)),
    ),
    by_step(
        "leaky-slope-of-size",
        "below 0 the output is the slope times the size of z",
        9,
        "leaky ReLU with a z below 0 and a slope but 0",
        needs=("leaky_relu", "slope not 0"),
        g={"leaky_relu": lambda z, slope: np.where(z > 0, z, np.asarray(slope, z.dtype) * np.abs(z))},
    ),
    by_step(
        "prelu-first-alpha-for-all",
        "alpha is one number, so alpha[0] is taken",
        9,
        "PReLU with an alpha for each unit, a z below 0 in a unit other than the first",
        needs=("alpha a unit",),
        g={"prelu": lambda z, slope: np.where(z > 0, z, np.ravel(slope)[0] * z)},
    ),
    by_step(
        "softmax-over-the-batch",
        "axis=0 is the axis to sum along",
        9,
        "softmax; one layer of one unit and one example hides it",
        needs=("softmax",),
        g={"softmax": _softmax_of(lambda z: np.exp(z - z.max(axis=0, keepdims=True)), axis=0)},
    ),
    by_step(
        "softmax-over-everything",
        "sum() without an axis",
        9,
        "softmax on a batch; one example hides it",
        needs=("softmax", "batch"),
        g={"softmax": _softmax_of(lambda z: np.exp(z - z.max()), axis=None)},
    ),
    by_step(
        "softmax-overflow",
        "the definition, typed in, with no maximum taken off",
        9,
        "softmax with a logit above 709 (float64) or 88 (float32): infinity by infinity",
        signature="nan",
        needs=("softmax", "|z| above 80"),
        g={"softmax": _softmax_of(np.exp)},
    ),
    by_step(
        "softmax-largest-of-the-batch",
        "the maximum that guards against overflow is taken over the whole batch",
        9,
        "softmax on a batch with one example's logits far below another's: 0 by 0",
        signature="nan",
        needs=("softmax", "batch", "|z| above 10"),
        g={"softmax": _softmax_of(lambda z: np.exp(z - z.max()))},
    ),
    by_step(
        "softmax-in-base-2",
        "a power is a power: 2^z",
        9,
        "softmax of two units or more",
        needs=("softmax", "2 units in a layer"),
        g={"softmax": _softmax_of(lambda z: np.exp2(z - z.max(axis=1, keepdims=True)))},
    ),
    by_step(
        "forward-output-left-linear",
        "the output layer has no activation, as for regression",
        9,
        "any output activation but the identity",
        needs=("output not identity",),
        kind="order",
        activation=lambda layer: layer.z if layer is layer.run.last else RIGHT.activation(layer),
    ),
    by_step(
        "forward-first-activation-everywhere",
        "activations[0] is used for all layers",
        9,
        "layers whose activations differ",
        needs=("hidden layer", "activations differ"),
        kind="order",
        activation=lambda layer: RIGHT.g[layer.run.layers[0].activation](layer.z, np.ravel(layer.run.layers[0].slope)[0]),
    ),
    by_step(
        "dropout-left-on",
        "half of the hidden units are silenced, as in training",
        9,
        "any hidden layer",
        needs=("hidden layer",),
        kind="order",
        activation=_dropout,
    ),
    # (10), (2): the loss that is reported.
    by_step(
        "loss-only-of-the-last-example",
        "the loss is assigned in the loop over the examples, not added",
        10,
        "squared error on a batch: the loss alone",
        needs=("squared error", "batch"),
        squared_error=lambda layer: np.full(len(layer.a), RIGHT.squared_error(layer)[-1]),
    ),
    by_step(
        "loss-summed-where-the-gradient-is-a-mean",
        "the loss of a batch is the sum of its examples' losses",
        10,
        "reduction mean on a batch of two or more: the loss alone",
        signature="ratio N",
        needs=("mean", "batch", "squared error"),
        squared_error=lambda layer: len(layer.a) ** (layer.run.network.reduction == "mean") * RIGHT.squared_error(layer),
    ),
    by_step(
        "loss-against-flat-targets",
        "y has one number an example, so it is flattened; a is a column, and column minus row is a square",
        10,
        "squared error on a batch with one output: the loss alone, over all pairs of examples; more outputs give an error",
        needs=("squared error", "batch"),
        squared_error=lambda layer: ((layer.a - layer.run.y.ravel()) ** 2).sum(axis=1),
    ),
    by_step(
        "loss-with-weight-decay",
        "the reported loss carries the penalty on the weights, the gradient does not",
        10,
        "squared error, any weight but 0: the loss alone",
        needs=("squared error",),
        squared_error=lambda layer: RIGHT.squared_error(layer) + 0.05 * sum((each.w**2).sum() for each in layer.run.layers),
    ),
    by_step(
        "cross-entropy-divided-by-classes",
        "the mean over all numbers of the matrix, examples and classes alike",
        2,
        "cross-entropy with two classes or more: the loss alone",
        signature="ratio 1/C",
        needs=("cross-entropy", "2 outputs"),
        cross_entropy=lambda layer: RIGHT.cross_entropy(layer) / layer.a.shape[1],
    ),
    by_step(
        "cross-entropy-log-of-0",
        "minus the logarithm of the probability, whatever it is",
        2,
        "cross-entropy where a probability is so small that it is held as 0: infinity, or 0 times infinity",
        signature="nan",
        needs=("cross-entropy", "2 outputs", "|z| above 10"),
        cross_entropy=_from_probabilities(lambda p: -np.log(p)),
    ),
    by_step(
        "cross-entropy-epsilon",
        "1e-7 inside the logarithm keeps it finite",
        2,
        "cross-entropy with a true class of small probability: the loss stops at 16",
        needs=("cross-entropy",),
        cross_entropy=_from_probabilities(lambda p: -np.log(p + p.dtype.type(1e-7))),
    ),
    by_step(
        "cross-entropy-clipped",
        "probabilities are clipped to [1e-3, 1 - 1e-3] before the logarithm",
        2,
        "cross-entropy with a probability beyond the clip: the loss alone",
        needs=("cross-entropy",),
        cross_entropy=_from_probabilities(lambda p: -np.log(np.clip(p, 1e-3, 1 - 1e-3))),
    ),
    by_step(
        "cross-entropy-binary",
        "the complement's term (1 - y) log(1 - p) is added for every class, as for one sigmoid",
        2,
        "cross-entropy: the loss alone",
        needs=("cross-entropy",),
        cross_entropy=lambda layer: -(layer.run.y * np.log(layer.a) + (1 - layer.run.y) * np.log(1 - layer.a)).sum(axis=1),
    ),
    by_step(
        "cross-entropy-of-the-likeliest-label",
        "the target of a soft label is its argmax",
        2,
        "cross-entropy with soft labels: the loss alone",
        needs=("cross-entropy", "soft labels"),
        cross_entropy=_hardened,
    ),
    # (1) for each sigmoid unit: the loss that is reported.
    by_step(
        "binary-loss-without-complement",
        "-y log a, as under the cross-entropy of classes; (1 - y) log(1 - a) is left out",
        1,
        f"{BINARY} with a target that is not 1: the loss alone",
        needs=(BINARY,),
        binary_cross_entropy=lambda layer: (layer.run.y * np.logaddexp(np.zeros_like(layer.z), -layer.z)).sum(axis=1),
    ),
    by_step(
        "binary-loss-mean-over-units",
        "the mean over all numbers of the matrix, examples and units alike",
        1,
        f"{BINARY} with two units or more: the loss alone",
        signature="ratio 1/n_L",
        needs=(BINARY, "2 outputs"),
        binary_cross_entropy=lambda layer: RIGHT.binary_cross_entropy(layer) / layer.a.shape[1],
    ),
    by_step(
        "binary-loss-sign",
        "the logarithm of the likelihood, without its minus",
        1,
        f"{BINARY}: the loss alone",
        signature="ratio -1",
        needs=(BINARY,),
        binary_cross_entropy=lambda layer: -RIGHT.binary_cross_entropy(layer),
    ),
    by_step(
        "binary-loss-sides-swapped",
        "log(1 - a) is weighted by y, and log a by 1 - y",
        1,
        f"{BINARY}, any target but 1/2: the loss alone",
        needs=(BINARY,),
        binary_cross_entropy=lambda layer: RIGHT.binary_cross_entropy(layer) + ((2 * layer.run.y - 1) * layer.z).sum(axis=1),
    ),
    by_step(
        "binary-loss-log-of-0",
        "minus the logarithms of a and of 1 - a, whatever they are",
        1,
        f"{BINARY} where a unit is saturated: infinity, or 0 times infinity",
        needs=(BINARY, "|z| above 10"),
        binary_cross_entropy=of_probability,
    ),
    by_step(
        "binary-loss-epsilon",
        "1e-7 inside both logarithms keeps them finite",
        1,
        f"{BINARY} where a or 1 - a is small: the loss stops at 16 a unit",
        needs=(BINARY,),
        binary_cross_entropy=_with_epsilon,
    ),
    by_step(
        "binary-loss-clipped",
        "probabilities are clipped to [1e-3, 1 - 1e-3] before the logarithms",
        1,
        f"{BINARY} with a probability beyond the clip: the loss alone",
        needs=(BINARY,),
        binary_cross_entropy=_clipped,
    ),
    # What comes in: dtypes and layouts.
    by_step(
        "labels-counted-from-1",
        "classes are numbered from 1, so 1 is taken off every index; index -1 is then the last class",
        2,
        "cross-entropy with class indices and two classes or more",
        kind="dtype",
        needs=("cross-entropy", "class indices", "2 outputs"),
        targets=_labels_from_1,
    ),
    by_step(
        "targets-as-whole-numbers",
        "y = y.astype(int), since targets are labels",
        10,
        "squared error with a target that is not whole",
        kind="dtype",
        needs=("squared error", "numbers in y"),
        targets=_whole_numbers,
    ),
    by_step(
        "bytes-are-pictures",
        "bytes are grey values, so they are scaled to [0, 1]",
        8,
        "x of dtype uint8",
        kind="dtype",
        needs=("bytes in x",),
        inputs=lambda run: inputs(run) / 255 if np.asarray(run.x_given).dtype == np.uint8 else inputs(run),
    ),
    by_step(
        "inputs-in-memory-order",
        "x is flattened in the order it lies in memory and shaped again",
        8,
        "a column-major x of two rows and two columns or more",
        kind="dtype",
        needs=("column-major x", "batch", "2 inputs"),
        inputs=_column_order,
    ),
    by_step(
        "inputs-truncated",
        "x is kept in an array of integers made for the first data set",
        8,
        "an x that is not whole",
        kind="dtype",
        inputs=lambda run: inputs(run).astype(np.int64).astype(run.dtype),
    ),
    by_step(
        "single-precision-inside",
        "float32 is enough for neural networks, and the result is turned back into float64",
        8,
        "float64 networks: half of the digits are lost",
        kind="dtype",
        signature="rounding",
        needs=("float64",),
        pre_activation=lambda layer: RIGHT.pre_activation(layer).astype(np.float32).astype(layer.w.dtype),
    ),
    Mistake(
        "result-always-float64",
        "the gradients are made by np.zeros, whose dtype is float64",
        11,
        "float32 networks: the dtype of what is returned",
        _always_double,
        kind="dtype",
        signature="dtype",
        needs=("float32",),
    ),
)
