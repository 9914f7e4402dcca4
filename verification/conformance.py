"""A report card as a test suite: `pytest --pyargs verification.conformance --submission homework.py`.

A test for each equation that the submission uses, and a test for each of four questions: ordinary networks, corners, rows of
calls, extreme numbers. The submission is examined once. What is wrong fails the test of its equation, and the story stands
there; what is right with a note passes with a warning, or fails with --submission-strict.
"""

from __future__ import annotations

import warnings

import pytest

from verification.checking.card import RIGHT, WRONG, rows
from verification.checking.check import examined
from verification.checking.pytest_plugin import STRICT, SUBMISSION
from verification.checking.verdict import Verdict

# Question → what it asks, and the notes that belong to it.
QUESTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ordinary": ("networks with numbers of ordinary size", ()),
    "rows": ("rows of calls, as a training loop makes them", ("manners",)),
    "corners": (
        "kinks hit exactly, ties, zeros, exact fits, one unit, one example, large layers and batches",
        ("conventions",),
    ),
    "numbers": ("huge, tiny and saturating numbers, and float32", ("numbers",)),
}
VERDICT: pytest.StashKey[Verdict] = pytest.StashKey()


class NoteWarning(UserWarning):
    """Something that is no mistake of the derivation, and should be known."""


def verdict_of(config: pytest.Config) -> Verdict:
    """Return the verdict on the submission, which is examined for the first test that asks."""
    if VERDICT not in config.stash:
        config.stash[VERDICT] = examined(config.stash[SUBMISSION])
    return config.stash[VERDICT]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of every equation that the submission uses, and of every question."""
    subject = metafunc.config.stash.get(SUBMISSION, None)
    if "equation" in metafunc.fixturenames:
        # Without a submission the plugin ends the run as soon as it sees one of these tests.
        metafunc.parametrize("equation", [] if subject is None else rows(subject.support))
    else:
        metafunc.parametrize("question", list(QUESTIONS))


def _fail(verdict: Verdict, what: str) -> None:
    # What a person needs is in the verdict; the suite's own lines are not.
    pytest.fail(f"{what}\n\n{verdict}", pytrace=False)


def test_submission_uses_equation_rightly(equation: str, pytestconfig: pytest.Config) -> None:
    """Fail where the report card says that the equation is wrong; the first of them tells the whole story."""
    verdict = verdict_of(pytestconfig)
    found = {row.equation: row for row in verdict.card}.get(equation)
    if found is None or found.state not in (RIGHT, WRONG):
        said = "nothing could be judged" if found is None else f"{found.state}: {found.why}"
        pytest.skip(said)
    if found.state == WRONG:
        first = next(row for row in verdict.card if row.state == WRONG)
        if found is first:
            _fail(verdict, f"{equation}: {found.why}")
        pytest.fail(f"{equation}: {found.why} (the story stands at {first.equation})", pytrace=False)


def test_submission_answers_question_rightly(question: str, pytestconfig: pytest.Config) -> None:
    """Fail where something is wrong that is no equation's, and warn of what is right with a note."""
    verdict = verdict_of(pytestconfig)
    asks, of_notes = QUESTIONS[question]
    fails_at = {"manners": "rows", "": "ordinary"}.get(verdict.question, verdict.question)
    wrong = [row for row in verdict.card if row.state == WRONG and row.equation in rows(pytestconfig.stash[SUBMISSION].support)]
    if not verdict.ok:
        if fails_at == question and wrong:
            pytest.skip(f"wrong, and told at {wrong[0].equation}")
        if fails_at == question:
            _fail(verdict, asks)
        if list(QUESTIONS).index(question) > list(QUESTIONS).index(fails_at):
            pytest.skip(f"not asked while something is wrong in: {QUESTIONS[fails_at][0]}")
        return
    notes = [note for note in verdict.notes if note.question in of_notes]
    strict = pytestconfig.stash[STRICT]
    if notes and strict:
        pytest.fail("\n".join(map(str, notes)), pytrace=False)
    for note in notes:
        warnings.warn(NoteWarning(str(note)), stacklevel=1)
