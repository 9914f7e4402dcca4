"""What a right submission is told besides: where extreme numbers break it, from which size on, and what mends that."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.losses import JOINED
from verification.bounds.entries import Entry
from verification.checking.grading import EPSILON, Grade, loss_with_epsilon, of_classes
from verification.checking.sizes import bisected, scaled
from verification.random_networks.cases import Case
from verification.random_networks.plain import plain_case
from verification.submissions.answers import SubmissionError

Array = npt.NDArray[Any]
Graded = Callable[[Case], Grade | SubmissionError]

# Where the search for the size begins, as the largest |z|: every form is right there.
CALM = 8.0
IN_FLOAT32 = " in float32"

REMEDIES = {
    "softmax": "take each row's maximum off z before e^z: softmax stays the same, and nothing overflows",
    "sigmoid": "with e = e^(−|z|), which never overflows: 1/(1 + e) for z ≥ 0, and e/(1 + e) below",
    "tanh": "use np.tanh, or with e = e^(−2|z|): ±(1 − e)/(1 + e)",
    "logarithm": "take log p from z, not from p: z_k − max z − log Σ_j e^(z_j − max z)",
    "binary logarithm": "take log a and log(1 − a) from z, not from a: the loss is max(z, 0) − y z + log(1 + e^(−|z|))",
    "binary digits": "start the way back with dL/dz = a − y: −y/a + (1 − y)/(1 − a) divides by what is held as 0",
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


def of_numbers(drawn: Case, found: Grade | SubmissionError, graded: Graded) -> Note:
    """Return the note on a network of extreme numbers on which a submission breaks.

    Parameters
    ----------
    drawn : Case
        The network.
    found : Grade or SubmissionError
        What its answer is worth.
    graded : callable
        Grades the answer about another network.

    Returns
    -------
    Note
        With the size from which on it breaks, found by halving the distance to a size at which it is right.
    """
    signs = _signs(found)
    float32 = drawn.net.dtype == np.float32
    suffix = IN_FLOAT32 if float32 else ""
    clip = _clip(found)
    if clip is not None:
        text = f"dL/dz is clipped at {clip:g}, which larger errors meet{suffix}"
        return Note("numbers", text, REMEDIES["clip"], 12)
    for place in reversed(range(len(drawn.net.layers))):
        size = _size(drawn, place)
        if size <= CALM:
            continue

        def is_right_at(factor: float, place: int = place) -> bool:
            return _is_right(graded(scaled(drawn, place, factor)), signs)

        if not is_right_at(CALM / size):
            continue
        _, high = bisected(CALM / size, 1.0, is_right_at)
        just = _least(scaled(drawn, place, high), place, lambda each: not _is_right(graded(each), signs))
        return _of_layer(just, place, found, signs, suffix)
    what = _what(found, signs)
    return Note("numbers", f"{what} for very large or very small numbers{suffix} (largest |z| {_largest_size(drawn):.3g})")


def of_kinks(names: Sequence[str]) -> Note:
    """Return the note on derivatives at a kink hit exactly that are others than PyTorch's, which is no error."""
    return Note("conventions", f"at a kink hit exactly another convention is taken than PyTorch's for {', '.join(names)}")


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
        remedy = "make arrays in the dtype of the network: np.zeros_like(w), np.eye(n, dtype=w.dtype), x.astype(w.dtype)"
        return Note("manners", sentence, remedy, 11, ("result-always-float64",))
    remedy = "give each derivative the shape of its parameter"
    if sentence.startswith("alpha"):
        return Note("manners", sentence, remedy, 11)
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


def _least(drawn: Case, place: int, breaks: Callable[[Case], bool]) -> Case:
    """Return the network with those examples and those units of a layer alone that it takes to break."""
    found = drawn
    if np.ndim(drawn.x) == 2 and len(drawn.x) > 1:
        each = (Case(drawn.net, drawn.x[[row]], drawn.y[[row]]) for row in range(len(drawn.x)))
        found = next(filter(breaks, each), drawn)
    # Softmax's units are not each for itself.
    units = 0 if found.net.layers[place].activation.name == "softmax" else len(found.net.layers[place].b)
    for unit in range(units):
        net = type(found.net)(found.net.layers, found.net.loss_name, found.net.reduction)
        net.layers[place].w[unit] = 0
        net.layers[place].b[unit] = 0
        without = Case(net, found.x, found.y)
        if breaks(without):
            found = without
    return found


