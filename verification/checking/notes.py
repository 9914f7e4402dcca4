"""What a right submission is told besides: where extreme numbers break it, from which size on, and what mends that."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.checking.grading import EPSILON, Grade, loss_with_epsilon
from verification.random_networks.cases import Case
from verification.random_networks.plain import plain_case
from verification.submissions.answers import SubmissionError

Array = npt.NDArray[Any]
Graded = Callable[[Case], Grade | SubmissionError]

# Where the search for the size begins, as the largest |z|: every form is right there.
CALM = 8.0
IN_FLOAT32 = " in float32"
HALVINGS = 40

REMEDIES = {
    "softmax": "take each row's maximum off z before e^z: softmax stays the same, and nothing overflows",
    "sigmoid": "with e = e^(−|z|), which never overflows: 1/(1 + e) for z ≥ 0, and e/(1 + e) below",
    "tanh": "use np.tanh, or with e = e^(−2|z|): ±(1 − e)/(1 + e)",
    "logarithm": "take log p from z, not from p: z_k − max z − log Σ_j e^(z_j − max z)",
    "softmax digits": "at the true class p − 1 loses its digits: take minus the sum of the other probabilities",
    "sigmoid digits": "1 − g(z) loses its digits near g = 1: it is g(−z), so g′ is g(z) · g(−z)",
    "tanh digits": "1 − a² loses its digits near a = ±1: with e = e^(−2|z|) it is 4e/(1 + e)²",
    "epsilon": "no epsilon and no clip: take log p from z, z_k − max z − log Σ_j e^(z_j − max z)",
    "clip": "leave no clip in a derivative: clip the whole gradient, where the step is taken",
    "cast": "compute in the dtype that came: no float32 inside, and no differences in place of a derivative",
}


@dataclass(frozen=True)
class Note:
    """One thing that is no mistake of the derivation, and should be known.

    Parameters
    ----------
    question : str
        "numbers", "manners" or "conventions".
    text : str
        What happens, and from which size on.
    remedy : str
        What mends it.
    equation : int or None
        The equation whose form breaks, if there is one.
    mistakes : tuple of str
        Names of catalogued mistakes that do the same.
    """

    question: str
    text: str
    remedy: str = ""
    equation: int | None = None
    mistakes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the text with its remedy."""
        return f"{self.text}. {self.remedy[:1].upper()}{self.remedy[1:]}." if self.remedy else f"{self.text}."


def of_numbers(drawn: Case, found: Grade | SubmissionError, graded: Graded, arrays: Mapping[str, Array]) -> Note:
    """Return the note on a network of extreme numbers on which a submission breaks.

    Parameters
    ----------
    drawn : Case
        The network.
    found : Grade or SubmissionError
        What its answer is worth.
    graded : callable
        Grades the answer about another network.
    arrays : mapping of str to ndarray
        The answer; empty for an error.

    Returns
    -------
    Note
        With the size from which on it breaks, found by halving the distance to a size at which it is right.
    """
    signs = _signs(found)
    float32 = drawn.net.dtype == np.float32
    suffix = IN_FLOAT32 if float32 else ""
    if isinstance(found, Grade) and found.only_digits and not _is_large(drawn):
        return _of_digits(drawn, found, arrays)
    clip = _clip(found, arrays)
    if clip is not None:
        text = f"dL/dz is clipped at {clip:g}, which larger errors meet{suffix}"
        return Note("numbers", text, REMEDIES["clip"], 12)
    for place in reversed(range(len(drawn.net.layers))):
        size = _size(drawn, place)
        if size <= CALM:
            continue
        calm = _with_factor(drawn, place, CALM / size)
        if not _is_right(graded(calm), signs):
            continue
        low, high = CALM / size, 1.0
        for _ in range(HALVINGS):
            middle = math.sqrt(low * high)
            if _is_right(graded(_with_factor(drawn, place, middle)), signs):
                low = middle
            else:
                high = middle
        return _of_layer(_with_factor(drawn, place, high), place, found, signs, suffix)
    what = _what(found, signs)
    return Note("numbers", f"{what} for very large or very small numbers{suffix} (largest |z| {_largest_size(drawn):.3g})")


def remarked(kind: str, sentence: str) -> Note:
    """Return the note on what was taken though it is not what was asked for.

    Parameters
    ----------
    kind : str
        One of `verification.submissions.answers.REMARKS`.
    sentence : str
        What came, and for what.

    Returns
    -------
    Note
        With the catalogued mistake that does the same.
    """
    if kind == "dtype":
        remedy = "make arrays in the dtype of the network, with np.zeros_like(w), and float32 stays float32"
        return Note("manners", sentence, remedy, 11, ("result-always-float64",))
    remedy = "give each derivative the shape of its parameter"
    if sentence.startswith("w"):
        return Note("manners", sentence, remedy, 11, ("weights-squeezed",))
    return Note(
        "manners", sentence, remedy, 7, ("bias-as-row",) if sentence.startswith("b") and "shape (1, " in sentence else ()
    )


def _signs(found: Grade | SubmissionError) -> str:
    """Return in what way the answer breaks: "raises", "loss", "nan" (a derivative is none) or "digits"."""
    if isinstance(found, SubmissionError):
        return "raises"
    derivatives = [entry for entry in found.wrong if entry.name != "loss"]
    if not derivatives:
        return "loss"
    return "digits" if all(math.isfinite(entry.given) for entry in derivatives) else "nan"


