"""Mistakes in the derivatives that start the way back, (4), p − y and a − y, and in every activation's g′ (12)."""

from __future__ import annotations

import numpy as np

from verification.mistakes.catalogue import BINARY, by_step
from verification.mistakes.reference import RIGHT, Array, Layer, softmax_jacobian

LEAKY = ("leaky_relu", "prelu")


def _off_diagonal_sign(layer: Layer) -> Array:
    return np.abs(softmax_jacobian(layer))


def _without_diagonal(layer: Layer) -> Array:
    return -layer.a[:, :, None] * layer.a[:, None, :]


def _diagonal(layer: Layer) -> Array:
    return np.asarray(softmax_jacobian(layer) * np.eye(layer.a.shape[1], dtype=layer.a.dtype))


def _joined_for_squared_error(layer: Layer) -> Array:
    """Return dL/dz = a − y at a softmax or sigmoid output; its two factors are then never formed."""
    if layer is not layer.run.last or layer.activation not in ("softmax", "sigmoid"):
        return RIGHT.through_activation(layer)
    layer.dL_da = layer.da_dz = None
    return np.asarray((layer.a - layer.run.y) * RIGHT.share(layer.run))


def _output_left_linear(layer: Layer) -> Array:
    if layer is not layer.run.last:
        return RIGHT.derivative(layer)
    if layer.activation == "softmax":
        return np.broadcast_to(np.eye(layer.a.shape[1], dtype=layer.a.dtype), (*layer.a.shape, layer.a.shape[1]))
    return np.ones_like(layer.a)


def _of_activation(layer: Layer, other: Layer) -> Array:
    """Return the derivative by another layer's activation; softmax, which has a Jacobian, is left to itself."""
    if "softmax" in (other.activation, layer.activation):
        return RIGHT.derivative(layer)
    slope = layer.slope if layer.slope is not None else 0.0
    if other.slope is not None:
        slope = np.ravel(other.slope)[0]
    stand_in = Layer(layer.number, layer.w, layer.b, other.activation, slope, layer.run)
    stand_in.z, stand_in.a = layer.z, layer.a
    return RIGHT.derivative(stand_in)


def _at_first_z(layer: Layer) -> Array:
    if layer.activation == "softmax":
        return RIGHT.derivative(layer)
    stand_in = Layer(layer.number, layer.w, layer.b, layer.activation, layer.slope, layer.run)
    stand_in.z = layer.run.layers[0].z
    stand_in.a = RIGHT.activation(stand_in)
    return RIGHT.derivative(stand_in)


def _into_array_of_targets(layer: Layer) -> Array:
    y = np.atleast_2d(layer.run.y_given)
    dL_da = np.zeros_like(y)
    dL_da[...] = 2 * (layer.a - y)
    return dL_da.astype(layer.a.dtype)


