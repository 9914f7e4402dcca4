"""What is said of every blank: right, right given an earlier slip, with too few digits, or wrong, and by which slip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from handgrad.homework.digits import ARITHMETIC
from handgrad.homework.exercises.blanks import Blank
from handgrad.homework.exercises.exercise import Exercise
from handgrad.homework.exercises.paper import Found, on_paper, right_numbers
from handgrad.homework.expressions import Quantity, leaves
from handgrad.homework.grading.numbers import Written
from handgrad.homework.grading.slips import Slip, recognised
from handgrad.homework.intervals import Interval, around

# Verdicts, and what each is worth.
POINTS = {"right": 1.0, "carried": 1.0, "imprecise": 0.5, "wrong": 0.0, "hollow": 0.0, "unreadable": 0.0, "missing": 0.0}
# Digits that leave more than this part of a number open tell nothing; a whole unit of the last is not cut off.
OPEN, LESS_THAN_ONE = Decimal("0.25"), Decimal("0.999999")
# As many wrong zeros are slips: with more of them, zeros that follow from one another show nothing.
ZEROS = 2
# So many answers that are all one number are no work.
ALIKE = 5
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
        return self.blank.equations if self.slip is None else self.slip.equations


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

    def put_down(quantity: Quantity, value: Interval) -> Interval:
        answer = answers.get(blanks[quantity].name, MISSING) if quantity in blanks else MISSING
        if answer.value is None:
            return value
        written, due = around(answer.value, unit), (value, around(blanks[quantity].answer, unit))
        if any(map(written.meets, due)) or not any(_has_few_digits(answer, each, unit) for each in due):
            return written
        # Who rounds a number may go on with all its digits; an exact one is gone on with as it is, or as it stands there.
        return _open_for(answer, unit) if unit else written

    numbers = [answer.value for answer in answers.values() if answer.value is not None]
    grader = _Grader(unit, right, len(numbers) >= ALIKE and len(set(numbers)) == 1)
    for found in on_paper(*given, put_down, with_table=True):
        blank = blanks.get(found.step.quantity)
        if blank is None:
            grader.pass_on(found)
        else:
            yield grader.verdict(blank, answers.get(blank.name, MISSING), found)


@dataclass
class _Grader:
    """Goes through the numbers in their order, and keeps what is known of those before.

    Parameters
    ----------
    unit : Decimal
        Of the last place that is asked for.
    right : dict of Quantity to Interval
        What each may be if nothing went wrong.
    is_alike : bool
        Whether every answer is the same number.
    unwritten : set of Quantity
        What does not stand on the paper, so that nobody knows with which digits it was gone on.
    hollow : set of Quantity
        What follows and shows nothing.
    zeros : int
        How many wrong answers were 0.
    has_slipped : bool
        Whether something was wrong.
    """

    unit: Decimal
    right: dict[Quantity, Interval]
    is_alike: bool
    unwritten: set[Quantity] = field(default_factory=set)
    hollow: set[Quantity] = field(default_factory=set)
    zeros: int = 0
    has_slipped: bool = False

    def pass_on(self, found: Found) -> None:
        """Give a number that is not asked for what is known of those that it comes from."""
        for kept in (self.unwritten, self.hollow):
            if kept.intersection(_used(found)):
                kept.add(found.step.quantity)

    def verdict(self, blank: Blank, answer: Written, found: Found) -> Verdict:
        """Return what is said of an answer."""
        quantity, due = found.step.quantity, (found.value.low + found.value.high) / 2
        by_own = not around(blank.answer, self.unit).meets(found.value)
        slip = None
        if answer.value is None:
            self.unwritten.add(quantity)
            verdict = "unreadable" if answer.text else "missing"
        elif self._is_right(answer.value, blank, found):
            verdict = "carried" if self.has_slipped and not self._written(answer.value).meets(self.right[quantity]) else "right"
            if verdict == "carried" and (self.is_alike or self._is_hollow(answer.value, found)):
                verdict = "hollow"
                self.hollow.add(quantity)
        elif any(_has_few_digits(answer, value, self.unit) for value in (around(blank.answer, self.unit), found.value)):
            verdict = "imprecise"
        else:
            verdict, self.has_slipped = "wrong", True
            slip = recognised(found.step, found.of, found.worked_out, lambda value: self._is_written(answer, value))
            self._count_zero(quantity, answer.value)
        return Verdict(blank, answer, verdict, due, by_own, slip)

    def _is_right(self, value: Decimal, blank: Blank, found: Found) -> bool:
        """Say whether a number follows from those on the paper, or is the right one, as far as the paper tells."""
        written = self._written(value)
        if written.meets(found.value) or written.meets(around(blank.answer, self.unit)):
            return True
        return bool(self.unwritten.intersection(_used(found))) and written.meets(self.right[found.step.quantity])

    def _is_written(self, answer: Written, value: Interval) -> bool:
        return answer.value is not None and (
            self._written(answer.value).meets(value) or _has_few_digits(answer, value, self.unit)
        )

    def _is_hollow(self, value: Decimal, found: Found) -> bool:
        return self._is_zero(value) and bool(self.hollow.intersection(_used(found)))

    def _count_zero(self, quantity: Quantity, value: Decimal) -> None:
        if self._is_zero(value):
            self.zeros += 1
            if self.zeros > ZEROS:
                self.hollow.add(quantity)

    def _written(self, value: Decimal) -> Interval:
        return around(value, self.unit)

    def _is_zero(self, value: Decimal) -> bool:
        return abs(value) <= 2 * self.unit


def _used(found: Found) -> set[Quantity]:
    """Return the quantities that a number comes from; of a case of a formula, those that it depends on, too."""
    return {*leaves(found.step.numbers), *leaves(found.step.formula)}


def _has_few_digits(answer: Written, value: Interval, unit: Decimal) -> bool:
    """Say whether an answer is a number that was rounded, or cut, to fewer digits than are asked."""
    is_told = answer.value is not None and unit < answer.place <= OPEN * abs(answer.value)
    return is_told and value.meets(_open_for(answer, unit))


def _open_for(answer: Written, unit: Decimal) -> Interval:
    """Return the numbers that are rounded, or cut, to an answer: what was cut is larger, what was rounded a half unit away."""
    assert answer.value is not None
    size = abs(answer.value)
    # The value that is compared with it has a unit of its own.
    found = Interval(size - answer.place / 2, size + answer.place * LESS_THAN_ONE - unit)
    return found if answer.value > 0 else -found
