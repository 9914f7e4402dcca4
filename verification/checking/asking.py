"""One submission under examination: asked about a network, its answer graded, its errors and remarks kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds.quantities import kind_of
from verification.checking.grading import BY_HANDGRAD, AnswerKey, Grade, Oracle, largest_of
from verification.checking.questions import Questions
from verification.random_networks.cases import Case
from verification.submissions.answers import SubmissionError
from verification.submissions.conventions import of_what_it_has
from verification.submissions.description import Description, describe
from verification.submissions.local import Local
from verification.submissions.protocol import Scene
from verification.submissions.remote import Remote

Array = npt.NDArray[Any]

# After these there is nobody to be asked any more, or nobody to be believed.
FATAL = ("file", "hang", "ended", "reply")
AS_ADDED = 1e-12


def scene_of(drawn: Case) -> Scene:
    """Return a case as a submission is told it."""
    return Scene(describe(drawn.net), np.asarray(drawn.x), np.asarray(drawn.y))


def scene_data(drawn: Case) -> tuple[Description, Array, Array]:
    """Return a case as the three things that a submission is told."""
    scene = scene_of(drawn)
    return scene.network, scene.x, scene.y


class Asking:
    """A submission, and how it is asked and graded.

    Parameters
    ----------
    subject : Local or Remote
        The submission.
    seed : int
        Of its questions.
    strict_kinks : bool
        Whether another convention than PyTorch's at a kink hit exactly is an error.
    oracle : Oracle
        Whose numbers are the right ones.

    Attributes
    ----------
    remarks : dict of str to str
        What was taken though it is not as asked for: "dtype", "shape", each with the first sentence.
    kinds : frozenset of str
        The kinds of quantities that it gives: "w", "b", "loss", …
    """

    def __init__(
        self, subject: Local | Remote, seed: int = 0, strict_kinks: bool = False, oracle: Oracle = BY_HANDGRAD
    ) -> None:
        self.subject, self.strict_kinks, self.oracle = subject, strict_kinks, oracle
        self.questions = Questions(subject.support, seed)
        self.remarks: dict[str, str] = {}
        self.kinds: frozenset[str] = frozenset()

    def ask(self, network: Description, x: Array, y: Array) -> Mapping[str, Array]:
        """Return the answer about a network with its data; SubmissionError where there is none."""
        with np.errstate(all="ignore"):
            found = self.subject.gradient(network, x, y)
        for kind, sentence in found.remarks.items():
            self.remarks.setdefault(kind, sentence)
        arrays = of_what_it_has(found.arrays, self.subject.support)
        self.kinds |= set(map(kind_of, arrays))
        return arrays

    def predicted(self, drawn: Case) -> Array | None:
        """Return what forward returned about a case, if it is a class whose forward returns predictions."""
        try:
            with np.errstate(all="ignore"):
                return self.subject.gradient(describe(drawn.net), drawn.x, drawn.y).predictions
        except SubmissionError:
            return None

    def answered(self, drawn: Case) -> Mapping[str, Array] | SubmissionError:
        """Return the answer about a case, or the error it ends in; what ends the examination is raised."""
        try:
            return self.ask(describe(drawn.net), drawn.x, drawn.y)
        except SubmissionError as error:
            if error.kind in FATAL:
                raise
            return error

    def grade(self, arrays: Mapping[str, Array], network: Description, x: Array, y: Array) -> Grade:
        """Compare an answer with the right one."""
        support = self.subject.support
        key = AnswerKey(network, x, y, self.oracle, support, is_stepper=self.subject.is_stepper)
        return key.grade(of_what_it_has(arrays, support), strict_kinks=self.strict_kinks)

    def graded(self, drawn: Case) -> Grade | SubmissionError:
        """Return what the answer about a case is worth, or the error it ends in."""
        arrays = self.answered(drawn)
        if isinstance(arrays, SubmissionError):
            return arrays
        return self.grade(arrays, *scene_data(drawn))

    def is_wrong(self, drawn: Case) -> bool:
        """Say whether the submission gives wrong numbers, in more than their last digits."""
        if not self.questions.covers(drawn):
            return False
        found = self.graded(drawn)
        return isinstance(found, Grade) and not found.ok and not found.only_digits


def same(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    """Say whether two answers are the same, but for the order in which a processor may add."""
    return one.keys() == other.keys() and all(
        array.shape == other[name].shape
        and np.allclose(array, other[name], rtol=0, atol=AS_ADDED * largest_of(array), equal_nan=True)
        for name, array in one.items()
    )
