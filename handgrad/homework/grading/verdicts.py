"""What is said of every blank: right, right given an earlier slip, with too few digits, or wrong, and by which slip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

from handgrad.homework.digits import ARITHMETIC
from handgrad.homework.exercises.blanks import Blank
from handgrad.homework.exercises.exercise import Exercise
from handgrad.homework.exercises.paper import Found, on_paper, right_numbers
from handgrad.homework.expressions import Quantity, leaves
from handgrad.homework.grading.answers import Written
from handgrad.homework.grading.slips import Slip, recognised
from handgrad.homework.intervals import Interval, around

# Verdicts, and what each is worth.
POINTS = {"right": 1.0, "carried": 1.0, "imprecise": 0.5, "wrong": 0.0, "hollow": 0.0, "unreadable": 0.0, "missing": 0.0}
# Fewer digits than these tell nothing.
LEAST_DIGITS, LESS_THAN_ONE = 2, Decimal("0.999999")
MISSING = Written("", None, Decimal(0))


@dataclass(frozen=True)
class Verdict:
    """What is said of one blank.

    Parameters
    ----------
    blank : Blank
        What was asked.
    written : Written
        What was answered.
    verdict : str
        A key of `POINTS`.
    due : Decimal
        What the numbers before it give, as they stand on the paper.
    by_own : bool
        Whether that is another number than the right one.
    slip : Slip or None
        Of what is wrong, the slip that gives it, if one is known.
    """

    blank: Blank
    written: Written
    verdict: str
    due: Decimal
    by_own: bool
    slip: Slip | None

    @property
    def points(self) -> float:
        """What it is worth, of 1."""
        return POINTS[self.verdict]

    @property
    def equations(self) -> tuple[int, ...]:
        """The equation that went wrong, or by which the number is derived."""
        return self.blank.step.equations if self.slip is None else self.slip.equations


def verdicts(exercise: Exercise, answers: dict[str, Written]) -> list[Verdict]:
    """Return what is said of every blank, in the order of the derivation.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    answers : dict of str to Written
        What was answered, by name.

    Returns
    -------
    list of Verdict
        One a blank.
    """
    with localcontext(ARITHMETIC):
        return list(_verdicts(exercise, answers))


def _verdicts(exercise: Exercise, answers: dict[str, Written]) -> Iterator[Verdict]:
    unit = exercise.unit
    blanks = {blank.step.quantity: blank for blank in exercise.blanks}
    given = (exercise.net, exercise.trace, exercise.targets)
    right = right_numbers(*given, unit)
    hollow: set[Quantity] = set()

    def put_down(quantity: Quantity, value: Interval) -> Interval:
        answer = answers.get(blanks[quantity].name, MISSING) if quantity in blanks else MISSING
        if answer.value is None:
            return value
        written, due = around(answer.value, unit), (value, right[quantity])
        if any(map(written.meets, due)) or not any(_has_few_digits(answer, each) for each in due):
            return written
        # Who rounds a number may go on with all its digits.
        return around(answer.value, answer.place)

    for found in on_paper(*given, put_down, with_table=True):
        blank = blanks.get(found.step.quantity)
        if blank is not None:
            yield _verdict(blank, answers.get(blank.name, MISSING), found, right[found.step.quantity], unit, hollow)


def _verdict(blank: Blank, answer: Written, found: Found, right: Interval, unit: Decimal, hollow: set[Quantity]) -> Verdict:
    due = (found.value.low + found.value.high) / 2
    by_own = not around(blank.answer, unit).meets(found.value)

    def is_written(value: Interval) -> bool:
        return around(answer.value or Decimal(0), unit).meets(value) or _has_few_digits(answer, value)

    def said(verdict: str, slip: Slip | None = None) -> Verdict:
        return Verdict(blank, answer, verdict, due, by_own, slip)

    if answer.value is None:
        return said("unreadable" if answer.text else "missing")
    written = around(answer.value, unit)
    if written.meets(right):
        return said("right")
    quantity = found.step.quantity
    if written.meets(found.value):
        # Zeros all the way down would follow from one another.
        used = (*leaves(found.step.numbers), *leaves(found.step.formula))
        if not answer.value and any(leaf in hollow for leaf in used):
            hollow.add(quantity)
            return said("hollow")
        return said("carried")
    if _has_few_digits(answer, right) or _has_few_digits(answer, found.value):
        return said("imprecise")
    if not answer.value:
        hollow.add(quantity)
    return said("wrong", recognised(found.step, found.of, found.worked_out, is_written))


def _has_few_digits(answer: Written, value: Interval) -> bool:
    """Say whether an answer is a number that was rounded, or cut, to the digits that were written."""
    assert answer.value is not None
    digits = len(answer.value.as_tuple().digits)
    # A whole unit of the last digit is neither rounded nor cut.
    return digits >= LEAST_DIGITS and around(answer.value, answer.place * LESS_THAN_ONE).meets(value)
