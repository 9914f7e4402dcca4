"""Many random networks: drawn, compared, counted; the first mismatch is shrunk and kept.

A campaign is a row of parts, each with a generator of its own, so that its networks depend on the campaign's seed alone.
(What Hypothesis draws for a seed depends on the modules that happen to be loaded; a property-based suite may, a campaign that
is to be repeated elsewhere may not.) Each architecture is filled several times; torch and the bounds compute all of its
contents at once.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

import handgrad as hg
from handgrad.extras import needed_by
from verification.autograd.batched import CONTENTS, FEW, MismatchError, Tally, compare_batches, report
from verification.autograd.comparison import Report
from verification.random_networks import script, shrinking
from verification.random_networks.architectures import Architecture, Options, drawn
from verification.random_networks.cases import Case, contents

with needed_by("verification.autograd.campaign"):
    from joblib import Parallel, delayed

PART = 400
# After so many parts about five hundred architectures have been seen.
MANY_SEEN = 8
# So many architectures in a row: more would be in the way of one another in the memory that is near the processor.
AT_ONCE = 4


@dataclass(frozen=True)
class Counterexample:
    """A case on which handgrad and torch differ, as small as it could be made.

    Parameters
    ----------
    case : Case
        The network and its data.
    report : Report
        The comparison on it.
    """

    case: Case
    report: Report

    @property
    def program(self) -> str:
        """A Python program that makes the case again, every digit of it, and prints the comparison."""
        return script.program(self.case.net, self.case.x, self.case.y, self.report.telling)


@dataclass(kw_only=True)
class Result(Tally):
    """What a campaign saw.

    Parameters
    ----------
    networks, gradients, numbers, incomparable, tellings, largest_share, largest_at
        As in `Tally`, of the whole campaign.
    seed : int
        The campaign's seed.
    coverage : Counter
        How many networks had each feature, as (kind, value).
    seconds : float
        Wall-clock time.
    interrupted : bool
        Whether it was stopped before its end.
    counterexample : Counterexample or None
        The first mismatch, shrunk.
    deaths : list of str
        Workers that died, and what was done again.
    """

    seed: int
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    interrupted: bool = False
    counterexample: Counterexample | None = None
    deaths: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every network agreed."""
        return self.counterexample is None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain numbers, strings and lists, for JSON."""
        coverage: dict[str, dict[str, int]] = {}
        for (kind, value), count in sorted(self.coverage.items()):
            coverage.setdefault(kind, {})[value] = count
        found = self.counterexample
        return {
            "ok": self.ok,
            "seed": self.seed,
            "networks": self.networks,
            "gradients": self.gradients,
            "numbers": self.numbers,
            "incomparable": self.incomparable,
            "tellings": dict(self.tellings),
            "coverage": coverage,
            "largest_share": self.largest_share,
            "largest_at": self.largest_at,
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "deaths": self.deaths,
            "counterexample": None if found is None else {"program": found.program, "report": found.report.to_dict()},
        }


def run(
    *,
    examples: int = 1000,
    seed: int = 0,
    options: Options | None = None,
    thorough: bool = False,
    jobs: int = 1,
    progress: Callable[[int], object] | None = None,
) -> Result:
    """Compare many random networks with `torch.autograd`.

    Parameters
    ----------
    examples : int
        How many networks.
    seed : int
        The same seed gives the same networks.
    options : Options, optional
        What to draw from.
    thorough : bool
        Compare the literal form, and the trace's own gradient, on every network, not on one of each architecture's.
    jobs : int
        How many workers share the networks, by joblib: processes of this machine, or whatever backend
        `joblib.parallel_config` names (Dask, Ray). The networks, the verdict and the counts do not depend on it.
    progress : callable, optional
        Called with the number of networks compared so far.

    Returns
    -------
    Result
        It stops at the first mismatch, and at Ctrl-C with what was done so far.

    Raises
    ------
    TypeError, ValueError
        If examples or jobs is not an integer >= 1 or seed not an integer >= 0.
    RuntimeError
        If workers die on the same share twice.
    """
    workers = hg.checks.positive_integer("jobs", jobs)
    wanted = hg.checks.positive_integer("examples", examples)
    result = Result(seed=hg.checks.integer("seed", seed, 0))
    start = time.perf_counter()
    shares = [
        _Share(result.seed, part, min(PART, wanted - part * PART), options or Options(), thorough)
        for part in range(-(-wanted // PART))
    ]
    try:
        if workers == 1:
            _run_here(result, shares, progress)
        else:
            _run_shared(result, shares, workers, progress)
    except KeyboardInterrupt:
        result.interrupted = True
    result.seconds = time.perf_counter() - start
    return result


@dataclass(frozen=True)
class _Share:
    """One part of a campaign: all that a worker needs to know."""

    seed: int
    part: int
    networks: int
    options: Options
    thorough: bool


def _run_here(result: Result, shares: list[_Share], progress: Callable[[int], object] | None) -> None:
    for share in shares:
        seen = Result(seed=share.seed)

        def progressed(done: int, before: int = result.networks) -> None:
            if progress is not None:
                progress(before + done)

        try:
            with _loaded_at_rest():
                _run_part(seen, share, progressed)
        finally:
            _add(result, seen)
        if not result.ok:
            return


def _run_shared(result: Result, shares: list[_Share], workers: int, progress: Callable[[int], object] | None) -> None:
    """Let workers run the parts; take their results in the parts' order, so that who was first makes no difference."""
    left, died_at = shares, -1
    while left:
        found = Parallel(n_jobs=workers, return_as="generator")(delayed(_run_alone)(share) for share in left)
        try:
            for seen in found:
                _add(result, seen)
                left = left[1:]
                if progress is not None:
                    progress(result.networks)
                if not result.ok:
                    return
        except BrokenExecutor as error:
            # joblib says how its workers ended, not which part each had: all that is not back yet is done again.
            part = left[0].part
            reason = " ".join(str(error).split())
            if part == died_at:
                raise RuntimeError(f"workers died twice before part {part} of seed {result.seed} was done: {reason}") from None
            died_at = part
            result.deaths.append(f"a worker died; from part {part} on the networks were compared again: {reason}")


