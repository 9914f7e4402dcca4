"""The weights of a layer, kept as they were for a dL/dx that is computed later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(eq=False)
class Snapshot:
    """w as it was at one time: the layer's own memory until that may change, and then a copy."""

    w: Array
    wanted: bool = False


class Weights:
    """w, in memory that is never copied before it may change.

    Most gradients are never asked for their dL/dx, and a copy of w_1 for each would cost more than that product. So all share
    the layer's memory until a step is taken, w is assigned, or the caller was given w itself and may write to it any time.

    Parameters
    ----------
    array : ndarray
        (n, n_prev); not copied.

    Attributes
    ----------
    array : ndarray
        The same. Whoever writes to it, or hands it to somebody who may, calls `will_change` or `lend` first.
    """

    def __init__(self, array: Array) -> None:
        self.array = array
        self._lent, self._snapshot = False, Snapshot(array)

    def lend(self) -> Array:
        """Return w itself for a caller, who may write to it from now on."""
        # In this order, and in `snapshot` in the other: of two threads one sees the other's mark.
        self._lent = True
        self.will_change()
        return self.array

    def assign(self, values: Array) -> None:
        """Copy other numbers into the memory."""
        self.will_change()
        self.array[...] = values

    def will_change(self) -> None:
        """Give a copy to whoever wants w as it is now."""
        if self._snapshot.wanted:
            self._snapshot.w, self._snapshot = self.array.copy(), Snapshot(self.array)

    def snapshot(self) -> Snapshot:
        """Return w as it is now, whatever becomes of it."""
        kept = self._snapshot
        kept.wanted = kept.wanted or not self._lent
        return Snapshot(self.array.copy()) if self._lent else kept
