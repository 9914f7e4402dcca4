"""The regimes of random numbers, each of which hides or shows other mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# Fills an array of each content, (contents, …).
Fill = Callable[[np.random.Generator, tuple[int, ...]], Array]


def chosen(rng: np.random.Generator, values: Sequence[float], shape: tuple[int, ...]) -> Array:
    """Return numbers chosen evenly; `Generator.choice` takes ten times as long over a few."""
    return np.asarray(values)[rng.integers(len(values), size=shape)]


REGIMES: dict[str, Fill] = {
    "integers": lambda rng, shape: rng.integers(-2, 3, shape).astype(float),
    "ones": lambda rng, shape: chosen(rng, (1.0, -1.0), shape),
    "zeros": lambda rng, shape: np.where(rng.random(shape) < 0.8, 0.0, chosen(rng, (1.0, -1.0), shape)),
    "repeated": lambda rng, shape: chosen(rng, (0.5, -0.5, 0.1, 2.0), (shape[0], *[1] * (len(shape) - 1))) * np.ones(shape),
    "dyadic": lambda rng, shape: rng.integers(-32, 33, shape) / 16,
    "normal": lambda rng, shape: rng.normal(size=shape),
    "small": lambda rng, shape: rng.normal(0, 1e-3, shape),
    "big": lambda rng, shape: rng.normal(0, 30, shape),
    "heavy-tailed": lambda rng, shape: np.clip(rng.standard_cauchy(shape), -1e4, 1e4),
    "saturating": lambda rng, shape: chosen(rng, (1.0, -1.0), shape) * 10 ** rng.uniform(0, 3, shape),
    "tiny": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.uniform(-30, -5, shape),
    "huge": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.uniform(0, 12, shape),
}
# The last two make most results over- or underflow: a twentieth of what is drawn is enough of them.
COMMON = tuple(REGIMES)[:-2]
WEIGHTED_REGIMES = (*COMMON, "mixed", "mixed", "mixed", *COMMON, "mixed", "mixed", "mixed", "tiny", "huge")
