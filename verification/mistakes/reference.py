"""A whole backpropagation as a careful student writes it in NumPy: right, plain, and apart from handgrad's own.

It is cut into named steps, each a function of the layer at hand, so that a mistake of the catalogue exchanges exactly one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.submissions.description import Description

Array = npt.NDArray[Any]
Result = dict[str, Any]
Step = Callable[["Layer"], Array]
GradientFunction = Callable[[Description, Any, Any], Result]


@dataclass(eq=False)
class Layer:
    """One layer at work: its parameters, and every quantity of the pass as it is found."""

    number: int
    w: Array
    b: Array
    activation: str
    slope: Any
    run: Run
    a_prev: Array = field(init=False)
    z: Array = field(init=False)
    a: Array = field(init=False)
    dL_da: Any = field(init=False)  # None, like da_dz, where the output and a cross-entropy are joined
    da_dz: Any = field(init=False)
    dL_dz: Array = field(init=False)
    dL_dw: Array = field(init=False)
    dL_db: Array = field(init=False)
    dL_dalpha: Array | None = field(init=False)
    dL_da_prev: Array = field(init=False)

    @property
    def before(self) -> Layer | None:
        """The layer before this one; None for the first."""
        return self.run.layers[self.number - 2] if self.number > 1 else None


@dataclass(eq=False)
class Run:
    """One forward and one backward pass of a network.

    Parameters
    ----------
    network : Description
        The network; its arrays are used, never changed.
    steps : Steps
        The functions to compute with.
    """

    network: Description
    steps: Steps
    layers: list[Layer] = field(init=False)
    single: bool = field(init=False)
    x_given: Any = field(init=False)
    y_given: Any = field(init=False)
    x: Array = field(init=False)
    y: Array = field(init=False)
    loss: float = field(init=False)

    def __post_init__(self) -> None:
        per_layer = zip(self.network.weights, self.network.biases, self.network.activations, self.network.slopes, strict=True)
        self.layers = [Layer(number, *of_layer, run=self) for number, of_layer in enumerate(per_layer, start=1)]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The network's dtype."""
        return self.network.weights[0].dtype

    @property
    def last(self) -> Layer:
        """The output layer."""
        return self.layers[-1]

    def forward(self, x: Any) -> Array:
        """Return the predictions for x, (N, n_0) or (n_0,), by (8) and (9) from layer to layer."""
        self.x_given = x
        self.single = np.ndim(x) == 1
        self.x = self.steps.inputs(self)
        a = self.x
        for layer in self.layers:
            layer.a_prev = a
            layer.z = self.steps.pre_activation(layer)
            layer.a = a = self.steps.activation(layer)
        return np.array(a[0] if self.single else a)

    def backward(self, y: Any) -> Result:
        """Return every derivative and every intermediate, last layer first, for the x that `forward` was given."""
        steps = self.steps
        self.y_given = y
        self.y = steps.targets(self)
        self.loss = float(steps.loss(self))
        share = steps.share(self)
        squared = self.network.loss == "squared_error"
        dL_da = steps.output_derivative(self.last) * share if squared else None
        for layer in reversed(self.layers):
            layer.dL_da = dL_da
            if dL_da is None:
                layer.da_dz = None
                binary = self.network.loss == "binary_cross_entropy"
                layer.dL_dz = (steps.binary_joined(layer) if binary else steps.joined(layer)) * share
            else:
                layer.da_dz = steps.derivative(layer)
                layer.dL_dz = steps.through_activation(layer)
            layer.dL_dw = steps.weight_gradient(layer)
            layer.dL_db = steps.bias_gradient(layer)
            layer.dL_dalpha = steps.alpha_gradient(layer) if layer.activation == "prelu" else None
            layer.dL_da_prev = dL_da = steps.upstream(layer)
        return steps.results(self)


