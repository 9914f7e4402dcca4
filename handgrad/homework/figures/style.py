"""What all figures share: axes on a figure of their own, strokes told apart without colour, labels, and the caption.

Nothing here touches pyplot or matplotlib's settings: no window opens, and no other figure of the caller's changes.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.extras import needed_by

with needed_by("handgrad.homework.figures"):
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

__all__ = [
    "BLUE",
    "CAPTION",
    "MARKERS",
    "ORANGE",
    "SIZE",
    "Axes",
    "axes_for",
    "caption",
    "curve",
    "dress",
    "key",
    "log_lines",
    "logarithmic",
    "sections",
    "settle",
    "stroke",
    "whole_numbers",
]

Array = npt.NDArray[Any]

# The colours of Okabe and Ito that stand out against white, at least 3 : 1. Source: Okabe and Ito (2008).
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7")
BLUE, ORANGE = "#0072B2", "#D55E00"
# Four dashes and seven markers share no factor, so that only the 29th line has both from the first.
DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SIZE = 8  # points: the smallest text
CAPTION = "_caption"  # a label with this first letter stays out of legends
LEAST, SHORT = 24, 12  # characters: of a caption's lines, and of its last line


def axes_for(axes: object, rows: int, columns: int, size: tuple[float, float]) -> Array:
    """Return the axes that came, checked, or those of a new figure, as an array (rows, columns).

    Parameters
    ----------
    axes : Axes, sequence of Axes, or None
        What the caller gave.
    rows, columns : int
        How many panels are needed.
    size : tuple of float
        Width and height of a new figure, in inches.

    Returns
    -------
    ndarray of Axes
        (rows, columns).

    Raises
    ------
    TypeError, ValueError
        If something else than axes came, or another number of them.
    """
    if axes is None:
        figure = Figure(figsize=size, layout="constrained")
        engine: Any = figure.get_layout_engine()
        engine.set(w_pad=0.1, h_pad=0.06)  # inches
        return np.asarray(figure.subplots(rows, columns, squeeze=False))
    listed = np.empty(rows * columns, object)
    listed[:] = checks.axes(axes, rows * columns, Axes)
    return listed.reshape(rows, columns)


def stroke(number: int) -> dict[str, Any]:
    """Return colour, dash and marker of a line, for `Axes.plot`; no two of 28 have dash and marker in common.

    Parameters
    ----------
    number : int
        The line's, from 0.

    Returns
    -------
    dict
        Keyword arguments.
    """
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": DASHES[number % len(DASHES)],
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 5,
        "linewidth": 1.6,
    }


def curve(axes: Axes, x: Array, y: Array, number: int, label: str) -> None:
    """Draw one of several smooth curves: a mark here and there, at other places than its neighbours'.

    Parameters
    ----------
    axes : Axes
        Drawn on.
    x, y : ndarray
        (N,) each.
    number : int
        The curve's, from 0.
    label : str
        Its words in the legend.
    """
    step = max(1, len(x) // 10)
    axes.plot(x, y, label=label, markevery=(number * step // 4 % len(x), step), **stroke(number))


def log_lines(axes: Axes, x: Iterable[float], lines: Mapping[str, Array]) -> bool:
    """Draw norms over a logarithmic axis; what is exactly 0 has no place there, and becomes a hollow mark on the lower edge.

    Parameters
    ----------
    axes : Axes
        Drawn on.
    x : iterable of float
        (N,) whole numbers.
    lines : mapping of str to ndarray
        (N,) numbers >= 0 for each label.

    Returns
    -------
    bool
        Whether there are zeros.
    """
    places = np.asarray(list(x), float)
    positive = [each for values in lines.values() for each in values.tolist() if each > 0]
    # In logarithms: the edge below 10⁻³⁰⁰ must not round to 0.
    low, high = (np.log10(bound(positive, default=1.0)) for bound in (min, max))
    room = max(0.05 * (high - low), 0.3)
    edge = 10.0 ** max(low - room, -320)
    for number, (label, values) in enumerate(lines.items()):
        style = stroke(number)
        axes.plot(places, np.where(values > 0, values, np.nan), label=label, **style)
        zero = places[values == 0]
        axes.scatter(
            zero, np.full_like(zero, edge), marker=style["marker"], facecolors="white", edgecolors=style["color"], zorder=3
        ).set_clip_on(False)
    logarithmic(axes, edge, 10.0 ** min(high + room / 2, 308))
    whole_numbers(axes)
    return any((values == 0).any() for values in lines.values())


def logarithmic(axes: Axes, low: float, high: float) -> None:
    """Make the upright axis logarithmic from `low` to `high`; its powers of ten have no small raised exponents.

    Parameters
    ----------
    axes : Axes
        Whose upright axis it is.
    low, high : float
        Both > 0.
    """
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    first, last = math.log10(low), math.log10(high)
    step = next(each for each in (1, 2, 5, 10, 20, 50, 100) if (last - first) / each <= 8)
    powers = range(step * math.ceil(first / step), math.floor(last) + 1, step)
    if len(powers) >= 2:
        axes.set_yticks([10.0**power for power in powers], [f"1e{power}".replace("-", "−") for power in powers])
        axes.minorticks_off()
    else:  # less than a power of ten
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.minorticks_off()


def whole_numbers(axes: Axes) -> None:
    """Let the ticks of layers and epochs be whole numbers.

    Parameters
    ----------
    axes : Axes
        Whose lower axis counts.
    """
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))


def dress(axes: Axes, title: str, x: str, y: str, about: str) -> None:
    """Give axes their title, labels, a light grid, and the caption under them.

    Parameters
    ----------
    axes : Axes
        Drawn on already.
    title, x, y : str
        Title and labels of the two axes, with units.
    about : str
        The caption, which names the section of the notes; "" for none.
    """
    axes.set_title(title, fontsize=SIZE + 2)
    axes.set_xlabel(x, fontsize=SIZE + 1)
    axes.set_ylabel(y, fontsize=SIZE + 1)
    axes.tick_params(labelsize=SIZE)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    for old in _captions(axes):
        old.remove()
    if not about:
        return
    text = axes.annotate(
        about,
        (0, 0),
        xycoords=("axes fraction", axes.xaxis.label),
        xytext=(0, -6),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=SIZE,
        annotation_clip=False,
    )
    text.set_label(CAPTION)
    _wrap(text, axes)


def settle(panels: Array, axes: object) -> None:
    """Wrap the captions of a figure of our own anew, as wide as its axes are when the layout has placed them.

    Parameters
    ----------
    panels : ndarray of Axes
        Dressed, of one figure.
    axes : object
        What the caller gave; unless it is None nothing happens, since the layout of the caller's figure is not ours.
    """
    if axes is not None:
        return
    captions = [(panel, text) for panel in panels.flat for text in _captions(panel)]
    for _, text in captions:
        text.set_in_layout(False)
    panels.flat[0].figure.draw_without_rendering()
    for panel, text in captions:
        text.set_in_layout(True)
        _wrap(text, panel)


def _wrap(text: Any, axes: Axes) -> None:
    """Break a caption into lines no wider than the axes are now, and leave no short word alone in the last."""
    # A formula is not broken at its signs.
    about = re.sub(r" ([=<>≤≈→−]) ", "\u00a0\\1\u00a0", text.get_text().replace("\n", " "))
    # Rounded to pixels, letters may be wider at the resolution that the figure is saved at.
    width = 0.93 * axes.get_window_extent().width
    # The font's narrowest line has about 22 characters an inch.
    characters = int(width / axes.figure.dpi * 22)
    lines = textwrap.wrap(about, max(characters, LEAST))
    text.set_text("\n".join(lines))
    while characters > LEAST and text.get_window_extent().width > width:
        characters -= 1
        lines = textwrap.wrap(about, characters)
        text.set_text("\n".join(lines))
    while characters > LEAST and len(lines[-1]) < SHORT:
        characters -= 1
        shorter = textwrap.wrap(about, characters)
        if len(shorter) > len(lines):
            break
        lines = shorter
    text.set_text("\n".join(lines))


def caption(axes: Axes) -> str:
    """Return the caption under axes on one line, for a page's text beside the picture; "" if there is none.

    Parameters
    ----------
    axes : Axes
        As a figure returned them.

    Returns
    -------
    str
        It names the section of the notes.

    Raises
    ------
    TypeError
        If it is no matplotlib Axes.
    """
    return " ".join(
        text.get_text().replace("\n", " ").replace("\u00a0", " ") for text in _captions(checks.axes(axes, 1, Axes)[0])
    )


def _captions(axes: Axes) -> list[Any]:
    return [text for text in axes.texts if text.get_label() == CAPTION]


def sections(say: Callable[..., str], section: str, key: str, equations: str = "", **fields: object) -> str:
    """Return a caption: the section of the notes, its equations if it has any, and the words.

    Parameters
    ----------
    say : callable
        As `wording` returns it.
    section, equations : str
        "II.F"; "(5), (12)".
    key : str
        Of the words.
    **fields : object
        What fills their gaps.

    Returns
    -------
    str
        "Section IV.B, (4). …".
    """
    where = say("section_equations", section=section, equations=equations) if equations else say("section", section=section)
    return f"{where} {say(key, **fields)}"


def key(axes: Axes, **where: Any) -> None:
    """Give axes a legend whose samples are long enough to show the dashes.

    Parameters
    ----------
    axes : Axes
        With labelled lines.
    **where : Any
        As for `Axes.legend`.
    """
    axes.legend(fontsize=SIZE, handlelength=3.2, framealpha=0.9, **where)
