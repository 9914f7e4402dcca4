"""What happens while a network is trained: its loss, and ReLU units that die."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.descent import History, fit
from handgrad.homework.figures.style import (
    BLUE,
    ORANGE,
    Axes,
    axes_for,
    dress,
    key,
    logarithmic,
    sections,
    settle,
    stroke,
    whole_numbers,
)
from handgrad.homework.words import wording
from handgrad.losses import LOSSES
from handgrad.network import Network

__all__ = ["dead_units", "losses"]

Array = npt.NDArray[Any]

SIZE = (5.6, 4.2)  # inches
# Of the examples that are trained on, and of those that are not.
STROKES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linewidth": 2},
    {"color": ORANGE, "linewidth": 2, "linestyle": "--"},
)


def losses(
    history: History,
    *,
    test: History | None = None,
    loss: str | None = None,
    axes: object = None,
    language: str = "en",
) -> Axes:
    """Draw the loss of each epoch, on a logarithmic axis if it falls or rises a hundredfold.

    Parameters
    ----------
    history : History
        As `handgrad.fit` returned it.
    test : History, optional
        The loss of other examples, which were not trained on, at the same epochs.
    loss : str, optional
        The network's `loss_name`, which says the unit; both units stand on the axis unless given.
    axes : Axes, optional
        Where to draw; a new figure of its own unless given.
    language : str
        "en" or "es".

    Returns
    -------
    Axes
        With one line, or with two and a legend.

    Raises
    ------
    TypeError, ValueError
        If history or test is no History, or empty, the loss or the language is unknown, or axes are not one Axes.

    Notes
    -----
    Section IV.C. **Beyond the notes:** training.

    Examples
    --------
    >>> losses(History([4.0, 1.0]), loss="squared_error").get_ylabel()
    'loss L (squared units of y)'
    """
    drawn = [_values("history", history)] + ([] if test is None else [_values("test", test)])
    values = np.concatenate(drawn)
    of_which = "loss" if loss is None else f"loss_of_{checks.loss(loss, LOSSES)}"
    say = wording(language, "figures")
    panel: Axes = axes_for(axes, 1, 1, SIZE)[0, 0]
    if values.min() > 0 and values.min() <= values.max() / 100:
        logarithmic(panel, float(values.min()) / 1.2, min(float(values.max()) * 1.2, 1e308))
    for each, style, name in zip(drawn, STROKES, ("trained_on", "tested_on"), strict=False):
        marker = "o" if len(each) <= 30 else None
        panel.plot(np.arange(1, len(each) + 1), each, marker=marker, markersize=4, label=say(name), **style)
    if test is not None:
        key(panel)
    whole_numbers(panel)
    dress(panel, say("losses"), say("epoch"), say(of_which), sections(say, "IV.C", "about_losses"))
    settle(np.array([panel]), axes)
    return panel


def _values(name: str, history: object) -> Array:
    checks.instance(name, history, History, "a History, which handgrad.fit returns")
    assert isinstance(history, History)
    checks.not_empty(name, history.losses, "epoch")
    values = checks.real_array(f"{name}.losses", history.losses)
    checks.finite(f"{name}.losses", values)
    return values


def dead_units(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    rate: float,
    epochs: int,
    batch_size: int | None = None,
    seed: int | np.random.Generator | None = None,
    axes: object = None,
    language: str = "en",
) -> Axes:
    """Train a copy, and draw the share of dead units in each relu layer before training and after every epoch.

    Parameters
    ----------
    net : Network
        With a relu layer; it stays as it is.
    x, y : array_like
        A batch, as for `Network.gradient`: trained on, and the examples for which a dead unit has z <= 0.
    rate : float
        The learning rate, > 0.
    epochs : int
        How many times every example is used, >= 1.
    batch_size : int, optional
        Examples a step; all of them unless given.
    seed : int or Generator, optional
        For the shuffling of mini-batches.
    axes : Axes, optional
        Where to draw; a new figure of its own unless given.
    language : str
        "en" or "es".

    Returns
    -------
    Axes
        With one line a relu layer, in per cent.

    Raises
    ------
    TypeError, ValueError
        If net has no relu layer, an argument is wrong for `handgrad.fit`, or axes are not one Axes.

    Notes
    -----
    Section II. **Beyond the notes:** a unit counts as dead if no example of the batch wakes it. It may live again, since the
    layers before it still learn.

    Examples
    --------
    >>> from handgrad.network import Dense
    >>> net = Network([Dense([[1.0], [-1.0]], [0.0, -3.0], "relu"), Dense([[1.0, 1.0]], [0.0])])
    >>> axes = dead_units(net, [[1.0], [2.0]], [[1.0], [2.0]], rate=0.1, epochs=1)
    >>> axes.lines[0].get_ydata()
    array([50., 50.])
    """
    checks.instance("net", net, Network, "a Network")
    trained = deepcopy(net)
    names = [layer.activation.name for layer in trained.layers]
    checks.some_relu(names)
    say = wording(language, "figures")
    if axes is not None:  # before the work
        axes_for(axes, 1, 1, SIZE)
    numbers = [number for number, name in enumerate(names, start=1) if name == "relu"]
    shares: list[list[float]] = [_dead(trained, x, y, numbers)]
    fit(
        trained,
        x,
        y,
        rate=rate,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        callback=lambda epoch, loss: shares.append(_dead(trained, x, y, numbers)),
    )
    panel: Axes = axes_for(axes, 1, 1, SIZE)[0, 0]
    places = np.arange(len(shares))
    step = max(1, len(places) // 12)
    for place, (number, share) in enumerate(zip(numbers, np.array(shares).T, strict=True)):
        units = trained.widths[number]
        label = say("layer_unit" if units == 1 else "layer_units", number=number, units=units)
        # Lines often coincide: the first is the widest and stays in sight under the others.
        later = min(len(numbers) - 1 - place, 4)
        style = stroke(place) | {"linewidth": 1.6 + later, "markersize": 5 + 2 * later}
        panel.plot(places, share, label=label, markevery=step, **style)
    panel.set_ylim(-5, 105)
    whole_numbers(panel)
    dress(panel, say("dead_units"), say("epoch"), say("share"), sections(say, "II", "about_dead_units"))
    key(panel)
    settle(np.array([panel]), axes)
    return panel


def _dead(net: Network, x: npt.ArrayLike, y: npt.ArrayLike, numbers: list[int]) -> list[float]:
    """Return the share of units of these layers whose z <= 0 for every example, in per cent."""
    trace = net.trace(x, y)
    return [100 * float((np.atleast_2d(trace[number].z) <= 0).all(axis=0).mean()) for number in numbers]
