"""How many random networks the verification compares in a second of processor time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from verification.autograd import campaign
from verification.autograd.batched import CONTENTS, assert_contents_match_autograd
from verification.autograd.comparison import assert_matches_autograd
from verification.benchmark.networks import SEED
from verification.random_networks.architectures import Architecture
from verification.random_networks.cases import Case
from verification.random_networks.strategies import architectures, cases, seeds


@dataclass(frozen=True)
class Throughput:
    """Networks compared by one process on one core.

    Parameters
    ----------
    way : str
        "campaign", the seeded `verification.autograd.campaign.run`; "hypothesis", a property over architectures that fills each
        with 16 networks; "hypothesis, one by one", a property over `verification.cases()`.
    networks : int
        How many.
    cpu_seconds : float
        Processor time of the process.
    """

    way: str
    networks: int
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Networks a second of processor time."""
        return self.networks / self.cpu_seconds


def measure(way: str, networks: int) -> Throughput:
    """Return the throughput one way, warmed up.

    Parameters
    ----------
    way : str
        A name of `WAYS`.
    networks : int
        How many to compare.

    Returns
    -------
    Throughput
        Of networks that all agree.

    Raises
    ------
    AssertionError
        If one does not.
    """
    WAYS[way](max(1, networks // 20))
    start = time.process_time()
    compared = WAYS[way](networks)
    return Throughput(way, compared, time.process_time() - start)


def _campaign(networks: int) -> int:
    result = campaign.run(examples=networks, seed=SEED)
    if result.counterexample is not None:
        raise AssertionError(str(result.counterexample.report))
    return result.networks


def _property(*strategies: st.SearchStrategy[Any], examples: int, check: Callable[..., None]) -> None:
    @seed(SEED)
    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.tuples(*strategies))
    def holds(drawn: tuple[Any, ...]) -> None:
        check(*drawn)

    holds()


def _hypothesis(networks: int) -> int:
    compared = 0

    def check(architecture: Architecture, drawn: int) -> None:
        nonlocal compared
        assert_contents_match_autograd(architecture, drawn)
        compared += CONTENTS

    _property(architectures(), seeds(), examples=-(-networks // CONTENTS), check=check)
    return compared


def _one_by_one(networks: int) -> int:
    compared = 0

    def check(case: Case) -> None:
        nonlocal compared
        assert_matches_autograd(*case)
        compared += 1

    _property(cases(), examples=networks, check=check)
    return compared


WAYS: dict[str, Callable[[int], int]] = {
    "campaign": _campaign,
    "hypothesis": _hypothesis,
    "hypothesis, one by one": _one_by_one,
}