@dataclass(frozen=True)
class Steps:
    """The steps of a whole backpropagation; `RIGHT` holds the right ones.

    `g` and `g_prime` go by activation; `inputs`, `targets`, `loss`, `share` and `results` take the run, all others the layer.
    """

    inputs: Callable[[Run], Array]
    targets: Callable[[Run], Array]
    pre_activation: Step
    g: Mapping[str, Callable[[Array, Any], Array]]
    activation: Step
    loss: Callable[[Run], float]
    squared_error: Step
    cross_entropy: Step
    binary_cross_entropy: Step
    share: Callable[[Run], float]
    output_derivative: Step
    joined: Step
    binary_joined: Step
    g_prime: Mapping[str, Step]
    derivative: Step
    through_activation: Step
    weight_gradient: Step
    bias_gradient: Step
    alpha_gradient: Step
    upstream: Step
    results: Callable[[Run], Result]


def inputs(run: Run) -> Array:
    """Return x as a batch (N, n_0) of the network's dtype, in memory of its own."""
    return np.array(np.atleast_2d(run.x_given), dtype=run.dtype)


def targets(run: Run) -> Array:
    """Return y as (N, n_L): outputs, or distributions over the classes."""
    if run.network.loss == "cross_entropy" and np.ndim(run.y_given) < (1 if run.single else 2):
        return np.asarray(np.eye(len(run.last.b), dtype=run.dtype)[np.atleast_1d(run.y_given)])
    return np.array(np.atleast_2d(run.y_given), dtype=run.dtype)


def pre_activation(layer: Layer) -> Array:
    """Return z (8)."""
    z: Array = layer.a_prev @ layer.w.T + layer.b
    return z


def sigmoid(z: Array, slope: Any = None) -> Array:
    """Return 1 / (1 + e^{−z}), with no power that overflows."""
    e = np.exp(-np.abs(z))
    a: Array = np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    return a


def leaky(z: Array, slope: Any) -> Array:
    """Return z for z > 0, otherwise slope · z."""
    return np.where(z > 0, z, np.asarray(slope, z.dtype) * z)


def softmax(z: Array, slope: Any = None) -> Array:
    """Return e^{z_j} / Σ_i e^{z_i} of each example."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    a: Array = e / e.sum(axis=1, keepdims=True)
    return a


def activation(layer: Layer) -> Array:
    """Return a = g(z) (9)."""
    return layer.run.steps.g[layer.activation](layer.z, layer.slope)


def squared_error(layer: Layer) -> Array:
    """Return L_i of each example (10)."""
    return np.asarray(((layer.a - layer.run.y) ** 2).sum(axis=1))


def cross_entropy(layer: Layer) -> Array:
    """Return L_i of each example, −Σ_k y_k log p_k with log p_k = z_k − log Σ_j e^{z_j} (2)."""
    z, y = layer.z, layer.run.y
    largest = z.max(axis=1, keepdims=True)
    log_of_sum = largest + np.log(np.exp(z - largest).sum(axis=1, keepdims=True))
    return np.asarray((y * (log_of_sum - z)).sum(axis=1))


def binary_cross_entropy(layer: Layer) -> Array:
    """Return L_i of each example, −Σ_j [y_j log a_j + (1 − y_j) log(1 − a_j)], the logarithms from z (1)."""
    z, y = layer.z, layer.run.y
    log_a, log_rest = -np.logaddexp(np.zeros_like(z), -z), -np.logaddexp(np.zeros_like(z), z)
    return np.asarray(-(y * log_a + (1 - y) * log_rest).sum(axis=1))


def of_probability(layer: Layer) -> Array:
    """Return the binary cross-entropy of each example with the logarithms from a."""
    return np.asarray(-(layer.run.y * np.log(layer.a) + (1 - layer.run.y) * np.log(1 - layer.a)).sum(axis=1))


def loss(run: Run) -> float:
    """Return L, the mean or sum of L_i over the examples; the step that gives L_i has the loss's name."""
    of_one: Step = getattr(run.steps, run.network.loss)
    L_i = of_one(run.last)
    return float(L_i.mean() if run.network.reduction == "mean" else L_i.sum())


def share(run: Run) -> float:
    """Return the factor of each example in L: 1/N for the mean, 1 for the sum."""
    return 1 / len(run.x) if run.network.reduction == "mean" else 1.0


def output_derivative(layer: Layer) -> Array:
    """Return dL_i/da of the output layer (4)."""
    return 2 * (layer.a - layer.run.y)


