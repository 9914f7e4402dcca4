"""The vanishing gradient: how large dL/dw is in each layer, and the small numbers that the printed form of g′ loses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import activations as act
from handgrad import checks, literal
from handgrad.activations import Activation
from handgrad.homework.figures.style import axes_for, dress, key, log_lines, sections, settle
from handgrad.homework.words import wording, words
from handgrad.network import Dense, Network

__all__ = ["gradient_norms", "saturation"]

Array = npt.NDArray[Any]

SIZE = (8.6, 4.3)  # inches
EXAMPLES = 32
# Twelve sigmoids in a row, saturated: eleven factors of e^−60, about 10⁻²⁸⁷, are within float64's range.
DEPTH, SATURATED = 12, 60


def gradient_norms(
    activations: Sequence[Activation | str] = ("sigmoid", "tanh", "relu"),
    depths: Sequence[int] = (2, 4, 8, 12, 16, 20),
    *,
    width: int = 8,
    seed: int | np.random.Generator | None = 0,
    axes: object = None,
    language: str = "en",
) -> Array:
    """Draw the norm of dL/dw by layer in the deepest network and, beside it, that of layer 1 by depth, for each activation.

    Parameters
    ----------
    activations : sequence of str or Activation
        Of the hidden layers; the output layer has none.
    depths : sequence of int
        Numbers of layers L, each at least 1.
    width : int
        Units of every layer, inputs and outputs too, so that the norms compare.
    seed : int or Generator, optional
        For the weights and the 32 examples, which are standard normal: the same seed gives the same picture.
    axes : sequence of 2 Axes, optional
        Where to draw: by layer, by depth. A new figure of its own unless given.
    language : str
        "en" or "es".

    Returns
    -------
    ndarray of Axes
        (2,), both with a logarithmic axis; where a norm is exactly 0 there is a hollow mark on the lower edge.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Notes
    -----
    Section II. **Beyond the notes:** the measurement. The loss is squared error, its mean over the examples.

    Examples
    --------
    >>> by_layer, by_depth = gradient_norms(["sigmoid"], [1, 3])
    >>> by_layer.get_title()
    'Gradient by layer, L = 3'
    """
    checks.instance("activations", activations, list | tuple, "a list of activations")  # type: ignore[arg-type]
    checks.instance("depths", depths, list | tuple | range, "a list of numbers of layers")  # type: ignore[arg-type]
    checks.not_empty("activations", activations, "activation")
    checks.not_empty("depths", depths, "number of layers")
    chosen = [act.activation(each) for each in activations]
    layers = sorted({checks.positive_integer(f"depths[{place}]", depth) for place, depth in enumerate(depths)})
    units = checks.positive_integer("width", width)
    generator, say = checks.generator(seed), wording(language, "figures")
    seeds = generator.integers(2**32, size=len(layers)).tolist()
    left, right = panels = axes_for(axes, 1, 2, SIZE)[0]

    by_layer, by_depth = {}, {}
    for each in chosen:
        label = words(language)["activations"][each.name]
        if each.negative_slope is not None:
            label += " (" + ", ".join(f"{slope:g}" for slope in np.atleast_1d(np.asarray(each.negative_slope))) + ")"
        norms = [_norms(each, depth, units, start) for depth, start in zip(layers, seeds, strict=True)]
        by_layer[label], by_depth[label] = norms[-1], np.array([norm[0] for norm in norms])
    deepest = layers[-1]
    zeros = say("zeros") if log_lines(left, range(1, deepest + 1), by_layer) else ""
    about = sections(say, "II", "about_norms_by_layer", width=units, zeros=zeros)
    dress(left, say("norms_by_layer", depth=deepest), say("layer"), say("norm"), about)
    zeros = say("zeros") if log_lines(right, layers, by_depth) else ""
    about = sections(say, "II", "about_norms_by_depth", zeros=zeros)
    dress(right, say("norms_by_depth"), say("depth"), say("norm"), about)
    key(left)
    key(right)
    settle(panels, axes)
    return np.asarray(panels)


def _norms(activation: Activation, depth: int, width: int, seed: int) -> Array:
    """Return the norm of dL/dw of each layer of a random network, (L,)."""
    generator = np.random.default_rng(seed)
    of_layers = [activation] * (depth - 1) + [Activation("identity")]
    net = Network.random([width] * (depth + 1), activations=of_layers, seed=generator)
    x, y = generator.normal(size=(2, EXAMPLES, width))
    return np.array([_norm(layer.w) for layer in net.gradient(x, y)])


def _norm(w: Array) -> float:
    """Return the Euclidean norm, though the squares of numbers below 10⁻¹⁶² would be 0."""
    largest = float(np.abs(w).max())
    return largest * float(np.linalg.norm(w / largest)) if largest > 0 else 0.0


def saturation(*, axes: object = None, language: str = "en") -> Array:
    """Draw g′ of a saturated sigmoid, and the gradient of a saturated network, each in its stable and its printed form.

    Parameters
    ----------
    axes : sequence of 2 Axes, optional
        Where to draw: g′ against z, the norm of dL/dw by layer. A new figure of its own unless given.
    language : str
        "en" or "es".

    Returns
    -------
    ndarray of Axes
        (2,), both with a logarithmic axis; where rounding leaves exactly 0 there is a hollow mark on the lower edge.

    Raises
    ------
    TypeError, ValueError
        If the language is unknown, or axes are not two Axes.

    Notes
    -----
    Section II, and IV.B, (5). **Beyond the notes:** 1 − g(z) = g(−z), whose digits no subtraction takes.
    The network of the printed form is `handgrad.literal`, which calls (12) as it is printed.

    Examples
    --------
    >>> derivative, norms = saturation()
    >>> derivative.get_yscale(), norms.get_yscale()
    ('log', 'log')
    """
    say = wording(language, "figures")
    left, right = panels = axes_for(axes, 1, 2, SIZE)[0]
    # As far as rounding leaves something of 1 - g(z).
    whole = np.arange(0.0, 701.0)
    last = int(whole[_as_printed(whole) > 0].max())
    z = whole[::20]
    labels = say("stable"), say("textbook")
    log_lines(left, z, dict(zip(labels, (act.sigmoid_derivative(z), _as_printed(z)), strict=True)))
    about = sections(say, "II", "about_saturation_derivative", "(5)", last=last)
    dress(left, say("saturation_derivative"), say("z"), say("log_g"), about)

    hidden = [Dense([[1.0]], [SATURATED - 1.0], "sigmoid")] * (DEPTH - 1)
    net = Network([*hidden, Dense([[1.0]], [-1.0], "sigmoid")])
    gradients = net.gradient([1.0], [0.0]), literal.gradient(net, [1.0], [0.0])
    norms = [np.array([_norm(layer.w) for layer in gradient]) for gradient in gradients]
    log_lines(right, range(1, DEPTH + 1), dict(zip(labels, norms, strict=True)))
    about = sections(say, "IV.B", "about_saturation_norms", "(3), (5)", depth=DEPTH, z=SATURATED)
    dress(right, say("saturation_norms"), say("layer"), say("norm"), about)
    key(left)
    key(right)
    settle(panels, axes)
    return np.asarray(panels)


def _as_printed(z: Array) -> Array:
    """Return g(z) (1 − g(z)), with the subtraction."""
    g = act.sigmoid(z)
    return np.asarray(g * (1 - g))
