"""How long `python -m handgrad` takes until it answers, beside the import of NumPy."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verification.benchmark.statistics import Spread, paired, spread

COMMANDS = {"handgrad": ("-m", "handgrad", "--help"), "numpy": ("-c", "import numpy")}


@dataclass(frozen=True)
class StartUp:
    """Both times.

    Parameters
    ----------
    seconds : float
        The median time of `python -m handgrad --help`.
    numpy_seconds : float
        The median time of `python -c "import numpy"`.
    ratio : Spread
        Of the first to the second, run by run.
    """

    seconds: float
    numpy_seconds: float
    ratio: Spread

    @classmethod
    def from_dict(cls, read: Mapping[str, Any]) -> StartUp:
        """Return it from what `dataclasses.asdict` made."""
        return cls(**{**read, "ratio": Spread(**read["ratio"])})


def measure(rounds: int) -> StartUp:
    """Return both times of alternating runs.

    Parameters
    ----------
    rounds : int
        How many runs of each; one more goes before, which fills the disk's cache.

    Returns
    -------
    StartUp
        Medians, and the ratio.

    Raises
    ------
    RuntimeError
        If one of the commands fails.
    """
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
            seconds[name].append(time.perf_counter() - start)
            if done.returncode:
                raise RuntimeError(f"python {' '.join(arguments)} failed: {done.stderr.strip().splitlines()[-1:]}")
    ours, theirs = seconds["handgrad"][1:], seconds["numpy"][1:]
    return StartUp(spread(ours).median, spread(theirs).median, paired(ours, theirs))
