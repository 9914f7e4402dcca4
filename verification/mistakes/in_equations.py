"""Mistakes that are one wrong equation: the notes' literal backpropagation with a single function exchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log, prod, sqrt, tanh
from typing import Any

import numpy as np

from handgrad import equations, literal
from verification.mistakes.catalogue import Mistake
from verification.mistakes.reference import AT_Z, RIGHT, Array, GradientFunction, Layer, Result, sigmoid
from verification.submissions.description import Description, as_network


def by_equations(table: Mapping[int, equations.Equation] = equations.EQUATIONS) -> GradientFunction:
    """Return the submission `gradient(network, x, y)` that computes by these equations, index by index."""

    def gradient(network: Description, x: Any, y: Any) -> Result:
        trace = literal.trace(as_network(network), x, y, table)
        g = trace.gradient
        return {**g.named(), "loss": g.loss, "x": g.x, **trace.named()}

    return gradient


def _by_element(function: Callable[..., float], *arrays: Array) -> Array:
    return np.asarray(np.vectorize(function, otypes=[float])(*arrays), arrays[0].dtype)


def _by_example(function: Callable[..., float], *arrays: Array) -> Array:
    """Return the function of the rows of several matrices, as lists of numbers."""
    return np.array([function(*(row.tolist() for row in rows)) for rows in zip(*arrays, strict=True)], arrays[0].dtype)


def _factors(layer: Layer) -> tuple[Array, Array]:
    """Return da/dz and dL/da of each unit; where they are joined, 1 and dL/dz."""
    if layer.dL_da is None or layer.activation == "softmax":
        return np.ones_like(layer.dL_dz), layer.dL_dz
    return layer.da_dz, layer.dL_da


def _of_probability(function: Callable[..., float]) -> Callable[[Layer], Array]:
    """Return the step whose L_i is (1) by this function for a class, and as it was for a distribution."""

    def cross_entropy(layer: Layer) -> Array:
        certain = (layer.run.y == 1).any(axis=1)
        of_class = [function(p.tolist(), int(y.argmax())) for p, y in zip(layer.a, layer.run.y, strict=True)]
        return np.where(certain, of_class, RIGHT.cross_entropy(layer))

    return cross_entropy


def _of_logits(function: Callable[..., float]) -> Callable[[Layer], Array]:
    """Return the step whose L_i is the sum of y_k times (2) by this function for a distribution, and as it was for a class."""

    def cross_entropy(layer: Layer) -> Array:
        certain = (layer.run.y == 1).any(axis=1)
        of_all = [
            sum(y_k * function(z.tolist(), k) for k, y_k in enumerate(y) if y_k > 0)
            for z, y in zip(layer.z, layer.run.y, strict=True)
        ]
        return np.where(certain, RIGHT.cross_entropy(layer), of_all)

    return cross_entropy


def _pre_activation(function: Callable[..., float]) -> Callable[[Layer], Array]:
    return lambda layer: np.array(
        [
            [function(b_j, w_j, a_prev) for b_j, w_j in zip(layer.b.tolist(), layer.w.tolist(), strict=True)]
            for a_prev in layer.a_prev.tolist()
        ],
        layer.w.dtype,
    )


def _activation(function: Callable[..., Any]) -> Callable[[Layer], Array]:
    def activation(layer: Layer) -> Array:
        g = layer.run.steps.g[layer.activation]
        if layer.activation == "softmax":
            # The notes' g takes one number: softmax's, of a z whose probability is known.
            p = g(layer.z, layer.slope)
            return np.asarray(function(lambda _: p, layer.z))
        return np.asarray(function(lambda z: g(z, layer.slope), layer.z))

    return activation


def _product(function: Callable[..., Any]) -> dict[str, Callable[[Layer], Array]]:
    def weight_gradient(layer: Layer) -> Array:
        da_dz, dL_da = _factors(layer)
        product = function(layer.a_prev[:, None, :], da_dz[:, :, None], dL_da[:, :, None])
        return np.asarray(np.broadcast_to(product, (len(layer.z), *layer.w.shape)).sum(axis=0))

    def bias_gradient(layer: Layer) -> Array:
        return np.asarray(function(1.0, *_factors(layer)).sum(axis=0))

    return {"weight_gradient": weight_gradient, "bias_gradient": bias_gradient}


def _upstream(function: Callable[..., float]) -> Callable[[Layer], Array]:
    return lambda layer: np.array(
        [
            [function(column, *of_example) for column in layer.w.T.tolist()]
            for of_example in zip(*(array.tolist() for array in _factors(layer)), strict=True)
        ],
        layer.w.dtype,
    )


# Number of an equation → the steps of the matrix form that are other ones if this function takes the equation's place.
AS_STEPS: dict[int, Callable[[Callable[..., Any]], dict[str, Any]]] = {
    1: lambda f: {"cross_entropy": _of_probability(f)},
    2: lambda f: {"cross_entropy": _of_logits(f)},
    4: lambda f: {"output_derivative": lambda layer: _by_element(f, layer.a, layer.run.y)},
    7: lambda f: {"bias_gradient": lambda layer: f() * RIGHT.bias_gradient(layer)},
    8: lambda f: {"pre_activation": _pre_activation(f)},
    9: lambda f: {"activation": _activation(f), "g_prime": AT_Z},
    10: lambda f: {"squared_error": lambda layer: _by_example(f, layer.a, layer.run.y)},
    11: _product,
    12: lambda f: {"g_prime": {"sigmoid": lambda layer: _by_element(lambda z: f(_sigmoid, z), layer.z)}},
    13: lambda f: {"weight_gradient": lambda layer: layer.dL_dz.T @ _by_element(f, layer.a_prev)},
    14: lambda f: {"upstream": _upstream(f)},
}


def _sigmoid(z: float) -> float:
    return float(sigmoid(np.asarray(z)))


def _wrong(
    number: int,
    name: str,
    thought: str,
    shows: str,
    function: Callable[..., Any],
    needs: tuple[str, ...] = (),
    signature: str = "",
) -> Mistake:
    submission = by_equations(equations.exchanged({number: function}))
    steps = AS_STEPS[number](function)
    return Mistake(name, thought, number, shows, submission, needs=needs, signature=signature, steps=steps)


SQUARED = ("squared error",)
CERTAIN = ("cross-entropy", "2 outputs", "a class for certain")
SIGMOID = ("sigmoid",)

MISTAKES = (
    # (1), (2): the value of the cross-entropy. Literally, (1) serves a true class and (2) a distribution over classes.
    _wrong(
        1,
        "cross-entropy-in-bits",
        "entropy is measured in bits, so the logarithm is log2",
        "cross-entropy with a class as target: the loss alone",
        lambda P, y_i: -log(P[y_i]) / log(2),
        CERTAIN,
        "ratio 1/log 2",
    ),
    _wrong(
        1,
        "cross-entropy-without-minus",
        "the loss is the logarithm of the probability",
        "cross-entropy with a class as target: the loss alone, which is then negative",
        lambda P, y_i: log(P[y_i]),
        CERTAIN,
        "ratio -1",
    ),
    _wrong(
        1,
        "cross-entropy-without-logarithm",
        "what is missing from probability 1 is the loss",
        "cross-entropy with a class as target: the loss alone",
        lambda P, y_i: 1 - P[y_i],
        CERTAIN,
    ),
    _wrong(
        2,
        "logits-without-normaliser",
        "the loss is minus the score of the true class; the denominator is the same for all classes",
        "cross-entropy with soft labels, or with a class of tiny probability: the loss alone",
        lambda s, k: -s[k],
        ("cross-entropy",),
    ),
    _wrong(
        2,
        "logits-against-the-others",
        "the denominator sums over the other classes, j different from k",
        "cross-entropy with soft labels, or with a class of tiny probability: the loss alone",
        lambda s, k: log(sum(np.exp(s_j - max(s)) for j, s_j in enumerate(s) if j != k)) + max(s) - s[k],
        ("cross-entropy", "2 outputs"),
    ),
    # (4): the derivative at the output.
    _wrong(
        4,
        "output-without-2",
        "the 2 comes from the square and is left for the learning rate to absorb, though the loss keeps no 1/2",
        "squared error, any target not met exactly",
        lambda a, y: a - y,
        SQUARED,
        "ratio 1/2",
    ),
    _wrong(
        4,
        "output-sign",
        "the error is target minus output",
        "squared error, any target not met exactly",
        lambda a, y: 2 * (y - a),
        SQUARED,
        "ratio -1",
    ),
    _wrong(
        4,
        "output-2-twice",
        "the power rule gives a 2 and the chain rule, so it seemed, another",
        "squared error, any target not met exactly",
        lambda a, y: 4 * (a - y),
        SQUARED,
        "ratio 2",
    ),
    _wrong(
        4,
        "output-parenthesis",
        "2 times a minus y, typed without its parentheses",
        "squared error, any target but 0",
        lambda a, y: 2 * a - y,
        SQUARED,
    ),
    _wrong(
        4,
        "output-without-target",
        "y is a constant, so its part of the derivative vanishes",
        "squared error, any target but 0",
        lambda a, y: 2 * a,
        SQUARED,
    ),
    _wrong(
        4,
        "output-loss-itself",
        "what is passed back is the loss",
        "squared error, any error but 0 and 2",
        lambda a, y: (a - y) ** 2,
        SQUARED,
    ),
    _wrong(
        4,
        "output-direction-only",
        "the derivative of the absolute error: only the direction counts",
        "squared error, any error other than 0 and ±1/2",
        lambda a, y: float(np.sign(a - y)),
        SQUARED,
    ),
    _wrong(
        4,
        "output-absolute",
        "an error has no sign, so its size is passed back",
        "squared error, an output below its target",
        lambda a, y: 2 * abs(a - y),
        SQUARED,
    ),
    # (7): the derivative by the bias.
    _wrong(
        7,
        "bias-is-a-constant",
        "b is a constant, and the derivative of a constant is 0",
        "any network whose output depends on a bias",
        lambda: 0.0,
        (),
        "zero",
    ),
    _wrong(
        7,
        "bias-subtracted",
        "the bias is a threshold that is taken off, so dz/db = -1, though the forward pass adds it",
        "any network whose output depends on a bias",
        lambda: -1.0,
        (),
        "ratio -1",
    ),
    # (8): the pre-activation.
    _wrong(
        8,
        "forward-without-bias",
        "z is the weighted sum alone, without b",
        "any bias but 0",
        lambda b_j, w_j, a_prev: sum(w_jk * a_k for w_jk, a_k in zip(w_j, a_prev, strict=True)),
    ),
    _wrong(
        8,
        "forward-bias-subtracted",
        "the bias is a threshold that the sum must pass",
        "any bias but 0",
        lambda b_j, w_j, a_prev: sum(w_jk * a_k for w_jk, a_k in zip(w_j, a_prev, strict=True)) - b_j,
    ),
    _wrong(
        8,
        "forward-bias-inside-the-sum",
        "b was added inside the loop over k",
        "two units or more into a layer, a bias but 0; one unit in hides it",
        lambda b_j, w_j, a_prev: sum(b_j + w_jk * a_k for w_jk, a_k in zip(w_j, a_prev, strict=True)),
        ("2 units into a layer",),
    ),
    _wrong(
        8,
        "forward-from-the-second-input",
        "the notes count k from 1, so the loop starts at index 1",
        "a first input and its weight that are not 0",
        lambda b_j, w_j, a_prev: b_j + sum(w_jk * a_k for w_jk, a_k in zip(w_j[1:], a_prev[1:], strict=True)),
    ),
    _wrong(
        8,
        "forward-last-input-left-out",
        "k runs up to n - 1, and range stops before that",
        "a last input and its weight that are not 0",
        lambda b_j, w_j, a_prev: b_j + sum(w_jk * a_k for w_jk, a_k in zip(w_j[:-1], a_prev[:-1], strict=True)),
    ),
    _wrong(
        8,
        "forward-mean-of-inputs",
        "a neuron averages its inputs, so that wide layers do not saturate",
        "two units or more into a layer",
        lambda b_j, w_j, a_prev: b_j + sum(w_jk * a_k for w_jk, a_k in zip(w_j, a_prev, strict=True)) / len(w_j),
        ("2 units into a layer",),
    ),
    # (9): the activation.
    _wrong(
        9,
        "forward-without-activation",
        "the activation is a matter of the backward pass",
        "any activation but the identity",
        lambda g, z_j: z_j,
        ("some not identity",),
    ),
    _wrong(
        9,
        "forward-activation-twice",
        "each layer activates its input, and each layer activates its output",
        "sigmoid, tanh, and the leaky ones below 0; ReLU and the identity hide it",
        lambda g, z_j: g(g(z_j)),
        ("some not identity",),
    ),
    # (10): the value of the squared error.
    _wrong(
        10,
        "loss-halved",
        "the loss carries a 1/2 to cancel the 2, which the derivative kept",
        "squared error: the loss alone",
        lambda a, y: sum((a_j - y_j) ** 2 for a_j, y_j in zip(a, y, strict=True)) / 2,
        SQUARED,
        "ratio 1/2",
    ),
    _wrong(
        10,
        "loss-mean-over-outputs",
        "MSE is a mean, so the sum is divided by the number of outputs, but its derivative is not",
        "squared error with two outputs or more: the loss alone",
        lambda a, y: sum((a_j - y_j) ** 2 for a_j, y_j in zip(a, y, strict=True)) / len(a),
        ("squared error", "2 outputs"),
        "ratio 1/n_L",
    ),
    _wrong(
        10,
        "loss-square-root",
        "the error is the distance between output and target",
        "squared error, a loss other than 0 and 1: the loss alone",
        lambda a, y: sqrt(sum((a_j - y_j) ** 2 for a_j, y_j in zip(a, y, strict=True))),
        SQUARED,
    ),
    _wrong(
        10,
        "loss-absolute",
        "the error is the absolute difference",
        "squared error: the loss alone",
        lambda a, y: sum(abs(a_j - y_j) for a_j, y_j in zip(a, y, strict=True)),
        SQUARED,
    ),
    _wrong(
        10,
        "loss-square-of-the-sum",
        "the errors are summed and the sum is squared",
        "squared error with two outputs or more: the loss alone; one output hides it",
        lambda a, y: sum(a_j - y_j for a_j, y_j in zip(a, y, strict=True)) ** 2,
        ("squared error", "2 outputs"),
    ),
    # (11): the product of the three factors.
    _wrong(
        11,
        "weights-without-g-prime",
        "the weight sits before the activation, so its derivative is input times error",
        "any activation whose derivative is not 1 where z lies",
        lambda dz_dw, da_dz, dL_da: dz_dw * dL_da,
        ("some not identity",),
    ),
    _wrong(
        11,
        "weights-without-upstream",
        "the slope of the neuron by its weight is dz/dw times da/dz",
        "nearly everywhere",
        lambda dz_dw, da_dz, dL_da: dz_dw * da_dz,
    ),
    _wrong(
        11,
        "weights-added",
        "the changes along the path add up",
        "nearly everywhere",
        lambda dz_dw, da_dz, dL_da: dz_dw + da_dz * dL_da,
    ),
    _wrong(
        11,
        "weights-g-prime-twice",
        "g' is multiplied in when dL/dz is formed and again in the product",
        "any activation whose derivative is neither 0 nor 1 where z lies",
        lambda dz_dw, da_dz, dL_da: dz_dw * da_dz**2 * dL_da,
        ("some not identity",),
    ),
    _wrong(
        11,
        "descent-direction",
        "what is returned is the direction of the step, minus the gradient",
        "anywhere: weights and biases with the opposite sign",
        lambda dz_dw, da_dz, dL_da: -dz_dw * da_dz * dL_da,
        (),
        "ratio -1",
    ),
    # (12): the sigmoid's derivative.
    _wrong(
        12,
        "sigmoid-g-for-g-prime",
        "the cached g(z) is taken for the derivative",
        "sigmoid",
        lambda g, z: g(z),
        SIGMOID,
    ),
    _wrong(
        12,
        "sigmoid-only-1-minus-g",
        "e^{-z} / (1 + e^{-z}) is what differentiating gave, the square below forgotten",
        "sigmoid",
        lambda g, z: 1 - g(z),
        SIGMOID,
    ),
    _wrong(
        12,
        "sigmoid-g-prime-at-a",
        "sigmoid_prime(a) is given the activation, though it activates its argument",
        "sigmoid",
        lambda g, z: g(g(z)) * (1 - g(g(z))),
        SIGMOID,
    ),
    _wrong(
        12,
        "sigmoid-z-for-g",
        "a(1 - a) is called with z in place of a",
        "sigmoid",
        lambda g, z: z * (1 - z),
        SIGMOID,
    ),
    _wrong(
        12,
        "sigmoid-sign",
        "the derivative of e^{-z} brings a minus, which was not cancelled",
        "sigmoid",
        lambda g, z: g(z) * (g(z) - 1),
        SIGMOID,
        "ratio -1",
    ),
    _wrong(
        12,
        "sigmoid-plus",
        "g(1 + g), remembered wrongly",
        "sigmoid",
        lambda g, z: g(z) * (1 + g(z)),
        SIGMOID,
    ),
    _wrong(
        12,
        "sigmoid-with-tanh-derivative",
        "1 - a² is the derivative of the curve shaped like an S",
        "sigmoid",
        lambda g, z: 1 - g(z) ** 2,
        SIGMOID,
    ),
    _wrong(
        12,
        "sigmoid-without-derivative",
        "the activation is passed over on the way back",
        "sigmoid",
        lambda g, z: 1.0,
        SIGMOID,
    ),
    _wrong(
        12,
        "sigmoid-derivative-of-scaled-tanh",
        "sigma(z) = (1 + tanh(z/2)) / 2 was differentiated without the inner 1/2",
        "sigmoid",
        lambda g, z: (1 - tanh(z / 2) ** 2) / 2,
        SIGMOID,
        "ratio 2",
    ),
    # (13): the derivative of z by the weight.
    _wrong(
        13,
        "input-is-1",
        "z is linear in w, so dz/dw = 1, as for the bias",
        "any input of a layer but 1",
        lambda a_k: 1.0,
    ),
    _wrong(
        13,
        "input-squared",
        "the input is multiplied in when the layer is prepared and again in the product",
        "any input of a layer but 0 and 1",
        lambda a_k: a_k**2,
    ),
    _wrong(
        13,
        "input-size-only",
        "a weight matters as much as its input is large",
        "a negative input of a layer",
        lambda a_k: abs(a_k),
    ),
    _wrong(
        13,
        "input-through-sigmoid-derivative",
        "the activation before was differentiated once more, a(1 - a)",
        "any input of a layer but 0",
        lambda a_k: a_k * (1 - a_k),
    ),
    # (14): the sum from the layer above.
    _wrong(
        14,
        "upstream-without-g-prime",
        "the error goes back through the weights alone",
        "a hidden layer's parameters, if the layer above has a derivative other than 1; dL/dx always",
        lambda dz_da_k, da_dz, dL_da: sum(w_jk * dL_da_j for w_jk, dL_da_j in zip(dz_da_k, dL_da, strict=True)),
        ("some not identity",),
    ),
    _wrong(
        14,
        "upstream-without-weights",
        "the error of the layer above is handed down as it is",
        "two layers; dL/dx always",
        lambda dz_da_k, da_dz, dL_da: sum(factor * dL_da_j for factor, dL_da_j in zip(da_dz, dL_da, strict=True)),
    ),
    _wrong(
        14,
        "upstream-mean",
        "the derivatives that arrive by several paths are averaged",
        "a layer of two units or more above; one unit hides it",
        lambda dz_da_k, da_dz, dL_da: sum(map(prod, zip(dz_da_k, da_dz, dL_da, strict=True))) / len(dL_da),
        ("2 units in a layer",),
        "ratio 1/n",
    ),
    _wrong(
        14,
        "upstream-strongest-path",
        "only the path with the strongest influence counts",
        "a layer of two units or more above; one unit hides it",
        lambda dz_da_k, da_dz, dL_da: max(map(prod, zip(dz_da_k, da_dz, dL_da, strict=True)), key=abs),
        ("2 units in a layer",),
    ),
    _wrong(
        14,
        "upstream-first-path",
        "return stands inside the loop over j",
        "a layer of two units or more above; one unit hides it",
        lambda dz_da_k, da_dz, dL_da: dz_da_k[0] * da_dz[0] * dL_da[0],
        ("2 units in a layer",),
    ),
    _wrong(
        14,
        "upstream-last-path",
        "= in place of += in the loop over j",
        "a layer of two units or more above; one unit hides it",
        lambda dz_da_k, da_dz, dL_da: dz_da_k[-1] * da_dz[-1] * dL_da[-1],
        ("2 units in a layer",),
    ),
    _wrong(
        14,
        "upstream-sums-apart",
        "the sum over j is taken of each factor and the sums are multiplied",
        "a layer of two units or more above; one unit hides it",
        lambda dz_da_k, da_dz, dL_da: sum(dz_da_k) * sum(f * dL_da_j for f, dL_da_j in zip(da_dz, dL_da, strict=True)),
        ("2 units in a layer",),
    ),
    _wrong(
        14,
        "upstream-sign",
        "each layer passes on what it takes off, with a minus",
        "two layers; dL/dx always",
        lambda dz_da_k, da_dz, dL_da: -sum(map(prod, zip(dz_da_k, da_dz, dL_da, strict=True))),
        (),
        "ratio -1",
    ),
    _wrong(
        14,
        "upstream-starts-at-1",
        "the sum over j starts from 1, like the seed of the whole backward pass",
        "two layers; dL/dx always",
        lambda dz_da_k, da_dz, dL_da: 1 + sum(map(prod, zip(dz_da_k, da_dz, dL_da, strict=True))),
    ),
)
