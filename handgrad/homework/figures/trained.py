"""Figures of a training: a copy of the network is trained, so that the caller's stays as it is, and what came of it drawn."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.descent import fit
from handgrad.homework.figures.matrices import weights
from handgrad.homework.figures.plane import boundary
from handgrad.homework.figures.training import losses
from handgrad.network import Network

__all__ = ["trained"]

DRAWN = ("losses", "boundary", "weights")


def trained(
    figure: str,
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
) -> Any:
    """Train a copy of a network, and draw its `losses`, its `boundary`, or the `weights` before and after.

    Parameters
    ----------
    figure : str
        "losses", "boundary" or "weights".
    net : Network
        It stays as it is.
    x, y : array_like
        A batch, as for `Network.gradient`.
    rate : float
        The learning rate, > 0.
    epochs : int
        How many times every example is used, >= 1.
    batch_size : int, optional
        Examples a step; all of them unless given.
    seed : int or Generator, optional
        For the shuffling of mini-batches.
    axes : Axes or array of Axes, optional
        As for the figure.
    language : str
        "en" or "es".

    Returns
    -------
    Axes or ndarray of Axes
        As the figure returns them.

    Raises
    ------
    TypeError, ValueError
        If there is no such figure, an argument is wrong for `handgrad.fit`, or the figure refuses what it is to draw.
    """
    checks.one_of("figure", figure, DRAWN)
    checks.instance("net", net, Network, "a Network")
    after = deepcopy(net)
    history = fit(after, x, y, rate=rate, epochs=epochs, batch_size=batch_size, seed=seed)
    match figure:
        case "losses":
            return losses(history, loss=net.loss_name, axes=axes, language=language)
        case "boundary":
            return boundary(after, x, y, axes=axes, language=language)
        case _:
            return weights(net, after, axes=axes, language=language)
