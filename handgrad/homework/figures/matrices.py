"""The weights of each layer before and after, in the same shades."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.homework.figures.style import SIZE, Axes, axes_for, dress, sections, settle
from handgrad.homework.words import wording
from handgrad.network import Network

__all__ = ["weights"]

Array = npt.NDArray[Any]

# As many cells as leave room for their numbers.
ROWS_WITH_NUMBERS, COLUMNS_WITH_NUMBERS = 12, 7
TICKS = 10


def weights(before: Network, after: Network, *, axes: object = None, language: str = "en") -> Array:
    """Draw w and b of each layer of a network as it was and as it is, on one scale with 0 in the middle.

    Parameters
    ----------
    before, after : Network
        Of the same widths.
    axes : sequence of 2 L Axes, optional
        Where to draw: layer 1 before and after, layer 2 before and after, … A new figure of its own unless given. The bar of
        the scale takes its room from them.
    language : str
        "en" or "es".

    Returns
    -------
    ndarray of Axes
        (L, 2): layers down, before and after across. The caption is under the last layer.

    Raises
    ------
    TypeError, ValueError
        If either is no Network, their widths differ, a parameter is not finite, or axes are not 2 L Axes.

    Notes
    -----
    Section IV.D–G, (8): w_jk goes to neuron j from neuron k. The last column is b.

    Examples
    --------
    >>> net = Network.random([2, 3, 1], activations=["tanh", "identity"], seed=0)
    >>> weights(net, net).shape
    (2, 2)
    """
    for name, net in (("before", before), ("after", after)):
        checks.instance(name, net, Network, "a Network")
    # Without `layer.w`, which lends the array to whoever asks, and slows later gradients.
    arrays = [net.named() for net in (before, after)]
    for name, named in zip(("before", "after"), arrays, strict=True):
        checks.all_finite(named, name + "'s {}")
    checks.same_shape("after", after.widths, before.widths)
    say = wording(language, "figures")
    count = len(before.layers)
    height = min(3.4, 1.2 + 0.3 * max(before.widths[1:]))
    panels = axes_for(axes, count, 2, (8.0, count * height + 0.6))

    layers = range(1, count + 1)
    matrices = [[np.column_stack([named[f"w{number}"], named[f"b{number}"]]) for number in layers] for named in arrays]
    largest = max(float(np.abs(matrix).max()) for of_net in matrices for matrix in of_net) or 1.0
    for column, (of_net, moment) in enumerate(zip(matrices, ("before", "after"), strict=True)):
        for row, matrix in enumerate(of_net):
            panel: Axes = panels[row, column]
            image = _draw(panel, matrix, largest)
            about = sections(say, "IV.D–G", "about_scale" if column else "about_weights", "(8)") if row == count - 1 else ""
            x = say("from", number=row) if row else say("from_input")
            dress(panel, say(moment, number=row + 1), x, say("to"), about)
            panel.grid(False)
    bar = panels[0, 0].figure.colorbar(image, ax=panels.ravel().tolist(), shrink=0.8, aspect=30)
    bar.set_label(say("weight"), fontsize=SIZE + 1)
    bar.ax.tick_params(labelsize=SIZE)
    settle(panels, axes)
    return panels


def _draw(panel: Axes, matrix: Array, largest: float) -> Any:
    """Draw w and b (n, n_prev + 1), its numbers written in if they are few, and return the image."""
    n, columns = matrix.shape
    # Not a scale that is dark at both ends: in grey it would not tell a weight from minus that weight.
    image = panel.imshow(
        matrix, cmap="cividis", vmin=-largest, vmax=largest, aspect="auto", extent=(0.5, columns + 0.5, n + 0.5, 0.5)
    )
    panel.axvline(columns - 0.5, color="white", linewidth=2)
    if n <= ROWS_WITH_NUMBERS and columns <= COLUMNS_WITH_NUMBERS:
        for (j, k), value in np.ndenumerate(matrix):
            shade = np.asarray(image.cmap(image.norm(value)))[:3]
            # Weighted as the eye weighs them, raised from the screen's scale to light; 0.18 is as far from black as from white.
            light = float(np.dot((0.2126, 0.7152, 0.0722), np.power(shade, 2.2)))
            colour = "white" if light < 0.18 else "black"
            number = f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
            panel.text(k + 1, j + 1, number, ha="center", va="center", fontsize=SIZE, color=colour)
    step = math.ceil((columns - 1) / TICKS)
    places = [k for k in range(1, columns, step) if columns - k >= step or k == columns - 1]
    panel.set_xticks([*places, columns], [*map(str, places), "b"])
    panel.set_yticks(range(1, n + 1, math.ceil(n / TICKS)))
    return image
