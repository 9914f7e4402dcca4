"""Remarks on a learning rate, by trying it: a few steps with every example, on a copy of the network."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import numpy as np

from handgrad.homework.advice.remarks import Remark, Seen

__all__ = ["rate"]

# So many steps show both a loss that blows up and one that hardly moves.
STEPS = 20
# A loss that rose by less may have risen by rounding, or wavers at its minimum.
ROSE = 1e-3
# How often a rate that is too large is halved: by 10⁹ in all, which unscaled inputs may need.
HALVINGS = 30
# A loss that falls by less in all the steps would take thousands of epochs.
CRAWLED = 1e-3
# Larger rates that are tried, and how much further one must take the loss: so many times, and at least by this share.
LARGER = (10.0, 100.0, 1000.0)
FURTHER = 10
MARKED = 0.01
# A loss this small beside that of an output of 0, or in nats, is learned: what it does now says nothing on the rate.
LEARNED = 1e-8


def rate(seen: Seen) -> Iterator[Remark]:
    """Remark on a rate with which the loss rises, or hardly falls where a larger one takes it much further."""
    if seen.rate is None or _nothing_left(seen):
        return
    before, after, steps = _tried(seen, seen.rate)
    if after > before * (1 + ROSE):
        yield from _diverges(seen, seen.rate, before, after, steps)
    elif 0 <= before - after < CRAWLED * before:
        yield from _crawls(seen, seen.rate, before, after)


def _diverges(seen: Seen, rate: float, before: float, after: float, steps: int) -> Iterator[Remark]:
    better, reached = rate, after
    for _ in range(HALVINGS):
        better /= 2
        reached = _tried(seen, better)[1]
        if reached < before:
            break
    tried = {"rate": rate, "before": before, "after": after, "steps": steps, "better": better}
    if reached < before:
        yield seen.remark("rate-diverges", {**tried, "reached": reached})
    elif math.isinf(after):  # a finite loss that no rate lets fall is at its minimum
        yield seen.remark("rate-diverges", tried, words="rate-diverges-still")


def _crawls(seen: Seen, rate: float, before: float, after: float) -> Iterator[Remark]:
    fall = (before - after) / before
    falls = {rate * factor: (before - _tried(seen, rate * factor)[1]) / before for factor in LARGER}
    better = max(falls, key=falls.__getitem__)
    if falls[better] > max(FURTHER * fall, MARKED):
        tried = {"rate": rate, "steps": STEPS, "percent": 100 * fall, "before": before, "better": better}
        yield seen.remark("rate-crawls", {**tried, "reached": 100 * falls[better]})


def _nothing_left(seen: Seen) -> bool:
    """Say whether no rate can be judged: numbers that are not finite, a gradient of 0, or a loss that is learned."""
    if not seen.finite or not seen.derivatives.any():
        return True
    size = 1.0
    if seen.net.loss_name == "squared_error":
        squares = (seen.y.astype(np.float64) ** 2).sum(axis=1)
        size = float(squares.mean() if seen.net.reduction == "mean" else squares.sum())
    return seen.trace.loss <= LEARNED * size


def _tried(seen: Seen, rate: float) -> tuple[float, float, int]:
    """Return the loss before and after the steps, and their number; after is infinite if they lead out of the numbers."""
    net = copy.deepcopy(seen.net)
    trail = []
    try:
        for step in range(STEPS + 1):
            trail.append(net.engine.train(seen.x, seen.y, rate, step))
    except ValueError:  # a loss, a gradient or a parameter that is not finite
        return (trail or [seen.trace.loss])[0], math.inf, max(len(trail), 1)
    return trail[0], trail[-1], STEPS