def _what(found: Grade | SubmissionError, signs: str) -> str:
    if isinstance(found, SubmissionError):
        return f"it stops ({found.sentence.split(', on the network')[0]})"
    first = next((entry for entry in found.wrong if (entry.name == "loss") == (signs == "loss")), found.wrong[0])
    if signs == "digits":
        return f"{_derivative(first.name)} loses its digits"
    return f"{_derivative(first.name)} is {first.given:g}"


def _clip(found: Grade | SubmissionError) -> float | None:
    """Return where dL/dz is clipped, if dL/db came as a round number far smaller than the right one; None otherwise."""
    if isinstance(found, SubmissionError):
        return None
    for each in found.wrong:
        if each.name.startswith("b") and 1 <= abs(each.given) < 0.99 * abs(each.expected):
            power = 10 ** math.floor(math.log10(abs(each.given)))
            if abs(each.given) in (power, 2 * power, 5 * power):
                return abs(each.given)
    return None


def _epsilon(behind: Sequence[tuple[Case, Entry]]) -> float | None:
    """Return the epsilon or clip with which the loss that is farthest off would be the one that came; None if none would."""
    drawn, loss = max(behind, key=lambda each: abs(each[1].given - each[1].expected))
    asked = plain_case(drawn.net, drawn.x, drawn.y)
    p, y = of_classes(asked, np.atleast_2d(drawn.net(drawn.x)))
    for clip in (False, True):

        def with_size(size: float, clip: bool = clip) -> float:
            return loss_with_epsilon(p, y, asked.reduction, size, clip=clip)

        def is_below(size: float, with_size: Callable[[float], float] = with_size) -> bool:
            return with_size(size) >= loss.given

        if not with_size(2 * EPSILON) <= loss.given:
            continue
        _, high = bisected(1e-18, 2 * EPSILON, is_below)
        # A clip also cuts probabilities near 1, and is no epsilon then.
        if high > 1e-17 and abs(with_size(high) - loss.given) <= 1e-6 * abs(loss.given):
            return high
    return None


def _derivative(name: str) -> str:
    return "the loss" if name == "loss" else f"dL/d{name}" if name[0] in "wbx" else name


def _of_layer(at: Case, place: int, found: Grade | SubmissionError, signs: str, suffix: str) -> Note:
    """Return the note on the layer whose size it is, at the network where it just breaks."""
    name = at.net.layers[place].activation.name
    z = _z(at, place)
    last = place == len(at.net.layers) - 1
    what = _what(found, signs)
    if name == "softmax":
        # 0 · log 0 is no number either, and comes of a class that is none of the true ones.
        true_alone = last and signs == "loss" and not isinstance(found, SubmissionError) and not np.isnan(found.wrong[0].given)
        true = plain_case(at.net, at.x, at.y).targets() > 0 if true_alone else np.ones_like(z, bool)
        gap = float((z.max(axis=1, keepdims=True) - z)[true].max())
        # Σ e^z may overflow where no e^z does; either spoils the derivatives, too.
        if signs in ("nan", "raises") and z.max() > math.log(np.finfo(at.net.dtype).max) - math.log(z.shape[1]) - 0.1:
            return Note("numbers", f"{what} from a logit of {z.max():.1f} on{suffix}: e^z overflows", REMEDIES["softmax"], 9)
        if signs == "loss" and last:
            text = f"the loss is lost from logits {gap:.1f} apart on{suffix}: the log of a probability held as 0, or nearly"
            return Note("numbers", text, REMEDIES["logarithm"], 2)
        if signs == "digits":
            return Note("numbers", f"{what} from logits {gap:.1f} apart on{suffix}", REMEDIES["softmax digits"], 2)
        return Note("numbers", f"{what} from logits {gap:.1f} apart on{suffix}", REMEDIES["softmax"], 9)
    if last and at.net.loss_name == "binary_cross_entropy":
        return _of_yes_or_no(what, float(np.abs(z).max()), signs, suffix)
    size = f"|z| = {np.abs(z).max():.1f}"
    if name in ("sigmoid", "tanh"):
        if signs == "digits":
            return Note("numbers", f"{what} from {size} on{suffix} in a {name} layer", REMEDIES[f"{name} digits"], 12)
        return Note("numbers", f"{what} from {size} on{suffix} in a {name} layer: a power overflows", REMEDIES[name], 9)
    return Note("numbers", f"{what} from {size} on{suffix} in a layer with {name}")


