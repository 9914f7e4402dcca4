"""Remarks on a learning rate, by trying it: a few steps with every example, on a copy of the network."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import numpy as np

from handgrad.homework.advice.of_network import saturated_output
from handgrad.homework.advice.remarks import Remark, Seen

__all__ = ["rate"]

# So many steps show both a loss that blows up and one that hardly moves.
STEPS = 20
# A loss that stays above the first by less has risen by rounding, or wavers at its minimum; only the second half of the steps
# is asked, since a rate at the edge lets the loss swing.
ROSE = 1e-2
# How often a rate that is too large is halved: by 10⁹ in all, which unscaled inputs may need.
HALVINGS = 30
# A loss that falls by less in all the steps would take thousands of epochs.
CRAWLED = 1e-3
# Larger rates that are tried, and the share by which one must take the loss down for a remark: ten times more at least.
LARGER = (10.0, 1e2, 1e3, 1e4, 1e5, 1e6)
MARKED = 0.01
# A loss this small beside that of the best constant output, or in nats, is learned: what it does now says nothing on the rate.
LEARNED = 1e-3


def rate(seen: Seen) -> Iterator[Remark]:
    """Remark on a rate with which the loss rises, or hardly falls where a larger one takes it much further."""
    if seen.rate is None or _nothing_left(seen):
        return
    trail = _tried(seen, seen.rate)
    before, after = trail[0], trail[-1]
    if math.isinf(after) or min(trail[STEPS // 2 :]) > before * (1 + ROSE):
        yield from _diverges(seen, seen.rate, trail)
    elif abs(before - after) < CRAWLED * before and not any(saturated_output(seen)):  # which has another remedy
        yield from _crawls(seen, seen.rate, before, after)


def _diverges(seen: Seen, rate: float, trail: list[float]) -> Iterator[Remark]:
    before, after = trail[0], trail[-1]
    better, reached = rate, after
    for _ in range(HALVINGS):
        better /= 2
        reached = _tried(seen, better)[-1]
        if reached < before:
            break
    tried = {"rate": rate, "before": before, "after": after, "steps": len(trail) - 1, "better": better}
    if reached < before:
        yield seen.remark("rate-diverges", {**tried, "reached": reached})
    else:
        yield seen.remark("rate-diverges", tried, words="rate-diverges-still")


def _crawls(seen: Seen, rate: float, before: float, after: float) -> Iterator[Remark]:
    fall = max(before - after, 0) / before  # below 0 by rounding
    falls = {rate * factor: (before - _tried(seen, rate * factor)[-1]) / before for factor in LARGER}
    better = max(falls, key=falls.__getitem__)
    if falls[better] > MARKED:
        tried = {"rate": rate, "steps": STEPS, "percent": 100 * fall, "before": before, "better": better}
        yield seen.remark("rate-crawls", {**tried, "reached": 100 * falls[better]})


def _nothing_left(seen: Seen) -> bool:
    """Say whether no rate can be judged: numbers that are not finite, or a loss that is learned."""
    if not seen.finite:
        return True
    size = float(len(seen.y))
    if seen.net.loss_name == "squared_error":
        y = seen.y.astype(np.float64)
        # Targets that are all the same are measured from 0; if all are 0, an error of 1 an example is what there is to learn.
        constant = y.mean(axis=0) if np.ptp(y, axis=0).any() else 0.0
        size = float(((y - constant) ** 2).sum()) or size
    return seen.trace.loss <= LEARNED * (size / len(seen.y) if seen.net.reduction == "mean" else size)


def _tried(seen: Seen, rate: float) -> list[float]:
    """Return the loss before every step and after the last; it ends with infinity where a step leads out of the numbers."""
    net = copy.deepcopy(seen.net)
    trail = []
    try:
        for step in range(STEPS + 1):
            trail.append(net.engine.train(seen.x, seen.y, rate, step))
    except ValueError:  # a loss, a gradient or a parameter that is not finite
        return [*(trail or [seen.trace.loss]), math.inf]
    return trail