def _is_right(found: Grade | SubmissionError, signs: str) -> bool:
    """Say whether what broke does not break here; a loss may be right where a derivative is not, and the other way about."""
    if isinstance(found, SubmissionError):
        return False
    if signs == "loss":
        return all(entry.name != "loss" for entry in found.wrong)
    return all(entry.name == "loss" for entry in found.wrong)


def _z(drawn: Case, place: int) -> Array:
    with np.errstate(all="ignore"):
        trace = drawn.net.trace(drawn.x, drawn.y)
    return np.atleast_2d(trace[place + 1].z).astype(float)


def _size(drawn: Case, place: int) -> float:
    size = float(np.abs(_z(drawn, place)).max())
    return size if math.isfinite(size) else 0.0


def _largest_size(drawn: Case) -> float:
    return max(_size(drawn, place) for place in range(len(drawn.net.layers)))


def _is_large(drawn: Case) -> bool:
    return _largest_size(drawn) > 2.5 * CALM


def _with_factor(drawn: Case, place: int, factor: float) -> Case:
    net = type(drawn.net)(drawn.net.layers, drawn.net.loss_name, drawn.net.reduction)
    for array in (net.layers[place].w, net.layers[place].b):
        array *= array.dtype.type(factor)
    return Case(net, drawn.x, drawn.y)


def _what(found: Grade | SubmissionError, signs: str) -> str:
    if isinstance(found, SubmissionError):
        return f"it stops ({found.sentence.split(', on the network')[0]})"
    first = next((entry for entry in found.wrong if (entry.name == "loss") == (signs == "loss")), found.wrong[0])
    if signs == "digits":
        return f"{_derivative(first.name)} loses its digits"
    return f"{_derivative(first.name)} is {first.given:g}"


def _clip(found: Grade | SubmissionError, arrays: Mapping[str, Array]) -> float | None:
    """Return where dL/dz is clipped, if dL/db came as a round number far smaller than the right one; None otherwise."""
    if isinstance(found, SubmissionError):
        return None
    for each in found.wrong:
        if each.name.startswith("b") and 1 <= abs(each.given) < 0.99 * abs(each.expected):
            power = 10 ** math.floor(math.log10(abs(each.given)))
            if abs(each.given) in (power, 2 * power, 5 * power):
                return abs(each.given)
    return None


def _epsilon(drawn: Case, given: float) -> float | None:
    """Return the epsilon with which the loss is the one that was given, by halving; None if no small one does that."""
    asked = plain_case(drawn.net, drawn.x, drawn.y)
    p = np.atleast_2d(drawn.net(drawn.x))
    low, high = 1e-18, 2 * EPSILON
    if not loss_with_epsilon(p, asked.targets(), asked.reduction, high) <= given:
        return None
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        is_more = loss_with_epsilon(p, asked.targets(), asked.reduction, middle) < given
        low, high = (low, middle) if is_more else (middle, high)
    # A clip also cuts probabilities near 1, and gives no epsilon of its own.
    return high if high > 1e-17 else None


def _derivative(name: str) -> str:
    return "the loss" if name == "loss" else f"dL/d{name}" if name[0] in "wbx" else name


def _of_layer(at: Case, place: int, found: Grade | SubmissionError, signs: str, suffix: str) -> Note:
    """Return the note on the layer whose size it is, at the network where it just breaks."""
    name = at.net.layers[place].activation.name
    z = _z(at, place)
    last = place == len(at.net.layers) - 1
    what = _what(found, signs)
    if name == "softmax":
        of_classes = plain_case(at.net, at.x, at.y).targets() > 0 if last and signs == "loss" else np.ones_like(z, bool)
        gap = float((z.max(axis=1, keepdims=True) - z)[of_classes].max())
        if signs == "loss" and last:
            return Note("numbers", f"{what} from logits {gap:.1f} apart on{suffix}: the log of 0", REMEDIES["logarithm"], 2)
        if signs == "digits":
            return Note("numbers", f"{what} from logits {gap:.1f} apart on{suffix}", REMEDIES["softmax digits"], 2)
        return Note("numbers", f"{what} from a logit of {z.max():.1f} on{suffix}: e^z overflows", REMEDIES["softmax"], 9)
    size = f"|z| = {np.abs(z).max():.1f}"
    if name in ("sigmoid", "tanh"):
        if signs == "digits":
            return Note("numbers", f"{what} from {size} on{suffix} in a {name} layer", REMEDIES[f"{name} digits"], 12)
        return Note("numbers", f"{what} from {size} on{suffix} in a {name} layer: a power overflows", REMEDIES[name], 9)
    return Note("numbers", f"{what} from {size} on{suffix} in a layer with {name}")


def _of_digits(drawn: Case, found: Grade, arrays: Mapping[str, Array]) -> Note:
    """Return the note on last digits that are wrong at numbers of ordinary size."""
    losses = [entry for entry in found.wrong if entry.name == "loss"]
    if losses and drawn.net.loss_name == "cross_entropy":
        size = _epsilon(drawn, losses[0].given)
        about = f" of about 1e{round(math.log10(size)):d}" if size else ""
        text = f"the loss is off in its last digits: an epsilon or a clip{about} in its logarithm"
        return Note("numbers", text, REMEDIES["epsilon"], 2)
    first = next((entry for entry in found.wrong if entry.name != "loss"), found.wrong[0])
    worst = max(abs(entry.given - entry.expected) / max(abs(entry.expected), 1e-300) for entry in [first])
    digits = max(1, math.floor(-math.log10(min(worst, 0.1))))
    text = f"{_derivative(first.name)} agrees to about {digits} digits only, in {drawn.net.dtype}"
    return Note("numbers", text, REMEDIES["cast"])
