"""The notes' functions: each activation beside its derivative, and the losses (1) and (10)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import activations as act
from handgrad.activations import Activation
from handgrad.homework.figures.style import BLUE, Axes, axes_for, curve, dress, key, sections, settle, stroke
from handgrad.homework.words import wording, words

__all__ = ["activation", "cross_entropy", "squared_error"]

Array = npt.NDArray[Any]

PAIR, SINGLE = (8.0, 3.8), (5.2, 3.9)  # inches
Z = np.arange(-240, 241) / 40  # exact, and 0 is among them
# The logits of softmax that stay where they are, different so that no two lines coincide.
SECOND, THIRD = 0.0, 2.0
# Where the notes number the derivative.
EQUATIONS = {"sigmoid": "(5), (12)"}


def activation(activation: Activation | str, *, axes: object = None, language: str = "en") -> Array:
    """Draw an activation and, beside it, its derivative, as figures 1–5 of the notes do.

    Parameters
    ----------
    activation : Activation or str
        By object or by name: identity, sigmoid, tanh, relu, leaky_relu, prelu or softmax.
    axes : sequence of 2 Axes, optional
        Where to draw: the function, its derivative. A new figure of its own unless given.
    language : str
        "en" or "es".

    Returns
    -------
    ndarray of Axes
        (2,): the function, its derivative.

    Raises
    ------
    TypeError, ValueError
        If the activation or the language is unknown, or axes are not two Axes.

    Notes
    -----
    Section II, figures 1–5. **Beyond the notes:** the value taken at a kink is a filled dot; softmax has three logits, of which
    the first varies, and beside the probabilities stands the first row of its Jacobian.

    Examples
    --------
    >>> g, derivative = activation("tanh")
    >>> derivative.get_title()
    'Tanh: derivative'
    """
    chosen, say = act.activation(activation), wording(language, "figures")
    left, right = panels = axes_for(axes, 1, 2, PAIR)[0]
    name = words(language)["activations"][chosen.name]
    name = name[0].upper() + name[1:]
    if chosen.name == "softmax":
        _softmax(left, right)
        x, of_function, of_derivative = say("logit"), say("probability"), say("softmax_derivative")
    else:
        _one_number(left, right, chosen)
        x, of_function, of_derivative = say("z"), say("g"), say("dg")
    slope = "" if chosen.negative_slope is None else _slopes(chosen)
    fields = {"slope": slope, "second": f"{SECOND:g}", "third": f"{THIRD:g}"}
    equations = EQUATIONS.get(chosen.name, "")
    about = sections(say, "II", f"about_{chosen.name}", **fields)
    dress(left, say("function", name=name), x, of_function, about)
    about = sections(say, "II", f"slope_{chosen.name}", equations, **fields)
    dress(right, say("derivative", name=name), x, of_derivative, about)
    settle(panels, axes)
    return np.asarray(panels)


def _slopes(chosen: Activation) -> str:
    return ", ".join(f"{each:g}" for each in np.atleast_1d(chosen.negative_slope))  # type: ignore[arg-type]


def _one_number(left: Axes, right: Axes, chosen: Activation) -> None:
    """Draw g and g′; of a PReLU of several units, each unit's."""
    slopes = None if chosen.negative_slope is None else np.atleast_1d(np.asarray(chosen.negative_slope))
    columns = 1 if slopes is None else len(slopes)
    z = np.repeat(Z[:, None], columns, axis=1)
    values = chosen(z), chosen.derivative(z)
    kink = chosen.name in ("relu", "leaky_relu", "prelu")
    for number in range(columns):
        label = "" if slopes is None else f"α = {slopes[number]:g}"
        g, derivative = (each[:, number] for each in values)
        x = Z
        if columns == 1:
            left.plot(x, g, color=BLUE, linewidth=2)
        else:
            curve(left, x, g, number, label)
        if kink:  # a jump, not a steep line
            after = int(np.searchsorted(Z, 0)) + 1
            colour = BLUE if columns == 1 else stroke(number)["color"]
            right.scatter([0.0], [derivative[after - 1]], s=28, color=colour, zorder=3)
            right.scatter([0.0], [derivative[after]], s=28, facecolors="white", edgecolors=colour, zorder=3)
            x, derivative = np.insert(Z, after, np.nan), np.insert(derivative, after, np.nan)
        if columns == 1:
            right.plot(x, derivative, color=BLUE, linewidth=2)
        else:
            curve(right, x, derivative, number, label)
    if columns > 1:
        key(left)
        key(right)
    low, high = right.get_ylim()
    if high - low < 0.5:
        right.set_ylim(min(low, 0), high)
    elif kink or chosen.name == "identity":
        right.set_ylim(min(low, -0.1), max(high, 1.1))


