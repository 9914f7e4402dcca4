"""The grade of a sheet: its points, what is said of every blank, and the first slip with its equation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handgrad import checks
from handgrad.homework.exercises.exercise import Exercise, from_code
from handgrad.homework.grading.answers import Answers, read
from handgrad.homework.grading.verdicts import Verdict, verdicts
from handgrad.homework.words import words


@dataclass(frozen=True, repr=False, eq=False)
class Grade:
    """What a sheet is worth, and why.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    verdicts : tuple of Verdict
        One a blank, in the order of the derivation.
    not_asked : tuple of str
        Names in a file that the exercise does not ask for.
    """

    exercise: Exercise
    verdicts: tuple[Verdict, ...]
    not_asked: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """The sum of the points."""
        return sum(each.points for each in self.verdicts)

    @property
    def of(self) -> int:
        """How many points there are."""
        return len(self.verdicts)

    @property
    def ok(self) -> bool:
        """Whether every number is right."""
        return self.points == self.of

    @property
    def first_slip(self) -> Verdict | None:
        """The first wrong number; its `equations` went wrong first."""
        return next((each for each in self.verdicts if each.verdict == "wrong"), None)

    def __repr__(self) -> str:
        """Return the points."""
        return f"Grade({self.points:g} of {self.of}; print it)"

    def __str__(self) -> str:
        """Return a line for every blank that is not simply right, and the first slip."""
        return "\n".join(_text(self))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON.

        Returns
        -------
        dict
            "exercise", "points", "of", "first_slip", the name of a blank or None, and "blanks", a dict each.
        """
        first = self.first_slip
        return {
            "exercise": self.exercise.code,
            "points": self.points,
            "of": self.of,
            "first_slip": None if first is None else first.blank.name,
            "blanks": [_blank(self.exercise, each) for each in self.verdicts],
        }

    def summary(self) -> str:
        """Return what matters most in one sentence.

        Returns
        -------
        str
            The first slip, its equation, and what it is known as.
        """
        table, of_slips = words(self.exercise.language)["grade"], words(self.exercise.language)["slips"]
        first = self.first_slip
        if first is None:
            is_empty = all(each.verdict == "missing" for each in self.verdicts)
            return table["all_right" if self.ok else "nothing" if is_empty else "first_none"]
        return table["first"].format(
            name=first.blank.name,
            answer=first.written.text,
            equations=_numbers(first.equations),
            why=table["no_model"] if first.slip is None else of_slips[first.slip.key],
        )


def _numbers(equations: tuple[int, ...]) -> str:
    return "".join(f"({number})" for number in equations)


def _blank(exercise: Exercise, each: Verdict) -> dict[str, Any]:
    return {
        "name": each.blank.name,
        "answer": each.written.text,
        "verdict": each.verdict,
        "points": each.points,
        "right": exercise.shown(each.blank.answer),
        "due": exercise.shown(each.due),
        "equations": list(each.equations),
        "slip": None if each.slip is None else each.slip.key,
    }


def _text(grade: Grade) -> Iterator[str]:
    made = grade.exercise
    table = words(made.language)["grade"]
    yield table["head"].format(code=made.code, points=f"{grade.points:g}", of=grade.of)
    longest = max(len(each.blank.name) for each in grade.verdicts)
    for each in grade.verdicts:
        if each.verdict not in ("right", "missing"):
            line = f"  {each.blank.name:<{longest}}  {each.written.text:>10}  {table[each.verdict]}"
            remark = _remark(grade, each)
            yield f"{line}; {remark}   {_numbers(each.equations)}" if remark else line
    missing = [each.blank.name for each in grade.verdicts if each.verdict == "missing"]
    if missing:
        yield f"  {table['missing']}: {', '.join(missing)}"
    if grade.not_asked:
        yield f"  {table['not_asked']}: {', '.join(grade.not_asked)}"
    yield grade.summary()
    later = sum(each.verdict == "carried" for each in grade.verdicts)
    if later:
        yield table["then_one" if later == 1 else "then"].format(count=later)


def _remark(grade: Grade, each: Verdict) -> str:
    """Return what would be right."""
    table, made = words(grade.exercise.language)["grade"], grade.exercise
    due = made.shown(each.due).replace("-", "−")
    match each.verdict:
        case "wrong":
            return table["should_from_yours" if each.by_own else "should"].format(number=due)
        case "imprecise":
            return table["asked"].format(number=due)
        case _:
            return ""


def grade(answers: Mapping[str, object] | str | Path, exercise: Exercise | None = None) -> Grade:
    """Grade what was filled in: every number by those before it, so that one slip costs once.

    Parameters
    ----------
    answers : mapping of str to object, or str or Path
        Numbers, or text as it was written ("0.25", "−1/8"), by name ("z1_1", "dL_dw1_21"); or the path of a CSV file with a row
        a number, or of the sheet's Markdown with its blanks filled. What is missing is a blank.
    exercise : Exercise, optional
        What was asked; of a file that says which exercise it is, that one unless given.

    Returns
    -------
    Grade
        `print` it; `points`, `of`, `first_slip`, `verdicts`, `to_dict()`.

    Raises
    ------
    TypeError, ValueError
        If answers are neither, a name is unknown or comes twice, or the file says that it is another exercise.
    OSError
        If the file cannot be read.

    Notes
    -----
    A number is right if it follows from those before it as they stand on the paper, or is the right one; what follows from a
    slip is *carried*. How far it may be off follows from the digits that are asked: a unit of the last, and what that does to
    the numbers after it; where a table is used, half a hundredth of what is looked up. An exact number must be exact. What is
    rounded, or cut, to fewer digits is worth a half. Of a sheet that is one number everywhere, and of zeros that follow from
    more than two wrong ones, nothing is carried.

    Examples
    --------
    >>> from handgrad.homework.exercises.exercise import exercise
    >>> e = exercise(seed=7, level=1)
    >>> answers = {blank.name: str(blank.answer) for blank in e.blanks}
    >>> grade(answers, e)
    Grade(13 of 13; print it)
    >>> print(grade(answers | {"L": "1"}, e).first_slip.equations)
    (10,)
    """
    if exercise is not None:
        checks.instance("exercise", exercise, Exercise, "an Exercise")
    found = read(answers)
    graded = of_answers(found, str(answers) if isinstance(answers, str | Path) else "answers", exercise)
    if not isinstance(answers, str | Path):
        for name in graded.not_asked:
            checks.one_of("a name in the answers", name, [blank.name for blank in graded.exercise.blanks])
    return graded


def of_answers(answers: Answers, called: str, exercise: Exercise | None = None, language: str = "en") -> Grade:
    """Return the grade of answers that were read.

    Parameters
    ----------
    answers : Answers
        As `answers.read` returns them; names that are not asked for are told in the grade.
    called : str
        What they are called in an error: the file's name.
    exercise : Exercise, optional
        What was asked; what they say themselves unless given.
    language : str
        Of what is said, where they say it themselves.

    Returns
    -------
    Grade
        As `grade` returns it.

    Raises
    ------
    ValueError
        If they do not say which exercise it is, and none is given, or say that it is another.
    """
    said = None if answers.code is None else from_code(answers.code, language)
    if exercise is None:
        exercise = checks.told_exercise(called, said)
    checks.same_exercise(None if said is None else said.code, exercise.code)
    found = answers.for_names(blank.name for blank in exercise.blanks)
    return Grade(exercise, tuple(verdicts(exercise, found.written)), found.not_asked)
