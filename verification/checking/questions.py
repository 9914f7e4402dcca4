"""The networks that a submission is asked about: drawn evenly among everything that it claims to take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.losses import JOINED
from verification.random_networks.architectures import INTEGERS, LAYOUTS, SLOPES, TARGETS, Architecture, Unit
from verification.random_networks.cases import Case, case
from verification.random_networks.regimes import WEIGHTED_REGIMES
from verification.submissions.answers import SubmissionError
from verification.submissions.description import describe
from verification.submissions.support import Support

Array = npt.NDArray[Any]

# What a question draws: ordinary numbers first, where a fault is a fault of the derivation; corners, where right formulas often
# break; extreme numbers, where right formulas may break; or anything.
ORDINARY, CORNERS, EXTREME, ANYTHING = "ordinary", "corners", "extreme", "anything"
# Up to here no form of any activation or loss loses more than digits. 1 − a, which is divided by and whose logarithm is taken
# under binary cross-entropy, still has digits in float32 up to the second, and is larger than what is taken for an epsilon.
LARGEST_Z, LARGEST_Z_OF_YES_OR_NO = 20.0, 10.0
KINKED = ("relu", "leaky_relu", "prelu")
CORNER_KINDS = (
    "kinks",
    "ties",
    "zeros",
    "exact fits",
    "one of each",
    "layouts",
    "dtypes",
    "faint",
    "large",
    "dtypes",
    "faint",
    "absent classes",
)
# After so many attempts in vain weights are drawn smaller, as wide layers need them; after so many more nobody draws any.
CALM_FROM, GIVEN_UP_AT = 100, 3000
EXTREME_REGIMES = ("big", "saturating", "heavy-tailed", "tiny", "huge", "mixed", "big", "saturating", "normal")


class Questions:
    """Random networks with data that a submission claims to take.

    Parameters
    ----------
    support : Support
        What it claims to take.
    seed : int
        The same seed gives the same networks.
    """

    def __init__(self, support: Support, seed: int = 0) -> None:
        self.support, self.seed = support, seed

    def case(self, number: int, stream: int = 0, of: str = ANYTHING) -> Case:
        """Return a random case.

        Parameters
        ----------
        number : int
            Which; the same number of the same stream gives the same case.
        stream : int
            Cases of different streams are independent.
        of : str
            ORDINARY, CORNERS, EXTREME or ANYTHING.

        Returns
        -------
        Case
            That the submission claims to take.
        """
        rng = np.random.default_rng([self.seed, stream, number])
        for attempt in count():
            architecture, kind = _architecture(rng, self.support), ""
            if of in (ORDINARY, CORNERS):
                architecture = self._ordinary(architecture, rng)
            if of == CORNERS:
                # After many attempts in vain: what the corner needs, the submission does not take.
                kind = CORNER_KINDS[(number + attempt // 20) % len(CORNER_KINDS)]
                architecture = self._corner(architecture, kind, rng)
            elif of == EXTREME:
                regime = _pick(rng, EXTREME_REGIMES)
                architecture = replace(architecture, regime=regime, layout="C", integer="int64", kinks=False)
            drawn = self._made(architecture, rng)
            if of == EXTREME:
                drawn = _certain(drawn, rng)
            elif kind == "faint":
                drawn = _faint(drawn, 10 ** -rng.uniform(2, 7))
            elif kind == "large" or attempt > CALM_FROM:
                drawn = _tempered(drawn)
            if self.covers(drawn) and (of in (EXTREME, ANYTHING) or self.is_fit(drawn, corners=of == CORNERS)):
                return drawn
            if attempt == GIVEN_UP_AT:
                break
        raise SubmissionError("no network of ordinary numbers was found that @supports(...) allows: let it allow more")

    def is_fit(self, drawn: Case, *, corners: bool) -> bool:
        """Say whether a case is one that ORDINARY, or CORNERS, may draw.

        Parameters
        ----------
        drawn : Case
            That the submission claims to take.
        corners : bool
            Whether kinks may be hit exactly, and a softmax have one unit.

        Returns
        -------
        bool
            False if a z is too large, too.
        """
        alone = any(layer.activation.name == "softmax" and len(layer.b) == 1 for layer in drawn.net.layers)
        return is_ordinary(drawn, kinks=corners) and (corners or not alone or self.support.widths is not None)

    def _ordinary(self, drawn: Architecture, rng: np.random.Generator) -> Architecture:
        """Return the architecture with numbers of ordinary size, at no kink, in the usual layout."""
        dtype = "float64" if "float64" in self.support.dtypes else drawn.dtype
        inexact = "probabilities" if drawn.loss == "binary_cross_entropy" else "values"
        targets = inexact if drawn.targets == "fitting" else drawn.targets
        regime = _pick(rng, ("normal", "normal", "dyadic"))
        layers = drawn.layers
        if self.support.widths is None:
            # A softmax of one unit is 1, whatever its z.
            layers = tuple(
                replace(unit, width=2) if (unit.activation, unit.width) == ("softmax", 1) else unit for unit in layers
            )
        return replace(
            drawn, layers=layers, dtype=dtype, targets=targets, regime=regime, kinks=False, layout="C", integer="int64"
        )

    def _corner(self, drawn: Architecture, kind: str, rng: np.random.Generator) -> Architecture:
        """Return the architecture made a corner of this kind, as far as it can be."""
        classes, wide = drawn.loss == "cross_entropy", self.support.widths is None
        narrow = wide and self.support.least_width == 1
        match kind:
            case "kinks":
                return replace(drawn, kinks=True, regime="integers")
            case "ties":
                return replace(drawn, regime=_pick(rng, ("ones", "repeated", "integers")))
            case "zeros":
                return replace(drawn, regime="zeros")
            case "exact fits":
                return drawn if classes else replace(drawn, targets="fitting")
            case "one of each" if narrow:
                layers = tuple(replace(unit, width=1) if rng.integers(2) else unit for unit in drawn.layers)
                return replace(drawn, inputs=1, layers=layers, examples=min(drawn.examples, 1))
            case "layouts":
                return replace(drawn, layout=_pick(rng, LAYOUTS[1:]), examples=drawn.examples and max(drawn.examples, 2))
            case "dtypes":
                whole = bool(rng.integers(2)) and drawn.dtype == "float64"
                integers = {"squared_error": "integers", "binary_cross_entropy": "yes_or_no"}
                targets = integers.get(drawn.loss, drawn.targets) if drawn.dtype == "float64" else drawn.targets
                return replace(drawn, integer=_pick(rng, ("uint8", *INTEGERS)), whole=whole, targets=targets)
            case "faint" if set(KINKED) & set(self.support.activations) and rng.integers(4):
                kinked = [name for name in KINKED if name in self.support.activations]
                *hidden, last = drawn.layers
                return replace(drawn, layers=(*(replace(unit, activation=_pick(rng, kinked)) for unit in hidden), last))
            case "large":
                return self._large(drawn, rng)
            case "absent classes" if classes and wide:
                *hidden, last = drawn.layers
                return replace(
                    drawn, layers=(*hidden, replace(last, width=int(rng.integers(3, 7)))), examples=min(drawn.examples, 2)
                )
        return drawn

    def _large(self, drawn: Architecture, rng: np.random.Generator) -> Architecture:
        """Return the architecture large in one way, so that index by index takes no minute: wide, in a large batch, or deep."""
        how = _pick(rng, ("wide", "batch", "batch", "deep"))
        _, high = self.support.layer_range
        if how == "wide" and self.support.widths is None:
            place = int(rng.integers(len(drawn.layers) + 1))
            wide = int(_pick(rng, (9, 17, 33, 64)))
            layers = tuple(
                replace(unit, width=wide) if at in (place, place + 1) else unit for at, unit in enumerate(drawn.layers, 1)
            )
            return replace(
                drawn,
                inputs=wide if place == 0 else drawn.inputs,
                layers=layers,
                examples=min(drawn.examples, 3),
                regime="normal",
            )
        if how == "deep" and high is None and isinstance(self.support.widths, int | None):
            layers = tuple(drawn.layers[at % len(drawn.layers)] for at in range(9))
            hidden = [replace(unit, activation=_pick(rng, self.support.activations)) for unit in layers]
            if self.support.widths is None:
                hidden = [replace(unit, width=2) if unit.activation == "softmax" else unit for unit in hidden]
            return replace(drawn, layers=(*hidden, drawn.layers[-1]), regime="normal")
        if self.support.batches:
            return replace(drawn, examples=int(_pick(rng, (33, 65, 130))), regime="normal")
        return drawn

    def _made(self, architecture: Architecture, rng: np.random.Generator) -> Case:
        """Return a case of an architecture, without biases if the submission has none."""
        drawn = case(architecture, int(rng.integers(2**32)))
        if not self.support.biases:
            for layer in drawn.net.layers:
                layer.b[...] = 0
        return drawn

    def square(self, number: int) -> Case | None:
        """Return a random case with as many units in every layer as inputs and examples, if there is one to be had."""
        rng = np.random.default_rng([self.seed, 2, number])
        width = int(rng.integers(2, 5))
        drawn = self._ordinary(_architecture(rng, self.support), rng)
        units = tuple(Unit(width, unit.activation, unit.slope, unit.shared) for unit in drawn.layers)
        square = replace(drawn, inputs=width, layers=units, examples=min(drawn.examples, 1) * width)
        made = self._made(square, rng)
        return made if self.covers(made) else None

    def near(self, given: Case, count: int) -> list[Case]:
        """Return cases of the same architecture whose numbers are those of the given one with normal ones added."""
        rng = np.random.default_rng([self.seed, 3])
        found = []
        for _ in range(count):
            net = type(given.net)(given.net.layers, given.net.loss_name, given.net.reduction)
            for name, array in net.named().items():
                if name.startswith("b") and not self.support.biases:
                    continue
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


def is_ordinary(drawn: Case, *, kinks: bool = False) -> bool:
    """Say whether every z is of ordinary size and, unless kinks are allowed, none is 0 where g′ has a kink.

    Parameters
    ----------
    drawn : Case
        A network with data.
    kinks : bool
        Whether a z of 0 is ordinary, too.

    Returns
    -------
    bool
        False as soon as one z is not.
    """
    with np.errstate(all="ignore"):
        trace = drawn.net.trace(drawn.x, drawn.y)
    for number, layer in enumerate(drawn.net.layers, start=1):
        z = np.abs(trace[number].z)
        of_probability = number == len(drawn.net.layers) and drawn.net.loss_name == "binary_cross_entropy"
        if not (z <= (LARGEST_Z_OF_YES_OR_NO if of_probability else LARGEST_Z)).all():
            return False
        if not kinks and layer.activation.name in KINKED and not (z > 1e-9).all():
            return False
    return True


def _certain(drawn: Case, rng: np.random.Generator) -> Case:
    """Return the case, or in half of all cases one whose output is certain: of anything, or of a wrong class."""
    match int(rng.integers(4)):
        case 0:
            return _scaled(drawn, len(drawn.net.layers) - 1, 10 ** rng.uniform(1, 3))
        case 1 if drawn.net.loss_name == "cross_entropy":
            y = np.ravel(drawn.y) if np.ndim(drawn.y) < np.ndim(drawn.x) else np.atleast_2d(drawn.y).argmax(axis=-1)
            net = type(drawn.net)(drawn.net.layers, drawn.net.loss_name, drawn.net.reduction)
            net.layers[-1].b[int(y[0])] -= net.dtype.type(10 ** rng.uniform(1, 3))
            return Case(net, drawn.x, drawn.y)
        case 1 if drawn.net.loss_name == "binary_cross_entropy":
            net = type(drawn.net)(drawn.net.layers, drawn.net.loss_name, drawn.net.reduction)
            sign = 1 if np.atleast_2d(drawn.y)[0, 0] < 0.5 else -1
            net.layers[-1].b[0] += net.dtype.type(sign * 10 ** rng.uniform(1, 3))
            return Case(net, drawn.x, drawn.y)
    return drawn


def _scaled(drawn: Case, place: int, factor: float) -> Case:
    """Return the case with the z of one layer so many times as large."""
    net = type(drawn.net)(drawn.net.layers, drawn.net.loss_name, drawn.net.reduction)
    with np.errstate(all="ignore"):
        for array in (net.layers[place].w, net.layers[place].b):
            np.copyto(array, np.clip(array * factor, -1e30, 1e30))
    return Case(net, drawn.x, drawn.y)


def _faint(drawn: Case, factor: float) -> Case:
    """Return the case with the z of every hidden layer, or of the only one, about so many times as large."""
    net = type(drawn.net)(drawn.net.layers, drawn.net.loss_name, drawn.net.reduction)
    net.layers[0].w *= net.dtype.type(factor)
    for layer in net.layers[:-1] or net.layers:
        layer.b *= net.dtype.type(factor)
    return Case(net, drawn.x, drawn.y)


def _tempered(drawn: Case) -> Case:
    """Return a case whose wide layers have weights so much smaller that z is of ordinary size."""
    net = type(drawn.net)(drawn.net.layers, drawn.net.loss_name, drawn.net.reduction)
    for layer in net.layers:
        layer.w /= layer.w.dtype.type(2 * math.sqrt(layer.w.shape[1]))
    return Case(net, drawn.x, drawn.y)


def _pick(rng: np.random.Generator, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def _architecture(rng: np.random.Generator, support: Support) -> Architecture:
    """Draw evenly among everything that a submission supports."""

    def pick(values: Any) -> Any:
        return _pick(rng, values)

    loss = pick(support.losses_drawn)
    low, high = support.layer_range
    fewest, most = low, min(high or max(low, 4), max(low, 4))
    depth = int(rng.integers(fewest, most + 1))
    if isinstance(support.widths, tuple):
        widths = list(support.widths)
        depth = len(widths) - 1
    elif support.widths is not None:
        widths = [support.widths] * (depth + 1)
    else:
        least = support.least_width
        widths = rng.integers(least, least + 6, depth + 1).tolist()
    outputs = (JOINED[loss],) if loss in JOINED else support.outputs
    names = [pick(support.activations) for _ in range(depth - 1)] + [pick(outputs)]
    if support.least_classes > 1 and support.widths is None:
        widths[1:] = [
            max(width, support.least_classes) if name == "softmax" else width
            for width, name in zip(widths[1:], names, strict=True)
        ]
    units = tuple(
        Unit(int(width), name, float(pick(SLOPES)), bool(rng.integers(2)))
        for width, name in zip(widths[1:], names, strict=True)
    )
    single = support.single and (not support.batches or rng.random() < 0.25)
    targets = support.targets if loss == "cross_entropy" else TARGETS[loss]
    dtype = pick(support.dtypes)
    if dtype == "float32":
        # NumPy makes float64 of float32 and whole numbers: an answer in float64 is then no mistake.
        targets = [each for each in targets if each not in ("integers", "one_hot", "yes_or_no")] or targets
    return Architecture(
        int(widths[0]),
        units,
        loss,
        pick(support.reductions),
        dtype,
        0 if single else int(rng.integers(1, 7)),
        pick(targets),
        pick(INTEGERS),
        pick(LAYOUTS),
        pick(WEIGHTED_REGIMES[:-2]),
        bool(rng.integers(2)),
        bool(rng.integers(4) == 0) and dtype == "float64",
    )