def _softmax(left: Axes, right: Axes) -> None:
    """Draw the three probabilities as the first logit varies, and their derivatives by it."""
    logits = np.stack([Z, np.full_like(Z, SECOND), np.full_like(Z, THIRD)], axis=-1)
    softmax = Activation("softmax")
    probabilities, row = softmax(logits), softmax.derivative(logits)[:, 0]
    for number in range(3):
        curve(left, Z, probabilities[:, number], number, f"a_{number + 1}")
        curve(right, Z, row[:, number], number, f"∂a_{number + 1}/∂z_1")
    key(left)
    key(right)


def cross_entropy(*, axes: object = None, language: str = "en") -> Axes:
    """Draw the loss (1), −log p, against the probability p that the true class is given.

    Parameters
    ----------
    axes : Axes, optional
        Where to draw; a new figure of its own unless given.
    language : str
        "en" or "es".

    Returns
    -------
    Axes
        With one line, in nats.

    Raises
    ------
    TypeError, ValueError
        If the language is unknown, or axes are not one Axes.

    Notes
    -----
    Section III, (1). **Beyond the notes:** they call it strictly increasing; it strictly decreases in p.

    Examples
    --------
    >>> cross_entropy(language="es").get_ylabel()
    'pérdida L_i (nats)'
    """
    say = wording(language, "figures")
    panel: Axes = axes_for(axes, 1, 1, SINGLE)[0, 0]
    p = np.arange(1, 257) / 256
    panel.plot(p, -np.log(p), color=BLUE, linewidth=2)
    dress(panel, say("cross_entropy"), say("p"), say("loss_nats"), sections(say, "III", "about_cross_entropy", "(1)"))
    settle(np.array([panel]), axes)
    return panel


def squared_error(*, axes: object = None, language: str = "en") -> Array:
    """Draw the loss of one neuron (10) against its error a − y, and beside it the derivative (4).

    Parameters
    ----------
    axes : sequence of 2 Axes, optional
        Where to draw: the loss, its derivative. A new figure of its own unless given.
    language : str
        "en" or "es".

    Returns
    -------
    ndarray of Axes
        (2,): the loss in squared units of y, its derivative in units of y.

    Raises
    ------
    TypeError, ValueError
        If the language is unknown, or axes are not two Axes.

    Notes
    -----
    Section IV.B, (4), and IV.D–G, (10).

    Examples
    --------
    >>> loss, derivative = squared_error()
    >>> derivative.get_ylabel()
    'dL/da (units of y)'
    """
    say = wording(language, "figures")
    left, right = panels = axes_for(axes, 1, 2, PAIR)[0]
    error = np.arange(-64, 65) / 32
    left.plot(error, error**2, color=BLUE, linewidth=2)
    right.plot(error, 2 * error, color=BLUE, linewidth=2)
    about = sections(say, "IV.D–G", "about_squared_error", "(10)")
    dress(left, say("squared_error"), say("error"), say("loss_squared"), about)
    about = sections(say, "IV.B", "about_squared_error_derivative", "(4)")
    dress(right, say("squared_error_derivative"), say("error"), say("dL_da"), about)
    settle(panels, axes)
    return np.asarray(panels)
