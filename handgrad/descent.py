"""Gradient descent: the loop around `Network.descend`."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.foreign import notes_words
from handgrad.network import Network

__all__ = ["History", "fit"]

PAUSE = 0.05  # seconds between two looks of the progress bar


@dataclass(repr=False)
class History:
    """What `fit` saw.

    Parameters
    ----------
    losses : list of float
        One number an epoch: the loss of every example (their mean or sum, as the network reduces), each taken with the
        parameters that its batch found, before the step.
    """

    losses: list[float] = field(default_factory=list)

    def __repr__(self) -> str:
        """Return the number of epochs, and the first and the last loss."""
        losses = f", loss {self.losses[0]:.6g} to {self.losses[-1]:.6g}" if self.losses else ""
        return f"History({len(self.losses)} epochs{losses})"


@notes_words
def fit(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    rate: float,
    epochs: int,
    batch_size: int | None = None,
    seed: int | np.random.Generator | None = None,
    callback: Callable[[int, float], object] | None = None,
    progress: bool = False,
) -> History:
    """Train the network in place by gradient descent.

    Parameters
    ----------
    net : Network
        Its parameters are changed.
    x, y : array_like
        A batch, as for `Network.gradient`.
    rate : float
        The learning rate, > 0.
    epochs : int
        How many times every example is used, >= 1.
    batch_size : int, optional
        Examples a step; all of them in one step (full batch) unless given. The last batch of an epoch may be smaller.
    seed : int or Generator, optional
        For the shuffling of mini-batches: the same seed gives the same training.
    callback : callable, optional
        Called after every epoch with its number, from 1, and its loss; if it returns True, training ends there.
    progress : bool
        Show a progress bar with the loss and the time left (with the package rich), if standard error is a terminal.

    Returns
    -------
    History
        The losses, one an epoch.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If a number is out of range, x or y does not suit the network, a parameter is not finite, or training diverges to an
        infinite loss or gradient; the parameters are then as its last step left them.
    ImportError
        If progress is asked for and rich is not installed.

    Examples
    --------
    >>> from handgrad.network import Dense
    >>> net = Network([Dense([[0.0]], [0.0])])
    >>> fit(net, [[1.0], [-1.0]], [[2.0], [-2.0]], rate=0.25, epochs=2).losses
    [4.0, 1.0]
    """
    checks.instance("net", net, Network, "a Network")
    step = checks.positive_number("rate", rate, net.dtype)
    rounds = checks.positive_integer("epochs", epochs)
    if callback is not None:
        checks.instance("callback", callback, Callable, "callable")  # type: ignore[arg-type]
    inputs, targets, single = net.engine.data(x, y)
    checks.batch(inputs[0] if single else inputs)
    if not checks.is_finite(net.engine.parameters):  # written to in place, where nothing checks it
        checks.all_finite(net.named(), "net's {}")
    count = len(inputs)
    size = count if batch_size is None else min(checks.positive_integer("batch_size", batch_size), count)
    generator = checks.generator(seed)

    history = History()
    if size < count:
        # Rows are taken in this order; columns of a frame, say, would be gone through for every batch.
        inputs = np.ascontiguousarray(inputs)
        shuffled = np.empty((size, inputs.shape[1]), inputs.dtype)
    # Closed at once when training is stopped, so that what is said next stands below the bar.
    with closing(_with_progress(rounds, history.losses) if progress else _epochs(rounds)) as numbers:
        for epoch in numbers:
            order = None if size == count else generator.permutation(count)
            total = 0.0
            for start in range(0, count, size):
                batch, target = inputs, targets
                if order is not None:
                    chosen = order[start : start + size]
                    # New memory for every batch would take longer to get than to fill. "clip" writes without a copy.
                    batch = inputs.take(chosen, 0, shuffled[: len(chosen)], "clip")
                    target = targets.take(chosen, 0)
                loss = net.engine.train(batch, target, step, epoch)
                total += loss * (len(batch) / count if net.reduction == "mean" else 1)
            history.losses.append(total)
            if callback is not None:
                stop = callback(epoch, total)
                if not checks.is_finite(net.engine.parameters):  # it may have written to them
                    checks.all_finite(net.named(), "net's {}")
                if isinstance(stop, bool | np.bool_) and stop:
                    break
    return history


def _epochs(rounds: int) -> Generator[int, None, None]:
    yield from range(1, rounds + 1)


def _with_progress(rounds: int, losses: list[float]) -> Generator[int, None, None]:
    """Yield the numbers of the epochs, and show how many are done, the last loss, and the time left."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    except ImportError:
        raise ImportError("progress=True needs the package rich: pip install rich") from None
    console = Console(stderr=True)
    columns = (
        TextColumn("fit"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("fit", total=rounds, loss="")
        shown = monotonic()
        for epoch in range(1, rounds + 1):
            yield epoch
            # An epoch may be shorter than telling of it.
            if monotonic() - shown > PAUSE or epoch == rounds:
                shown = monotonic()
                bar.update(task, completed=epoch, loss=f"{losses[-1]:.4g}")
