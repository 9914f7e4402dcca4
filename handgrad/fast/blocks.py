"""How many examples go through a network at once, so that what lies between the layers stays in the processor's cache."""

from __future__ import annotations

import os
from functools import cache
from math import ceil

from handgrad.gradient import Shapes

# A core's second-level cache, where the system does not tell.
USUAL_CACHE = 2**20
# A block's working memory, in caches: what is written in one layer and read in the next is at hand, though not all is.
CACHES = 2
# With fewer rows, or blocks, the calls take longer than the memory does. (More than `plan.FEW` examples have blocks, then.)
FEWEST_ROWS, FEWEST_BLOCKS = 256, 8


@cache
def cache_size() -> int:
    """Return the bytes of a core's second-level cache."""
    try:
        return max(os.sysconf("SC_LEVEL2_CACHE_SIZE"), 0) or USUAL_CACHE
    except (AttributeError, ValueError, OSError):  # no Unix, or one that does not tell
        return USUAL_CACHE


def blocks_of(shapes: Shapes, itemsize: int, count: int) -> list[slice]:
    """Return the rows of each block of a batch: one block unless it takes much more memory than the cache has.

    The blocks are of equal size, but for one row. Wide layers have none: a block of rows would be small, or their products
    keep the processor busy whatever lies in the cache.

    Parameters
    ----------
    shapes : Shapes
        Of the network's layers.
    itemsize : int
        Bytes of a number.
    count : int
        N.

    Returns
    -------
    list of slice
        In order, together all rows.
    """
    w_1 = shapes[0][0]
    widths = [w[0] for w, _ in shapes]
    # x, every z or a, one dL/da, and dL/dz of the first layer.
    of_a_row = itemsize * (w_1[1] + sum(widths) + max(widths) + w_1[0])
    rows = CACHES * cache_size() // of_a_row
    number = ceil(count / rows) if rows >= FEWEST_ROWS else 1
    if number < FEWEST_BLOCKS:
        number = 1
    return [slice(count * place // number, count * (place + 1) // number) for place in range(number)]
