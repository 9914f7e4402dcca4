"""Memory that is lent out, and knows whether somebody still has a part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def nobody() -> None:
    """Stand for a reference to nothing."""


class Lender:
    """What lends an array's memory out.

    Whoever is lent it gets an array made for him, and whatever he cuts from that array refers to it: once this array is gone,
    nobody has a part. A weak reference tells, on every Python: it says at the latest when the array's memory is collected,
    never too early, and without counting references, which threads may be changing. Who takes a raw address, or the buffer that
    lies below all arrays (`array.base.base`), is not noticed.

    Parameters
    ----------
    memory : ndarray
        In C order; not copied.
    """

    __slots__ = ("_buffer", "_dtype", "_lent")

    def __init__(self, memory: Array) -> None:
        # NumPy makes a view of a view refer to the array at the bottom. What is lent lies on a memoryview, so that it is the
        # array at the bottom of all its views.
        self._buffer, self._dtype = memory.reshape(-1).data, memory.dtype
        self._lent: Callable[[], Array | None] = nobody

    def lent(self) -> Array | None:
        """Return the array that was lent last, if somebody still has it or a part of it."""
        return self._lent()

    def lend(self) -> Array:
        """Return a new array of all of the memory, in one row."""
        array: Array = np.frombuffer(self._buffer, self._dtype)
        self._lent = ref(array)
        return array
