"""`handgrad.fit` beside PyTorch's own loop, on the same batches from the same weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import handgrad as hg
from verification.autograd.twins import from_torch, to_torch, to_torch_loss
from verification.benchmark.networks import SEED
from verification.benchmark.statistics import Spread, paired, spread

Array = npt.NDArray[Any]

WIDTHS, BATCH, STEPS, RATE = (784, 128, 10), 64, 60, 0.1


@dataclass(frozen=True)
class Training:
    """A training run of both.

    Parameters
    ----------
    dtype : str
        float32 or float64.
    threads : int
        How many the libraries were allowed.
    seconds, torch_seconds : float
        The median time of a run.
    ratio : Spread
        Of PyTorch's time to handgrad's, run by run.
    difference : float
        The largest difference between the weights of both at the end, as a part of the largest weight of its array.
    """

    dtype: str
    threads: int
    seconds: float
    torch_seconds: float
    ratio: Spread
    difference: float

    @classmethod
    def from_dict(cls, read: Mapping[str, Any]) -> Training:
        """Return it from what `dataclasses.asdict` made."""
        return cls(**{**read, "ratio": Spread(**read["ratio"])})


def measure(dtype: str, threads: int, rounds: int) -> Training:
    """Return the times of a training run, in turns, and how far the weights are apart afterwards.

    Parameters
    ----------
    dtype : str
        float32 or float64.
    threads : int
        How many this process was started with; noted, not set.
    rounds : int
        How many runs of each.

    Returns
    -------
    Training
        One epoch of 60 batches of 64 examples: 784-128-10, ReLU, softmax and cross-entropy.
    """
    generator = np.random.default_rng(SEED)
    count = BATCH * STEPS
    x, y = generator.normal(size=(count, WIDTHS[0])).astype(dtype), generator.integers(0, WIDTHS[-1], count)
    start = hg.Network.random(WIDTHS, activations=["relu", "softmax"], loss="cross_entropy", seed=SEED, dtype=dtype)
    seconds: dict[Callable[..., hg.Network], list[float]] = {_of_handgrad: [], _of_torch: []}
    trained = {train: train(start, x, y, lambda: None) for train in seconds}  # the warm-up
    for number in range(rounds):
        for train in list(seconds)[:: 1 if number % 2 else -1]:
            clock: list[float] = []
            train(start, x, y, lambda clock=clock: clock.append(time.perf_counter()))
            seconds[train].append(clock[1] - clock[0])
    ours, theirs = seconds[_of_handgrad], seconds[_of_torch]
    apart = _difference(trained[_of_handgrad], trained[_of_torch])
    return Training(dtype, threads, spread(ours).median, spread(theirs).median, paired(theirs, ours), apart)


def _of_handgrad(start: hg.Network, x: Array, y: Array, tick: Callable[[], object]) -> hg.Network:
    net = hg.Network(start.layers, start.loss_name, start.reduction)
    tick()
    hg.fit(net, x, y, rate=RATE, epochs=1, batch_size=BATCH, seed=SEED)
    tick()
    return net


def _of_torch(start: hg.Network, x: Array, y: Array, tick: Callable[[], object]) -> hg.Network:
    module, of_loss = to_torch(start), to_torch_loss(start)
    inputs, targets = torch.tensor(x), torch.tensor(y)
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE)
    # The order in which fit takes the examples.
    order = torch.tensor(np.random.default_rng(SEED).permutation(len(x)))
    tick()
    for chosen in torch.split(order, BATCH):
        optimizer.zero_grad()
        loss = of_loss(module(inputs[chosen]), targets[chosen])
        loss.backward()
        optimizer.step()
    tick()
    return from_torch(module, loss=start.loss_name)


def _difference(net: hg.Network, other: hg.Network) -> float:
    pairs = zip(net.named().values(), other.named().values(), strict=True)
    return max(float(np.abs(mine - theirs).max() / np.abs(theirs).max()) for mine, theirs in pairs)