def _run_alone(share: _Share) -> Result:
    torch.set_num_threads(1)
    seen = Result(seed=share.seed)
    with _loaded_at_rest():
        _run_part(seen, share, None)
    return seen


@contextmanager
def _loaded_at_rest() -> Iterator[None]:
    """Spare the garbage collector what was there before: it goes through all that torch has loaded again and again."""
    if gc.get_freeze_count():  # somebody has done so, and may not want it undone
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _run_part(result: Result, share: _Share, progress: Callable[[int], object] | None) -> None:
    """Compare the networks of one share; at the first mismatch, shrink it and stop."""
    rng = np.random.default_rng([share.seed, share.part])
    most = fillings(share.part)
    while result.networks < share.networks:
        several: list[tuple[Architecture, list[Case]]] = []
        left = share.networks - result.networks
        while left and len(several) < AT_ONCE:
            architecture, count = drawn(rng, share.options), min(most, left)
            several.append((architecture, contents(architecture, int(rng.integers(2**32)), count)))
            left -= count
        tallies = compare_batches([cases for _, cases in several], {} if share.thorough else FEW)
        try:
            for (architecture, _), tally in zip(several, tallies, strict=True):
                result.add(tally)
                _cover(architecture, tally.networks, result)
                if progress is not None:
                    progress(result.networks)
        except MismatchError as mismatch:
            _keep(result, mismatch)
            return


def fillings(part: int) -> int:
    """Return how often an architecture of a part is filled.

    The first parts see many architectures; later ones, with those seen, save time by filling each more often.

    Parameters
    ----------
    part : int
        Its number, counted from 0.

    Returns
    -------
    int
        2, 4, 8, then `CONTENTS`, and from the ninth part on twice as many.
    """
    return min(2 << part, CONTENTS if part < MANY_SEEN else 2 * CONTENTS)


def _keep(result: Result, mismatch: MismatchError) -> None:
    """Put a mismatch into the result, made small; Ctrl-C ends the shrinking, and does not lose the mismatch."""
    telling = mismatch.telling
    result.counterexample = Counterexample(mismatch.case, report(mismatch.case, telling))
    smallest = shrinking.shrink(mismatch.case, lambda each: not report(each, telling).ok)
    result.counterexample = Counterexample(smallest, report(smallest, telling))


def _add(result: Result, seen: Result) -> None:
    result.add(seen)
    result.coverage += seen.coverage
    result.counterexample = result.counterexample or seen.counterexample


def _cover(architecture: Architecture, count: int, seen: Result) -> None:
    for activation in {unit.activation for unit in architecture.layers}:
        seen.coverage["activation", activation] += count
    for kind in ("loss", "reduction", "dtype", "targets", "layout", "regime"):
        seen.coverage[kind, str(getattr(architecture, kind))] += count
    seen.coverage["layers", str(len(architecture.layers))] += count
    examples = "one, no batch axis" if architecture.examples == 0 else "33" if architecture.examples == 33 else "1 to 32"
    seen.coverage["examples", examples] += count