def joined(layer: Layer) -> Array:
    """Return dL_i/dz of softmax with cross-entropy, p − y: the derivative of (2)."""
    return np.asarray(layer.a - layer.run.y)


def binary_joined(layer: Layer) -> Array:
    """Return dL_i/dz of sigmoid with binary cross-entropy, a − y: the derivative of (1) for each unit."""
    return np.asarray(layer.a - layer.run.y)


def slope_below_zero(layer: Layer) -> Array:
    """Return 1 for z > 0, otherwise the slope."""
    return np.where(layer.z > 0, np.ones_like(layer.z), np.asarray(layer.slope, layer.z.dtype))


def softmax_jacobian(layer: Layer) -> Array:
    """Return da_j/dz_i = a_j (δ_ji − a_i), (N, n, n)."""
    a = layer.a
    jacobian: Array = a[:, :, None] * (np.eye(a.shape[1], dtype=a.dtype) - a[:, None, :])
    return jacobian


def derivative(layer: Layer) -> Array:
    """Return da/dz, (N, n), or softmax's Jacobian, (N, n, n) (12)."""
    return np.asarray(layer.run.steps.g_prime[layer.activation](layer))


def through_activation(layer: Layer) -> Array:
    """Return dL/dz = da/dz · dL/da, the two factors that (11) and (14) share."""
    if layer.activation == "softmax":
        return np.asarray(np.einsum("nj,nji->ni", layer.dL_da, layer.da_dz))
    return np.asarray(layer.da_dz * layer.dL_da)


def weight_gradient(layer: Layer) -> Array:
    """Return dL/dw, summed over the examples (11), (13)."""
    return np.asarray(layer.dL_dz.T @ layer.a_prev)


def bias_gradient(layer: Layer) -> Array:
    """Return dL/db, summed over the examples (11), (7)."""
    return np.asarray(layer.dL_dz.sum(axis=0))


def alpha_gradient(layer: Layer) -> Array:
    """Return dL/dα, da/dα being min(z, 0), summed over the examples and, if the layer shares α, over the units."""
    by_unit = (layer.dL_da * np.minimum(layer.z, 0)).sum(axis=0)
    return np.asarray(by_unit if np.ndim(layer.slope) else by_unit.sum())


def upstream(layer: Layer) -> Array:
    """Return dL/da of the layer before (14)."""
    return np.asarray(layer.dL_dz @ layer.w)


def results(run: Run) -> Result:
    """Return every derivative and intermediate by handgrad's names, in memory of their own."""
    found: Result = {"loss": run.loss, "x": run.layers[0].dL_da_prev}
    for layer in run.layers:
        found |= {f"w{layer.number}": layer.dL_dw, f"b{layer.number}": layer.dL_db, f"alpha{layer.number}": layer.dL_dalpha}
        found |= {f"{name}{layer.number}": getattr(layer, name) for name in ("z", "a", "dL_da", "da_dz", "dL_dz")}
    batched = ("x", "z", "a", "dL_da", "da_dz", "dL_dz")
    for name, value in found.items():
        if isinstance(value, np.ndarray):
            of_one = run.single and name.rstrip("0123456789") in batched
            found[name] = np.array(value[0] if of_one else value)
    return {name: value for name, value in found.items() if value is not None}


RIGHT = Steps(
    inputs=inputs,
    targets=targets,
    pre_activation=pre_activation,
    g={
        "identity": lambda z, slope: z,
        "sigmoid": sigmoid,
        "tanh": lambda z, slope: np.tanh(z),
        "relu": lambda z, slope: np.maximum(z, 0),
        "leaky_relu": leaky,
        "prelu": leaky,
        "softmax": softmax,
    },
    activation=activation,
    loss=loss,
    squared_error=squared_error,
    cross_entropy=cross_entropy,
    binary_cross_entropy=binary_cross_entropy,
    share=share,
    output_derivative=output_derivative,
    joined=joined,
    binary_joined=binary_joined,
    g_prime={
        "identity": lambda layer: np.ones_like(layer.z),
        "sigmoid": lambda layer: layer.a * (1 - layer.a),
        "tanh": lambda layer: 1 - layer.a**2,
        "relu": lambda layer: (layer.z > 0).astype(layer.z.dtype),
        "leaky_relu": slope_below_zero,
        "prelu": slope_below_zero,
        "softmax": softmax_jacobian,
    },
    derivative=derivative,
    through_activation=through_activation,
    weight_gradient=weight_gradient,
    bias_gradient=bias_gradient,
    alpha_gradient=alpha_gradient,
    upstream=upstream,
    results=results,
)


