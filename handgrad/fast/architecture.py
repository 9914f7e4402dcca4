"""All that a network's gradient depends on but for numbers."""

from __future__ import annotations

from typing import NamedTuple

from handgrad.gradient import Shapes


class Architecture(NamedTuple):
    """Layers without their parameters, and the loss.

    Parameters
    ----------
    shapes : Shapes
        Of each layer's w and α, as `handgrad.gradient.cut` takes them.
    activations : tuple of (str, slope)
        One a layer; the slope of leaky_relu, rounded to the network's dtype, and None for the others.
    loss : str
        As for `Network`.
    """

    shapes: Shapes
    activations: tuple[tuple[str, float | None], ...]
    loss: str
