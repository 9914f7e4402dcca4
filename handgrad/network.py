"""Backpropagation in matrix form: layers, batches of examples, float32 or float64 kept as given.

Beside each matrix line stands the indexed equation that it is, in subscript form: i the example, j a neuron of this layer,
k a neuron of the layer before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import activations as act
from handgrad import checks, losses
from handgrad.activations import Activation
from handgrad.gradient import Gradient, LayerTrace, Shapes, Trace, cut, size
from handgrad.plan import FEW, Plan

Array = npt.NDArray[Any]

# Batch sizes whose plans are kept; a training run needs two, the last batch of an epoch being smaller.
MOST_PLANS = 8


@dataclass(slots=True, eq=False)
class _Kept:
    """w for a dL/dx that is computed later: the layer's own memory until that may change, and then a copy."""

    w: Array
    wanted: bool = False


class Dense:
    """One layer: z = b + w a^(l−1) (8) and a = g(z) (9).

    Parameters
    ----------
    w : array_like
        Weights, (n, n_prev), the layout of `torch.nn.Linear.weight`; float32 or float64. Copied.
    b : array_like
        Biases, (n,), of w's dtype. Copied.
    activation : str or Activation
        By name or as an object; "identity" unless given.

    Attributes
    ----------
    w, b : ndarray
        The layer's own copies. What is assigned to them is copied into the same memory.
    activation : Activation
        The activation function.
    alpha : ndarray or None
        The learned slope α of prelu, () or (n,); () in a layer of one unit, where both say the same; None for the others.

    Raises
    ------
    TypeError
        If w or b is not float32 or float64, or their dtypes differ.
    ValueError
        If a shape is wrong, a number is NaN or infinite, or the activation is unknown.

    Examples
    --------
    >>> Dense([[1.0, 2.0]], [0.5], "relu")
    Dense(2 -> 1, relu, float64)
    """

    __slots__ = ("_activation", "_alpha", "_b", "_handed_out", "_kept", "_w")

    def __init__(self, w: npt.ArrayLike, b: npt.ArrayLike, activation: Activation | str = "identity") -> None:
        self._activation = act.activation(activation)
        self._w: Array = checks.parameter("w", w)
        self._b: Array = checks.parameter("b", b, self._w.dtype)
        alpha = self.activation.alpha
        self._alpha: Array | None = None if alpha is None else checks.parameter("alpha", alpha, self._w.dtype)
        self._handed_out, self._kept = False, _Kept(self._w)
        if self.activation.slope is not None:
            checks.converted("slope", np.asarray(self.activation.slope), self._w.dtype)
        checks.dense(self._w, self._b, self._alpha)
        if self._alpha is not None and self._alpha.shape == (1,):
            self._alpha = self._alpha.reshape(())

    @property
    def activation(self) -> Activation:
        """The activation function."""
        return self._activation

    @property
    def w(self) -> Array:
        """The weights, (n, n_prev)."""
        # From now on whoever has it may write to it at any time. In this order, and in `_w_for_later` in the other: of two
        # threads one sees the other's mark.
        self._handed_out = True
        self._may_change()
        return self._w

    @w.setter
    def w(self, value: npt.ArrayLike) -> None:
        array = checks.replacement("w", value, self._w)
        self._may_change()
        self._w[...] = array

    def _w_for_later(self) -> _Kept:
        """Return w as it is now, whatever becomes of it."""
        kept = self._kept
        kept.wanted = kept.wanted or not self._handed_out
        return _Kept(self._w.copy()) if self._handed_out else kept

    def _may_change(self) -> None:
        """Copy w for whoever wants it as it is now."""
        if self._kept.wanted:
            self._kept.w, self._kept = self._w.copy(), _Kept(self._w)

    @property
    def b(self) -> Array:
        """The biases, (n,)."""
        return self._b

    @b.setter
    def b(self, value: npt.ArrayLike) -> None:
        self._b[...] = checks.replacement("b", value, self._b)

    @property
    def alpha(self) -> Array | None:
        """The learned slope α of prelu, () or (n,); None for the others."""
        return self._alpha

    @alpha.setter
    def alpha(self, value: npt.ArrayLike) -> None:
        if self._alpha is None:
            raise TypeError(f"alpha is an argument of prelu alone; {self.activation.name} got {value!r}")
        self._alpha[...] = checks.replacement("alpha", value, self._alpha, one_unit=self._b.size == 1)

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to make it again elsewhere, whatever its numbers are by then."""
        return _made, (type(self), self._activation, self.w, self._b, self._alpha)

    def _placed(self, memory: tuple[Array, Array, Array | None]) -> Dense:
        """Return a layer with the same numbers, which it keeps in this memory."""
        placed = _made(type(self), self._activation, *memory)
        for mine, theirs in zip((self._w, self._b, self._alpha), memory, strict=True):
            if mine is not None and theirs is not None:
                theirs[...] = mine
        return placed

    def __repr__(self) -> str:
        """Return the layer's widths, activation and dtype."""
        n, n_prev = self._w.shape
        return f"Dense({n_prev} -> {n}, {self.activation.name}, {self._w.dtype})"

    @property
    def negative_slope(self) -> Array | float | None:
        """The slope for z < 0: α of prelu as it is now, the fixed slope of leaky_relu, None for the others."""
        return self.activation.slope if self.alpha is None else self.alpha

    def named(self, number: int) -> dict[str, Array]:
        """Return {"w1": …, "b1": …, "alpha1": …} for this layer's parameters if its number is 1.

        Parameters
        ----------
        number : int
            The layer's number, counted from 1.

        Returns
        -------
        dict of str to ndarray
            The arrays themselves.
        """
        arrays = {f"w{number}": self.w, f"b{number}": self.b}
        return arrays if self.alpha is None else arrays | {f"alpha{number}": self.alpha}