# The derivatives of the activations that RIGHT takes from a, taken from z: the same unless a is wrong.
AT_Z: Mapping[str, Step] = {
    "sigmoid": lambda layer: sigmoid(layer.z) * sigmoid(-layer.z),
    "tanh": lambda layer: 1 - np.tanh(layer.z) ** 2,
}


def exchanged(**steps: Any) -> Steps:
    """Return the right steps with some exchanged; `g` and `g_prime` take the activations to exchange.

    Parameters
    ----------
    **steps : callable, or mapping of str to callable for g and g_prime
        Name of the step → the function to use in its place.

    Returns
    -------
    Steps
        A new table; `RIGHT` stays as it is.
    """
    tables: dict[str, Any] = {}
    for name in {"g", "g_prime"} & set(steps):
        tables[name] = {**getattr(RIGHT, name), **steps[name]}
    return replace(RIGHT, **{**steps, **tables})


def gradient_with(steps: Steps) -> GradientFunction:
    """Return the submission `gradient(network, x, y)` that computes with these steps."""

    def gradient(network: Description, x: Any, y: Any) -> Result:
        # What overflows must show in the numbers; a warning would stop some callers before they see them.
        with np.errstate(all="ignore"):
            run = Run(network, steps)
            run.forward(x)
            return run.backward(y)

    return gradient


def without_intermediates(gradient: GradientFunction) -> GradientFunction:
    """Return the submission that gives only the loss and the parameters' derivatives of another."""

    def bare(network: Description, x: Any, y: Any) -> Result:
        found = gradient(network, x, y)
        return {name: found[name] for name in ("loss", *named_parameters(network))}

    return bare


def named_parameters(network: Description) -> dict[str, Array]:
    """Return {"w1": …, "b1": …, "alpha1": …, "w2": …}: the description's own arrays."""
    named: dict[str, Array] = {}
    for number, (w, b, slope) in enumerate(zip(network.weights, network.biases, network.slopes, strict=True), start=1):
        named |= {f"w{number}": w, f"b{number}": b}
        if isinstance(slope, np.ndarray):
            named[f"alpha{number}"] = slope
    return named


def derivatives_in(found: Result) -> list[str]:
    """Return the names of the parameters' derivatives among all that was found."""
    return [name for name in found if name.rstrip("0123456789") in ("w", "b", "alpha") and name[-1].isdigit()]


def copied(network: Description) -> Description:
    """Return the description with arrays of its own."""
    return replace(
        network,
        weights=[w.copy() for w in network.weights],
        biases=[b.copy() for b in network.biases],
        slopes=[slope.copy() if isinstance(slope, np.ndarray) else slope for slope in network.slopes],
    )


class Backprop:
    """The same backpropagation as a class, done right: it owns its parameters and hands out copies alone.

    Parameters
    ----------
    network : Description
        The network, copied.
    """

    steps: Steps = RIGHT

    def __init__(self, network: Description) -> None:
        self.network = copied(network)
        self.run = Run(self.network, self.steps)
        self.gradient: Result = {}

    def forward(self, x: Any) -> Array:
        """Return the predictions for x."""
        self.run = Run(self.network, self.steps)
        with np.errstate(all="ignore"):
            return self.run.forward(x)

    def backward(self, y: Any) -> Result:
        """Return the derivatives for the last x and this y."""
        with np.errstate(all="ignore"):
            self.gradient = self.run.backward(y)
        return {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in self.gradient.items()}

    def descend(self, rate: float) -> None:
        """Take one step of gradient descent with the gradient of the last `backward`."""
        for name, parameter in named_parameters(self.network).items():
            parameter -= rate * self.gradient[name]

    def parameters(self) -> dict[str, Array]:
        """Return copies of the parameters by handgrad's names."""
        return {name: parameter.copy() for name, parameter in named_parameters(self.network).items()}
