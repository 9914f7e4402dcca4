"""Figures: functions and losses, the vanishing gradient, and what training does. They need matplotlib (the extra homework).

Each takes axes, or makes a figure of its own that no window shows, and returns the axes: `axes.figure.savefig("name.png")`.
On a figure of the caller's the captions find their room if it was made with layout="constrained".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from handgrad.activations import FORMS
from handgrad.homework.figures.depth import gradient_norms, saturation
from handgrad.homework.figures.functions import activation, cross_entropy, squared_error
from handgrad.homework.figures.matrices import weights
from handgrad.homework.figures.plane import boundary
from handgrad.homework.figures.saving import ENDINGS, saved
from handgrad.homework.figures.style import caption
from handgrad.homework.figures.trained import trained
from handgrad.homework.figures.training import dead_units, losses

__all__ = [
    "ENDINGS",
    "FIGURES",
    "TRAINING",
    "activation",
    "boundary",
    "caption",
    "cross_entropy",
    "dead_units",
    "gradient_norms",
    "losses",
    "saturation",
    "saved",
    "squared_error",
    "trained",
    "weights",
]

# What is drawn without data: (*, axes=None, language="en").
FIGURES: dict[str, Callable[..., Any]] = {
    **{name: partial(activation, name) for name in FORMS},
    "cross_entropy": cross_entropy,
    "squared_error": squared_error,
    "gradient_norms": gradient_norms,
    "saturation": saturation,
}
# What a training shows: (net, x, y, *, rate, epochs, batch_size=None, seed=None, axes=None, language="en").
TRAINING: dict[str, Callable[..., Any]] = {
    "losses": partial(trained, "losses"),
    "dead_units": dead_units,
    "boundary": partial(trained, "boundary"),
    "weights": partial(trained, "weights"),
}