def _made(kind: type[Dense], activation: Activation, w: Array, b: Array, alpha: Array | None) -> Dense:
    """Return a layer that has these arrays themselves."""
    layer = kind.__new__(kind)
    layer._activation, layer._w, layer._b, layer._alpha = activation, w, b, alpha
    layer._handed_out, layer._kept = False, _Kept(w)
    return layer


class Network:
    """A network of dense layers with its loss.

    Parameters
    ----------
    layers : sequence of Dense
        First layer first. Their parameters are copied.
    loss : str
        "squared_error" (10), or "cross_entropy" (1)–(2), whose output layer must be softmax.
    reduction : str
        "mean", the mean of L_i over the examples, or "sum".

    Attributes
    ----------
    layers : tuple of Dense
        The network's own layers.
    loss_name, reduction : str
        As given.
    dtype : dtype
        float32 or float64, that of every parameter and result.

    Raises
    ------
    TypeError
        If a layer is no Dense, or the layers' dtypes differ.
    ValueError
        If consecutive layers do not meet, a name is unknown, or the output layer does not suit the loss.

    Notes
    -----
    Section IV.D–G. **Beyond the notes:** batches, the mean over examples, biases' and inputs' derivatives.

    Examples
    --------
    >>> net = Network([Dense([[1.0, 0.5]], [-0.5], "relu")])
    >>> net([2.0, 1.0])
    array([2.])
    >>> g = net.gradient([2.0, 1.0], [1.0])
    >>> g.loss, g[1].w, g[1].b
    (1.0, array([[4., 2.]]), array([2.]))
    """

    def __init__(self, layers: Sequence[Dense], loss: str = "squared_error", reduction: str = "mean") -> None:
        checks.instance("layers", layers, Sequence, "a sequence of Dense layers")
        for number, layer in enumerate(layers, start=1):
            checks.instance(f"layer {number}", layer, Dense, "a Dense layer")
        checks.chain_of_layers([layer.w.shape for layer in layers], [layer.w.dtype for layer in layers])
        self._loss_name = checks.one_of("loss", loss, losses.LOSSES)
        self._reduction = checks.one_of("reduction", reduction, losses.REDUCTIONS)
        checks.output_meets_loss(loss, layers[-1].activation.name, layers[-1].w.shape[0])
        self._dtype = layers[0].w.dtype
        self._shapes: Shapes = tuple((layer.w.shape, None if layer.alpha is None else layer.alpha.shape) for layer in layers)
        # One vector for all, so that a plan or a step of descent takes them at once.
        self._vector: Array = np.empty(size(self._shapes), self._dtype)
        memory = cut(self._vector, self._shapes)
        self._layers = tuple(layer._placed(arrays) for layer, arrays in zip(layers, memory, strict=True))
        self._plans: dict[int, list[Plan]] = {}
        # What every call needs, looked up once.
        self._n_0, self._n_L = self._shapes[0][0][1], self._shapes[-1][0][0]
        self._checked = checks.classes if self._loss_name == "cross_entropy" else checks.outputs

    @classmethod
    def random(
        cls,
        widths: Sequence[int],
        *,
        activations: Sequence[Activation | str],
        loss: str = "squared_error",
        reduction: str = "mean",
        seed: int | np.random.Generator | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> Network:
        """Return a network with random parameters, scaled so that signals keep their size from layer to layer.

        Parameters
        ----------
        widths : sequence of int
            n_0, …, n_L: inputs first, at least 2 numbers.
        activations : sequence of str or Activation
            One for each of the L layers.
        loss, reduction : str
            As for `Network`.
        seed : int or Generator, optional
            The same seed gives the same network.
        dtype : dtype
            float64 or float32.

        Returns
        -------
        Network
            Weights are normal with variance 2 / (n_prev + n) (Glorot) or, before the ReLUs, 2 / ((1 + slope²) n_prev) (He);
            biases normal with standard deviation 0.1, so that none is zero.

        Raises
        ------
        TypeError
            If a width is no integer, activations is no sequence, or dtype is not a float of 32 or 64 bits.
        ValueError
            If a width is below 1, there are fewer than two, or their number does not fit the activations.

        Notes
        -----
        Source: Glorot and Bengio (2010), eq. 12; He et al. (2015), eqs. 10 and 15.

        Examples
        --------
        >>> Network.random([2, 3, 1], activations=["tanh", "sigmoid"], seed=0)
        Network(2-3-1, tanh, sigmoid; squared_error, mean; float64; 13 parameters)
        """
        units = checks.widths(widths, activations)
        kind = checks.float_dtype(dtype)
        generator = checks.generator(seed)
        layers = []
        for n_prev, n, value in zip(units, units[1:], activations, strict=False):
            activation = act.activation(value)
            slope = np.mean(np.square(activation.negative_slope)) if activation.negative_slope is not None else 0.0
            variance = 2 / ((1 + slope) * n_prev) if act.FORMS[activation.name].he else 2 / (n_prev + n)
            w = generator.normal(0, np.sqrt(variance), (n, n_prev)).astype(kind)
            layers.append(Dense(w, generator.normal(0, 0.1, n).astype(kind), activation))
        return cls(layers, loss, reduction)

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to make it again elsewhere: its layers share their memory with nothing there either."""
        return type(self), (self.layers, self.loss_name, self.reduction)

    # A plan is made for these, so none of them changes in the life of a network.

    @property
    def layers(self) -> tuple[Dense, ...]:
        """The layers, first layer first."""
        return self._layers

    @property
    def loss_name(self) -> str:
        """The name of the loss."""
        return self._loss_name

    @property
    def reduction(self) -> str:
        """How the examples' losses become one: "mean" or "sum"."""
        return self._reduction

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of every parameter and result, float32 or float64."""
        return self._dtype

    def __repr__(self) -> str:
        """Return widths, activations, loss, reduction, dtype and the number of parameters."""
        names = ", ".join(layer.activation.name for layer in self.layers)
        return (
            f"Network({'-'.join(map(str, self.widths))}, {names}; {self.loss_name}, {self.reduction}; "
            f"{self.dtype}; {self._vector.size} parameters)"
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of units n_0, …, n_L, inputs first."""
        return (self._n_0, *(n for (n, _), _ in self._shapes))

    def named(self) -> dict[str, Array]:
        """Return {"w1": …, "b1": …, "alpha1": …, "w2": …}: the parameters themselves, in figure 9's order.

        Returns
        -------
        dict of str to ndarray
            The arrays themselves.
        """
        return {name: array for number, layer in enumerate(self.layers, start=1) for name, array in layer.named(number).items()}

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return the predictions a^(L): (N, n_L) for a batch x (N, n_0), or (n_L,) for one example (n_0,).

        Parameters
        ----------
        x : array_like
            Real numbers; integers are converted to the network's dtype.

        Returns
        -------
        ndarray
            Of the network's dtype.

        Raises
        ------
        TypeError
            If x does not hold real numbers.
        ValueError
            If its shape does not meet layer 1, or it is empty, NaN or infinite.
        """
        batch, single = self._inputs(x)
        a = self._forward(batch)[-1][1]
        return a[0] if single else a

    def loss(self, x: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """Return the loss L, the mean (or sum) of L_i over the examples.

        Parameters
        ----------
        x : array_like
            (N, n_0), or (n_0,) for one example.
        y : array_like
            For squared_error the output's own shape; for cross_entropy class indices (N,), or distributions (N, C).

        Returns
        -------
        float
            In squared units of y, or in nats.

        Raises
        ------
        TypeError
            If x or y does not hold real numbers.
        ValueError
            If a shape, class index or distribution is wrong, or a number is not finite.
        """
        batch, single = self._inputs(x)
        return self._reduced(self._forward(batch)[-1], self._targets(y, len(batch), single))

    def gradient(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Gradient:
        """Return the gradient vector ∇L with its loss, by backpropagation.

        Parameters
        ----------
        x, y : array_like
            As for `loss`.

        Returns
        -------
        Gradient
            `g.loss`, `g[1].w`, `g[1].b`, `g[1].alpha`, `g.x` (dL/dx), `g.vector`, `g.named()`.

        Raises
        ------
        TypeError
            If x or y does not hold real numbers.
        ValueError
            If a shape, class index or distribution is wrong, or a number is not finite.

        Notes
        -----
        Section IV.D–G. **Beyond the notes:** it is computed by `handgrad.plan`, whose buffers are kept for the next batch of
        that size; the numbers are those of `trace` but for rounding. What is returned is the caller's own: no later call
        changes it. Several threads may ask at once, as long as none changes the parameters meanwhile. dL/dx of a batch of
        more than 8 is computed when `g.x` is first read, from the parameters as they were.
        """
        batch, target, single = self._data(x, y)
        plan = self._borrowed(len(batch))
        loss, outcome = plan.run(batch, target)
        dL_dx = plan.dL_dx(single) if plan.count <= FEW else self._dL_dx_later(plan.dL_dz_1(outcome))
        g = Gradient.of_vector(loss, outcome.vector(), self._shapes, dL_dx)
        self._returned(plan)
        return g

    def _data(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array, bool]:
        """Return x and y as a plan takes them, checked, and whether they came without a batch axis."""
        batch, single = self._inputs(x)
        return batch, self._checked(y, len(batch), single, self._n_L, self._dtype), single

    def _borrowed(self, count: int) -> Plan:
        """Return a plan for batches of this size that nobody else is using."""
        try:
            # Taking one from a list is a single step, so that no two threads get the same.
            return self._plans[count].pop()
        except (KeyError, IndexError):
            activations = [(layer.activation.name, layer.activation.slope) for layer in self.layers]
            return Plan(self._vector, self._shapes, activations, self.loss_name, self.reduction, count)

    def _returned(self, plan: Plan) -> None:
        """Keep a plan for the next batch of its size; whatever was handed out from it must have been taken before."""
        try:
            self._plans[plan.count].append(plan)
        except KeyError:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans.setdefault(plan.count, []).append(plan)

    def _dL_dx_later(self, dL_dz_1: Array) -> Callable[[], Array]:
        """Return what computes dL/dx (N, n_0), (14), by w_1 as it is now, if it is ever wanted."""
        kept = self._layers[0]._w_for_later()
        return lambda: np.dot(dL_dz_1, kept.w)  # ij,jk->ik

    def trace(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Trace:
        """Return every intermediate of the forward and the backward pass, under the notes' names.

        Parameters
        ----------
        x, y : array_like
            As for `loss`.

        Returns
        -------
        Trace
            `t[1].z`, `t[1].a`, `t[1].dL_da`, `t[1].da_dz`, `t[1].dL_dz`, …

        Raises
        ------
        TypeError
            If x or y does not hold real numbers.
        ValueError
            If a shape, class index or distribution is wrong, or a number is not finite.

        Notes
        -----
        **Beyond the notes:** (12) as printed loses digits where g is near 1; g′ is taken in its stable form.
        """
        batch, single = self._inputs(x)
        target = self._targets(y, len(batch), single)
        batch = batch.copy()  # a^(0) is handed out: writing to it must not change the caller's x
        passed = self._forward(batch)
        layers = self._backward(batch, passed, target)
        if single:
            layers = [_without_batch_axis(layer) for layer in layers]
        return Trace(self._reduced(passed[-1], target), tuple(layers))

    def descend(self, g: Gradient, rate: float) -> None:
        """Take one step of gradient descent in place: every parameter θ becomes θ − rate · dL/dθ.

        Parameters
        ----------
        g : Gradient
            A gradient of this network.
        rate : float
            The learning rate, > 0, in units of θ² per unit of loss.

        Raises
        ------
        TypeError
            If g is no Gradient or rate no real number.
        ValueError
            If g is a gradient of another network, or not finite, or rate is not finite and > 0, or so large that a
            parameter would be infinite; no parameter is changed then.
        """
        checks.instance("g", g, Gradient, "a Gradient")
        step = checks.positive_number("rate", rate, self.dtype)
        mine = Gradient.of_vector(0.0, self._vector, self._shapes)  # `named` would hand them out
        checks.same_parameters("g", list(g.named().items()), list(mine.named().items()))
        self._step(g.flat, step, ours=False)

    def _step(self, derivatives: Array, step: float, ours: bool) -> None:
        """Take the step: the parameters after it are computed and checked, and then take the old ones' place.

        If the derivatives are ours, which nobody else refers to and which are known to be finite, that is done in their memory.
        """
        stepped = derivatives if ours else np.empty_like(derivatives)
        with np.errstate(over="ignore", invalid="ignore"):
            np.multiply(derivatives, self.dtype.type(step), stepped)
            np.subtract(self._vector, stepped, stepped)
        if not checks.is_finite(stepped):
            if not ours:
                checks.all_finite(Gradient.of_vector(0.0, derivatives, self._shapes).named(), "g's {}")
            after = Gradient.of_vector(0.0, stepped, self._shapes).named()
            checks.all_finite(after, f"{{}} after a step of rate = {step}")
        self._layers[0]._may_change()
        self._vector[...] = stepped

    def _inputs(self, x: npt.ArrayLike) -> tuple[Array, bool]:
        return checks.inputs(x, self._n_0, self._shapes[0][0], self._dtype)

    def _targets(self, y: npt.ArrayLike, count: int, single: bool) -> Array:
        check = checks.distribution if self.loss_name == "cross_entropy" else checks.outputs
        return check(y, count, single, self._n_L, self.dtype)

    def _forward(self, x: Array) -> list[tuple[Array, Array]]:
        """Return (z, a) of every layer."""
        passed = []
        a = x
        for layer in self.layers:
            z = a @ layer._w.T + layer.b  # (8): ik,jk->ij
            a = act.FORMS[layer.activation.name].g(z, layer.negative_slope)  # (9)
            passed.append((z, a))
        return passed

    def _reduced(self, last: tuple[Array, Array], y: Array) -> float:
        z, a = last
        of_examples = losses.cross_entropy(z, y) if self.loss_name == "cross_entropy" else losses.squared_error(a, y)
        return float(of_examples.mean() if self.reduction == "mean" else of_examples.sum())

    def _backward(self, x: Array, passed: list[tuple[Array, Array]], y: Array) -> list[LayerTrace]:
        """Return the trace of every layer, first layer first."""
        share = self.dtype.type(1 if self.reduction == "sum" else len(x))
        inputs = [x, *(a for _, a in passed[:-1])]
        dL_da: Array | None = None
        if self.loss_name == "squared_error":
            dL_da = losses.squared_error_derivative(passed[-1][1], y) / share  # (4): ij,ij->ij
        backwards = []
        for layer, (z, a), a_prev in zip(reversed(self.layers), reversed(passed), reversed(inputs), strict=True):
            form = act.FORMS[layer.activation.name]
            if dL_da is None:
                da_dz = None
                dL_dz = losses.cross_entropy_derivative(a, y) / share
            else:
                da_dz = form.derivative(z, layer.negative_slope)  # (12), its stable form
                # ij,ij->ij, or with softmax's Jacobian im,imj->ij
                dL_dz = act.softmax_backward(a, dL_da) if layer.activation.name == "softmax" else da_dz * dL_da
            dL_dw = dL_dz.T @ a_prev  # (11) with (13), summed over the examples: ij,ik->jk
            dL_db = dL_dz.sum(axis=0)  # (11) with (7): ij->j
            dL_da_prev = dL_dz @ layer._w  # (14): ij,jk->ik
            dL_dalpha = None
            if layer.alpha is not None and dL_da is not None:
                by_alpha = act.leaky_relu_derivative_by_slope(z) * dL_da
                dL_dalpha = np.asarray(by_alpha.sum(axis=0) if layer.alpha.ndim else by_alpha.sum())
            backwards.append(LayerTrace(a_prev, z, a, dL_da, da_dz, dL_dz, dL_dw, dL_db, dL_dalpha, dL_da_prev))
            dL_da = dL_da_prev
        return backwards[::-1]


def _without_batch_axis(layer: LayerTrace) -> LayerTrace:
    """Return the trace of the one example of a batch of one; sums over the batch have no such axis."""
    names = ("a_prev", "z", "a", "dL_da", "da_dz", "dL_dz", "dL_da_prev")
    return replace(layer, **{name: array[0] for name in names if (array := getattr(layer, name)) is not None})
