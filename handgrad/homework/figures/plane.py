"""The decision boundary of a network with two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.extras import needed_by
from handgrad.homework.figures.style import MARKERS, Axes, axes_for, dress, key, sections, settle
from handgrad.homework.words import wording
from handgrad.network import Network

with needed_by("handgrad.homework.figures"):
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

__all__ = ["boundary"]

Array = npt.NDArray[Any]

SIZE = (6.4, 4.6)  # inches
POINTS = 201  # of the grid, along each input
MARGIN = 0.15  # of the range of the examples, around them


def boundary(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    classes: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    axes: object = None,
    language: str = "en",
) -> Axes:
    """Draw which class a network predicts for every point of the plane, the boundary between them, and the examples.

    Parameters
    ----------
    net : Network
        With n_0 = 2 inputs. With one output the boundary lies where it is halfway between the two targets, 1/2 under binary
        cross-entropy; with several the largest output is the class.
    x : array_like
        (N, 2).
    y : array_like
        As for `Network.loss`; with one output and squared error two different numbers, one a class.
    classes : sequence of str, optional
        What the classes are called, in their order: those of the targets' numbers, from small to large.
    inputs : sequence of str, optional
        What the two inputs are called.
    axes : Axes, optional
        Where to draw; a new figure of its own unless given.
    language : str
        "en" or "es".

    Returns
    -------
    Axes
        Classes differ by lightness; examples by the shape of their marks and by whether these are filled.

    Raises
    ------
    TypeError, ValueError
        If net takes other than two inputs or gives no one class, x or y does not suit it, or axes are not one Axes.

    Notes
    -----
    Section III, for cross-entropy; IV.D–G otherwise. **Beyond the notes:** the picture.

    Examples
    --------
    >>> from handgrad.network import Dense
    >>> net = Network([Dense([[1.0, -1.0]], [0.0])])
    >>> boundary(net, [[0.0, 1.0], [1.0, 0.0]], [[-1.0], [1.0]]).get_xlabel()
    'input x_1'
    """
    checks.instance("net", net, Network, "a Network")
    checks.two_inputs(net.widths)
    checks.one_class_each(net.loss_name, net.widths[-1])
    batch, single = net.engine.inputs(x)
    checks.batch(batch[0] if single else batch)
    targets = net.engine.targets(y, len(batch), single)
    checks.all_finite(net.named(), "net's {}")
    halfway, labels = _classes(net, targets)
    say = wording(language, "figures")
    labels = labels if classes is None else checks.names("classes", classes, len(labels))
    first, second = (say("x_1"), say("x_2")) if inputs is None else checks.names("inputs", inputs, 2)
    panel: Axes = axes_for(axes, 1, 1, SIZE)[0, 0]

    sides = [_side(batch[:, place]) for place in range(2)]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    # How far each class is ahead of the next best: positive where it is predicted.
    ahead = _ahead(net(grid.reshape(-1, 2)), halfway).reshape(POINTS, POINTS, -1)
    shades = colormaps["cividis"](np.linspace(0.35, 1, len(labels)))
    extent = (sides[0][0], sides[0][-1], sides[1][0], sides[1][-1])
    panel.imshow(
        ahead.argmax(axis=-1),
        origin="lower",
        extent=extent,
        aspect="auto",
        interpolation="nearest",
        cmap=ListedColormap(shades.tolist()),
        vmin=-0.5,
        vmax=len(labels) - 0.5,
    )
    for number in range(len(labels) if len(labels) > 2 else 1):
        panel.contour(*sides, ahead[..., number], levels=[0.0], colors="black", linewidths=1.8)
    handles: list[Any] = [
        Patch(facecolor=tuple(shade), edgecolor="black", label=say("predicted", label=label))
        for shade, label in zip(shades, labels, strict=True)
    ]
    of_examples = _ahead(targets, halfway).argmax(axis=-1)
    for number, label in enumerate(labels):
        face, edge = ("white", "black") if number % 2 == 0 else ("black", "white")
        points = batch[of_examples == number]
        marks = panel.scatter(
            points[:, 0],
            points[:, 1],
            s=46,
            marker=MARKERS[number % len(MARKERS)],
            facecolors=face,
            edgecolors=edge,
            linewidths=1.2,
            zorder=3,
            label=say("example", label=label),
        )
        handles.append(marks)
    dress(panel, say("boundary"), first, second, sections(say, _section(net), "about_boundary"))
    panel.grid(False)
    panel.set(xlim=extent[:2], ylim=extent[2:])
    key(panel, handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0)
    settle(np.array([panel]), axes)
    return panel


def _section(net: Network) -> str:
    return "IV.D–G" if net.loss_name == "squared_error" else "III"


def _classes(net: Network, targets: Array) -> tuple[float | None, list[str]]:
    """Return where one output parts two classes, None for several outputs, and the names of the classes."""
    n_out = net.widths[-1]
    if n_out > 1:
        return None, [f"y = {number}" for number in range(n_out)]
    if net.loss_name == "binary_cross_entropy":
        return 0.5, ["y = 0", "y = 1"]
    values = np.unique(targets).tolist()
    checks.two_values("y", values)
    return float(np.mean(values)), [f"y = {value:g}" for value in values]


def _ahead(outputs: Array, halfway: float | None) -> Array:
    """Return how far each class is ahead of the best other one, (M, C), from outputs or targets (M, n_L)."""
    if halfway is not None:
        above = outputs[:, 0] - halfway
        return np.stack([-above, above], axis=-1)
    columns = range(outputs.shape[1])
    others = [np.delete(outputs, number, axis=1).max(axis=1) for number in columns]
    return np.asarray(outputs - np.stack(others, axis=-1))


def _side(values: Array) -> Array:
    """Return the grid along one input: the range of the examples with a margin, which one value alone has none of."""
    low, high = float(values.min()), float(values.max())
    room = MARGIN * (high - low) or 1.0
    return np.linspace(low - room, high + room, POINTS)
