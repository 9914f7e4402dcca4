"""A case is a network with data; contents drawn from a seed make cases of an architecture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.random_networks import script
from verification.random_networks.architectures import SLOPES, Architecture, Unit
from verification.random_networks.regimes import COMMON, REGIMES, chosen

Array = npt.NDArray[Any]


class Case(NamedTuple):
    """A network with data to compute its gradient on; it unpacks as `net, x, y`, and prints as code that makes it."""

    net: hg.Network
    x: Array
    y: Array

    def __repr__(self) -> str:
        """Return Python code that makes the same numbers, every digit of them."""
        return script.expression(self.net, self.x, self.y)


def case(architecture: Architecture, seed: int) -> Case:
    """Fill an architecture with numbers.

    Parameters
    ----------
    architecture : Architecture
        What to build.
    seed : int
        The same seed gives the same numbers.

    Returns
    -------
    Case
        A network with x and y.
    """
    return contents(architecture, seed, 1)[0]


def contents(architecture: Architecture, seed: int, count: int) -> list[Case]:
    """Fill an architecture with numbers several times.

    Parameters
    ----------
    architecture : Architecture
        What to build.
    seed : int
        The same seed and count give the same numbers.
    count : int
        How many cases, at least 1.

    Returns
    -------
    list of Case
        Networks that differ in their numbers alone, with x and y. They are drawn together, which takes a quarter of the time;
        in the regime "mixed" an array is of one regime in all of them.
    """
    rng = np.random.default_rng(seed)
    dtype = np.dtype(architecture.dtype)

    def numbers(shape: tuple[int, ...]) -> Array:
        regime = architecture.regime
        if regime == "mixed":
            regime = COMMON[int(rng.integers(len(COMMON)))]
        return REGIMES[regime](rng, (count, *shape)).astype(dtype)

    examples = max(architecture.examples, 1)
    x = numbers((examples, architecture.inputs))
    if architecture.whole:
        x = np.clip(np.rint(x), 0 if architecture.integer == "uint8" else -100, 100).astype(dtype)
    layers, a, n_prev = [], x[:, 0], architecture.inputs
    for unit in architecture.layers:
        w, b = numbers((unit.width, n_prev)), numbers((unit.width,))
        activations = _activations(unit, rng, count)
        if architecture.kinks:
            with np.errstate(all="ignore"):
                products = (w @ a[..., None])[..., 0]
                at_kink = (rng.random(b.shape) < 0.5).astype(dtype)
                b = _representable(b - (products + b) * at_kink)
                z = _representable(products + b)
                a = _activated(activations, z)
        layers.append([hg.Dense(*of_one) for of_one in zip(w, b, activations, strict=True)])
        n_prev = unit.width
    nets = [hg.Network(of_one, architecture.loss, architecture.reduction) for of_one in zip(*layers, strict=True)]
    y = _targets(architecture, nets, x, rng, numbers)
    if architecture.whole:
        x = x.astype(architecture.integer)
    if architecture.examples == 0:
        x, y = x[:, 0], y[:, 0]
    layout = architecture.layout
    return [
        Case(net, _laid_out(x_i, layout), _laid_out(np.asarray(y_i), layout)) for net, x_i, y_i in zip(nets, x, y, strict=True)
    ]


def _representable(array: Array) -> Array:
    """Return the numbers with those that overflowed brought back."""
    if np.abs(array).max() <= 1e30:
        return array
    return np.asarray(np.clip(np.nan_to_num(array), -1e30, 1e30), array.dtype)


def _activations(unit: Unit, rng: np.random.Generator, count: int) -> list[hg.Activation]:
    """Return the activation of each content."""
    match unit.activation:
        case "leaky_relu":
            return [hg.Activation("leaky_relu", slope=unit.slope)] * count
        case "prelu" if unit.shared:
            return [hg.Activation("prelu", alpha=unit.slope)] * count
        case "prelu":
            of_all = chosen(rng, SLOPES, (count, unit.width))
            return [hg.Activation("prelu", alpha=alpha) for alpha in of_all]
        case name:
            return [hg.Activation(name)] * count


def _activated(activations: list[hg.Activation], z: Array) -> Array:
    """Return g(z) of each content; but for the slopes of prelu's units it is the same function for all."""
    if isinstance(activations[0].alpha, tuple):
        return np.stack([activation(z_i) for activation, z_i in zip(activations, z, strict=True)])
    return activations[0](z)


def _targets(
    architecture: Architecture,
    nets: list[hg.Network],
    x: Array,
    rng: np.random.Generator,
    numbers: Callable[[tuple[int, ...]], Array],
) -> Array:
    """Return y of each content, (contents, N, n_L), or (contents, N) of class indices."""
    batch, n = x.shape[:2], nets[0].widths[-1]
    match architecture.targets:
        case "indices":
            return rng.integers(0, n, batch).astype(architecture.integer)
        case "one_hot":
            return np.eye(n, dtype=architecture.integer)[rng.integers(0, n, batch)]
        case "distribution":
            parts = rng.integers(0, 9, (*batch, n)) + (np.arange(n) == rng.integers(0, n, (*batch, 1)))
            return np.asarray(parts / parts.sum(axis=-1, keepdims=True), nets[0].dtype)
        case "yes_or_no":
            return rng.integers(0, 2, (*batch, n)).astype(architecture.integer)
        case "probabilities":
            certain, any_other = chosen(rng, (0.0, 0.5, 1.0), (*batch, n)), rng.random((*batch, n))
            return np.where(rng.random((*batch, n)) < 0.5, certain, any_other).astype(nets[0].dtype)
        case "integers":
            lowest = 0 if architecture.integer == "uint8" else -3
            return rng.integers(lowest, 4, (*batch, n)).astype(architecture.integer)
        case "fitting":
            with np.errstate(all="ignore"):
                return _representable(np.stack([net(x_i) for net, x_i in zip(nets, x, strict=True)]))
        case _:
            return numbers((batch[1], n))


def _laid_out(array: Array, layout: str) -> Array:
    """Return equal numbers in another memory layout."""
    if layout == "F" and array.ndim:
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    return array
