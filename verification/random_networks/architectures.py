"""What is drawn: an `Architecture` holds everything about a case that has a name, and `Options` says what to draw from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import handgrad as hg
from handgrad.losses import JOINED
from verification.random_networks.regimes import WEIGHTED_REGIMES

ACTIVATIONS = ("identity", "relu", "sigmoid", "tanh", "leaky_relu", "prelu", "softmax")
LOSSES = ("squared_error", "cross_entropy", "binary_cross_entropy")
REDUCTIONS = ("sum", "mean")
DTYPES = ("float64", "float32")
TARGETS = {
    "squared_error": ("values", "integers", "fitting"),
    "cross_entropy": ("indices", "distribution", "one_hot"),
    "binary_cross_entropy": ("yes_or_no", "probabilities", "fitting"),
}
INTEGERS = ("int64", "int32", "uint8")
LAYOUTS = ("C", "F", "strided")
# How many of the networks with squared error are chains of single neurons, which (3)–(7) speak of.
CHAINS = 1 / 3
SLOPES = (0.0, 0.5, 0.01, -0.5, 1.5)


@dataclass(frozen=True)
class Unit:
    """One layer's choices: its width, its activation, and the slope of a leaky one (`shared` says how many α prelu has)."""

    width: int
    activation: str
    slope: float = 0.01
    shared: bool = True


@dataclass(frozen=True)
class Architecture:
    """Everything about a case but its numbers.

    Parameters
    ----------
    inputs : int
        n_0.
    layers : tuple of Unit
        First layer first.
    loss, reduction, dtype : str
        As `handgrad.Network` takes them.
    examples : int
        N; 0 for one example without a batch axis.
    targets : str
        squared_error: values, integers, or fitting (equal to the output, so that the derivatives vanish).
        cross_entropy: indices, distribution (soft labels), or one_hot.
        binary_cross_entropy: yes_or_no (0 or 1), probabilities (0, 1/2 and 1 among them), or fitting.
    integer : str
        The dtype of integer inputs, targets and class indices.
    whole : bool
        Whether x is rounded to integers of that dtype.
    layout : str
        The memory layout of x and y: C, F (Fortran order) or strided.
    regime : str
        What the numbers are like: a key of `REGIMES`, or "mixed" for another one in every array.
    kinks : bool
        Whether biases are moved so that the first example hits z = 0 exactly, where the numbers allow it.
    """

    inputs: int
    layers: tuple[Unit, ...]
    loss: str = "squared_error"
    reduction: str = "sum"
    dtype: str = "float64"
    examples: int = 1
    targets: str = "values"
    integer: str = "int64"
    layout: str = "C"
    regime: str = "integers"
    kinks: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Options:
    """What networks are drawn from; its fields are the keyword arguments of the strategies.

    Parameters
    ----------
    activations, losses, reductions, dtypes : sequence of str
        What to draw from. Cross-entropy puts a softmax last, so it needs softmax among the activations, and the binary one
        needs sigmoid; without it that loss is not drawn.
    max_layers, max_width : int
        The most layers, and units in one.
    max_examples : int
        The largest batch; now and then one of 33 is drawn as well, unless this is 1.

    Raises
    ------
    TypeError
        If a list is no sequence of names, or a number no integer.
    ValueError
        If a name is unknown, a list is empty, a number is below 1, or no loss is left: cross-entropy alone without
        softmax, or the binary one without sigmoid.
    """

    activations: Sequence[str] = ACTIVATIONS
    losses: Sequence[str] = LOSSES
    reductions: Sequence[str] = REDUCTIONS
    dtypes: Sequence[str] = DTYPES
    max_layers: int = 5
    max_width: int = 8
    max_examples: int = 6

    def __post_init__(self) -> None:
        known = {"activations": ACTIVATIONS, "losses": LOSSES, "reductions": REDUCTIONS, "dtypes": DTYPES}
        for argument, names in known.items():
            given = getattr(self, argument)
            if isinstance(given, str) or not isinstance(given, Sequence):
                raise TypeError(f"{argument} must be a sequence of names; got {given!r}")
            if not given:
                raise ValueError(f"{argument} must name at least one of {', '.join(names)}; got none")
            for name in given:
                hg.checks.one_of(argument, name, names)
            # In our order, whatever the caller's: shrinking goes towards the first.
            object.__setattr__(self, argument, tuple(name for name in names if name in given))
        for argument in ("max_layers", "max_width", "max_examples"):
            hg.checks.positive_integer(argument, getattr(self, argument))
        left = tuple(loss for loss in self.losses if JOINED.get(loss) in (None, *self.activations))
        if not left:
            needed = " or ".join(JOINED[loss] for loss in self.losses)
            raise ValueError(
                f"losses of {', '.join(self.losses)} alone need {needed} in activations; got {', '.join(self.activations)}"
            )
        object.__setattr__(self, "losses", left)

    @property
    def batch_sizes(self) -> list[int]:
        """What N is drawn from: 0 stands for one example without a batch axis."""
        few = range(1, self.max_examples + 1)
        return [*few, *few, 0, 0, 33] if self.max_examples > 1 else [1, 0]


def drawn(rng: np.random.Generator, options: Options) -> Architecture:
    """Draw an architecture evenly from a seeded generator, as `architectures` does by Hypothesis.

    Parameters
    ----------
    rng : Generator
        The same state gives the same architecture.
    options : Options
        What to draw from.

    Returns
    -------
    Architecture
        Everything about a case but its numbers.
    """

    def pick(values: Sequence[Any]) -> Any:
        return values[int(rng.integers(len(values)))]

    loss = pick(options.losses)
    widths = rng.integers(1, options.max_width + 1, 1 + int(rng.integers(1, options.max_layers + 1))).tolist()
    names = [pick(options.activations) for _ in widths[1:]]
    if loss in JOINED:
        names[-1] = JOINED[loss]
    elif rng.random() < CHAINS:
        widths = [1] * len(widths)
        names = [options.activations[0] if name == "softmax" else name for name in names]
    units = [Unit(n, name, pick(SLOPES), bool(rng.integers(2))) for n, name in zip(widths[1:], names, strict=True)]
    return Architecture(
        widths[0],
        tuple(units),
        loss,
        pick(options.reductions),
        pick(options.dtypes),
        pick(options.batch_sizes),
        pick(TARGETS[loss]),
        pick(INTEGERS),
        pick(LAYOUTS),
        pick(WEIGHTED_REGIMES),
        bool(rng.integers(2)),
        bool(rng.integers(4) == 0),
    )
