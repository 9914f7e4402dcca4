"""What is measured besides single gradients: peak memory, `fit`, the verification's own throughput, and the start-up."""

from __future__ import annotations

import ctypes
import gc
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import handgrad as hg
from verification.benchmark.networks import SEED, Row, network_of
from verification.benchmark.peers import subject
from verification.benchmark.timing import WALL, Clock, Effort, Spread, clock_of, in_turns, paired, spread

# Below this memory is not measured: the libraries' own comings and goings are as large.
WORTH = 10 * 2**20
CALLS = 3
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# The training run.
WIDTHS, BATCH, STEPS, RATE = (784, 128, 10), 64, 60, 0.1


@dataclass(frozen=True)
class Memory:
    """Bytes that nobody does without on a network (parameters, gradients, x, every a), and by how many one peer's peak grew."""

    network: str
    dtype: str
    peer: str
    minimum: int
    growth: int

    @property
    def multiple(self) -> float:
        """The growth as a multiple of the minimum."""
        return self.growth / self.minimum


def memory(row: Row, dtype: str, peer: str) -> Memory:
    """Return the peak memory of handgrad or one peer on one network. To be asked once, in a fresh process.

    It is the growth from after a first small network, which loads the libraries, over building this one and a few calls. Where
    the system can forget a peak (Linux), what drawing random numbers and handing them over took for a moment is not counted.
    """
    subject(peer, *network_of(row.reduced(), dtype)).run()
    _tidy()
    before = _bytes("VmRSS")
    made = subject(peer, *network_of(row, dtype))
    _tidy()
    with suppress(OSError):  # forget the peak, where that is possible
        CLEAR.write_text("5", encoding="ascii")
    for _ in range(CALLS):
        made.run()
    return Memory(row.name, dtype, peer, row.minimum_bytes(dtype), _bytes("VmHWM") - before)


def _bytes(name: str) -> int:
    """Return what Linux says of this process's memory; elsewhere the most that it ever had."""
    with suppress(OSError):
        if found := re.search(rf"^{name}:\s*(\d+) kB$", STATUS.read_text(encoding="ascii"), re.MULTILINE):
            return int(found[1]) * 1024
    import resource  # not everywhere

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _tidy() -> None:
    """Give back what is free, where the C library can: otherwise it is counted, or serves again, as it happens."""
    gc.collect()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


@dataclass(frozen=True)
class Training:
    """The median seconds of a training run of both, PyTorch's time divided by handgrad's, and how far the weights are apart.

    `clock` says what kind of time it is. `difference` is the largest one between the weights after the first run, as a part of
    the largest weight of its array.
    """

    dtype: str
    threads: int
    clock: str
    seconds: float
    torch_seconds: float
    ratio: Spread
    difference: float


def training(dtype: str, threads: int, rounds: int) -> Training:
    """Return the times of so many training runs each, in turns: an epoch of 60 batches of 64 on 784-128-10, ReLU, softmax."""
    import torch

    from verification.autograd.twins import from_torch, to_torch, to_torch_loss

    generator = np.random.default_rng(SEED)
    count = BATCH * STEPS
    x, y = generator.normal(size=(count, WIDTHS[0])).astype(dtype), generator.integers(0, WIDTHS[-1], count)
    net = hg.Network.random(WIDTHS, activations=["relu", "softmax"], loss="cross_entropy", seed=SEED, dtype=dtype)
    module, of_loss = to_torch(net), to_torch_loss(net)
    inputs, targets = torch.tensor(x), torch.tensor(y)
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE)
    # The order in which fit takes the examples.
    order = torch.tensor(np.random.default_rng(SEED).permutation(count))

    def of_torch() -> None:
        for chosen in torch.split(order, BATCH):
            optimizer.zero_grad()
            of_loss(module(inputs[chosen]), targets[chosen]).backward()
            optimizer.step()

    fit = partial(hg.fit, net, x, y, rate=RATE, epochs=1, batch_size=BATCH, seed=SEED)
    fit()
    of_torch()
    pairs = zip(net.named().values(), from_torch(module, loss=net.loss_name).named().values(), strict=True)
    apart = max(float(np.abs(mine - theirs).max() / np.abs(theirs).max()) for mine, theirs in pairs)
    # Both train on from there, which takes as long as from the start.
    clock = clock_of(threads)
    others, ours = in_turns({"torch": of_torch, "handgrad": fit}, Effort(rounds, rounds, 0.0), clock).values()
    return Training(dtype, threads, clock.name, spread(ours).median, spread(others).median, paired(others, ours), apart)


@dataclass(frozen=True)
class Throughput:
    """Networks compared by one process on one core in so many seconds of its processor time, in one of `WAYS`."""

    way: str
    networks: int
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Networks a second of processor time."""
        return self.networks / self.cpu_seconds


def throughput(way: str, networks: int) -> Throughput:
    """Return the throughput one way, warmed up, of networks that all agree; AssertionError if one does not."""
    WAYS[way](max(1, networks // 20))
    start = time.process_time()
    compared = WAYS[way](networks)
    return Throughput(way, compared, time.process_time() - start)


def _campaign(networks: int) -> int:
    from verification.autograd import campaign

    result = campaign.run(examples=networks, seed=SEED)
    if result.counterexample is not None:
        raise AssertionError(str(result.counterexample.report))
    return result.networks


def _property(check: Callable[..., None], examples: int, *strategies: Any) -> int:
    """Run a property, and return how often it was checked."""
    from hypothesis import HealthCheck, given, seed, settings
    from hypothesis import strategies as st

    checked = 0

    @seed(SEED)
    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.tuples(*strategies))
    def holds(drawn: tuple[Any, ...]) -> None:
        nonlocal checked
        check(*drawn)
        checked += 1

    holds()
    return checked


def _sixteen_an_example(networks: int) -> int:
    from verification.autograd.batched import CONTENTS, assert_contents_match_autograd
    from verification.random_networks.strategies import architectures, seeds

    return CONTENTS * _property(assert_contents_match_autograd, -(-networks // CONTENTS), architectures(), seeds())


def _one_by_one(networks: int) -> int:
    from verification.autograd.comparison import assert_matches_autograd
    from verification.random_networks.strategies import cases

    return _property(lambda case: assert_matches_autograd(*case), networks, cases())


WAYS: dict[str, Callable[[int], int]] = {
    "campaign": _campaign,
    "hypothesis": _sixteen_an_example,
    "hypothesis, one by one": _one_by_one,
}


@dataclass(frozen=True)
class StartUp:
    """The median seconds of `python -m handgrad --help` and of `python -c "import numpy"`, and the ratio of both.

    `clock` says what kind of time it is.
    """

    clock: str
    seconds: float
    numpy_seconds: float
    ratio: Spread


def startup(rounds: int) -> StartUp:
    """Return both times of so many alternating runs, after some that fill the disk's cache; CalledProcessError if one fails."""
    commands = {"handgrad": ["-m", "handgrad", "--help"], "numpy": ["-c", "import numpy"]}
    start = partial(subprocess.run, capture_output=True, check=True)
    calls = {name: partial(start, [sys.executable, *arguments]) for name, arguments in commands.items()}
    clock = _clock_of_children()
    ours, theirs = in_turns(calls, Effort(rounds, rounds, 0.0), clock).values()
    return StartUp(clock.name, spread(ours).median, spread(theirs).median, paired(ours, theirs))


def _clock_of_children() -> Clock:
    """Return the processor time of the processes that this one has started and waited for; where there is none, wall-clock."""
    try:
        import resource  # not everywhere
    except ImportError:
        return WALL

    def read() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    return Clock("processor time", read)
