"""What is right about somebody else's answer: every quantity that it gives, against handgrad's, within rounding bounds.

The expected numbers are those of handgrad's matrix form, which loses no digits; what is allowed covers any right way to
compute the answer, and at a kink hit exactly either convention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad.losses import JOINED
from verification.bounds.analysis import bounds, bounds_of_forms
from verification.bounds.entries import Entry, entry
from verification.bounds.quantities import equation_of, is_derivative, quantities, without_batch_axis
from verification.bounds.rounding import ANY, ANY_CONVENTION, STABLE, Form, rounding
from verification.random_networks.plain import PlainCase, plain_case
from verification.submissions.answers import BY_THE_NOTES
from verification.submissions.conventions import room
from verification.submissions.description import Description, as_network
from verification.submissions.support import Support

Array = npt.NDArray[Any]

# As a part of the largest number of its array: below the first, in units of u, no difference counts; below the second it is one
# of last digits, and below the third as a part of the largest number of the whole gradient.
SMALLEST = 4.0
DIGITS = 1e-4
BESIDE = 1e-7
# Bounds hold for the inputs as they are; who computes in float32 rounds these, too.
ROUNDED_INPUTS = 8.0
# The largest that is taken for an epsilon or a clip, and not for another loss.
EPSILON = 1e-5


@dataclass(frozen=True)
class Grade:
    """What one answer is worth.

    Parameters
    ----------
    entries : tuple of Entry
        One for each quantity that was given, in the order of one pass.
    conventions : tuple of str
        Quantities that are right only by another convention for g′ at a kink hit exactly.
    digits : frozenset of str
        Quantities that are wrong in their last digits alone: no wrong formula does that, but an epsilon, a cast or
        differences in place of a derivative.
    """

    entries: tuple[Entry, ...]
    conventions: tuple[str, ...] = ()
    digits: frozenset[str] = frozenset()

    @property
    def wrong(self) -> tuple[Entry, ...]:
        """The quantities that are wrong; the first is where the error begins."""
        return tuple(entry for entry in self.entries if not entry.ok)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    @property
    def is_finite(self) -> bool:
        """Whether what is wrong is a number."""
        return all(np.isfinite(entry.given) for entry in self.wrong)

    @property
    def lacks_the_loss_alone(self) -> bool:
        """Whether the gradient is right and the loss is no number: log 0, which is no fault of the derivation."""
        return bool(self.wrong) and all(entry.name == "loss" and not np.isfinite(entry.given) for entry in self.wrong)

    @property
    def only_digits(self) -> bool:
        """Whether something is wrong, and nothing but last digits."""
        return bool(self.wrong) and all(entry.name in self.digits for entry in self.wrong)


@dataclass(frozen=True)
class Oracle:
    """Whose numbers are taken for the right ones.

    Parameters
    ----------
    quantities : callable
        Takes a network, x and y; returns every quantity by name.
    form : Form
        How its numbers are computed, for their own bound.
    """

    quantities: Callable[[hg.Network, Array, Array], Mapping[str, Array]]
    form: Form


BY_HANDGRAD = Oracle(lambda net, x, y: quantities(net.trace(x, y)), STABLE)


class AnswerKey:
    """The right answer about one network, and what is allowed beside it, computed once for any number of answers.

    Parameters
    ----------
    network : Description
        The network.
    x, y : ndarray
        Its data.
    oracle : Oracle
        Whose numbers are the right ones.
    support : Support
        What the submission declares of its conventions: to put an answer back into the notes' takes some roundings.
    is_stepper : bool
        Whether its gradient was found from a step.
    """

    def __init__(
        self,
        network: Description,
        x: Array,
        y: Array,
        oracle: Oracle = BY_HANDGRAD,
        support: Support = BY_THE_NOTES,
        *,
        is_stepper: bool = False,
    ) -> None:
        self.network, self.x, self.support, self.is_stepper = network, x, support, is_stepper
        net = as_network(network)
        self.asked, self.single = plain_case(net, x, y), x.ndim == 1
        with np.errstate(all="ignore"):
            self.expected = oracle.quantities(net, x, y)
        self.of_oracle, self.of_any = bounds_of_forms(self.asked, [oracle.form, ANY])
        self.float32: dict[str, Array] | None = None

    def grade(self, arrays: Mapping[str, Array], *, strict_kinks: bool = False) -> Grade:
        """Compare an answer with the right one.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What came, as `verification.submissions.answers.arrays_of` returns it.
        strict_kinks : bool
            Whether PyTorch's choice of g′ at z = 0 is the only right one.

        Returns
        -------
        Grade
            An entry for each array.
        """
        strict = self._entries(arrays, self.of_any)
        if strict_kinks or all(each.ok for each in strict):
            return Grade(strict, digits=self._digits(arrays, strict))
        lenient = self._entries(arrays, bounds(self.asked, ANY_CONVENTION))
        conventions = tuple(each.name for each, other in zip(lenient, strict, strict=True) if each.ok and not other.ok)
        return Grade(lenient, conventions, self._digits(arrays, lenient))

    def _entries(self, arrays: Mapping[str, Array], of_any: Mapping[str, Array]) -> tuple[Entry, ...]:
        u = rounding(self.asked.dtype).u
        allowed = {name: self.of_oracle[name] + of_any[name] for name in of_any}
        if self.single:
            allowed = without_batch_axis(allowed)
        layers = len(self.asked.layers)
        # In the bounds' order, which is that of one pass. A number that vanishes beside the others of its array counts for 0.
        return tuple(
            entry(
                name,
                equation_of(name, layers, self.asked),
                arrays[name],
                self.expected[name],
                allowed[name] + SMALLEST * u * largest_of(self.expected[name]) + u * self._room(name),
            )
            for name in of_any
            if name in arrays and name in self.expected
        )

    def _room(self, name: str) -> Array | float:
        if self.support.keeps_the_notes and not self.is_stepper:
            return 0.0
        return room(name, self.expected[name], self.network, self.x, self.support, steps=self.is_stepper)

    def _of_float32(self, name: str) -> Array:
        """Return how far an answer may be off that was computed in float32 all the way; 0 if that was asked for."""
        if self.asked.dtype == np.float32:
            return np.zeros(())
        if self.float32 is None:
            found = bounds(_in_float32(self.asked), ANY)
            self.float32 = without_batch_axis(found) if self.single else found
        bound = self.float32[name]
        return np.where(np.isfinite(bound), ROUNDED_INPUTS * bound, 0)

    def _digits(self, arrays: Mapping[str, Array], entries: tuple[Entry, ...]) -> frozenset[str]:
        found = set()
        gradient = [self.expected[each.name] for each in entries if is_derivative(each.name)]
        largest = max(map(largest_of, gradient), default=0.0)
        for each in entries:
            if each.ok or each.problem:
                continue
            given, expected = np.asarray(arrays[each.name], float), np.asarray(self.expected[each.name], float)
            with np.errstate(all="ignore"):
                # What vanishes beside the rest of the gradient has lost its digits before.
                room = max(DIGITS * largest_of(expected), EPSILON if not expected.any() else BESIDE * largest)
                near = bool((np.abs(given - expected) <= np.maximum(room, self._of_float32(each.name))).all())
                if each.name == "loss" and self.asked.loss in JOINED:
                    # Between the loss as it is and that with an epsilon: of a tiny probability little is then left.
                    p = np.atleast_2d(self.expected[f"a{len(self.asked.layers)}"])
                    least = loss_with_epsilon(*of_classes(self.asked, p), self.asked.reduction, EPSILON)
                    near = near or bool(least - EPSILON <= given <= expected + EPSILON * len(self.asked.x))
            if near:
                found.add(each.name)
        return frozenset(found)


def _in_float32(asked: PlainCase) -> PlainCase:
    def narrow(array: Array) -> Array:
        return np.asarray(array, np.float32 if array.dtype.kind == "f" else array.dtype)

    layers = tuple(
        replace(layer, w=narrow(layer.w), b=narrow(layer.b), slope=None if layer.slope is None else narrow(layer.slope))
        for layer in asked.layers
    )
    return replace(asked, layers=layers, x=narrow(asked.x), y=narrow(asked.y))


def of_classes(asked: PlainCase, a: Array) -> tuple[Array, Array]:
    """Return the probabilities whose logarithms a cross-entropy takes, and their targets; of a yes or no both its classes.

    Parameters
    ----------
    asked : PlainCase
        The network, with one of the losses that are joined with their output.
    a : ndarray
        The output, (N, n_L).

    Returns
    -------
    tuple of ndarray
        Each (N, n_L), or (N, 2 n_L) under binary cross-entropy.
    """
    y = asked.targets()
    if asked.loss == "cross_entropy":
        return a, y
    return np.concatenate([a, 1 - a.astype(float)], axis=1), np.concatenate([y, 1 - y], axis=1)


def loss_with_epsilon(p: Array, y: Array, reduction: str, epsilon: float, *, clip: bool = False) -> float:
    """Return the cross-entropy with an epsilon added to every probability, or with every probability held above it.

    Parameters
    ----------
    p, y : ndarray
        Probabilities and targets, each (N, n_L) or (n_L,).
    reduction : str
        "mean" or "sum".
    epsilon : float
        What is added inside the logarithm.
    clip : bool
        Whether it is a least probability in place of a summand.

    Returns
    -------
    float
        The mean or sum over the examples.
    """
    with np.errstate(all="ignore"):
        held = np.maximum(p, epsilon) if clip else np.asarray(p, float) + epsilon
        L_i = -(np.where(y > 0, y * np.log(held), 0)).sum(axis=-1)
    return float(L_i.mean() if reduction == "mean" else L_i.sum())


def largest_of(array: Array) -> float:
    """Return the largest size of the finite numbers of an array; 0 if there is none."""
    sizes = np.abs(np.asarray(array, float))
    return float(sizes.max(initial=0.0, where=np.isfinite(sizes)))
