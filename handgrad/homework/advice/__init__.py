"""Why a network whose gradient is right does not learn: what stands out, with the measured number behind each remark.

`advise` runs one function for each remark over what was seen of the network; `remarks` says what a remark is, `of_network`,
`of_data` and `of_rate` hold the functions with their thresholds. The words are in `handgrad.homework.words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.homework.advice import of_data, of_network, of_rate
from handgrad.homework.advice.remarks import Advice, Remark, Seen
from handgrad.homework.words import words
from handgrad.network import Network

__all__ = ["RULES", "Advice", "Remark", "advise"]

# In the order of the remarks.
RULES: tuple[Callable[[Seen], Iterable[Remark]], ...] = (
    of_network.not_finite,
    of_network.zero_gradient,
    of_network.zero_weights,
    of_network.symmetric_weights,
    of_network.dead_units,
    of_network.saturated_units,
    of_network.saturated_output,
    of_network.deep_squashing,
    of_network.linear_layers,
    of_network.relu_output,
    of_network.softmax_of_one_unit,
    of_network.softmax_squared_error,
    of_data.targets_out_of_range,
    of_data.squashed_regression,
    of_data.targets_not_scaled,
    of_data.class_missing,
    of_data.inputs_constant,
    of_data.inputs_far_from_zero,
    of_data.inputs_not_scaled,
    of_rate.rate,
)


def advise(net: Network, x: npt.ArrayLike, y: npt.ArrayLike, rate: float | None = None, language: str = "en") -> Advice:
    """Say what may keep a network from learning, as `Network.advice` does.

    Parameters
    ----------
    net : Network
        Not changed: steps are taken on a copy.
    x, y : array_like
        As for `Network.loss`, with the same errors.
    rate : float, optional
        The learning rate to be tried, > 0; none is tried unless given.
    language : str
        "en" or "es".

    Returns
    -------
    Advice
        The remarks; none of them is an error, and numbers that overflow are a remark, too.

    Raises
    ------
    TypeError, ValueError
        If x or y does not suit the network, rate is no finite number > 0, or the language is unknown.
    """
    step = None if rate is None else checks.positive_number("rate", rate, net.dtype)
    said = words(language)
    batch, single = net.engine.inputs(x)
    target = net.engine.targets(y, len(batch), single)
    with np.errstate(all="ignore"):  # whatever overflows is found in the numbers
        trace = net.trace(batch, checks.real_array("y", y)[None] if single else y)
        seen = Seen(net, batch, target, trace, step, said["advice"], said["activations"])
        return Advice(tuple(remark for rule in RULES for remark in rule(seen)), said["advice"]["nothing"])
