"""What only a row of calls shows, told: the smallest network, the call that is wrong, what was kept or changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from verification.checking import manners, recognition
from verification.checking.asking import Asking, same
from verification.checking.card import IN_ROWS, card
from verification.checking.diagnosis import Blame
from verification.checking.moods import tell_two
from verification.checking.questions import CORNERS, ORDINARY, is_ordinary
from verification.checking.telling import tell
from verification.checking.verdict import Verdict
from verification.mistakes import Mistake
from verification.random_networks import shrinking
from verification.random_networks.cases import Case
from verification.submissions.answers import SubmissionError
from verification.submissions.description import Description
from verification.submissions.protocol import Outcome

Right = tuple[Description, list[str]]
MakeRow = Callable[[Asking, Case, int], manners.Row]

FRESH_ROWS = 4


def tell_row(
    verdict: Verdict, asking: Asking, drawn: Case, number: int, outcome: Outcome | str, right: Sequence[Right]
) -> None:
    """Fill the verdict for an ordinary row of calls that is wrong.

    Parameters
    ----------
    verdict : Verdict
        Is filled.
    asking : Asking
        The submission.
    drawn : Case
        The network that the row is about.
    number : int
        Of the row, as `manners.row` takes it.
    outcome : Outcome or str
        What came of it.
    right : sequence of (Description, list of str)
        Networks with the quantities that came right on them, for the report card.
    """
    made = manners.row(asking, drawn, number)
    by_itself = manners.alone(asking, outcome, made)
    if by_itself is not None:
        question = ORDINARY if is_ordinary(by_itself) else CORNERS
        tell(verdict, asking, by_itself, asking.graded(by_itself), question)
        return
    verdict.status, verdict.question = "wrong", "manners"
    verdict.when = "in a row of calls, though a single call is right"

    def fails(each: Case) -> bool:
        if not asking.questions.covers(each) or not is_ordinary(each, kinks=True):
            return False
        again = manners.row(asking, each, number)
        found = manners.performed(asking, again)
        # A network that is wrong by itself shows nothing of the row.
        return manners.is_violated(asking, found) and manners.alone(asking, found, again) is None

    if not fails(drawn):
        _tell_mood(verdict, asking, drawn, outcome)
        return
    smallest = shrinking.shrink(drawn, fails)
    made = manners.row(asking, smallest, number)
    outcome = manners.performed(asking, made)
    verdict.case = smallest
    if isinstance(outcome, str):
        verdict.error = outcome
    else:
        verdict.changes = manners.damage(outcome).changes
        wrong = manners.wrong_step(asking, outcome)
        if wrong is not None:
            verdict.step, verdict.grade, verdict.arrays = wrong[0].name, wrong[1], dict(wrong[0].arrays)
            if wrong[1].wrong:
                # A step of descent has moved the parameters: these belong to the numbers.
                verdict.case = manners.case_of(wrong[0])
                before = [each for each in outcome.observations if each.kind == "gradient"]
                place = before.index(wrong[0])
                verdict.earlier = manners.case_of(before[place - 1]) if place else None
    verdict.in_protocol = tuple(recognised(asking, manners.row, (smallest, number)))
    memory = None if isinstance(outcome, str) else manners.remembered(asking, outcome)
    if memory is not None:
        verdict.earlier = memory[2]
    if verdict.in_protocol:
        quantity = verdict.grade.wrong[0].name if verdict.grade and verdict.grade.wrong else ""
        verdict.blame = Blame(verdict.in_protocol[0].equation, quantity, verdict.in_protocol[0].thought)
    elif memory is not None:
        verdict.blame = Blame(memory[0], verdict.step, memory[1])
    wrong_row = {IN_ROWS: verdict.error or verdict.step or str(verdict.changes[0])}
    verdict.card = card(asking.subject.support, right, wrong_row, "loss" in asking.kinds)


def _tell_mood(verdict: Verdict, asking: Asking, drawn: Case, outcome: Outcome | str) -> None:
    """Tell a row that was wrong, and right when it was made again."""
    verdict.case, verdict.when = drawn, ""
    verdict.error = "it is not deterministic: the same row of calls was right when it was made again"
    wrong = None if isinstance(outcome, str) else manners.wrong_step(asking, outcome)
    if wrong is None or wrong[0].kind == "parameters":
        return
    asked = manners.case_of(wrong[0])
    again = asking.answered(asked)
    if not isinstance(again, SubmissionError) and not same(wrong[0].arrays, again):
        tell_two(verdict, asked, wrong[0].arrays, again)


def recognised(asking: Asking, row: MakeRow, smallest: tuple[Case, int]) -> list[Mistake]:
    """Return the catalogued mistakes that behave in rows of calls as the submission does.

    Parameters
    ----------
    asking : Asking
        The submission.
    row : callable
        `manners.row` or `manners.edits`.
    smallest : tuple of (Case, int)
        The network, and the number of its row.

    Returns
    -------
    list of Mistake
        Those that do the same on fresh networks, too.
    """
    fresh = [(asking.questions.case(place, stream=5, of=ORDINARY), place) for place in range(FRESH_ROWS)]
    rows = [row(asking, *each) for each in [*fresh, smallest]]
    outcomes = [recognition.perform(asking.subject, *each) for each in rows]
    return recognition.recognise_in_protocol(rows, outcomes, is_class=asking.subject.is_class)
