"""The network that a submission is told of, as plain lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad import checks

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Description:
    """A network as plain lists, one entry a layer, first layer first.

    Parameters
    ----------
    weights : list of ndarray
        w of each layer, (n, n_prev).
    biases : list of ndarray
        b of each layer, (n,).
    activations : list of str
        handgrad's names.
    slopes : list of float, ndarray or None
        leaky_relu's slope; prelu's α, () or (n,); None for the others.
    loss, reduction : str
        As for `handgrad.Network`; the loss may be another squared error, if one is declared.
    l2 : float
        The λ of a term of the squares of all w in the loss, if one is declared; 0 otherwise.
    """

    weights: list[Array]
    biases: list[Array]
    activations: list[str]
    slopes: list[float | Array | None]
    loss: str
    reduction: str
    l2: float = 0.0

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of units n_0, …, n_L, inputs first."""
        return (self.weights[0].shape[1], *(w.shape[0] for w in self.weights))

    def named(self) -> dict[str, Array]:
        """Return {"w1": …, "b1": …, "alpha1": …, "w2": …}: the parameters themselves, in figure 9's order."""
        arrays: dict[str, Array] = {}
        for number, (w, b, activation, slope) in enumerate(
            zip(self.weights, self.biases, self.activations, self.slopes, strict=True), start=1
        ):
            arrays |= {f"w{number}": w, f"b{number}": b}
            if activation == "prelu":
                arrays[f"alpha{number}"] = np.asarray(slope, w.dtype)
        return arrays

    def __str__(self) -> str:
        """Return widths, activations, loss, reduction and dtype in a line."""
        widths, names = "-".join(map(str, self.widths)), ", ".join(self.activations)
        return f"{widths}, {names}; {self.loss}, {self.reduction}; {self.weights[0].dtype}"


def describe(net: hg.Network) -> Description:
    """Return the description of a network, sharing no memory with it.

    Parameters
    ----------
    net : handgrad.Network
        The network.

    Returns
    -------
    Description
        Copies of its parameters, and its names.

    Raises
    ------
    TypeError
        If net is no Network.

    Examples
    --------
    >>> network = describe(hg.Network([hg.Dense([[1.0, 0.5]], [-0.5], "leaky_relu")]))
    >>> network.weights, network.slopes, network.loss
    ([array([[1. , 0.5]])], [0.01], 'squared_error')
    """
    checks.instance("net", net, hg.Network, "a handgrad Network")
    return Description(
        [layer.w.copy() for layer in net.layers],
        [layer.b.copy() for layer in net.layers],
        [layer.activation.name for layer in net.layers],
        [_slope(layer) for layer in net.layers],
        net.loss_name,
        net.reduction,
    )


def _slope(layer: hg.Dense) -> float | Array | None:
    if layer.alpha is not None:
        return layer.alpha.copy()
    # In the network's dtype, as the network computes with it: 0.01 has other digits in float32.
    return None if layer.activation.slope is None else float(layer.w.dtype.type(layer.activation.slope))


def as_network(network: Description) -> hg.Network:
    """Return the handgrad network that a description tells of, sharing no memory with it.

    Parameters
    ----------
    network : Description
        Names, numbers and shapes as `handgrad.Network` takes them.

    Returns
    -------
    handgrad.Network
        `describe(as_network(network))` has the same numbers.
    """
    layers = []
    for w, b, name, slope in zip(network.weights, network.biases, network.activations, network.slopes, strict=True):
        options: dict[str, Any] = {"leaky_relu": {"slope": slope}, "prelu": {"alpha": slope}}.get(name, {})
        layers.append(hg.Dense(w, b, hg.Activation(name, **options)))
    return hg.Network(layers, network.loss, network.reduction)


def is_finite(network: Description) -> bool:
    """Say whether no parameter is NaN or infinite; `as_network` takes no other."""
    return all(np.isfinite(array).all() for array in network.named().values())


def with_parameters(network: Description, parameters: Mapping[str, Array]) -> Description:
    """Return the description with copies of other parameters, named as `Description.named` names them."""
    numbers = range(1, len(network.weights) + 1)
    return Description(
        [parameters[f"w{number}"].copy() for number in numbers],
        [parameters[f"b{number}"].copy() for number in numbers],
        list(network.activations),
        [
            parameters[f"alpha{number}"].copy() if f"alpha{number}" in parameters else slope
            for number, slope in zip(numbers, network.slopes, strict=True)
        ],
        network.loss,
        network.reduction,
    )


def viewed(network: Description) -> Description:
    """Return a description of the same memory: what is done to the lists and shapes of the one does not show in the other."""
    weights, biases = [w.view() for w in network.weights], [b.view() for b in network.biases]
    slopes = [slope.view() if isinstance(slope, np.ndarray) else slope for slope in network.slopes]
    return Description(weights, biases, [*network.activations], slopes, network.loss, network.reduction)


def copied(array: Array) -> Array:
    """Return equal numbers in memory of their own, laid out alike: in C or Fortran order, or with gaps between them."""
    if array.flags.forc:
        return array.copy(order="K")
    return np.repeat(array, 2, axis=-1)[..., ::2]
