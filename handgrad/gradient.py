"""What backpropagation gives: the gradient vector ∇L as figure 9 orders it, and the trace of every quantity on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.tables import table

__all__ = ["Gradient", "LayerGradient", "LayerTrace", "Trace"]

Array = npt.NDArray[Any]
# Of each layer the shapes of w and of α, None without one; that of b follows from w.
Shapes = tuple[tuple[tuple[int, ...], tuple[int, ...] | None], ...]


def size(shapes: Shapes) -> int:
    """Return how many parameters layers of these shapes have."""
    return sum(math.prod(w) + w[0] + (0 if alpha is None else math.prod(alpha)) for w, alpha in shapes)


def cut(vector: Array, shapes: Shapes) -> list[tuple[Array, Array, Array | None]]:
    """Return the w, b and α of each layer as views of a vector in figure 9's order.

    Parameters
    ----------
    vector : ndarray
        (P,) parameters, or derivatives by them.
    shapes : Shapes
        Of each layer.

    Returns
    -------
    list of (ndarray, ndarray, ndarray or None)
        First layer first.

    Notes
    -----
    Section IV.C, figure 9: every layer, weight before bias. **Beyond the notes:** α after the bias.
    """
    layers, start = [], 0
    for w, alpha in shapes:
        end_of_w = start + w[0] * w[1]
        end_of_b = end_of_w + w[0]
        end = end_of_b if alpha is None else end_of_b + math.prod(alpha)
        of_alpha = None if alpha is None else vector[end_of_b:end].reshape(alpha)
        layers.append((vector[start:end_of_w].reshape(w), vector[end_of_w:end_of_b], of_alpha))
        start = end
    return layers


def named_arrays(layers: Iterable[tuple[Array, Array, Array | None]], first: int = 1) -> dict[str, Array]:
    """Return {"w1": …, "b1": …, "alpha1": …, "w2": …}: w, b and α of layers, or derivatives; `first` counts from 1."""
    arrays: dict[str, Array] = {}
    for number, (w, b, alpha) in enumerate(layers, start=first):
        arrays[f"w{number}"], arrays[f"b{number}"] = w, b
        if alpha is not None:
            arrays[f"alpha{number}"] = alpha
    return arrays


@dataclass(frozen=True, eq=False)
class LayerGradient:
    """The derivatives of the loss by one layer's parameters.

    Parameters
    ----------
    w : ndarray
        dL/dw, (n, n_prev).
    b : ndarray
        dL/db, (n,).
    alpha : ndarray or None
        dL/dα of a PReLU layer, () or (n,) like α itself; None for the others.
    """

    w: Array
    b: Array
    alpha: Array | None = None

    def named(self, number: int) -> dict[str, Array]:
        """Return {"w1": …, "b1": …, "alpha1": …} for a layer whose number is 1, in figure 9's order.

        Parameters
        ----------
        number : int
            The layer's number, counted from 1.

        Returns
        -------
        dict of str to ndarray
            The arrays themselves.
        """
        return named_arrays([(self.w, self.b, self.alpha)], number)


class Gradient:
    """The gradient vector ∇L of a network, by layer, by name and flat, with the loss it belongs to.

    It adds (`g + h`), scales (`0.5 * g`, `g / 2`, `-g`) and compares (`g == h`: the same names, shapes, dtypes and numbers).
    A scaled gradient belongs to the scaled loss and a sum to the sum of the losses, so `loss` and `x` are scaled too;
    a sum of gradients over different examples has no dL/dx, so its `x` is None.

    Parameters
    ----------
    loss : float
        L, in nats for the cross-entropies, in squared units of y for squared error.
    layers : sequence of LayerGradient
        First layer first.
    x : ndarray, optional
        dL/dx, in the shape of x.

    Notes
    -----
    Section IV.C, figure 9: every layer, weight before bias, first layer first. **Beyond the notes:** α after the bias.

    Examples
    --------
    >>> g = Gradient(0.5, (LayerGradient(np.array([[1.0, 2.0]]), np.array([4.0])),))
    >>> (0.5 * g).vector
    array([0.5, 1. , 2. ])
    >>> g[1].w
    array([[1., 2.]])
    """

    __slots__ = ("_flat", "_layers", "_x", "loss")

    # NumPy's numbers would multiply layer by layer from the left; this leaves `np.float64(2) * g` to __rmul__.
    __array_ufunc__ = None

    def __init__(self, loss: float, layers: Sequence[LayerGradient], x: Array | None = None) -> None:
        self.loss = loss
        self._layers: tuple[LayerGradient, ...] | None = tuple(layers)
        self._x: Array | Callable[[], Array] | None = x
        self._flat: tuple[Array, Shapes] | None = None

    @classmethod
    def of_vector(cls, loss: float, vector: Array, shapes: Shapes, x: Array | Callable[[], Array] | None = None) -> Gradient:
        """Return the gradient whose layers are views of a vector, made when they are first asked for, as dL/dx may be.

        Parameters
        ----------
        loss : float
            L.
        vector : ndarray
            (P,) derivatives in figure 9's order; not copied.
        shapes : Shapes
            Of each layer.
        x : ndarray or callable, optional
            dL/dx, or what returns it.

        Returns
        -------
        Gradient
            Equal to one made of its layers.
        """
        self = cls.__new__(cls)
        self.loss, self._layers, self._x, self._flat = loss, None, x, (vector, shapes)
        return self

    @property
    def layers(self) -> tuple[LayerGradient, ...]:
        """The derivatives by each layer's parameters, first layer first."""
        if self._layers is None and self._flat is not None:
            self._layers = tuple(LayerGradient(*arrays) for arrays in cut(*self._flat))
        return self._layers or ()

    @property
    def x(self) -> Array | None:
        """The derivative by the inputs, dL/dx, in the shape of x; None in a sum of gradients."""
        if callable(self._x):
            self._x = self._x()
        return self._x

    @property
    def flat(self) -> Array:
        """`vector`, but where there is one the gradient's own memory: not to be written to."""
        if self._flat is not None:
            return self._flat[0]
        return np.concatenate([array.ravel() for array in self.named().values()])

    @property
    def vector(self) -> Array:
        """Every derivative in one new vector (P,), in figure 9's order; a matrix goes in row by row."""
        return self.flat if self._flat is None else self.flat.copy()

    def __repr__(self) -> str:
        """Return the loss, the layers and dL/dx."""
        return f"Gradient(loss={self.loss!r}, layers={self.layers!r}, x={self.x!r})"

    def _repr_html_(self) -> str:
        """Show the derivatives in a notebook."""
        return table(f"Gradient vector ∇L; L = {self.loss:.6g}", self.named(), "dL_d")

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to make it again elsewhere: what is not computed yet is computed first."""
        return type(self), (self.loss, self.layers, self.x)

    def __getitem__(self, number: int) -> LayerGradient:
        """Return the layer with this number, counted from 1."""
        return self.layers[checks.layer_number(number, len(self.layers))]

    def __iter__(self) -> Iterator[LayerGradient]:
        """Iterate over the layers, first layer first."""
        return iter(self.layers)

    def __len__(self) -> int:
        """Return the number of layers L."""
        return len(self.layers)

    def named(self) -> dict[str, Array]:
        """Return {"w1": …, "b1": …, "alpha1": …, "w2": …}: name → array, in figure 9's order.

        Returns
        -------
        dict of str to ndarray
            The arrays themselves.
        """
        return named_arrays((layer.w, layer.b, layer.alpha) for layer in self)

    def with_vector(self, vector: npt.ArrayLike) -> Gradient:
        """Return this gradient with its derivatives taken back from a flat vector.

        Parameters
        ----------
        vector : array_like
            (P,) numbers in the order of `vector`, for example clipped ones.

        Returns
        -------
        Gradient
            Of the same shapes and dtype, in memory of its own; `loss` and `x` stay.

        Raises
        ------
        TypeError
            If the vector does not hold real numbers.
        ValueError
            If it has another length, or NaN or infinity.
        """
        flat = checks.flat("vector", vector, sum(array.size for array in self.named().values()), self.layers[0].w.dtype)
        shapes = tuple((layer.w.shape, None if layer.alpha is None else layer.alpha.shape) for layer in self)
        x = self._x.copy() if isinstance(self._x, np.ndarray) else self._x
        return Gradient.of_vector(self.loss, np.array(flat), shapes, x)

    def __add__(self, other: Gradient) -> Gradient:
        """Return the gradient of the sum of the two losses."""
        if not isinstance(other, Gradient):
            return NotImplemented
        checks.same_parameters("the other gradient", other.named(), self.named())
        layers = tuple(
            LayerGradient(p.w + q.w, p.b + q.b, None if p.alpha is None or q.alpha is None else np.asarray(p.alpha + q.alpha))
            for p, q in zip(self, other, strict=True)
        )
        return Gradient(self.loss + other.loss, layers)

    def __sub__(self, other: Gradient) -> Gradient:
        """Return the gradient of the difference of the two losses."""
        return self + -other if isinstance(other, Gradient) else NotImplemented

    def __mul__(self, factor: float) -> Gradient:
        """Return the gradient of `factor` times the loss."""
        if not isinstance(factor, int | float | np.integer | np.floating):
            return NotImplemented
        number = checks.scale("factor", factor)
        return self._each(lambda quantity: quantity * number)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Gradient:
        """Return the gradient of the loss divided by `divisor`."""
        if not isinstance(divisor, int | float | np.integer | np.floating):
            return NotImplemented
        number = checks.scale("divisor", divisor, zero=False)
        return self._each(lambda quantity: quantity / number)

    def __neg__(self) -> Gradient:
        """Return the gradient of minus the loss."""
        return self * -1.0

    def _each(self, change: Callable[[Any], Any]) -> Gradient:
        """Return the gradient with every quantity changed, dtypes kept."""
        layers = tuple(
            LayerGradient(*(None if array is None else np.asarray(change(array), array.dtype) for array in (p.w, p.b, p.alpha)))  # type: ignore[arg-type]
            for p in self
        )
        return Gradient(change(self.loss), layers, None if self.x is None else change(self.x))

    def __eq__(self, other: object) -> bool:
        """Say whether both have the same parameters with the same shapes, dtypes and numbers."""
        if not isinstance(other, Gradient):
            return NotImplemented
        mine, theirs = self.named(), other.named()
        return list(mine) == list(theirs) and all(
            mine[name].shape == theirs[name].shape
            and mine[name].dtype == theirs[name].dtype
            and np.array_equal(mine[name], theirs[name])
            for name in mine
        )

    __hash__ = None  # type: ignore[assignment]  # equal gradients are equal arrays, which have no hash


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """Every quantity of one layer, forward and backward, under the notes' names.

    For one example (no batch axis) the shapes lose their N.

    Parameters
    ----------
    a_prev, z, a : ndarray
        a^(l−1), (N, n_prev); pre-activation and activation, (N, n).
    dL_da, da_dz : ndarray or None
        dL/da and da/dz, (N, n); da/dz of softmax is its Jacobian da_j/dz_i, (N, n, n). Both are None at the output under a
        cross-entropy, where the two are joined in dL/dz = p − y, or a − y of the sigmoid, and never formed.
    dL_dz : ndarray
        dL/dz, (N, n).
    dL_dw, dL_db, dL_dalpha : ndarray
        The layer's part of ∇L; dL_dalpha is None unless the activation is prelu.
    dL_da_prev : ndarray
        dL/da^(l−1), (N, n_prev).
    """

    a_prev: Array
    z: Array
    a: Array
    dL_da: Array | None
    da_dz: Array | None
    dL_dz: Array
    dL_dw: Array
    dL_db: Array
    dL_dalpha: Array | None
    dL_da_prev: Array

    def of_one_example(self) -> LayerTrace:
        """Return the trace of the one example of a batch of one, without the batch axis; sums over the batch have none.

        Returns
        -------
        LayerTrace
            The same numbers.
        """
        dL_da, da_dz = (None if array is None else array[0] for array in (self.dL_da, self.da_dz))
        sums = self.dL_dw, self.dL_db, self.dL_dalpha
        return LayerTrace(self.a_prev[0], self.z[0], self.a[0], dL_da, da_dz, self.dL_dz[0], *sums, self.dL_da_prev[0])


@dataclass(frozen=True, eq=False)
class Trace:
    """Every named intermediate of one forward and one backward pass; `trace[1]` is the first layer's.

    Derivatives are those of `loss`: with reduction "mean" they hold its 1/N.

    Parameters
    ----------
    loss : float
        L.
    layers : tuple of LayerTrace
        First layer first.
    """

    loss: float
    layers: tuple[LayerTrace, ...]

    def __getitem__(self, number: int) -> LayerTrace:
        """Return the layer with this number, counted from 1."""
        return self.layers[checks.layer_number(number, len(self.layers))]

    def __iter__(self) -> Iterator[LayerTrace]:
        """Iterate over the layers, first layer first."""
        return iter(self.layers)

    def __len__(self) -> int:
        """Return the number of layers L."""
        return len(self.layers)

    def _repr_html_(self) -> str:
        """Show the intermediates in a notebook."""
        return table(f"Trace; L = {self.loss:.6g}", self.named())

    @property
    def gradient(self) -> Gradient:
        """The gradient vector that this pass found."""
        layers = tuple(LayerGradient(layer.dL_dw, layer.dL_db, layer.dL_dalpha) for layer in self)
        return Gradient(self.loss, layers, self.layers[0].dL_da_prev)

    def named(self) -> dict[str, Array]:
        """Return the intermediates that are formed, {"z1": …, "a1": …, "dL_da1": …, "da_dz1": …, "dL_dz1": …, "z2": …}.

        Returns
        -------
        dict of str to ndarray
            The arrays themselves.
        """
        arrays = {}
        for number, layer in enumerate(self.layers, start=1):
            arrays[f"z{number}"], arrays[f"a{number}"] = layer.z, layer.a
            if layer.dL_da is not None:
                arrays[f"dL_da{number}"] = layer.dL_da
            if layer.da_dz is not None:
                arrays[f"da_dz{number}"] = layer.da_dz
            arrays[f"dL_dz{number}"] = layer.dL_dz
        return arrays
