"""One network timed: every peer checked first, then called in turns; and the statistics of such times."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from timeit import Timer

import numpy as np

from verification.benchmark.networks import Row, network_of
from verification.benchmark.peers import OWN, DisagreementError, MissingError, UnsuitedError, agree, bare, handgrad, subject

LIMIT = "products"
# One measurement lasts as long as so many calls take, in seconds, so that neither the clock's own step matters nor what is cold
# after another's turn.
BLOCK = 0.02
# A processor's clock of larger steps, in seconds, is of no use: that of Windows has 1/64 s.
FINE = 1e-5


@dataclass(frozen=True)
class Clock:
    """What is read before a block and after it, in seconds, and what it is called in a report."""

    name: str
    read: Callable[[], float]


WALL = Clock("wall-clock time", time.perf_counter)


def clock_of(threads: int) -> Clock:
    """Return the clock for whoever uses so many threads.

    For one thread it is the processor time of the process, which does not go on while other jobs have the core. The processor
    time of several threads is their sum, which says nothing of how long one waits: there, it is the clock on the wall.
    """
    if threads == 1 and time.get_clock_info("process_time").resolution <= FINE:
        return Clock("processor time", time.process_time)
    return WALL


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
    return Spread(*np.quantile(numbers, (0.25, 0.5, 0.75)).tolist())


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


THOROUGH, QUICK = Effort(7, 41, 8.0), Effort(7, 41, 1.5)


@dataclass(frozen=True)
class Time:
    """What one peer took: the median seconds of a call, and the ratio of its time to handgrad's, round by round."""

    seconds: float
    ratio: Spread


@dataclass(frozen=True)
class Measurement:
    """One network in one dtype, by the number of threads that the libraries were allowed.

    `clock` says what kind of time it is. `times` has handgrad first, then the peers, then the bare products; `left_out` peers
    that cannot do it or are not there, and why; `refused` peers whose answer was another than handgrad's, which were not timed;
    `pools` the libraries' pools of threads that have another number than they were told (if threadpoolctl is installed).
    """

    network: str
    dtype: str
    threads: int
    clock: str
    multiply_adds: int
    rounds: int
    times: dict[str, Time]
    left_out: dict[str, str]
    refused: dict[str, str]
    pools: list[str]


def measure(row: Row, dtype: str, peers: Sequence[str], threads: int, effort: Effort = THOROUGH) -> Measurement:
    """Return the times of handgrad, the peers and the bare products on one network, in a process told of so many threads."""
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
    clock = clock_of(threads)
    seconds = in_turns({name: each.run for name, each in subjects.items()}, effort, clock)
    times = {name: Time(spread(row).median, paired(row, seconds[OWN])) for name, row in seconds.items()}
    rounds, pools = len(seconds[OWN]), _other_pools(threads)
    return Measurement(row.name, dtype, threads, clock.name, row.multiply_adds, rounds, times, left_out, refused, pools)


def in_turns(runs: Mapping[str, Callable[[], object]], effort: Effort, clock: Clock = WALL) -> dict[str, list[float]]:
    """Return the seconds that a call of each takes, one number a round: of a block of calls, another one first every round."""
    timers = {name: Timer(run, timer=clock.read) for name, run in runs.items()}  # which keep the collector out of the times
    calls = {name: _calls_in_a_block(timer) for name, timer in timers.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    order, rounds, start = list(runs), 0, time.perf_counter()
    gc.collect()
    gc.freeze()  # what is there already need not be gone through after every round
    try:
        while rounds < effort.most and (rounds < effort.fewest or time.perf_counter() - start < effort.seconds):
            for name in order:
                seconds[name].append(_block(timers[name], calls[name]))
            order.append(order.pop(0))
            rounds += 1
            gc.collect()  # what a peer left in cycles goes now, between the rounds
    finally:
        gc.unfreeze()
    return seconds


def _calls_in_a_block(timer: Timer) -> int:
    """Return how many calls a block has; finding out warms up, too."""
    calls = 1
    # The shorter of two: after one that something held up, a block would be too few calls for ever.
    while (took := calls * min(_block(timer, calls), _block(timer, calls))) < BLOCK / 2:
        calls *= 2
    return max(1, round(calls * BLOCK / took))


def _block(timer: Timer, calls: int) -> float:
    if calls > 1:
        timer.timeit(1)  # the caches hold another's numbers
    return timer.timeit(calls) / calls


def _other_pools(threads: int) -> list[str]:
    """Return what threadpoolctl says of pools with another number of threads."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    pools = [pool for pool in threadpool_info() if pool["num_threads"] != threads]
    return [f"{pool['internal_api']} of {pool['prefix']} has {pool['num_threads']} threads" for pool in pools]
