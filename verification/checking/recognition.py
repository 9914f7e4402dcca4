"""Which classic mistake a submission makes: one whose own numbers are the submission's, on fresh networks, right or wrong.

A mistake is claimed only if it answers every fresh network as the submission does, right and wrong alike, and the submission
is wrong on several of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.analysis import bounds
from verification.bounds.quantities import without_batch_axis
from verification.bounds.rounding import ANY, ANY_CONVENTION, rounding
from verification.mistakes import MISTAKES, Mistake
from verification.random_networks.plain import plain_case
from verification.submissions.answers import SubmissionError
from verification.submissions.description import as_network, is_finite
from verification.submissions.local import Local
from verification.submissions.protocol import Outcome, Scene, Step
from verification.submissions.remote import Remote

Array = npt.NDArray[Any]
Answer = Mapping[str, Array] | str

# How many of the fresh networks must show the submission wrong before a mistake may be claimed.
ENOUGH = 3


def answer(called: Local | Remote, scene: Scene) -> Answer:
    """Return what a submission answers about a scene: its arrays, or the kind of its error, with a name not known."""
    try:
        with np.errstate(all="ignore"):
            return called.gradient(scene.network, scene.x, scene.y).arrays
    except SubmissionError as error:
        return f"unknown {error.quantity}" if error.kind == "unknown" else error.kind


def recognise(scenes: Sequence[Scene], answers: Sequence[Answer], *, strict_kinks: bool = False) -> list[Mistake]:
    """Return the catalogued mistakes that answer every scene as the submission did, the likeliest first.

    Parameters
    ----------
    scenes : sequence of Scene
        Networks with data, on some of which the submission is wrong.
    answers : sequence of Answer
        The submission's own.
    strict_kinks : bool
        Whether another g′ at a kink hit exactly is another answer.

    Returns
    -------
    list of Mistake
        Those that show in a single call; empty if none does the same.
    """
    slack = [_slack(scene, strict_kinks) for scene in scenes]
    found = []
    for mistake in MISTAKES:
        if mistake.protocol:
            continue
        called = Local(mistake.submission)
        if all(
            _same(given, answer(called, scene), allowed, scene)
            for scene, given, allowed in zip(scenes, answers, slack, strict=True)
        ):
            found.append(mistake)
    return found


def recognise_in_protocol(
    protocols: Sequence[tuple[Sequence[Step], Mapping[str, Scene]]], outcomes: Sequence[Outcome | str]
) -> list[Mistake]:
    """Return the catalogued mistakes that behave in these rows of calls as the submission did.

    Parameters
    ----------
    protocols : sequence of (steps, scenes)
        What was done with the submission.
    outcomes : sequence of Outcome or str
        What it answered and changed, or the kind of error that it ended in.

    Returns
    -------
    list of Mistake
        Those that show in a row of calls; empty if none does the same.
    """
    found = []
    for mistake in MISTAKES:
        if not mistake.protocol:
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
        return error.kind


def _slack(scene: Scene, strict_kinks: bool = False) -> dict[str, Array]:
    asked = plain_case(as_network(scene.network), scene.x, scene.y)
    found = bounds(asked, ANY if strict_kinks else ANY_CONVENTION)
    return without_batch_axis(found) if scene.x.ndim == 1 else found


def _same(mine: Answer, theirs: Answer, allowed: Mapping[str, Array], scene: Scene) -> bool:
    """Say whether two answers agree in the parameters' derivatives, and in everything else that both give."""
    if isinstance(mine, str) or isinstance(theirs, str):
        return mine == theirs
    u = rounding(scene.network.weights[0].dtype).u
    # A mistake that gives no loss at all may still be the same mistake; one that gives another loss is not.
    compared = [name for name in mine if name in theirs and name in allowed]
    return all(_close(mine[name], theirs[name], allowed[name], u) for name in compared)


def _close(mine: Array, theirs: Array, allowed: Array, u: float) -> bool:
    if mine.shape != theirs.shape:
        return False
    with np.errstate(all="ignore"):
        # Wrong numbers may be larger than the right ones that the bound was computed for.
        room = 4 * allowed + 256 * u * np.abs(theirs.astype(float))
        near = np.abs(mine.astype(float) - theirs.astype(float)) <= room
    return bool((near | (mine == theirs) | (np.isnan(mine) & np.isnan(theirs)) | np.isinf(allowed)).all())


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
            allowed = {name: np.zeros_like(array, float) for name, array in a.arrays.items()}
        else:
            allowed = _slack(scene)
        if not _same(a.arrays, b.arrays, allowed, scene):
            return False
    return True
