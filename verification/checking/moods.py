"""A submission that answers differently to the same question: by chance, or since its sums go on from call to call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from verification.bounds.quantities import is_derivative
from verification.checking.asking import Asking, same, scene_data
from verification.checking.diagnosis import Blame
from verification.checking.verdict import Verdict
from verification.mistakes import MISTAKES
from verification.random_networks.cases import Case
from verification.submissions.answers import SubmissionError

Array = npt.NDArray[np.floating]

# What adds up from call to call in a function.
DEFAULT = "mutable-default-argument"


def tell_mood(verdict: Verdict, asking: Asking, drawn: Case, came: Mapping[str, Array] | None) -> bool:
    """Ask the same question several times; tell it and say no if the answers differ."""
    again = (asking.answered(drawn) for _ in range(3))
    answers = [each for each in (came, *again) if each is not None and not isinstance(each, SubmissionError)]
    first = next(iter(answers), {})
    other = next((each for each in answers if not same(first, each)), None)
    if other is None:
        return True
    name = tell_two(verdict, drawn, first, other)
    grown = asking.grade(_grown(answers), *scene_data(drawn)) if _adds_up(answers) else None
    # A difference of sums has fewer digits than what was added.
    if grown is not None and (grown.ok or grown.only_digits):
        verdict.blame = Blame(11, name, "each answer is added to the one before: sums are not set back to 0")
        verdict.in_protocol = () if asking.subject.is_class else tuple(each for each in MISTAKES if each.name == DEFAULT)
    return False


def tell_two(verdict: Verdict, drawn: Case, first: Mapping[str, Array], other: Mapping[str, Array]) -> str:
    """Tell that there are two answers to one question, and return the name of the first quantity in which they differ."""
    verdict.status, verdict.case = "wrong", drawn
    name = next(name for name in first if name not in other or not same({name: first[name]}, {name: other[name]}))
    one, two = _apart(first[name], other.get(name))
    verdict.error = f"it is not deterministic: to the same question it answered {name} = {one}, and then {two}"
    return name


def _adds_up(answers: Sequence[Mapping[str, Array]]) -> bool:
    """Say whether the answers to one question grow by the same from one to the next."""
    names = [name for name in answers[0] if name != "loss"]
    if len(answers) < 4 or any(answer.keys() != answers[0].keys() for answer in answers):
        return False
    grown = [{name: later[name] - earlier[name] for name in names} for earlier, later in pairwise(answers)]
    return all(np.allclose(each[name], grown[0][name], rtol=1e-9) for each in grown for name in names)


def _grown(answers: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Return what the derivatives of the second answer have more than those of the first."""
    names = [name for name in answers[0] if is_derivative(name)]
    return {name: np.asarray(answers[1][name] - answers[0][name]) for name in names}


def _apart(first: Array, other: Array | None) -> tuple[str, str]:
    """Return the first number in which two answers differ, in each of them."""
    if other is None or other.shape != first.shape:
        return str(np.shape(first)), "nothing" if other is None else str(other.shape)
    place = int(np.argmax(np.ravel(first != other)))
    return repr(float(np.ravel(first)[place])), repr(float(np.ravel(other)[place]))
