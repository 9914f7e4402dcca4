"""check(): somebody else's backpropagation on random networks, and if it is wrong, which equation, which mistake, where.

First every network by itself; then rows of calls, which show what a class keeps or damages. What is found is shrunk, blamed
on an equation, and held against the catalogue of classic mistakes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad import checks
from verification.bounds.quantities import without_batch_axis
from verification.bounds.rounding import NAIVE
from verification.checking import recognition
from verification.checking.diagnosis import Blame, blame, kind_of
from verification.checking.grading import BY_HANDGRAD, AnswerKey, Grade, Oracle
from verification.checking.questions import Questions
from verification.checking.verdict import Verdict
from verification.mistakes import Mistake
from verification.random_networks import shrinking
from verification.random_networks.cases import Case
from verification.random_networks.plain import plain_case
from verification.submissions.answers import SubmissionError
from verification.submissions.description import Description, as_network, describe, is_finite
from verification.submissions.local import Local
from verification.submissions.protocol import Outcome, Scene, Step, scenes, steps
from verification.submissions.remote import Remote, open_submission
from verification.submissions.support import Support

Array = npt.NDArray[Any]

ORACLES = ("handgrad", "torch")
EXAMPLES = 300
# Rows of calls take several times as long as one call, and what they show shows on most networks.
ROWS = 40
# Fresh networks on which a mistake must do as the submission does.
FRESH = 60
FRESH_ROWS = 4
PARAMETERS = frozenset({"w", "b", "alpha"})


@dataclass(frozen=True)
class Part:
    """Part of what a submission supports, to be checked alone.

    Parameters
    ----------
    support : Support or None
        What networks are drawn from; all that the submission supports if None.
    choices : mapping of str to sequence
        Fields of `verification.random_networks.architectures.Architecture`, and what to draw them from in place of everything.
    kinds : set of str or None
        Which quantities are judged, without their layers' numbers; all that are given if None.
    """

    support: Support | None = None
    choices: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    kinds: frozenset[str] | None = None


def check(
    submission: str | os.PathLike[str] | Callable[..., Any],
    *,
    name: str | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
    strict_kinks: bool = False,
    limit: float = 10.0,
    oracle: str = ORACLES[0],
    progress: Callable[[int], object] | None = None,
) -> Verdict:
    """Check somebody else's backpropagation.

    Parameters
    ----------
    submission : callable or path
        A function `gradient(network, x, y)` or a class with `forward(x)` and `backward(y)`; or the file that holds one, which
        is then run in a process of its own.
    name : str, optional
        Of the function or class, if a file has several.
    examples : int
        How many networks to ask about.
    seed : int
        The same seed gives the same networks.
    strict_kinks : bool
        Whether another convention than PyTorch's at a kink hit exactly is an error.
    limit : float
        Seconds that one call of a file's submission may take.
    oracle : str
        Whose numbers are the right ones: "handgrad", or "torch" for those of `torch.autograd`.
    progress : callable, optional
        Called with the number of networks asked so far.

    Returns
    -------
    Verdict
        With the smallest network found, the equation, and the mistake, if something is wrong.

    Raises
    ------
    TypeError, ValueError
        If examples is not an integer >= 1, seed not an integer >= 0, or there is no such oracle.
    ImportError
        If torch is the oracle and not installed.

    Examples
    --------
    >>> def gradient(network, x, y):
    ...     x, y = np.atleast_2d(x, y)
    ...     dL_dz = 2 * (x @ network.weights[0].T + network.biases[0] - y)
    ...     return {"w1": dL_dz.T @ x, "b1": dL_dz.sum(axis=0)}
    >>> from verification.submissions.support import supports
    >>> only = supports(activations=["identity"], layers=1, reductions=["sum"])
    >>> check(only(gradient), examples=20).ok
    True
    """
    wanted = checks.positive_integer("examples", examples)
    checks.integer("seed", seed, 0)
    right = _right(checks.one_of("oracle", oracle, ORACLES))
    try:
        with open_submission(submission, name, limit=limit) as subject:
            return _Check(subject, seed, strict_kinks, oracle=right).run(wanted, min(ROWS, wanted), progress)
    except SubmissionError as error:
        called = name or str(getattr(submission, "__name__", submission))
        return Verdict(called, error=str(error))


def _right(oracle: str) -> Oracle:
    """Return the oracle of this name. The room that loads torch is opened only for who asks for it."""
    if oracle == "handgrad":
        return BY_HANDGRAD
    from verification.autograd.oracles import autograd

    def quantities(net: hg.Network, x: Array, y: Array) -> Mapping[str, Array]:
        found = autograd(plain_case(net, x, y))
        return without_batch_axis(found) if x.ndim == 1 else found

    return Oracle(quantities, NAIVE)


def check_part(subject: Local | Remote, part: Part, *, examples: int, rows: int, seed: int = 0) -> Verdict:
    """Check part of what a submission supports.

    Parameters
    ----------
    subject : Local or Remote
        The submission, from `open_submission`.
    part : Part
        What to draw, and what to judge.
    examples, rows : int
        How many networks to ask about, and how many rows of calls to go through.
    seed : int
        The same seed gives the same networks.

    Returns
    -------
    Verdict
        As `check` gives it.
    """
    try:
        return _Check(subject, seed, False, part).run(examples, rows)
    except SubmissionError as error:
        return Verdict(subject.name, error=str(error))


class _Check:
    """One check on its way: the submission, and the random networks that it is asked about."""

    def __init__(
        self,
        subject: Local | Remote,
        seed: int,
        strict_kinks: bool,
        part: Part | None = None,
        oracle: Oracle = BY_HANDGRAD,
    ) -> None:
        self.part = part or Part()
        self.subject = subject
        self.questions = Questions(self.part.support or subject.support, seed, self.part.choices)
        self.strict_kinks, self.oracle = strict_kinks, oracle
        self.verdict = Verdict(subject.name, undeclared=subject.support == Support())

    def run(self, examples: int, rows: int, progress: Callable[[int], object] | None = None) -> Verdict:
        conventions: dict[str, None] = {}
        # The rows are spread over the networks, so that a class that remembers is found out as early as a wrong equation.
        apart = max(1, examples // rows) if rows else examples
        for number in range(examples):
            drawn = self.questions.case(number)
            found = self.graded(drawn)
            self.verdict.networks += 1
            if progress is not None:
                progress(self.verdict.networks)
            if isinstance(found, SubmissionError) or not found.ok:
                self.tell(drawn, found)
                return self.verdict
            conventions |= dict.fromkeys(kind_of(each) for each in found.conventions)
            if rows and number % apart == 0 and number // apart < rows and not self.row_is_right(drawn, number // apart):
                return self.verdict
        self.verdict.conventions = tuple(conventions)
        return self.verdict

    def ask(self, network: Any, x: Array, y: Array) -> Mapping[str, Array]:
        with np.errstate(all="ignore"):
            arrays = self.subject.gradient(network, x, y).arrays
        # The gradient itself stays: whoever looks for the equation asks for it.
        kinds = None if self.part.kinds is None else self.part.kinds | PARAMETERS
        return {name: array for name, array in arrays.items() if kinds is None or kind_of(name) in kinds}

    def grade(self, arrays: Mapping[str, Array], network: Description, x: Array, y: Array) -> Grade:
        found = AnswerKey(network, x, y, self.oracle).grade(arrays, strict_kinks=self.strict_kinks)
        if self.part.kinds is None:
            return found
        return replace(found, entries=tuple(each for each in found.entries if kind_of(each.name) in self.part.kinds))

    def answered(self, drawn: Case) -> Mapping[str, Array] | SubmissionError:
        try:
            return self.ask(describe(drawn.net), drawn.x, drawn.y)
        except SubmissionError as error:
            if error.kind in ("file", "hang", "ended"):
                raise
            return error

    def graded(self, drawn: Case) -> Grade | SubmissionError:
        arrays = self.answered(drawn)
        if isinstance(arrays, SubmissionError):
            return arrays
        return self.grade(arrays, describe(drawn.net), np.asarray(drawn.x), np.asarray(drawn.y))

    def is_wrong(self, drawn: Case) -> bool:
        """Say whether the submission gives wrong numbers, or an error."""
        found = self.graded(drawn)
        return isinstance(found, SubmissionError) or not found.ok

    def fails(self, drawn: Case) -> bool:
        """Say whether the submission gives wrong numbers."""
        if not self.questions.covers(drawn):
            return False
        found = self.graded(drawn)
        return isinstance(found, Grade) and not found.ok

    def tell(self, drawn: Case, found: Grade | SubmissionError) -> None:
        """Fill the verdict for a network on which the submission is wrong."""
        error = found if isinstance(found, SubmissionError) else None
        if error is not None:
            # Wrong numbers say more than an error does: a transpose that fits on square layers, for one.
            wrong = next(
                (each for each in (self.questions.square(number) for number in range(200)) if each and self.fails(each)), None
            )
            if wrong is None:
                self.tell_error(drawn, error)
                return
            drawn = wrong
        smallest = shrinking.shrink(drawn, self.fails)
        graded = self.graded(smallest)
        if isinstance(graded, SubmissionError):
            raise graded
        self.verdict.case = smallest
        if graded.ok:
            self.verdict.error = (
                "its numbers were wrong, and right when it was asked the same again: they depend on what it was asked before"
            )
            return
        self.verdict.grade = graded
        self.verdict.arrays = dict(self.ask(describe(smallest.net), smallest.x, smallest.y))
        self.verdict.blame = blame(*self.telling(smallest, graded), self.ask)
        self.verdict.loss = self.loss_against_gradient()
        self.recognise(smallest)

    def telling(self, smallest: Case, graded: Grade) -> tuple[Case, Grade, Mapping[str, Array]]:
        """Return the smallest case, or the same with 1 for every input of 0, which hides whatever it is multiplied by."""
        x = np.asarray(smallest.x)
        lively = Case(smallest.net, np.where(x == 0, np.ones_like(x), x), smallest.y)
        if (x == 0).any() and self.questions.covers(lively):
            found = self.graded(lively)
            if isinstance(found, Grade) and not found.ok:
                return lively, found, self.ask(describe(lively.net), lively.x, lively.y)
        return smallest, graded, self.verdict.arrays

    def tell_error(self, drawn: Case, error: SubmissionError) -> None:
        def fails(each: Case) -> bool:
            if not self.questions.covers(each):
                return False
            found = self.graded(each)
            # The same quantity in whichever layer, so that layers may go.
            return isinstance(found, SubmissionError) and (found.kind, _quantity(found)) == (error.kind, _quantity(error))

        smallest = shrinking.shrink(drawn, fails)
        found = self.graded(smallest)
        self.verdict.case = smallest
        self.verdict.error = str(found if isinstance(found, SubmissionError) else error)
        self.recognise(smallest)

    def fresh(self, smallest: Case) -> list[Case]:
        """Return fresh networks, those near the smallest one first, where the submission is likelier to be wrong."""
        # From all that it supports: on part of it mistakes may look alike that are not.
        whole = Questions(self.subject.support, self.questions.seed)
        drawn = [whole.case(number, stream=1, calm=True) for number in range(FRESH)]
        return [smallest, *self.questions.near(smallest, FRESH // 3), *drawn]

    def recognise(self, smallest: Case) -> None:
        fresh = self.fresh(smallest)
        asked = [Scene(describe(each.net), np.asarray(each.x), np.asarray(each.y)) for each in fresh]
        answers = [recognition.answer(self.subject, scene) for scene in asked]
        if not isinstance(answers[0], str):
            # Of a network that ends in an error only errors could be compared, and a mistake of its own may hide there.
            kept = [place for place, each in enumerate(answers) if not isinstance(each, str)]
            fresh, asked = [fresh[place] for place in kept], [asked[place] for place in kept]
            answers = [answers[place] for place in kept]
        if len(list(islice(filter(self.is_wrong, fresh), recognition.ENOUGH))) == recognition.ENOUGH:
            self.name(recognition.recognise(asked, answers, strict_kinks=self.strict_kinks))

    def name(self, mistakes: list[Mistake]) -> None:
        """Put recognised mistakes into the verdict; where nothing else names an equation, they do."""
        self.verdict.mistakes = tuple(mistakes)
        if mistakes and self.verdict.blame is None:
            quantity = self.verdict.grade.wrong[0].name if self.verdict.grade and self.verdict.grade.wrong else ""
            self.verdict.blame = Blame(mistakes[0].equation, quantity, "it is what the recognised mistake breaks")

    def loss_against_gradient(self) -> str:
        """Say whether the loss and the gradient given belong to one function, if one of them is wrong."""
        ratios = []
        for number in range(40):
            # A calm one: of a loss that is nothing but rounding, ratios say nothing.
            drawn = self.questions.case(number, stream=4, calm=True)
            arrays = self.answered(drawn)
            if isinstance(arrays, SubmissionError):
                continue
            if "loss" not in arrays:
                return ""
            right = drawn.net.gradient(drawn.x, drawn.y)
            of_loss = _constant_ratio(arrays["loss"], np.asarray(right.loss))
            flat = np.concatenate([arrays[name].ravel() for name in right.named()]).astype(float)
            of_gradient = _constant_ratio(flat, right.vector.astype(float))
            if of_loss is not None and of_gradient is not None:
                ratios.append((of_loss, of_gradient, len(drawn.net.layers[-1].b)))
        if len(ratios) < 5 or all(abs(loss - gradient) <= 1e-3 * abs(loss) for loss, gradient, _ in ratios):
            return ""
        quotients = {round(gradient / loss, 3) for loss, gradient, _ in ratios if loss}
        if len(quotients) == 1:
            return f"the gradient is {quotients.pop():g} times the gradient of the loss that it reports"
        if all(abs(gradient / loss - n) <= 1e-3 * n for loss, gradient, n in ratios if loss):
            return "the gradient is n_L (the number of outputs) times the gradient of the loss that it reports"
        return ""

    def row_is_right(self, drawn: Case, number: int) -> bool:
        """Put the submission through a row of calls; if it is wrong there, or alone on data of the row, tell it and say no."""
        row = self.row(drawn, number)
        outcome = self.performed(*row)
        self.verdict.rows += 1
        if not self.violated(outcome):
            return True
        for scene in row[1].values():
            alone = Case(as_network(scene.network), scene.x, scene.y)
            if not self.questions.covers(alone):
                continue
            found = self.graded(alone)
            if isinstance(found, SubmissionError) or not found.ok:
                self.tell(alone, found)
                return False
        self.verdict.in_row = True
        smallest = shrinking.shrink(
            drawn, lambda each: self.questions.covers(each) and self.violated(self.performed(*self.row(each, number)))
        )
        outcome = self.performed(*self.row(smallest, number))
        self.verdict.case = smallest
        if isinstance(outcome, str):
            self.verdict.error = outcome
        else:
            self.tell_row(outcome)
        rows = [self.row(self.questions.case(place, stream=5), place) for place in range(FRESH_ROWS)]
        rows.append(self.row(smallest, number))
        outcomes = [recognition.perform(self.subject, *each) for each in rows]
        self.name(recognition.recognise_in_protocol(rows, outcomes))
        return False

    def row(self, drawn: Case, number: int) -> tuple[tuple[Step, ...], dict[str, Scene]]:
        x, y = np.asarray(drawn.x), np.asarray(drawn.y)
        support = self.questions.support
        batches = support.batches and support.widths is None and x.ndim == 2
        of_row = scenes(describe(drawn.net), x, y, number, batches=batches)
        sizes = [size for size in ("larger", "smaller") if size in of_row]
        return steps(
            self.subject.is_class, descends=self.subject.descends, parameters=self.subject.has_parameters, sizes=sizes
        ), of_row

    def performed(self, row: tuple[Step, ...], of_row: dict[str, Scene]) -> Outcome | str:
        try:
            with np.errstate(all="ignore"):
                return self.subject.perform(row, of_row)
        except SubmissionError as error:
            if error.kind in ("file", "hang", "ended"):
                raise
            return str(error)

    def wrong_step(self, outcome: Outcome) -> tuple[str, Grade] | None:
        for seen in outcome.observations:
            if seen.kind == "parameters":
                right = seen.network.named()
                if not all(np.array_equal(seen.arrays[name], right[name], equal_nan=True) for name in right):
                    return seen.name, Grade(())
            elif not is_finite(seen.network):
                continue
            else:
                found = self.grade(seen.arrays, seen.network, seen.x, seen.y)
                if not found.ok:
                    return seen.name, found
        return None

    def violated(self, outcome: Outcome | str) -> bool:
        return isinstance(outcome, str) or bool(outcome.changes) or self.wrong_step(outcome) is not None

    def tell_row(self, outcome: Outcome) -> None:
        self.verdict.changes = outcome.changes
        wrong = self.wrong_step(outcome)
        if wrong is None:
            return
        self.verdict.step, graded = wrong
        self.verdict.grade = graded
        for seen in outcome.observations:
            if seen.name == self.verdict.step:
                self.verdict.arrays = seen.arrays


def _quantity(error: SubmissionError) -> str:
    return kind_of(error.quantity or "")


def _constant_ratio(given: Array, expected: Array) -> float | None:
    with np.errstate(all="ignore"):
        ratios = np.ravel(given)[np.ravel(expected) != 0] / np.ravel(expected)[np.ravel(expected) != 0]
    if ratios.size == 0 or not np.isfinite(ratios).all() or np.ptp(ratios) > 1e-3 * abs(ratios[0]):
        return None
    return float(ratios[0])
