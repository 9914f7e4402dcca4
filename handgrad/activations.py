"""The notes' activation functions: g and beside it g′, or for softmax its Jacobian.

Every form here is the stable one: |z| may be as large as the dtype allows, and no digit is lost that a rearrangement keeps.
All arrays are (…, n) with one column a unit; `slope` is the slope for z < 0, a number or (n,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks

__all__ = [
    "FORMS",
    "Activation",
    "Form",
    "activation",
    "alpha_gradient",
    "identity",
    "identity_derivative",
    "leaky_relu",
    "leaky_relu_derivative",
    "leaky_relu_derivative_by_slope",
    "relu",
    "relu_derivative",
    "sigmoid",
    "sigmoid_derivative",
    "softmax",
    "softmax_backward",
    "softmax_jacobian",
    "softmax_jacobian_of",
    "sum_of_others",
    "tanh",
    "tanh_derivative",
    "variance_of_weights",
]

Array = npt.NDArray[Any]
Slope = Array | float | None

# For so few numbers a sum is faster as a matrix product.
FEW = 64


def identity(z: Array, slope: Slope = None) -> Array:
    """Return g(z) = z."""
    return z.copy()


def identity_derivative(z: Array, slope: Slope = None) -> Array:
    """Return g′(z) = 1."""
    return np.ones_like(z)


def sigmoid(z: Array, slope: Slope = None) -> Array:
    """Return g(z) = 1 / (1 + e^{−z})."""
    # e^{-|z|} cannot overflow; for z < 0 the sigmoid is e^z / (1 + e^z), which keeps its digits where 1 - g(-z) loses them.
    e = np.exp(-np.abs(z))
    g: Array = np.where(z < 0, e, z.dtype.type(1)) / (1 + e)
    return g


def sigmoid_derivative(z: Array, slope: Slope = None) -> Array:
    """Return g′(z) = g(z) (1 − g(z)), (5) and (12)."""
    # (5), (12): g(z)(1 - g(z)) with 1 - g(z) = g(-z), so that nothing is subtracted.
    e = np.exp(-np.abs(z))
    r: Array = 1 / (1 + e)
    derivative: Array = e * r * r
    return derivative


def tanh(z: Array, slope: Slope = None) -> Array:
    """Return g(z) = tanh z."""
    return np.tanh(z)


def tanh_derivative(z: Array, slope: Slope = None) -> Array:
    """Return g′(z) = 1 − tanh² z."""
    # 1 - tanh² z = 1 / cosh² z = 4e / (1 + e)², e = e^{-2|z|}. Beyond |z| = 1000 that is 0, and 2|z| must not overflow.
    e = np.exp(-2 * np.minimum(np.abs(z), 1000))
    r: Array = 1 / (1 + e)
    derivative: Array = 4 * e * r * r
    return derivative


def relu(z: Array, slope: Slope = None) -> Array:
    """Return g(z) = max(0, z)."""
    return np.maximum(z, 0)


def relu_derivative(z: Array, slope: Slope = None) -> Array:
    """Return g′(z): 1 for z > 0, otherwise 0."""
    return (z > 0).astype(z.dtype)


def leaky_relu(z: Array, slope: Slope = 0.01) -> Array:
    """Return g(z): z for z > 0, otherwise slope · z."""
    # np.where takes both sides everywhere: a large z > 0 times the slope must not overflow.
    return np.where(z > 0, z, np.asarray(slope, z.dtype) * np.minimum(z, 0))


def leaky_relu_derivative(z: Array, slope: Slope = 0.01) -> Array:
    """Return g′(z): 1 for z > 0, otherwise the slope."""
    return np.where(z > 0, z.dtype.type(1), np.asarray(slope, z.dtype))


def leaky_relu_derivative_by_slope(z: Array) -> Array:
    """Return da/dα of PReLU: min(z, 0)."""
    return np.minimum(z, 0)


def alpha_gradient(z: Array, dL_da: Array, alpha: Array) -> Array:
    """Return dL/dα of PReLU, the sum over the examples of da/dα · dL/da; for one shared α, over the units too."""
    of_units = leaky_relu_derivative_by_slope(z) * dL_da
    return np.asarray(of_units.sum(axis=0 if alpha.ndim else None))


def softmax(z: Array, slope: Slope = None) -> Array:
    """Return e^{z_j} / Σ_i e^{z_i}, along the last axis."""
    # Two logits may differ by more than the largest number; e^{-inf} = 0 is then the right value.
    with np.errstate(over="ignore"):
        e: Array = np.exp(z - z.max(axis=-1, keepdims=True))
    p: Array = e / e.sum(axis=-1, keepdims=True)
    return p


def softmax_jacobian(z: Array, slope: Slope = None) -> Array:
    """Return da_j/dz_i = a_j (δ_ji − a_i), (…, n, n), with 1 − a_j taken as the sum of the other probabilities."""
    return softmax_jacobian_of(softmax(z))


def softmax_jacobian_of(a: Array) -> Array:
    """Return softmax's Jacobian from the probabilities a themselves."""
    n = a.shape[-1]
    jacobian: Array = np.empty((*a.shape, n), a.dtype)
    np.multiply(-a[..., :, None], a[..., None, :], jacobian)
    # In a matrix written row by row every (n + 1)-th number is on the diagonal.
    jacobian.reshape(*a.shape[:-1], n * n)[..., :: n + 1] = a * sum_of_others(a)
    return jacobian


