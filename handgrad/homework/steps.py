"""A step of the worked solution, and a section of them: what is computed, by which formula and equation, with which numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from handgrad.homework.digits import Shown, rounded, shown
from handgrad.homework.expressions import Expression, Quantity, value_of


@dataclass(frozen=True)
class Step:
    """One number derived.

    Parameters
    ----------
    quantity : Quantity
        What is computed.
    formula, numbers : Expression
        The notes' right-hand side; the formula that its numbers are put in, where g is written out.
    equations : tuple of int
        Which equations of the notes it is.
    reason : str
        Why this case of a formula is taken: a key of the words, or "".
    """

    quantity: Quantity
    formula: Expression
    numbers: Expression
    equations: tuple[int, ...]
    reason: str = ""

    @property
    def replaces(self) -> bool:
        """Whether it gives a parameter its new number."""
        return self.quantity.kind.endswith("_new")


@dataclass(frozen=True)
class Section:
    """The steps of one layer, forward or backward, or of the loss.

    Parameters
    ----------
    phase : str
        "forward", "loss", "backward", "examples" or "step".
    steps : tuple of Step
        In order.
    layer, example : int or None
        Of which layer, and of which example of a batch.
    left_out : int
        How many weights of the unit are derived in the same way and not shown.
    """

    phase: str
    steps: tuple[Step, ...]
    layer: int | None = None
    example: int | None = None
    left_out: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a step's numbers come to.

    Parameters
    ----------
    shown : Shown
        The number, rounded.
    exact : bool
        Whether the digits shown give it exactly.
    by_reader : Shown or None
        What they give instead, if that differs in a digit that is shown.
    """

    shown: Shown
    exact: bool
    by_reader: Shown | None


def outcome(step: Step, digits: int, noise: int) -> Outcome:
    """Return a step's number as it is shown, and what a reader finds with the digits that are shown.

    Parameters
    ----------
    step : Step
        The step.
    digits, noise : int
        As for `digits.shown`.

    Returns
    -------
    Outcome
        With a word for the reader wherever the last digits differ.
    """

    def number(item: Quantity | float) -> Decimal:
        return shown(item.value if isinstance(item, Quantity) else item, digits, noise).value

    ours = shown(step.quantity.value, digits, noise)
    theirs = value_of(step.numbers, number)
    if not (ours.value.is_finite() and theirs.is_finite()):
        # ∞ / ∞ is nothing that a reader finds.
        alike = ours.value == theirs or theirs.is_nan()
        return Outcome(ours, False, None if alike else shown(theirs, digits))
    same = rounded(theirs, digits) == ours.value
    return Outcome(ours, theirs == ours.value, None if same else shown(theirs, digits, None))
