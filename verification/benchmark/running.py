"""The whole benchmark: what to measure, one worker after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from handgrad import checks
from verification.benchmark.networks import NETWORKS, Row, row_of
from verification.benchmark.peers import OWN, PEERS, SLOW
from verification.benchmark.report import Report, cores
from verification.benchmark.runs import WAYS, WORTH
from verification.benchmark.timing import QUICK, THOROUGH
from verification.benchmark.workers import WorkerError, replies
from verification.random_networks.architectures import DTYPES

HIDDEN = ("relu", "tanh", "sigmoid", "identity")
LOSSES = ("cross_entropy", "squared_error")
BATCH = 64
# A quick benchmark leaves out the rows above so many multiply-adds.
QUICK_MULTIPLY_ADDS = 2 * 10**9
# Whose memory is measured.
HOLDERS = ("torch", "jax")


@dataclass(frozen=True)
class Plan:
    """What to measure: `threads` each in workers of their own, `quick` in fewer rounds, the `whole` with what is in `runs`."""

    rows: tuple[Row, ...]
    dtypes: tuple[str, ...]
    peers: tuple[str, ...]
    threads: tuple[int, ...]
    quick: bool = False
    whole: bool = True


@dataclass(frozen=True)
class Step:
    """One worker: its task, the arguments of each measurement, and with how many threads."""

    task: str
    calls: list[dict[str, Any]]
    threads: int


def plan(
    *,
    networks: Sequence[str] | None = None,
    widths: Sequence[int] | None = None,
    batch: int | None = None,
    hidden: str | None = None,
    loss: str | None = None,
    dtypes: Sequence[str] = DTYPES,
    peers: Sequence[str] | None = None,
    threads: str | None = None,
    quick: bool = False,
) -> Plan:
    """Return what to measure: the options of `python -m verification benchmark`, whose help explains them, checked.

    TypeError or ValueError if a name is unknown, a list is empty, a number is not an integer >= 1, or batch, hidden or loss
    comes without widths.
    """
    known = {row.name: row for row in NETWORKS}
    for name, names, possible in (("networks", networks, known), ("dtype", dtypes, DTYPES)):
        if names is not None and not names:
            raise ValueError(f"{name} must name at least one of {', '.join(possible)}; got none")
    rows = [known[checks.one_of("networks", name, known)] for name in networks or ()]
    if widths is not None:
        activation = checks.one_of("hidden", hidden or HIDDEN[0], HIDDEN)
        of_loss = checks.one_of("loss", loss or LOSSES[0], LOSSES)
        units = checks.widths(widths, ["relu"] * (len(widths) - 1))
        count = checks.positive_integer("batch", BATCH if batch is None else batch)
        rows.append(row_of(tuple(units), count, activation, of_loss))
    for name, given in (("batch", batch), ("hidden", hidden), ("loss", loss)):
        if given is not None and widths is None:
            raise ValueError(f"{name} belongs to a network of one's own, and needs widths; got {name} {given} alone")
    whole = not rows
    if whole:
        rows = [row for row in NETWORKS if not quick or row.multiply_adds < QUICK_MULTIPLY_ADDS]
    kinds = tuple(checks.one_of("dtype", dtype, DTYPES) for dtype in dtypes)
    every = [name for name in PEERS if not quick or name not in SLOW]
    chosen = tuple(every if peers is None else (checks.one_of("peers", name, PEERS) for name in peers))
    numbers = {"1": (1,), "all": (cores(),), "both": tuple(dict.fromkeys((1, cores())))}
    asked = checks.one_of("threads", threads or ("1" if quick else "both"), numbers)
    return Plan(tuple(rows), kinds, chosen, numbers[asked], quick, whole)


def steps(asked: Plan) -> list[Step]:
    """Return the workers that it takes, in order."""
    effort = QUICK if asked.quick else THOROUGH
    row = []
    for threads in asked.threads:
        each = {"peers": asked.peers, "threads": threads, "effort": effort}
        row.append(Step("timing", [{"row": r, "dtype": dtype, **each} for r in asked.rows for dtype in asked.dtypes], threads))
        if asked.whole:
            rounds = {"threads": threads, "rounds": 15 if asked.quick else 21}
            row.append(Step("training", [{"dtype": dtype, **rounds} for dtype in asked.dtypes], threads))
    holders = [OWN, *(name for name in HOLDERS if name in asked.peers and PEERS[name].version is not None)]
    large = [(each, dtype) for each in asked.rows for dtype in asked.dtypes if each.minimum_bytes(dtype) >= WORTH]
    # A peak is that of a process: each has its own.
    row += [Step("memory", [{"row": r, "dtype": dtype, "peer": peer}], 1) for r, dtype in large for peer in holders]
    if asked.whole:
        numbers = (200, 200, 50) if asked.quick else (20_000, 5000, 300)
        row.append(Step("throughput", [{"way": w, "networks": n} for w, n in zip(WAYS, numbers, strict=True)], 1))
        row.append(Step("startup", [{"rounds": 7 if asked.quick else 15}], 1))
    return row


def run(asked: Plan, progress: Callable[[int], object] | None = None) -> Report:
    """Measure what was asked; `progress` is told how many measurements are done, of as many as all steps have calls.

    A worker that fails is noted in the report, and the next one is started; at Ctrl-C it is what was done so far.
    """
    found, done = Report(), 0
    try:
        for step in steps(asked):
            try:
                for count, reply in enumerate(replies(step.task, step.calls, step.threads), start=1):
                    found.add(reply)
                    if progress is not None:
                        progress(done + count)
            except WorkerError as error:
                found.failures.append(str(error))
            done += len(step.calls)
    except KeyboardInterrupt:
        found.interrupted = True
    return found
