"""The loss as an oracle: whether a submission's gradient is the derivative of the loss that it reports.

If it is, the forward pass or the loss is another one than is asked for; if it is not, the backward pass is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from verification.checking.asking import Asking
from verification.checking.questions import ORDINARY
from verification.random_networks.cases import Case
from verification.submissions.answers import SubmissionError
from verification.submissions.description import Description, describe, with_parameters

Array = npt.NDArray[np.float64]

# Central differences at two steps, whose errors of order h² cancel (Richardson): what is left is of order h⁴, and the rounding
# of the loss divided by h.
STEP = 2.0**-8
NEAR = 1e-6
NO_DERIVATIVE = "the gradient is not the derivative of the loss that it reports: the way back is wrong"
CASES = 12
MOST_PARAMETERS = 30


@dataclass(frozen=True)
class OwnLoss:
    """What a submission's loss says of its gradient.

    Parameters
    ----------
    belongs : bool
        Whether the gradient is the derivative of the loss.
    text : str
        That in a sentence.
    """

    belongs: bool
    text: str


def own_loss(asking: Asking) -> OwnLoss | None:
    """Return whether the gradient is the derivative of the loss that comes with it; None if that cannot be told.

    Parameters
    ----------
    asking : Asking
        The submission.

    Returns
    -------
    OwnLoss or None
        None without a loss, or if it cannot be asked about small networks of ordinary numbers.
    """
    ratios: list[tuple[Array, int]] = []
    for number in range(80):
        drawn = asking.questions.case(number, stream=6, of=ORDINARY)
        if drawn.net.dtype != np.float64 or sum(array.size for array in drawn.net.named().values()) > MOST_PARAMETERS:
            continue
        try:
            found = _ratios(asking, drawn)
        except (SubmissionError, KeyError):  # no loss, or no answer
            return None
        if found is not None:
            ratios.append((found, len(drawn.net.layers[-1].b)))
        if len(ratios) == CASES:
            break
    if len(ratios) < CASES:
        return None
    every = np.concatenate([found for found, _ in ratios])
    if _all_near(every, 1.0):
        return OwnLoss(True, "the gradient is the derivative of the loss that it reports, which is another than is asked for")
    middle = float(np.median(every))
    if middle and _all_near(every / middle, 1.0):
        return OwnLoss(False, f"the gradient is {middle:.4g} times the gradient of the loss that it reports")
    if all(_all_near(found / n, 1.0) for found, n in ratios):
        return OwnLoss(False, "the gradient is n_L (the number of outputs) times the gradient of the loss that it reports")
    return OwnLoss(False, NO_DERIVATIVE)


def _all_near(ratios: Array, number: float) -> bool:
    return bool((np.abs(ratios - number) <= NEAR * 10).all())


def _ratios(asking: Asking, drawn: Case) -> Array | None:
    """Return the gradient beside the differences of the loss, as ratios; None where every derivative is nearly 0."""
    network = describe(drawn.net)
    answer = asking.ask(network, drawn.x, drawn.y)
    answer["loss"]
    given, differences = [], []
    for name, array in network.named().items():
        if name not in answer:  # a bias of who has none
            continue
        for index in np.ndindex(array.shape):
            wide, narrow = (_difference(asking, drawn, network, name, index, step) for step in (STEP, STEP / 2))
            differences.append((4 * narrow - wide) / 3)
            given.append(float(answer[name][index]))
    largest = max(np.abs(differences), default=0.0)
    if not largest > 1e-3 or not np.isfinite(differences).all():
        return None
    kept = np.abs(differences) > 1e-2 * largest
    ratios: Array = np.array(given)[kept] / np.array(differences)[kept]
    # Where the difference is 0 the derivative must be, too: a ratio of infinity is no constant.
    stray = np.abs(np.array(given)[~kept]) > 3e-2 * largest * max(1.0, float(np.abs(ratios).max()))
    return np.append(ratios, np.inf) if stray.any() else ratios


def _difference(asking: Asking, drawn: Case, network: Description, name: str, index: tuple[int, ...], step: float) -> float:
    losses = []
    for sign in (1, -1):
        moved = {key: array.copy() for key, array in network.named().items()}
        moved[name][index] += sign * step
        losses.append(float(asking.ask(with_parameters(network, moved), drawn.x, drawn.y)["loss"]))
    return (losses[0] - losses[1]) / (2 * step)