MISTAKES = (
    # (4): the derivative at the output, in matrix form.
    by_step(
        "output-mean-over-outputs",
        "np.mean in place of a sum over the outputs, in the derivative but not in the loss",
        4,
        "squared error with two outputs or more",
        signature="ratio 1/n_L",
        needs=("squared error", "2 outputs"),
        output_derivative=lambda layer: RIGHT.output_derivative(layer) / layer.a.shape[1],
    ),
    by_step(
        "output-errors-summed",
        "the errors of all outputs are summed, and every output gets the sum",
        4,
        "squared error with two outputs or more",
        needs=("squared error", "2 outputs"),
        output_derivative=lambda layer: 0 * layer.a + RIGHT.output_derivative(layer).sum(axis=1, keepdims=True),
    ),
    by_step(
        "output-against-the-first-target",
        "y[0] is the target, as for one example",
        4,
        "squared error on a batch whose targets differ",
        needs=("squared error", "batch"),
        output_derivative=lambda layer: 2 * (layer.a - layer.run.y[0]),
    ),
    by_step(
        "output-error-averaged-first",
        "the errors of the batch are averaged before they go back",
        4,
        "squared error on a batch whose errors differ",
        needs=("squared error", "batch"),
        output_derivative=lambda layer: 0 * layer.a + 2 * (layer.a - layer.run.y).mean(axis=0),
    ),
    by_step(
        "output-against-flat-targets",
        "y has one number an example, so it is flattened; a is a column, and column minus row is a square",
        4,
        "squared error on a batch with one output: wrong shapes; more outputs give an error",
        signature="shape",
        needs=("squared error", "batch"),
        output_derivative=lambda layer: 2 * (layer.a - layer.run.y.ravel()),
    ),
    by_step(
        "output-of-z",
        "the error is taken before the activation, z - y",
        4,
        "squared error, any output activation but the identity",
        needs=("squared error", "output not identity"),
        output_derivative=lambda layer: 2 * (layer.z - layer.run.y),
    ),
    by_step(
        "output-unsigned-wraps",
        "2(-y + a) is the same as 2(a - y); with y of dtype uint8, -1 is 255",
        4,
        "squared error with unsigned targets, any but 0",
        kind="dtype",
        needs=("squared error", "unsigned y"),
        output_derivative=lambda layer: (2 * (-np.atleast_2d(layer.run.y_given) + layer.a)).astype(layer.a.dtype),
    ),
    by_step(
        "output-into-integer-array",
        "np.zeros_like(y) holds dL/da; with integer targets it cuts off the fractions",
        4,
        "squared error with integer targets",
        kind="dtype",
        needs=("squared error", "integers in y"),
        output_derivative=_into_array_of_targets,
    ),
    # (2): p − y.
    by_step(
        "joined-without-y",
        "the softmax's output is what goes back; 1 is never taken off at the true class",
        2,
        "cross-entropy",
        needs=("cross-entropy",),
        joined=lambda layer: layer.a,
    ),
    by_step(
        "joined-sign",
        "target minus output",
        2,
        "cross-entropy with two classes or more",
        signature="ratio -1",
        needs=("cross-entropy", "2 outputs"),
        joined=lambda layer: layer.run.y - layer.a,
    ),
    by_step(
        "joined-with-2",
        "2(p - y), by analogy with the squared error",
        2,
        "cross-entropy with two classes or more",
        signature="ratio 2",
        needs=("cross-entropy", "2 outputs"),
        joined=lambda layer: 2 * (layer.a - layer.run.y),
    ),
    by_step(
        "joined-divided-by-classes",
        "p - y is divided by the number of classes",
        2,
        "cross-entropy with two classes or more",
        signature="ratio 1/C",
        needs=("cross-entropy", "2 outputs"),
        joined=lambda layer: (layer.a - layer.run.y) / layer.a.shape[1],
    ),
    by_step(
        "joined-only-the-true-class",
        "only the true class has a term in the loss, so only its logit gets a derivative",
        2,
        "cross-entropy with two classes or more",
        needs=("cross-entropy", "2 outputs"),
        joined=lambda layer: layer.run.y * (layer.a - layer.run.y),
    ),
    by_step(
        "joined-and-jacobian",
        "p - y is taken for dL/da and multiplied by softmax's Jacobian once more",
        2,
        "cross-entropy with two classes or more",
        needs=("cross-entropy", "2 outputs"),
        joined=lambda layer: np.einsum("nj,nji->ni", layer.a - layer.run.y, softmax_jacobian(layer)),
    ),
    by_step(
        "joined-as-minus-y-over-p",
        "-y/p is the derivative of the loss by p, and is passed on as dL/dz",
        2,
        "cross-entropy",
        needs=("cross-entropy",),
        joined=lambda layer: -layer.run.y / layer.a,
    ),
    by_step(
        "joined-hardened-labels",
        "the target of a soft label is its argmax",
        2,
        "cross-entropy with soft labels",
        needs=("cross-entropy", "soft labels"),
        joined=lambda layer: layer.a - np.eye(layer.a.shape[1], dtype=layer.a.dtype)[layer.run.y.argmax(axis=1)],
    ),
    by_step(
        "joined-clipped",
        "probabilities are clipped to [0.01, 0.99], so that no logarithm fails, and p - y uses the clipped ones",
        2,
        "cross-entropy with a probability beyond the clip",
        needs=("cross-entropy",),
        joined=lambda layer: np.clip(layer.a, 0.01, 0.99) - layer.run.y,
    ),
    by_step(
        "joined-not-joined",
        "-y/p goes through the Jacobian as (11) says; where p is held as 0 that is infinity times 0",
        2,
        "cross-entropy where the true class's probability is held as 0",
        signature="nan",
        needs=("cross-entropy", "2 outputs", "|z| above 10"),
        joined=lambda layer: np.einsum("nj,nji->ni", -layer.run.y / layer.a, softmax_jacobian(layer)),
    ),
    # (1) for each sigmoid unit: a − y.
    by_step(
        "binary-and-sigmoid-derivative",
        "a - y is taken for dL/da, and multiplied by a(1 - a) once more",
        1,
        BINARY,
        needs=(BINARY,),
        binary_joined=lambda layer: (layer.a - layer.run.y) * layer.a * (1 - layer.a),
    ),
    by_step(
        "binary-as-squared-error",
        "2(a - y) · a(1 - a): the way back starts as under the squared error, whatever the loss",
        1,
        BINARY,
        needs=(BINARY,),
        binary_joined=lambda layer: 2 * (layer.a - layer.run.y) * layer.a * (1 - layer.a),
    ),
    by_step(
        "binary-without-complement",
        "the derivative of y log a alone, -y(1 - a): where y is 0 nothing goes back",
        1,
        f"{BINARY} with a target that is not 1",
        needs=(BINARY,),
        binary_joined=lambda layer: -layer.run.y * (1 - layer.a),
    ),
    by_step(
        "binary-sign",
        "target minus output",
        1,
        BINARY,
        signature="ratio -1",
        needs=(BINARY,),
        binary_joined=lambda layer: layer.run.y - layer.a,
    ),
    by_step(
        "binary-with-2",
        "2(a - y), by analogy with the squared error",
        1,
        BINARY,
        signature="ratio 2",
        needs=(BINARY,),
        binary_joined=lambda layer: 2 * (layer.a - layer.run.y),
    ),
    by_step(
        "binary-mean-over-units",
        "the derivative is divided by the number of units, too, as by np.mean over the matrix",
        1,
        f"{BINARY} with two units or more",
        signature="ratio 1/n_L",
        needs=(BINARY, "2 outputs"),
        binary_joined=lambda layer: (layer.a - layer.run.y) / layer.a.shape[1],
    ),
    by_step(
        "binary-without-sigmoid-derivative",
        "-y/a + (1 - y)/(1 - a) is the derivative of the loss by a, and is passed on as dL/dz",
        1,
        BINARY,
        needs=(BINARY,),
        binary_joined=lambda layer: -layer.run.y / layer.a + (1 - layer.run.y) / (1 - layer.a),
    ),
    by_step(
        "binary-not-joined",
        "(a - y)/(a(1 - a)) goes through a(1 - a) as (11) says; where a is held as 0 or 1 that is 0 divided by 0",
        1,
        f"{BINARY} where a unit is saturated",
        signature="nan",
        needs=(BINARY, "|z| above 10"),
        binary_joined=lambda layer: (layer.a - layer.run.y) / (layer.a * (1 - layer.a)) * (layer.a * (1 - layer.a)),
    ),
    by_step(
        "binary-hardened-targets",
        "a yes or no is 0 or 1, so the target is rounded",
        1,
        f"{BINARY} with a target between 0 and 1",
        needs=(BINARY, "y between 0 and 1"),
        binary_joined=lambda layer: layer.a - (layer.run.y > 0.5),
    ),
    # (12): each activation's derivative.
    by_step(
        "joined-for-squared-error",
        "a - y is the derivative at every sigmoid or softmax output, whatever the loss",
        12,
        "squared error after a sigmoid or a softmax",
        needs=("squared error", "output not identity"),
        through_activation=_joined_for_squared_error,
    ),
    by_step(
        "tanh-with-sigmoid-derivative",
        "a(1 - a) is the derivative of the curve shaped like an S",
        12,
        "tanh",
        needs=("tanh",),
        g_prime={"tanh": lambda layer: layer.a * (1 - layer.a)},
    ),
    by_step(
        "tanh-without-square",
        "1 - a, the square lost in copying",
        12,
        "tanh, any z but 0",
        needs=("tanh",),
        g_prime={"tanh": lambda layer: 1 - layer.a},
    ),
    by_step(
        "tanh-derivative-at-a",
        "tanh_prime(a) is called with the activation, though it takes tanh of its argument itself",
        12,
        "tanh, any z but 0",
        needs=("tanh",),
        g_prime={"tanh": lambda layer: 1 - np.tanh(layer.a) ** 2},
    ),
    by_step(
        "tanh-derivative-of-z",
        "1 - z², the cached z taken for a",
        12,
        "tanh, any z but 0",
        needs=("tanh",),
        g_prime={"tanh": lambda layer: 1 - layer.z**2},
    ),
    by_step(
        "tanh-for-its-derivative",
        "the cached tanh(z) is taken for the derivative",
        12,
        "tanh",
        needs=("tanh",),
        g_prime={"tanh": lambda layer: layer.a},
    ),
    by_step(
        "relu-derivative-always-1",
        "max(0, z) is linear, so its derivative is 1",
        12,
        "ReLU with a z below 0",
        needs=("relu",),
        g_prime={"relu": lambda layer: np.ones_like(layer.z)},
    ),
    by_step(
        "relu-mask-inverted",
        "the mask of what to set to 0 is used as the mask of what to keep",
        12,
        "ReLU",
        needs=("relu",),
        g_prime={"relu": lambda layer: (layer.z < 0).astype(layer.z.dtype)},
    ),
    by_step(
        "relu-for-its-derivative",
        "the cached relu(z) is taken for the derivative",
        12,
        "ReLU with a z above 0 other than 1",
        needs=("relu",),
        g_prime={"relu": lambda layer: layer.a},
    ),
    by_step(
        "relu-mask-of-the-error",
        "only errors above 0 pass: the mask is taken of dL/da",
        12,
        "ReLU where the signs of z and of dL/da differ",
        needs=("relu",),
        g_prime={"relu": lambda layer: (layer.dL_da > 0).astype(layer.z.dtype)},
    ),
    by_step(
        "relu-dead-below-a-threshold",
        "an activation below 1e-5 counts as 0, and its unit as dead",
        12,
        "ReLU with an activation between 0 and 1e-5",
        needs=("relu",),
        g_prime={"relu": lambda layer: (layer.a > 1e-5).astype(layer.z.dtype)},
    ),
    by_step(
        "relu-ratio",
        "a/z is 1 above 0 and 0 below",
        12,
        "ReLU with a z of exactly 0: 0 by 0",
        signature="nan",
        needs=("relu",),
        g_prime={"relu": lambda layer: layer.a / layer.z},
    ),
    by_step(
        "relu-mask-of-the-first-example",
        "the mask is made once, from z[0]",
        12,
        "ReLU on a batch in which a unit is on for one example and off for another",
        needs=("relu", "batch"),
        g_prime={"relu": lambda layer: np.ones_like(layer.z) * (layer.z[0] > 0)},
    ),
    by_step(
        "relu-dead-for-all",
        "a unit that is off for one example is dead, and gets no derivative from any",
        12,
        "ReLU on a batch in which a unit is on for one example and off for another",
        needs=("relu", "batch"),
        g_prime={"relu": lambda layer: np.ones_like(layer.z) * (layer.z > 0).all(axis=0)},
    ),
    by_step(
        "leaky-with-relu-derivative",
        "below 0 the derivative is 0, as for ReLU",
        12,
        "leaky ReLU or PReLU with a z below 0 and a slope but 0",
        signature="zero",
        needs=("slope not 0",),
        g_prime=dict.fromkeys(LEAKY, lambda layer: (layer.z > 0).astype(layer.z.dtype)),
    ),
    by_step(
        "leaky-default-slope",
        "0.01 is typed into the derivative, whatever slope the layer has",
        12,
        "leaky ReLU with another slope and a z below 0",
        needs=("leaky slope not 0.01",),
        g_prime={"leaky_relu": lambda layer: np.where(layer.z > 0, 1, 0.01).astype(layer.z.dtype)},
    ),
    by_step(
        "leaky-ratio",
        "a/z is 1 above 0 and the slope below",
        12,
        "leaky ReLU or PReLU with a z of exactly 0: 0 by 0",
        signature="nan",
        g_prime=dict.fromkeys(LEAKY, lambda layer: layer.a / layer.z),
    ),
    by_step(
        "leaky-mask-of-a",
        "a and z have the same sign, so a > 0 decides",
        12,
        "leaky ReLU or PReLU with a slope below 0 and a z below 0",
        needs=("slope below 0",),
        g_prime=dict.fromkeys(LEAKY, lambda layer: np.where(layer.a > 0, 1, np.asarray(layer.slope)).astype(layer.z.dtype)),
    ),
    by_step(
        "leaky-sides-exchanged",
        "np.where(z > 0, slope, 1), its last two arguments exchanged",
        12,
        "leaky ReLU or PReLU with a slope but 1",
        g_prime=dict.fromkeys(LEAKY, lambda layer: np.where(layer.z > 0, np.asarray(layer.slope), 1).astype(layer.z.dtype)),
    ),
    by_step(
        "leaky-slope-sign",
        "below 0 the function falls, so its derivative is minus the slope",
        12,
        "leaky ReLU or PReLU with a z below 0 and a slope but 0",
        signature="ratio -1",
        needs=("slope not 0",),
        g_prime=dict.fromkeys(LEAKY, lambda layer: np.where(layer.z > 0, 1, -np.asarray(layer.slope)).astype(layer.z.dtype)),
    ),
    by_step(
        "prelu-starting-slope",
        "the derivative uses 0.25, where alpha started, not alpha as it is now",
        12,
        "PReLU with another alpha and a z below 0",
        needs=("alpha not 0.25",),
        g_prime={"prelu": lambda layer: np.where(layer.z > 0, 1, 0.25).astype(layer.z.dtype)},
    ),
    by_step(
        "softmax-jacobian-diagonal",
        "a(1 - a), as for the sigmoid: only the diagonal of the Jacobian",
        12,
        "softmax under squared error or in a hidden layer",
        signature="diagonal",
        needs=("full Jacobian",),
        g_prime={"softmax": _diagonal},
    ),
    by_step(
        "softmax-jacobian-sign",
        "+a_j a_i beside the diagonal",
        12,
        "softmax under squared error or in a hidden layer",
        needs=("full Jacobian",),
        g_prime={"softmax": _off_diagonal_sign},
    ),
    by_step(
        "softmax-jacobian-without-diagonal",
        "-a_j a_i everywhere, the case j = i forgotten",
        12,
        "softmax under squared error or in a hidden layer",
        needs=("softmax",),
        g_prime={"softmax": _without_diagonal},
    ),
    by_step(
        "softmax-jacobian-of-the-first-example",
        "one Jacobian, made from a[0], serves the whole batch",
        12,
        "softmax under squared error or in a hidden layer, on a batch",
        needs=("full Jacobian", "batch"),
        g_prime={"softmax": lambda layer: softmax_jacobian(layer)[:1] + np.zeros((len(layer.a), 1, 1), layer.a.dtype)},
    ),
    by_step(
        "output-layer-taken-for-linear",
        "the loop over the hidden layers multiplies by g', the output layer before it does not",
        12,
        "squared error, any output activation but the identity",
        kind="order",
        needs=("squared error", "output not identity"),
        derivative=_output_left_linear,
    ),
    by_step(
        "output-derivative-for-all-layers",
        "one g' for the whole network, that of the output layer",
        12,
        "layers whose activations differ",
        kind="order",
        needs=("hidden layer", "activations differ"),
        derivative=lambda layer: _of_activation(layer, layer.run.last),
    ),
    by_step(
        "first-derivative-for-all-layers",
        "one g' for the whole network, that of the first layer",
        12,
        "layers whose activations differ",
        kind="order",
        needs=("hidden layer", "activations differ"),
        derivative=lambda layer: _of_activation(layer, layer.run.layers[0]),
    ),
    by_step(
        "error-clipped",
        "dL/dz is clipped to [-5, 5] against explosions, and the clip was left in",
        12,
        "a dL/dz beyond 5",
        through_activation=lambda layer: np.clip(RIGHT.through_activation(layer), -5, 5),
        joined=lambda layer: np.clip(RIGHT.joined(layer), -5, 5),
    ),
    by_step(
        "first-z-for-all-layers",
        "g' is taken at z[0] in every layer: the index is not the loop's",
        12,
        "two layers: wrong numbers if the widths agree or are 1, otherwise an error",
        kind="order",
        needs=("hidden layer",),
        derivative=_at_first_z,
    ),
)
