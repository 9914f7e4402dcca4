"""The weights of a layer, kept as they were for a dL/dx that is computed later."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any
from weakref import ref

import numpy.typing as npt

from handgrad.fast.lending import Lender, nobody

Array = npt.NDArray[Any]

# Several threads may read w, or ask for gradients, at once: all must find the same loan and the same snapshot. A signal's
# handler may do so in the midst of it, in the same thread.
ONE_AT_A_TIME = RLock()


class Snapshot:
    """w as it was at one time: the layer's own memory until that may change, and then a copy."""

    def __init__(self, w: Array) -> None:
        self.w = w


class Weights:
    """w, in memory that is copied only for somebody who wants it as it was, and only when it may change.

    Most gradients are never asked for their dL/dx, and a copy of w_1 for each would cost more than that product. So all share
    the layer's memory until a step is taken, w is assigned, or somebody has w itself, to which he may write any time.

    Parameters
    ----------
    array : ndarray
        (n, n_prev), in C order; not copied.

    Attributes
    ----------
    array : ndarray
        The same. Whoever writes to it, or hands it to somebody who may, calls `will_change` or `lend` first.
    """

    def __init__(self, array: Array) -> None:
        self.array = array
        self._lender = Lender(array)
        self._lent: Callable[[], Array | None] = nobody
        # What all who want w as it is now share, while one of them is there.
        self._shared: Callable[[], Snapshot | None] = nobody

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to make it again elsewhere, where nobody has anything of it."""
        return type(self), (self.array,)

    @property
    def is_lent(self) -> bool:
        """Whether somebody has w itself, or a part of it."""
        return self._lender.lent() is not None

    def lend(self) -> Array:
        """Return w itself for a caller, who may write to it as long as he has it."""
        with ONE_AT_A_TIME:
            w = self._lent()
            if w is None:
                row = self._lender.lent()
                if row is None:
                    row = self._lender.lend()
                    self._give_copy()
                w = row.reshape(self.array.shape)
                self._lent = ref(w)
            return w

    def assign(self, values: Array) -> None:
        """Copy other numbers into the memory."""
        self.will_change()
        self.array[...] = values

    def will_change(self) -> None:
        """Give a copy to whoever wants w as it is now."""
        with ONE_AT_A_TIME:
            self._give_copy()

    def _give_copy(self) -> None:
        shared = self._shared()
        if shared is not None:
            self._shared = nobody
            shared.w = self.array.copy()

    def snapshot(self) -> Snapshot:
        """Return w as it is now, whatever becomes of it."""
        with ONE_AT_A_TIME:
            if self.is_lent:
                return Snapshot(self.array.copy())
            shared = self._shared()
            if shared is None:
                shared = Snapshot(self.array)
                self._shared = ref(shared)
            return shared
