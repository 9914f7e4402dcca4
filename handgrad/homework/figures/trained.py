"""Figures of a training: each trains a copy of the network, so that the caller's stays as it is, and draws what came of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.descent import History, fit
from handgrad.homework.figures.matrices import weights
from handgrad.homework.figures.plane import boundary
from handgrad.homework.figures.style import Axes
from handgrad.homework.figures.training import copy_of, losses
from handgrad.network import Network

__all__ = ["trained_boundary", "trained_losses", "trained_weights"]

Array = npt.NDArray[Any]


def trained_losses(
    net: Network, x: npt.ArrayLike, y: npt.ArrayLike, *, axes: object = None, language: str = "en", **training: Any
) -> Axes:
    """Train a copy, and draw `losses`.

    Parameters
    ----------
    net : Network
        It stays as it is.
    x, y : array_like
        A batch, as for `Network.gradient`.
    axes : Axes or array of Axes, optional
        As for `losses`.
    language : str
        "en" or "es".
    **training : Any
        rate, epochs, and batch_size and seed, as for `handgrad.fit`.

    Returns
    -------
    Axes
        As `losses` returns it.
    """
    _, history = _trained(net, x, y, **training)
    return losses(history, loss=net.loss_name, axes=axes, language=language)


def trained_boundary(
    net: Network, x: npt.ArrayLike, y: npt.ArrayLike, *, axes: object = None, language: str = "en", **training: Any
) -> Axes:
    """Train a copy, and draw its `boundary`.

    Parameters
    ----------
    net : Network
        It stays as it is.
    x, y : array_like
        A batch, as for `Network.gradient`.
    axes : Axes or array of Axes, optional
        As for `boundary`.
    language : str
        "en" or "es".
    **training : Any
        rate, epochs, and batch_size and seed, as for `handgrad.fit`.

    Returns
    -------
    Axes
        As `boundary` returns it.
    """
    trained, _ = _trained(net, x, y, **training)
    return boundary(trained, x, y, axes=axes, language=language)


def trained_weights(
    net: Network, x: npt.ArrayLike, y: npt.ArrayLike, *, axes: object = None, language: str = "en", **training: Any
) -> Array:
    """Train a copy, and draw `weights` of the network and of the copy.

    Parameters
    ----------
    net : Network
        It stays as it is.
    x, y : array_like
        A batch, as for `Network.gradient`.
    axes : Axes or array of Axes, optional
        As for `weights`.
    language : str
        "en" or "es".
    **training : Any
        rate, epochs, and batch_size and seed, as for `handgrad.fit`.

    Returns
    -------
    ndarray of Axes
        As `weights` returns it.
    """
    trained, _ = _trained(net, x, y, **training)
    return weights(net, trained, axes=axes, language=language)


def _trained(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    rate: float,
    epochs: int,
    batch_size: int | None = None,
    seed: int | np.random.Generator | None = None,
) -> tuple[Network, History]:
    """Return a trained copy, and what its training saw."""
    copy = copy_of(net)
    return copy, fit(copy, x, y, rate=rate, epochs=epochs, batch_size=batch_size, seed=seed)
