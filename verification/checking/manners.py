"""Rows of calls: what gives wrong numbers in an ordinary training loop, and what only a caller who edits arrays would meet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from verification.bounds.quantities import is_derivative
from verification.checking.asking import FATAL, Asking
from verification.checking.grading import Grade
from verification.checking.questions import ORDINARY, is_ordinary
from verification.random_networks.cases import Case
from verification.submissions.answers import SubmissionError
from verification.submissions.description import Array, as_network, describe, is_finite
from verification.submissions.protocol import Observation, Outcome, Scene, Step, scenes, steps

Row = tuple[Sequence[Step], Mapping[str, Scene]]

# So many other questions let a function forget.
OTHERS = 3
# No training loop goes backward twice after one forward, or writes into what forward returned.
EDITS = AGAIN, OTHER, EDITED = (
    "backward again",
    "backward for other targets, forward not rerun",
    "after its caller changed what forward had returned",
)
TOLD = {
    AGAIN: "a second backward after one forward gives other numbers",
    OTHER: "a backward for other targets, forward not run again, gives wrong numbers",
    EDITED: "forward hands out the array that backward reads: a caller who changes it changes the gradient",
}
REMEDY = "copy what is handed out and what is kept: a.copy()"


def row(asking: Asking, drawn: Case, number: int) -> Row:
    """Return an ordinary row of calls around a case.

    Parameters
    ----------
    asking : Asking
        The submission.
    drawn : Case
        The network that the row is about.
    number : int
        The same number gives the same other networks and batches.

    Returns
    -------
    tuple
        Steps and scenes, as `verification.submissions.protocol.perform` takes them.
    """
    subject, support = asking.subject, asking.questions.support
    x, y = np.asarray(drawn.x), np.asarray(drawn.y)
    batches = support.batches and support.widths is None and x.ndim == 2
    of_row = scenes(describe(drawn.net), x, y, number, batches=batches, biases=support.biases)
    sizes = [size for size in ("larger", "smaller") if size in of_row]
    # A step with a term of l2, or with a factor that is no power of two, is rounded otherwise, and cannot be compared exactly.
    descends = subject.descends and not support.l2 and support.squared_error != "mean_squared_error"
    made = steps(subject.is_class, descends=descends, parameters=subject.has_parameters, sizes=sizes)
    return tuple(step for step in made if step.name not in EDITS and step.do != "edit"), of_row


def edits(asking: Asking, drawn: Case, number: int) -> Row:
    """Return the row of what no training loop does; empty for a function."""
    if not asking.subject.is_class:
        return (), {}
    _, of_row = row(asking, drawn, number)
    return (
        Step("build"),
        Step("forward"),
        Step("backward", name="the first call"),
        Step("backward", name=AGAIN),
        Step("backward", "decoy", OTHER),
        Step("forward"),
        Step("edit"),
        Step("backward", name=EDITED),
    ), of_row


def performed(asking: Asking, made: Row) -> Outcome | str:
    """Return the outcome of a row, or the sentence that says how it ended; what ends the examination is raised."""
    try:
        with np.errstate(all="ignore"):
            return asking.subject.perform(*made)
    except SubmissionError as error:
        if error.kind in FATAL:
            raise
        return str(error)


def wrong_step(asking: Asking, outcome: Outcome) -> tuple[Observation, Grade] | None:
    """Return the first answer of a row that is wrong, with what it is worth; None if all are right.

    Where a step has led to numbers of no ordinary size nothing is judged: that is another question.
    """
    for seen in outcome.observations:
        if seen.kind == "parameters":
            right = seen.network.named()
            if not all(np.array_equal(seen.arrays[name], right[name], equal_nan=True) for name in right):
                return seen, Grade(())
        elif is_finite(seen.network) and is_ordinary(case_of(seen), kinks=True):
            found = asking.grade(seen.arrays, seen.network, seen.x, seen.y)
            if not (found.ok or found.only_digits or found.lacks_the_loss_alone):
                return seen, found
    return None


def case_of(seen: Observation) -> Case:
    """Return the network and the data of a step of a row."""
    return Case(as_network(seen.network), seen.x, seen.y)


def alone(asking: Asking, outcome: Outcome | str, made: Row) -> Case | None:
    """Return a case of the row that is wrong by itself, in a fresh instance, so that the row has nothing to do with it."""
    if isinstance(outcome, str):
        asked = [Case(as_network(scene.network), scene.x, scene.y) for scene in made[1].values()]
    else:
        wrong = wrong_step(asking, outcome)
        asked = [] if wrong is None or wrong[0].kind == "parameters" else [case_of(wrong[0])]
    for each in asked:
        if not asking.questions.covers(each):
            continue
        if not asking.subject.is_class:
            # A function may remember the calls before: let there be others between.
            for number in range(OTHERS):
                asking.answered(asking.questions.case(number, stream=13, of=ORDINARY))
        found = asking.graded(each)
        if isinstance(found, SubmissionError) or not found.ok:
            return each
    return None


def remembered(asking: Asking, outcome: Outcome) -> tuple[int, str, Case] | None:
    """Return what an answer is right for that came earlier in the row: equation, words and the call; None if it is not.

    Parameters
    ----------
    asking : Asking
        The submission.
    outcome : Outcome
        Of an ordinary row that is wrong.

    Returns
    -------
    tuple of (int, str, Case), or None
        (8) for the activations, or parameters, of an earlier call; (4), (2) or (1) for its targets; (11) for sums that go on.
    """
    wrong = wrong_step(asking, outcome)
    if wrong is None or wrong[0].kind == "parameters":
        return None
    seen, found = wrong
    off = {entry.name for entry in found.wrong}
    before = [each for each in outcome.observations if each.kind == "gradient"]
    targets = {"squared_error": 4, "cross_entropy": 2, "binary_cross_entropy": 1}[seen.network.loss]
    # Of kept activations alone x itself is new, which dL/dw of the first layer shows.
    without_x = {name: array for name, array in seen.arrays.items() if name != "w1" and is_derivative(name)}
    for each in reversed(before[: before.index(seen)]):
        less = _less(seen, each, off)
        for equation, words, network, x, y, arrays in (
            (8, "the activations are those of an earlier batch", seen.network, each.x, seen.y, without_x),
            (8, "the activations are those of an earlier batch", seen.network, each.x, seen.y, seen.arrays),
            (targets, "the targets are those of an earlier batch", seen.network, seen.x, each.y, seen.arrays),
            (8, "the parameters are those from before the step", each.network, seen.x, seen.y, seen.arrays),
            (8, "the answer is that to an earlier call", each.network, each.x, each.y, seen.arrays),
            (11, "the answer before is added: sums are not set back to 0", seen.network, seen.x, seen.y, less),
        ):
            fits = len(np.atleast_2d(x)) == len(np.atleast_1d(y)) or x.ndim == 1
            # What is right as it stands says nothing of what was kept.
            if fits and off & arrays.keys() and np.ndim(y) == np.ndim(each.y) and asking.grade(arrays, network, x, y).ok:
                return equation, words, case_of(each)
    return None


def _less(seen: Observation, earlier: Observation, names: Collection[str]) -> dict[str, Array]:
    """Return the derivatives of an answer, of these names less those of an earlier one; empty if they have other shapes."""
    if any(array.shape != earlier.arrays[name].shape for name, array in seen.arrays.items() if name in earlier.arrays):
        return {}
    return {
        name: array - earlier.arrays[name] if name in names else array
        for name, array in seen.arrays.items()
        if is_derivative(name) and name in earlier.arrays
    }


def damage(outcome: Outcome) -> Outcome:
    """Return the outcome with those changes alone that harm a training loop: to the caller's own arrays."""
    return replace(outcome, changes=tuple(each for each in outcome.changes if each.what.startswith("the caller's")))


def is_violated(asking: Asking, outcome: Outcome | str) -> bool:
    """Say whether an ordinary row shows something that is wrong."""
    return isinstance(outcome, str) or bool(damage(outcome).changes) or wrong_step(asking, outcome) is not None


def of_edits(asking: Asking, outcome: Outcome | str) -> list[str]:
    """Return what a row shows that only a caller who edits or keeps arrays would meet, in sentences without numbers.

    Parameters
    ----------
    asking : Asking
        The submission.
    outcome : Outcome or str
        Of a row of `edits`, or of an ordinary row that is right.

    Returns
    -------
    list of str
        Empty if there is nothing of the kind.
    """
    if isinstance(outcome, str):
        return ["a second backward after one forward stops with an error"]
    found = []
    wrong = wrong_step(asking, outcome)
    if wrong is not None:
        found.append(TOLD.get(wrong[0].name, wrong[0].name))
    kept = [each.what for each in outcome.changes if not each.what.startswith("the caller's")]
    if kept:
        what = "what forward returned" if kept[0] == "what forward returned" else "a gradient that was returned"
        found.append(f"{what} is changed by later calls")
    return found
