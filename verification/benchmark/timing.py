"""One network timed: every peer checked first, then called in turns; and the statistics of such times."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from verification.benchmark.networks import Row, network_of
from verification.benchmark.peers import subject
from verification.benchmark.subject import DisagreementError, MissingError, UnsuitedError, agree, bare, handgrad

OWN, LIMIT = "handgrad", "products"
# One measurement lasts as long as so many calls take, in seconds, so that the clock's own step does not matter.
BLOCK = 0.01


@dataclass(frozen=True)
class Spread:
    """A median between its quartiles; half of the numbers lie between these."""

    low: float
    median: float
    high: float

    def __str__(self) -> str:
        return f"{short(self.median)} ({self.quartiles})"

    @property
    def quartiles(self) -> str:
        """The outer quartiles."""
        return f"{short(self.low)}-{short(self.high)}"


def spread(numbers: Sequence[float]) -> Spread:
    """Return the quartiles of some numbers, interpolated between neighbours."""
    low, median, high = np.quantile(numbers, (0.25, 0.5, 0.75)).tolist()
    return Spread(low, median, high)


def paired(seconds: Sequence[float], reference: Sequence[float]) -> Spread:
    """Return the spread of the ratios of two rows of times, each taken within one round.

    What slows a round down slows both, so that the ratio is steadier than the times.
    """
    return spread([mine / theirs for mine, theirs in zip(seconds, reference, strict=True)])


def short(number: float) -> str:
    """Return a positive number with three digits, or all digits before the point."""
    return f"{number:.2g}" if number < 0.1 else f"{number:.2f}" if number < 10 else f"{number:.{1 if number < 100 else 0}f}"


@dataclass(frozen=True)
class Effort:
    """How long a network is measured: the fewest and the most rounds, and seconds for all unless the fewest take longer."""

    fewest: int
    most: int
    seconds: float


THOROUGH, QUICK = Effort(7, 41, 8.0), Effort(3, 15, 1.0)


@dataclass(frozen=True)
class Time:
    """What one peer took: the median seconds of a call, and the ratio of its time to handgrad's, round by round."""

    seconds: float
    ratio: Spread


@dataclass(frozen=True)
class Measurement:
    """One network in one dtype, by the number of threads that the libraries were allowed.

    `times` has handgrad first, then the peers, then the bare products; `left_out` peers that cannot do it or are not there, and
    why; `refused` peers whose answer was another than handgrad's, which were not timed; `pools` the libraries' pools of threads
    that have another number than they were told (if threadpoolctl is installed).
    """

    network: str
    dtype: str
    threads: int
    multiply_adds: int
    rounds: int
    times: dict[str, Time]
    left_out: dict[str, str]
    refused: dict[str, str]
    pools: list[str]

    @property
    def share(self) -> Spread:
        """The bare products' time as a share of handgrad's."""
        return self.times[LIMIT].ratio


def measure(row: Row, dtype: str, peers: Sequence[str], threads: int, effort: Effort = THOROUGH) -> Measurement:
    """Return the times of handgrad, the peers and the bare products on one network, in a process started with so many threads.

    Peers that cannot do the network, or whose answer is another than handgrad's, are named in it and not timed.
    """
    net, x, y = network_of(row, dtype)
    subjects = {OWN: handgrad(net, x, y)}
    expected = subjects[OWN].read(subjects[OWN].run())
    left_out, refused = {}, {}
    for name in peers:
        try:
            made = subject(name, net, x, y)
            agree(made.read(made.run()), expected)
        except (MissingError, UnsuitedError) as error:
            left_out[name] = str(error)
        except DisagreementError as error:
            refused[name] = str(error)
        except Exception as error:  # whatever a version of a peer that is not known here may raise
            left_out[name] = f"{type(error).__name__}: {error}"
        else:
            subjects[name] = made
    del expected
    subjects[LIMIT] = bare(net, x)
    seconds = in_turns({name: each.run for name, each in subjects.items()}, effort)
    times = {name: Time(spread(row).median, paired(row, seconds[OWN])) for name, row in seconds.items()}
    rounds, pools = len(seconds[OWN]), _other_pools(threads)
    return Measurement(row.name, dtype, threads, row.multiply_adds, rounds, times, left_out, refused, pools)


def in_turns(runs: Mapping[str, Callable[[], object]], effort: Effort) -> dict[str, list[float]]:
    """Return the seconds that a call of each takes, one number a round: of a block of calls, another one first every round."""
    calls = {name: _calls_in_a_block(run) for name, run in runs.items()}
    names = list(runs)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    start = time.perf_counter()
    with _uncollected():
        while True:
            turn = len(seconds[names[0]]) % len(names)
            for name in names[turn:] + names[:turn]:
                seconds[name].append(_block(runs[name], calls[name]))
            rounds, spent = len(seconds[names[0]]), time.perf_counter() - start
            if rounds >= effort.most or (rounds >= effort.fewest and spent >= effort.seconds):
                return seconds
            # What a peer left in cycles goes now, between the rounds.
            gc.collect()


def _calls_in_a_block(run: Callable[[], object]) -> int:
    """Return how many calls a block has; finding out warms up, too."""
    calls = 1
    while (took := calls * _block(run, calls)) < BLOCK / 2:
        calls *= 2
    return max(1, round(calls * BLOCK / took))


def _block(run: Callable[[], object], calls: int) -> float:
    if calls > 1:
        run()  # the caches hold another's numbers
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def _other_pools(threads: int) -> list[str]:
    """Return what threadpoolctl says of pools with another number of threads."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    pools = [pool for pool in threadpool_info() if pool["num_threads"] != threads]
    return [f"{pool['internal_api']} of {pool['prefix']} has {pool['num_threads']} threads" for pool in pools]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector out of the times, and what is there already out of what it goes through."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
