"""check(): somebody else's backpropagation on random networks, and if it is wrong, which equation, which mistake, where.

Ordinary networks one by one; then rows of calls, which show what a class keeps or damages; then corners and extreme numbers.
What is found is shrunk, blamed on an equation, and held against the catalogue of classic mistakes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad import checks
from verification.bounds.quantities import kind_of, without_batch_axis
from verification.bounds.rounding import NAIVE
from verification.checking import manners
from verification.checking.asking import Asking, scene_data
from verification.checking.card import card
from verification.checking.declarations import count_l2, look_for_fit, unfit
from verification.checking.grading import BY_HANDGRAD, Grade, Oracle
from verification.checking.notes import IN_FLOAT32, REMEDIES, Note, of_digits, of_kinks, of_numbers, remarked
from verification.checking.questions import CORNERS, EXTREME, ORDINARY
from verification.checking.row_telling import Right, recognised, tell_row
from verification.checking.telling import breaking_like, tell
from verification.checking.verdict import Verdict
from verification.random_networks.cases import Case
from verification.random_networks.plain import plain_case
from verification.submissions.answers import SubmissionError
from verification.submissions.description import describe
from verification.submissions.local import Local
from verification.submissions.remote import Remote, open_submission
from verification.submissions.support import Support

Array = npt.NDArray[Any]

ORACLES = ("handgrad", "torch")
EXAMPLES = 300
# Of so many parts of the networks, so many are corners and so many have extreme numbers; the others are ordinary.
PARTS, CORNERS_OF, EXTREME_OF = 10, 4, 2
# Rows of calls take several times as long as one call, and what they show shows on most networks.
ROWS = 40
EDITS = 12
MOST_NOTES = 10
# So many networks that break in the same way are looked at for the size from which on they do.
SAME_WAY = 3
# So many calls that end without any derivative make a skeleton that nobody has filled in.
SKELETONS = 6
# Questions of different streams are independent.
STREAM = {ORDINARY: 0, CORNERS: 8, EXTREME: 9, "manners": 10}
BREAKING = {"sigmoid", "tanh", "softmax"}


def check(
    submission: str | os.PathLike[str] | Callable[..., Any],
    *,
    name: str | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
    strict_kinks: bool = False,
    oracle: str = ORACLES[0],
    progress: Callable[[int], object] | None = None,
    **limits: Any,
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
    oracle : str
        Whose numbers are the right ones: "handgrad", or "torch" for those of `torch.autograd`.
    progress : callable, optional
        Called with the number of networks asked so far.
    **limits
        Of a file, as `verification.submissions.remote.Remote` takes them: `limit`, the seconds that one call of it may take
        (10 unless given), `total`, those of all its calls; `memory` in GiB; `forbid`, modules that it must not import.

    Returns
    -------
    Verdict
        With the smallest network found, the equation, and the mistake, if something is wrong.

    Raises
    ------
    TypeError, ValueError
        If examples is not an integer >= 1, seed not an integer >= 0, there is no such oracle, or `forbid` has a name that
        cannot be forbidden.
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
    called = name or str(getattr(submission, "__name__", submission))
    try:
        with open_submission(submission, name, **limits) as subject:
            return examined(subject, examples=wanted, seed=seed, strict_kinks=strict_kinks, oracle=right, progress=progress)
    except SubmissionError as error:
        return Verdict(called, status="undone" if error.undone else "unjudged", error=str(error))


def _right(oracle: str) -> Oracle:
    """Return the oracle of this name. The room that loads torch is opened only for who asks for it."""
    if oracle == "handgrad":
        return BY_HANDGRAD
    from verification.autograd.oracles import autograd

    def quantities(net: hg.Network, x: Array, y: Array) -> Mapping[str, Array]:
        found = autograd(plain_case(net, x, y))
        return without_batch_axis(found) if x.ndim == 1 else found

    return Oracle(quantities, NAIVE)


def examined(
    subject: Local | Remote,
    *,
    examples: int = EXAMPLES,
    seed: int = 0,
    strict_kinks: bool = False,
    oracle: Oracle = BY_HANDGRAD,
    progress: Callable[[int], object] | None = None,
) -> Verdict:
    """Return the verdict on a submission that is ready to be asked.

    Parameters
    ----------
    subject : Local or Remote
        From `open_submission`.
    examples, seed, strict_kinks, progress
        As for `check`.
    oracle : Oracle
        Whose numbers are the right ones.

    Returns
    -------
    Verdict
        As `check` gives it.
    """

    def judged(support: Support | None = None) -> Verdict:
        if support is not None:
            subject.declare(support)
        asking = Asking(subject, seed, strict_kinks, oracle)
        verdict = Verdict(subject.name, undeclared=subject.support == Support())
        try:
            if subject.support.l2:
                verdict.counted = count_l2(asking)
            verdict.support = subject.support
            _Examination(asking, verdict, examples, progress, judged if support is None else None).run()
        except SubmissionError as error:
            # Whatever was found before, nobody answers any more.
            verdict.status, verdict.error = "unjudged", str(error)
        return verdict

    verdict = judged()
    if verdict.status == "wrong":
        # Who is called as nobody declared may hang, or end: what was found before stands.
        with suppress(SubmissionError):
            look_for_fit(Asking(subject, seed, strict_kinks, oracle), verdict, judged)
    return verdict


def _is_undone(asking: Asking, verdict: Verdict) -> bool:
    """Say whether nobody has filled in the skeleton, and tell it: every call ends without any derivative."""
    error = None
    for number in range(SKELETONS):
        found = asking.answered(asking.questions.case(number, STREAM[ORDINARY], of=ORDINARY))
        if not isinstance(found, SubmissionError) or not found.undone:
            return False
        error = error or found
    verdict.status, verdict.question, verdict.error = "undone", "", str(error)
    return True


class _Examination:
    """The four questions on their way: ordinary networks, rows of calls, corners, extreme numbers.

    `judge` gives the verdict on the submission by another declaration; without it no other is tried.
    """

    def __init__(
        self,
        asking: Asking,
        verdict: Verdict,
        examples: int,
        progress: Callable[[int], object] | None,
        judge: Callable[[Support], Verdict] | None = None,
    ) -> None:
        self.asking, self.verdict, self.progress = asking, verdict, progress or (lambda done: None)
        self.judge = judge
        self.corners = examples * CORNERS_OF // PARTS
        self.extreme = examples * EXTREME_OF // PARTS
        self.ordinary = examples - self.corners - self.extreme
        self.rows = min(ROWS, examples)
        self.right: list[Right] = []
        self.conventions: dict[str, None] = {}
        self.notes: list[Note] = []
        self.behind: list[tuple[Case, Grade]] = []
        self.infinite: list[tuple[Case, Grade]] = []

    def run(self) -> None:
        """Ask all four, the later ones only if the earlier ones are right."""
        verdict = self.verdict
        right = self.single(ORDINARY, self.ordinary) and self.in_rows() and self.single(CORNERS, self.corners)
        if right:
            self.numbers()
            self.edits()
        self.notes += [remarked(kind, sentence) for kind, sentence in self.asking.remarks.items()]
        verdict.notes = (*verdict.notes, *self.notes)
        if not right:
            return
        verdict.conventions = tuple(self.conventions)
        if self.conventions:
            verdict.notes = (*verdict.notes, of_kinks(verdict.conventions))
        verdict.card = card(self.asking.subject.support, self.right, {}, "loss" in self.asking.kinds)

    def asked(self) -> None:
        self.verdict.networks += 1
        self.progress(self.verdict.networks)

    def single(self, question: str, examples: int) -> bool:
        """Ask about single networks; tell the first that is wrong, and say no."""
        for number in range(examples):
            drawn = self.asking.questions.case(number, STREAM[question], of=question)
            arrays = self.asking.answered(drawn)
            found = arrays if isinstance(arrays, SubmissionError) else self.asking.grade(arrays, *scene_data(drawn))
            self.asked()
            if isinstance(found, Grade) and found.lacks_the_loss_alone and 3 * len(self.infinite) < self.verdict.networks:
                self.infinite.append((drawn, found))
            elif isinstance(found, SubmissionError) or not (found.ok or found.only_digits):
                answer = None if isinstance(arrays, SubmissionError) else arrays
                tell(self.verdict, self.asking, drawn, found, question, answer, self.is_unfit)
                return False
            elif not found.ok:
                self.behind.append((drawn, found))
            if not isinstance(arrays, SubmissionError):
                self.right.append((describe(drawn.net), [name for name, array in arrays.items() if array.any()]))
            self.conventions |= dict.fromkeys(kind_of(each) for each in found.conventions)
        return True

    def is_unfit(self) -> bool:
        """Say whether nothing can be judged by what is declared, or nothing is done, and tell what would fit."""
        if self.judge is None:
            return False
        try:
            return _is_undone(self.asking, self.verdict) or unfit(self.asking, self.verdict, self.judge)
        except SubmissionError:  # who is called as nobody declared may hang, or end: then nothing fits
            return False

    def numbers(self) -> None:
        """Ask about extreme numbers, and note how the submission breaks there, each way once."""
        if self.behind:
            note = of_digits(self.behind, self.verdict.networks)
            self.add(note, self.behind[0][0])
        for drawn, without_loss in self.infinite[:1]:
            self.add(of_numbers(drawn, without_loss, self.asking.graded), drawn)
        told: Counter[tuple[str, ...]] = Counter()
        for number in range(self.extreme):
            drawn = self.asking.questions.case(number, STREAM[EXTREME], of=EXTREME)
            found = self.asking.graded(drawn)
            self.asked()
            if not isinstance(found, SubmissionError):
                self.conventions |= dict.fromkeys(kind_of(each) for each in found.conventions)
                if found.ok:
                    continue
            way = _way_of_breaking(drawn, found)
            if told[way] >= SAME_WAY or len(told) >= MOST_NOTES:
                continue
            note = of_numbers(drawn, found, self.asking.graded)
            # Where no size was found another network may show it.
            told[way] += SAME_WAY if note.remedy else 1
            has_epsilon = any(each.remedy == REMEDIES["epsilon"] for each in self.notes)
            if has_epsilon and not isinstance(found, SubmissionError) and found.is_finite:
                # What an epsilon does to ordinary numbers it does to extreme ones, too.
                continue
            self.add(note, drawn)
        of_size = [each for each in self.notes if each.remedy]
        self.notes = of_size or self.notes[:1]

    def add(self, note: Note, drawn: Case) -> None:
        """Keep a note, once for each remedy, that in float64 rather than that in float32."""
        told = next((each for each in self.notes if each.remedy == note.remedy), None)
        if told is not None and (IN_FLOAT32 not in told.text or IN_FLOAT32 in note.text):
            return
        alike = breaking_like(self.asking, drawn)
        names = tuple(mistake.name for mistake in alike)
        self.notes = [each for each in self.notes if each is not told]
        self.notes.append(replace(note, equation=alike[0].equation if alike else note.equation, mistakes=names))

    def in_rows(self) -> bool:
        """Put the submission through ordinary rows of calls; tell the first that is wrong, and say no."""
        for number in range(self.rows):
            drawn = self.asking.questions.case(number, STREAM["manners"], of=ORDINARY)
            made = manners.row(self.asking, drawn, number)
            outcome = manners.performed(self.asking, made)
            self.verdict.rows += 1
            if manners.is_violated(self.asking, outcome):
                tell_row(self.verdict, self.asking, drawn, number, outcome, self.right)
                return False
        return True

    def edits(self) -> None:
        """Do what no training loop does, and note what that shows."""
        told: set[str] = set()
        for number in range(EDITS):
            drawn = self.asking.questions.case(number, STREAM["manners"], of=ORDINARY)
            for row in (manners.edits, manners.row):
                made = row(self.asking, drawn, number)
                if not made[0]:
                    continue
                outcome = manners.performed(self.asking, made)
                texts = manners.of_edits(self.asking, outcome)
                if not texts or set(texts) <= told:
                    continue
                told |= set(texts)
                mistakes = recognised(self.asking, row, (drawn, number))
                equation = mistakes[0].equation if mistakes else None
                names = tuple(mistake.name for mistake in mistakes)
                self.notes.append(Note("manners", texts[0], manners.REMEDY, equation, names))


def _way_of_breaking(drawn: Case, found: Grade | SubmissionError) -> tuple[str, ...]:
    """Return what tells one way to break from another: dtype, and which kinds of quantities are no numbers, or not right."""
    if isinstance(found, SubmissionError):
        return ("raises",)
    loss_alone = all(entry.name == "loss" for entry in found.wrong)
    finite = all(np.isfinite(entry.given) for entry in found.wrong)
    return (
        drawn.net.loss_name,
        drawn.net.dtype.name,
        str(loss_alone),
        str(finite),
        *sorted({layer.activation.name for layer in drawn.net.layers} & BREAKING),
    )
