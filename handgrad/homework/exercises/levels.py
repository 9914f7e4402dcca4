"""The levels of exercises."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """What a level asks, unless something else is asked for.

    Parameters
    ----------
    widths : tuple of int
        n_0, …, n_L.
    hidden, output : str
        The activations.
    loss : str
        As for `Network`.
    shows_formulas : bool
        Whether the sheet has the formula of each number, or the number of its equation alone.
    """

    widths: tuple[int, ...]
    hidden: str
    output: str
    loss: str
    shows_formulas: bool


LEVELS = {
    1: Level((1, 1, 1), "relu", "identity", "squared_error", True),
    2: Level((2, 2, 1), "relu", "identity", "squared_error", True),
    3: Level((2, 2, 1), "sigmoid", "sigmoid", "squared_error", False),
    4: Level((2, 2, 3), "relu", "softmax", "cross_entropy", False),
}