def softmax_backward(a: Array, dL_da: Array) -> Array:
    """Return dL/dz_i = Σ_j dL/da_j · da_j/dz_i without forming the Jacobian.

    Its rows sum to 0, so a number may be taken from every dL/da_j; taking that of the largest probability
    leaves no sum in which 1 − a_j would cancel.
    """
    n = a.shape[-1]
    rows, largest = dL_da.reshape(-1, n), a.reshape(-1, n).argmax(axis=1)
    shifted: Array = dL_da - rows[np.arange(len(rows)), largest].reshape(*a.shape[:-1], 1)
    dL_dz: Array = a * (shifted - (a * shifted).sum(axis=-1, keepdims=True))
    return dL_dz


def sum_of_others(p: Array) -> Array:
    """Return Σ_{i≠j} p_i for each j of (…, n) numbers ≥ 0, so that no digit is lost: p_j is left out, not taken away."""
    n = p.shape[-1]
    if n <= FEW:
        return np.asarray(p @ _all_but_itself(n, p.dtype))
    # Taking p_j away could cancel for the largest only, so that one's others are summed anew.
    largest = np.arange(n) == p.argmax(axis=-1)[..., None]
    without = np.where(largest, 0, p).sum(axis=-1, keepdims=True)
    others: Array = np.where(largest, without, p.sum(axis=-1, keepdims=True) - p)
    return others


@lru_cache(maxsize=2 * FEW)
def _all_but_itself(n: int, dtype: np.dtype[Any]) -> Array:
    """Return the matrix that is 0 on its diagonal, and 1 elsewhere."""
    matrix: Array = 1 - np.eye(n, dtype=dtype)
    matrix.flags.writeable = False
    return matrix


@dataclass(frozen=True)
class Form:
    """One row of the table: the function, its derivative (…, n) or Jacobian (…, n, n), and how its weights start.

    Random weights have He's variance if `he`, Glorot's otherwise; `Network.random` has both formulas.
    """

    g: Callable[[Array, Slope], Array]
    derivative: Callable[[Array, Slope], Array]
    he: bool = False


# Source of the starting variances: Glorot and Bengio (2010), eq. 12; He et al. (2015), eqs. 10 and 15.
FORMS = {
    "identity": Form(identity, identity_derivative),
    "sigmoid": Form(sigmoid, sigmoid_derivative),
    "tanh": Form(tanh, tanh_derivative),
    "relu": Form(relu, relu_derivative, he=True),
    "leaky_relu": Form(leaky_relu, leaky_relu_derivative, he=True),
    "prelu": Form(leaky_relu, leaky_relu_derivative, he=True),
    "softmax": Form(softmax, softmax_jacobian),
}


