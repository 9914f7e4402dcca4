"""Backpropagation in matrix form: layers, batches of examples, float32 or float64 kept as given.

Beside each matrix line stands the indexed equation that it is, in subscript form: i the example, j a neuron of this layer,
k a neuron of the layer before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handgrad import activations as act
from handgrad import checks, losses
from handgrad.activations import Activation
from handgrad.dense import Dense
from handgrad.fast.engine import Engine
from handgrad.foreign import notes_words
from handgrad.gradient import Gradient, LayerTrace, Trace, cut, named_arrays

if TYPE_CHECKING:
    from handgrad.homework.advice import Advice
from handgrad.tables import table

__all__ = ["Dense", "Network"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Network:
    """A network of dense layers with its loss.

    `layers`, `loss_name`, `reduction`, `widths` (n_0, …, n_L) and `dtype` stay as they are made; the parameters may change.
    Section IV.D–G. **Beyond the notes:** batches, the mean over examples, biases' and inputs' derivatives.

    Parameters
    ----------
    layers : sequence of Dense
        First layer first. Their parameters are copied.
    loss : str
        "squared_error" (10), "cross_entropy" (1)–(2), after softmax, or "binary_cross_entropy", (1) a unit, after sigmoid.
    reduction : str
        "mean", the mean of L_i over the examples, or "sum".

    Raises
    ------
    TypeError, ValueError
        If the layers are no Dense layers of one dtype that meet, a name is unknown, or the output does not suit the loss.

    Examples
    --------
    >>> net = Network([Dense([[1.0, 0.5]], [-0.5], "relu")])
    >>> net([2.0, 1.0])
    array([2.])
    >>> g = net.gradient([2.0, 1.0], [1.0])
    >>> g.loss, g[1].w, g[1].b
    (1.0, array([[4., 2.]]), array([2.]))
    >>> Network.random([2, 3, 1], activations=["tanh", "sigmoid"], seed=0)
    Network(2-3-1, tanh, sigmoid; squared_error, mean; float64; 13 parameters)
    """

    layers: tuple[Dense, ...]
    loss_name: str
    reduction: str
    widths: tuple[int, ...]
    dtype: np.dtype[Any]
    engine: Engine  # the machinery of `handgrad.fast` behind `gradient` and `descend`; `handgrad.fit` trains with it

    @notes_words
    def __init__(self, layers: Sequence[Dense], loss: str = "squared_error", reduction: str = "mean") -> None:
        checks.layers_of(layers, Dense)
        checks.meeting([layer._weights.array for layer in layers])
        checks.loss(loss, losses.LOSSES)
        checks.one_of("reduction", reduction, losses.REDUCTIONS)
        checks.output_meets_loss(loss, losses.JOINED.get(loss), layers[-1].activation.name, len(layers[-1].b))
        given = [(layer._weights.array, layer._b, layer._alpha) for layer in layers]
        shapes = tuple((w.shape, None if alpha is None else alpha.shape) for w, _, alpha in given)
        # One vector for all, in figure 9's order, so that a step of descent takes them at once.
        parameters = np.concatenate([p for of_layer in given for p in of_layer if p is not None], axis=None)
        own = tuple(layer._in(*memory) for layer, memory in zip(layers, cut(parameters, shapes), strict=True))
        widths = (shapes[0][0][1], *[n for (n, _), _ in shapes])
        activations = [(layer.activation.name, layer.activation.slope) for layer in layers]
        engine = Engine(parameters, shapes, own[0]._weights, activations, loss, reduction)
        vars(self).update(layers=own, loss_name=loss, reduction=reduction, widths=widths, dtype=parameters.dtype, engine=engine)

    @classmethod
    @notes_words
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
            n_0, …, n_L: inputs first, at least 2 numbers, each at least 1.
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
            Weights are normal with the variance that suits the activation, `handgrad.activations.variance_of_weights`;
            biases normal with standard deviation 0.1, so that none is zero.

        Raises
        ------
        TypeError, ValueError
            If an argument is of another type, or out of range, or the numbers of widths and activations do not fit.
        """
        units = checks.widths(widths, activations)
        kind = checks.float_dtype(dtype)
        generator = checks.generator(seed)
        layers = []
        for n_prev, n, value in zip(units, units[1:], activations, strict=False):
            activation = act.activation(value)
            w = generator.normal(0, np.sqrt(act.variance_of_weights(activation, n_prev, n)), (n, n_prev)).astype(kind)
            layers.append(Dense(w, generator.normal(0, 0.1, n).astype(kind), activation))
        return cls(layers, loss, reduction)

    def named(self) -> dict[str, Array]:
        """Return {"w1": …, "b1": …, "alpha1": …, "w2": …}: the parameters themselves, in figure 9's order.

        Returns
        -------
        dict of str to ndarray
            The arrays themselves.
        """
        return named_arrays((layer.w, layer.b, layer.alpha) for layer in self.layers)

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return the predictions a^(L): (N, n_L) for a batch x (N, n_0), or (n_L,) for one example (n_0,)."""
        batch, single = self.engine.inputs(x)
        # What overflows is infinite, or NaN where two infinities meet: NumPy need not warn of it, here and below.
        with np.errstate(over="ignore", invalid="ignore"):
            a = self._forward(batch)[-1][1]
        return a[0] if single else a

    def loss(self, x: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """Return the loss L, the mean (or sum) of L_i over the examples.

        Parameters
        ----------
        x : array_like
            (N, n_0), or (n_0,) for one example: lists, arrays, pandas frames and series, or torch tensors, which are detached;
            they are converted to the network's dtype.
        y : array_like
            The output's own shape, for binary_cross_entropy 0 … 1; for cross_entropy classes (N,), or distributions (N, C).
            As x may be.

        Returns
        -------
        float
            In squared units of y, or in nats.

        Raises
        ------
        TypeError, ValueError
            If x or y does not hold real numbers; if a shape, class index or probability is wrong, or a number not finite.
        """
        batch, single = self.engine.inputs(x)
        target = self.engine.targets(y, len(batch), single)
        with np.errstate(over="ignore", invalid="ignore"):
            return losses.reduced(self.loss_name, self.reduction, *self._forward(batch)[-1], target)

    def gradient(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Gradient:
        """Return the gradient vector ∇L with its loss, by backpropagation.

        Section IV.D–G. **Beyond the notes:** `handgrad.fast` computes the numbers of `trace`, but for rounding: after a hundred
        examples one by one a network of a few units is computed as `handgrad.written_out` shows, in 64 bits. No later call
        changes what is returned. Several threads may ask at once, as long as none changes the parameters. dL/dx of more than 8
        examples is computed when `g.x` is first read, from the parameters as they were.

        Parameters
        ----------
        x, y : array_like
            As for `loss`, with the same errors.

        Returns
        -------
        Gradient
            `g.loss`, `g[1].w`, `g[1].b`, `g[1].alpha`, `g.x` (dL/dx), `g.vector`, `g.named()`.
        """
        return self.engine.gradient(x, y)

    def trace(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Trace:
        """Return every intermediate of the forward and the backward pass, under the notes' names.

        **Beyond the notes:** (12) as printed loses digits where g is near 1; g′ is taken in its stable form.

        Parameters
        ----------
        x, y : array_like
            As for `loss`, with the same errors.

        Returns
        -------
        Trace
            `t[1].z`, `t[1].a`, `t[1].dL_da`, `t[1].da_dz`, `t[1].dL_dz`, …
        """
        batch, single = self.engine.inputs(x)
        target = self.engine.targets(y, len(batch), single)
        batch = batch.copy()  # a^(0) is handed out: writing to it must not change the caller's x
        with np.errstate(over="ignore", invalid="ignore"):
            passed = self._forward(batch)
            layers = [layer.of_one_example() if single else layer for layer in self._backward(batch, passed, target)]
            return Trace(losses.reduced(self.loss_name, self.reduction, *passed[-1], target), tuple(layers))

    @notes_words
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
        TypeError, ValueError
            If g is not a finite gradient of this network, or rate no finite number > 0, or so large that a parameter would be
            infinite; no parameter is changed then.
        """
        checks.instance("g", g, Gradient, "a Gradient")
        step = checks.positive_number("rate", rate, self.dtype)
        checks.same_parameters("g", g.named(), self.named())
        self.engine.step(g.flat, step, np.empty_like(g.flat))

    @notes_words
    def advice(self, x: npt.ArrayLike, y: npt.ArrayLike, rate: float | None = None, *, language: str = "en") -> Advice:
        """Say what may keep the network from learning although its gradient is right, with a measured number for each remark.

        Section II.F: the activations. **Beyond the notes:** weights, inputs, targets and the rate. No network is refused: that
        its numbers overflow is a remark, too. The network stays as it is.

        Parameters
        ----------
        x, y : array_like
            As for `loss`, with the same errors.
        rate : float, optional
            A learning rate, > 0, to be tried: 20 steps on a copy.
        language : str
            "en" or "es".

        Returns
        -------
        Advice
            `print` gives a line for each remark; without any it is false.

        Raises
        ------
        TypeError, ValueError
            If x or y is not as for `loss`, rate is no finite number > 0, or the language is another.

        Examples
        --------
        >>> net = Network([Dense([[1.0, 0.5]], [-0.5], "relu")])
        >>> net.advice([[1.0, -3.0], [2.0, 1.0]], [[1.0], [3.0]])
        Advice(relu-output)
        """
        from handgrad.homework.advice import advise

        return advise(self, x, y, rate, language)

    def save(self, path: str | Path) -> None:
        """Write the network to an .npz file, which `handgrad.load` reads: as a whole, or not at all.

        Parameters
        ----------
        path : str or Path
            It ends in .npz. An old file is replaced when the new one is whole.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not finite, or the ending another.
        OSError
            If the file cannot be written.
        """
        from handgrad.homework.saving import save

        save(self, path)

    def _forward(self, x: Array) -> list[tuple[Array, Array]]:
        """Return (z, a) of every layer."""
        passed, a = [], x
        for layer in self.layers:
            z = a @ layer._weights.array.T + layer._b  # (8): ik,jk->ij
            a = act.FORMS[layer._activation.name].g(z, layer.negative_slope)  # (9)
            passed.append((z, a))
        return passed

    def _backward(self, x: Array, passed: list[tuple[Array, Array]], y: Array) -> list[LayerTrace]:
        """Return the trace of every layer, first layer first."""
        share = self.dtype.type(1 if self.reduction == "sum" else len(x))
        inputs = [x, *(a for _, a in passed[:-1])]
        dL_da: Array | None = None
        if self.loss_name == "squared_error":
            dL_da = losses.squared_error_derivative(passed[-1][1], y) / share  # (4): ij,ij->ij
        backwards = []
        for layer, (z, a), a_prev in zip(reversed(self.layers), reversed(passed), reversed(inputs), strict=True):
            name, alpha, da_dz = layer._activation.name, layer._alpha, None
            if dL_da is None:
                dL_dz = losses.joined_derivative(self.loss_name, z, a, y) / share  # p − y, or a − y
            elif name == "softmax":
                da_dz = act.softmax_jacobian_of(a)
                dL_dz = act.softmax_backward(a, dL_da)  # with the Jacobian im,imj->ij
            else:
                da_dz = act.FORMS[name].derivative(z, layer.negative_slope)  # (12), its stable form
                dL_dz = da_dz * dL_da  # ij,ij->ij
            dL_dw = dL_dz.T @ a_prev  # (11) with (13), summed over the examples: ij,ik->jk
            dL_db = np.add.reduce(dL_dz, 0)  # (11) with (7): ij->j
            dL_da_prev = dL_dz @ layer._weights.array  # (14): ij,jk->ik
            dL_dalpha = None if alpha is None or dL_da is None else act.alpha_gradient(z, dL_da, alpha)
            backwards.append(LayerTrace(a_prev, z, a, dL_da, da_dz, dL_dz, dL_dw, dL_db, dL_dalpha, dL_da_prev))
            dL_da = dL_da_prev
        return backwards[::-1]

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to make it again elsewhere: its layers share their memory with nothing there either."""
        return type(self), (self.layers, self.loss_name, self.reduction)

    def _repr_html_(self) -> str:
        """Show the parameters in a notebook."""
        return table(repr(self), self.named())

    def __repr__(self) -> str:
        names = ", ".join(layer.activation.name for layer in self.layers)
        widths, parameters = "-".join(map(str, self.widths)), self.engine.parameters.size
        return f"Network({widths}, {names}; {self.loss_name}, {self.reduction}; {self.dtype}; {parameters} parameters)"
