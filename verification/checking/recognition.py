"""Which classic mistake a submission makes in rows of calls: one that answers and changes the same, on several networks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from verification.checking.witnesses import agree, witness
from verification.mistakes import MISTAKES, Mistake
from verification.submissions.answers import SubmissionError
from verification.submissions.description import is_finite
from verification.submissions.local import Local, is_class_submission
from verification.submissions.protocol import Outcome, Scene, Step
from verification.submissions.remote import Remote


def recognise_in_protocol(
    protocols: Sequence[tuple[Sequence[Step], Mapping[str, Scene]]], outcomes: Sequence[Outcome | str], *, is_class: bool = True
) -> list[Mistake]:
    """Return the catalogued mistakes that behave in these rows of calls as the submission did.

    Parameters
    ----------
    protocols : sequence of (steps, scenes)
        What was done with the submission.
    outcomes : sequence of Outcome or str
        What it answered and changed, or the kind of error that it ended in.
    is_class : bool
        Whether it is a class: what a function does, none does.

    Returns
    -------
    list of Mistake
        Those that show in a row of calls; empty if none does the same.
    """
    found = []
    for mistake in MISTAKES:
        if not mistake.protocol or is_class_submission(mistake.submission) != is_class:
            continue
        if all(
            _same_outcome(outcome, perform(Local(mistake.submission), steps, scenes))
            for (steps, scenes), outcome in zip(protocols, outcomes, strict=True)
        ):
            found.append(mistake)
    return found


def perform(called: Local | Remote, steps: Sequence[Step], scenes: Mapping[str, Scene]) -> Outcome | str:
    """Return the outcome of a protocol, or the kind of error that it ended in."""
    try:
        with np.errstate(all="ignore"):
            outcome: Outcome = called.perform(steps, scenes)
            return outcome
    except SubmissionError as error:
        # One that stops at another step does something else.
        step = re.search(r"in a row of calls, at (.*)\)", error.sentence)
        return f"{error.kind} at {step[1]}" if step else error.kind


def _same_outcome(mine: Outcome | str, theirs: Outcome | str) -> bool:
    if isinstance(mine, str) or isinstance(theirs, str):
        return mine == theirs
    changes = [{(change.when, change.what) for change in outcome.changes} for outcome in (mine, theirs)]
    names = [[observation.name for observation in outcome.observations] for outcome in (mine, theirs)]
    if changes[0] != changes[1] or names[0] != names[1]:
        return False
    for a, b in zip(mine.observations, theirs.observations, strict=True):
        scene = Scene(a.network, a.x, a.y)
        if not is_finite(a.network):
            # A step has led nowhere; there is nothing to compare any more but where it led.
            if is_finite(b.network):
                return False
            continue
        if a.kind == "parameters":
            if not all(np.allclose(a.arrays[name], b.arrays[name], rtol=1e-12, equal_nan=True) for name in a.arrays):
                return False
        elif not agree(witness(scene, a.arrays), b.arrays):
            return False
    return True