@dataclass(frozen=True)
class Activation:
    """An activation function by name, with the slope that the leaky ones have for z < 0.

    Parameters
    ----------
    name : str
        identity, sigmoid, tanh, relu, leaky_relu, prelu or softmax; "ReLU" and "Leaky ReLU" are these, too.
    slope : float, optional
        leaky_relu only: its fixed slope; 0.01 unless given.
    alpha : float or sequence of float, optional
        prelu only: where its learned slope α starts, one number shared by the layer or one a unit, (n,); 0.25 unless given.

    Raises
    ------
    TypeError
        If a slope is no real number, or is given to an activation that has none.
    ValueError
        If the name is unknown or the slope is not finite.

    Notes
    -----
    Section II. **Beyond the notes:** at z = 0 they give the ReLUs no derivative; here it is the slope for z < 0
    (0 for relu), which is PyTorch's choice.
    Source of PReLU and its 0.25: He et al. (2015), *Delving deep into rectifiers*.

    Examples
    --------
    >>> Activation("leaky_relu", slope=0.5)([-2.0, 3.0])
    array([-1.,  3.])
    >>> Activation("leaky_relu", slope=0.5).derivative([-2.0, 3.0])
    array([0.5, 1. ])
    """

    name: str
    slope: float | None = None
    alpha: float | tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checks.activation(self.name, FORMS))
        for argument, owner, default in (("slope", "leaky_relu", 0.01), ("alpha", "prelu", 0.25)):
            given = getattr(self, argument)
            if self.name != owner:
                if given is not None:
                    raise TypeError(f"{argument} is an argument of {owner} alone; {self.name} got {argument}={given!r}")
                continue
            array = checks.real_array(argument, default if given is None else given)
            if array.ndim > (argument == "alpha"):
                symbols = "() or (n,)" if argument == "alpha" else "()"
                raise ValueError(f"{argument} must have shape {symbols}; got {array.shape}")
            checks.finite(argument, array)
            plain = array.astype(np.float64).tolist()
            object.__setattr__(self, argument, tuple(plain) if isinstance(plain, list) else plain)

    @property
    def negative_slope(self) -> Slope:
        """The slope for z < 0 of the leaky ones; None for the others."""
        return self.slope if self.alpha is None else np.asarray(self.alpha)

    def __call__(self, z: npt.ArrayLike) -> Array:
        """Return g(z), in the shape of z; softmax is taken along the last axis.

        Parameters
        ----------
        z : array_like
            Pre-activations, (…, n).

        Returns
        -------
        ndarray
            Of z's dtype if it is float32 or float64, float64 otherwise.

        Raises
        ------
        TypeError
            If z does not hold real numbers.
        ValueError
            If z has NaN or infinity, or softmax gets a z without axes.
        """
        return FORMS[self.name].g(self._pre_activation(z), self.negative_slope)

    def derivative(self, z: npt.ArrayLike) -> Array:
        """Return g′(z), da/dz, in the shape of z; for softmax the Jacobian, (…, n, n).

        Parameters
        ----------
        z : array_like
            Pre-activations, (…, n).

        Returns
        -------
        ndarray
            Of z's dtype if it is float32 or float64, float64 otherwise.

        Raises
        ------
        TypeError
            If z does not hold real numbers.
        ValueError
            If z has NaN or infinity, or softmax gets a z without axes.
        """
        return FORMS[self.name].derivative(self._pre_activation(z), self.negative_slope)

    def _pre_activation(self, z: npt.ArrayLike) -> Array:
        array = checks.real_array("z", z)
        checks.finite("z", array)
        checks.pre_activation(array, self.name, self.alpha)
        return array if array.dtype in checks.FLOATS else array.astype(np.float64)


def activation(value: Activation | str) -> Activation:
    """Return an Activation for a name or for itself."""
    return value if isinstance(value, Activation) else Activation(value)


def variance_of_weights(activation: Activation, n_prev: int, n: int) -> float:
    """Return the variance of random weights with which signals keep their size from layer to layer.

    Parameters
    ----------
    activation : Activation
        The layer's.
    n_prev, n : int
        The units of the layer before, and of the layer.

    Returns
    -------
    float
        2 / (n_prev + n) (Glorot) or, before the ReLUs, 2 / ((1 + slope²) n_prev) (He).

    Notes
    -----
    Source: Glorot and Bengio (2010), eq. 12; He et al. (2015), eqs. 10 and 15.
    """
    if not FORMS[activation.name].he:
        return 2 / (n_prev + n)
    slope = 0.0 if activation.negative_slope is None else activation.negative_slope
    return float(2 / ((1 + np.mean(np.square(slope))) * n_prev))
