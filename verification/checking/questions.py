"""The networks that a submission is asked about: drawn evenly among everything that it claims to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.random_networks.architectures import INTEGERS, LAYOUTS, SLOPES, TARGETS, Architecture, Unit
from verification.random_networks.cases import Case, case
from verification.random_networks.regimes import WEIGHTED_REGIMES
from verification.submissions.description import describe
from verification.submissions.support import Support

Array = npt.NDArray[Any]

# Regimes in which two ways to make the same mistake differ by no more than a few roundings.
CALM = ("integers", "ones", "zeros", "dyadic", "normal")


class Questions:
    """Random networks with data that a submission claims to take.

    Parameters
    ----------
    support : Support
        What it claims to take.
    seed : int
        The same seed gives the same networks.
    choices : mapping of str to sequence, optional
        Fields of `verification.random_networks.architectures.Architecture`, and what to draw them from in place of everything.
    """

    def __init__(self, support: Support, seed: int = 0, choices: Mapping[str, Sequence[Any]] | None = None) -> None:
        self.support, self.seed, self.choices = support, seed, choices or {}

    def case(self, number: int, stream: int = 0, *, calm: bool = False) -> Case:
        """Return a random case; a calm one has no numbers that magnify rounding.

        Parameters
        ----------
        number : int
            Which; the same number of the same stream gives the same case.
        stream : int
            Cases of different streams are independent.
        calm : bool
            Whether it is drawn from the calm regimes alone.

        Returns
        -------
        Case
            That the submission claims to take.
        """
        rng = np.random.default_rng([self.seed, stream, number])
        while True:
            architecture = self._architecture(rng)
            if calm:
                targets = "values" if architecture.targets == "fitting" else architecture.targets
                architecture = replace(architecture, regime=str(rng.choice(CALM)), targets=targets)
            drawn = case(architecture, int(rng.integers(2**32)))
            if self.covers(drawn):
                return drawn

    def square(self, number: int) -> Case | None:
        """Return a random case with as many units in every layer as inputs and examples, if there is one to be had."""
        rng = np.random.default_rng([self.seed, 2, number])
        width = int(rng.integers(1, 4))
        drawn = self._architecture(rng)
        units = tuple(Unit(width, unit.activation, unit.slope, unit.shared) for unit in drawn.layers)
        square = replace(drawn, inputs=width, layers=units, examples=min(drawn.examples, 1) * width)
        made = case(square, int(rng.integers(2**32)))
        return made if self.covers(made) else None

    def near(self, given: Case, count: int) -> list[Case]:
        """Return cases of the same architecture whose numbers are those of the given one with normal ones added."""
        rng = np.random.default_rng([self.seed, 3])
        found = []
        for _ in range(count):
            net = type(given.net)(given.net.layers, given.net.loss_name, given.net.reduction)
            for array in net.named().values():
                array += rng.normal(size=array.shape).astype(array.dtype)
            x = given.x
            if x.dtype.kind == "f":
                x = (x + rng.normal(size=x.shape)).astype(x.dtype)
            found.append(Case(net, x, given.y))
        return found

    def covers(self, drawn: Case) -> bool:
        """Say whether the submission claims to take a case, and p − y is its derivative: only if y sums to 1 does it."""
        if drawn.net.loss_name == "cross_entropy" and np.ndim(drawn.y) == np.ndim(drawn.x):
            off = np.abs(np.sum(drawn.y, axis=-1, dtype=float) - 1).max()
            if off > drawn.net.widths[-1] * np.finfo(drawn.net.dtype).eps:
                return False
        return self.support.covers(describe(drawn.net), np.asarray(drawn.x), np.asarray(drawn.y))

    def _architecture(self, rng: np.random.Generator) -> Architecture:
        drawn = _architecture(rng, self.support)
        chosen = {name: values[int(rng.integers(len(values)))] for name, values in self.choices.items()}
        return replace(drawn, **chosen)


def _architecture(rng: np.random.Generator, support: Support) -> Architecture:
    """Draw evenly among everything that a submission supports."""

    def pick(values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    loss = pick(support.losses)
    low, high = support.layer_range
    fewest, most = low, min(high or max(low, 4), max(low, 4))
    count = int(rng.integers(fewest, most + 1))
    if isinstance(support.widths, tuple):
        widths = list(support.widths)
        count = len(widths) - 1
    elif support.widths is not None:
        widths = [support.widths] * (count + 1)
    else:
        widths = rng.integers(1, 6, count + 1).tolist()
    outputs = ("softmax",) if loss == "cross_entropy" else support.outputs
    names = [pick(support.activations) for _ in range(count - 1)] + [pick(outputs)]
    units = tuple(
        Unit(int(width), name, float(pick(SLOPES)), bool(rng.integers(2)))
        for width, name in zip(widths[1:], names, strict=True)
    )
    single = support.single and (not support.batches or rng.random() < 0.25)
    targets = TARGETS[loss] if loss == "squared_error" else support.targets
    dtype = pick(support.dtypes)
    if dtype == "float32":
        # NumPy makes float64 of float32 and whole numbers: an answer in float64 is then no mistake.
        targets = [each for each in targets if each not in ("integers", "one_hot")] or targets
    return Architecture(
        int(widths[0]),
        units,
        loss,
        pick(support.reductions),
        dtype,
        0 if single else int(rng.integers(1, 6)),
        pick(targets),
        pick(INTEGERS),
        pick(LAYOUTS),
        pick(WEIGHTED_REGIMES[:-2]),
        bool(rng.integers(2)),
        bool(rng.integers(4) == 0) and dtype == "float64",
    )