def _of_yes_or_no(what: str, size: float, signs: str, suffix: str) -> Note:
    """Return the note on a sigmoid output under binary cross-entropy that breaks from this |z| on."""
    if signs == "loss":
        text = f"the loss is lost from |z| = {size:.1f} on{suffix}: the log of a probability held as 0, or nearly"
        return Note("numbers", text, REMEDIES["binary logarithm"], 1)
    if signs == "digits":
        return Note("numbers", f"{what} from |z| = {size:.1f} on{suffix} in the output layer", REMEDIES["binary digits"], 1)
    text = f"{what} from |z| = {size:.1f} on{suffix} in the output layer: a or 1 − a is held as 0, or a power overflows"
    return Note("numbers", text, f"{REMEDIES['binary digits']}; {REMEDIES['sigmoid']}", 1)


def of_digits(behind: Sequence[tuple[Case, Grade]], asked: int) -> Note:
    """Return the note on last digits that are wrong at numbers of ordinary size.

    Parameters
    ----------
    behind : sequence of (Case, Grade)
        The networks on which they are, with what the answers are worth.
    asked : int
        How many networks were asked about.

    Returns
    -------
    Note
        That it is an epsilon or a clip, with its size, where the loss alone is off, or few networks show it; otherwise that
        fewer digits are carried.
    """
    of_gradient = [(drawn, found) for drawn, found in behind if any(entry.name != "loss" for entry in found.wrong)]
    of_loss = [
        (drawn, entry)
        for drawn, found in behind
        if drawn.net.loss_name in JOINED
        for entry in found.wrong
        if entry.name == "loss"
    ]
    if of_loss and len(of_gradient) < asked / 4:
        size = _epsilon(of_loss)
        about = f" of about 1e{round(math.log10(size)):d}" if size else ""
        text = f"the loss is off by an epsilon or a clip{about} in its logarithm"
        if of_loss[0][0].net.loss_name == "binary_cross_entropy":
            return Note("numbers", text, f"no epsilon and no clip: {REMEDIES['binary logarithm']}", 1)
        return Note("numbers", text, REMEDIES["epsilon"], 2)
    drawn, found = (of_gradient or behind)[0]
    entries = [entry for entry in found.wrong if entry.name != "loss"] or list(found.wrong)
    off = [abs(entry.given - entry.expected) / max(abs(entry.expected), 1e-300) for entry in entries]
    digits = max(1, math.floor(-math.log10(min(*off, 0.1))))
    few = len(of_gradient) < asked / 4
    if drawn.net.loss_name == "binary_cross_entropy" and few:
        text = "a − y is off in its last digits where a is near 0 or 1: an epsilon or a clip"
        return Note("numbers", text, f"no epsilon and no clip: {REMEDIES['binary digits']}", 1)
    if drawn.net.loss_name == "cross_entropy" and few:
        text = "p − y is off in its last digits where p is near 0 or 1: an epsilon or a clip"
        return Note("numbers", text, REMEDIES["epsilon"], 2)
    as_if = ", as if it had passed through float32" if 5 <= digits <= 8 else ""
    text = f"{_derivative(entries[0].name)} agrees to about {digits} digits only{as_if}"
    return Note("numbers", text, REMEDIES["cast"])
