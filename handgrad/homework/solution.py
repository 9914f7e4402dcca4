"""What a worked solution is made of: the network, the data, the derivation, and how its numbers and words are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from handgrad.homework.derivation import Derivation, Part
from handgrad.homework.digits import NOISE
from handgrad.network import Network

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Solution:
    """Every number of a network on some examples, derived in the notes' order.

    Parameters
    ----------
    net : Network
        As it was.
    x, y : ndarray
        The batch, (N, n_0), and its targets, (N, n_L); classes as distributions.
    derivation : Derivation
        The steps.
    rate : float or None
        Of the step of gradient descent, None without one.
    part : Part
        Which part is shown.
    digits : int
        How many significant digits are shown.
    language : str
        The language of the words.
    """

    net: Network
    x: Array
    y: Array
    derivation: Derivation
    rate: float | None
    part: Part
    digits: int
    language: str

    @property
    def noise(self) -> int:
        """How many digits of its numbers are to be believed."""
        return NOISE[self.net.dtype.name]
