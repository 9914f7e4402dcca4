"""The peak of memory that a gradient takes, measured in a process that does nothing else."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from verification.benchmark.networks import Row, network_of
from verification.benchmark.peers import subject
from verification.benchmark.subject import Subject, handgrad
from verification.benchmark.timing import OWN

# Below this the libraries' own comings and goings are as large.
WORTH = 10 * 2**20
CALLS = 3
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Memory:
    """The memory of one network with one peer.

    Parameters
    ----------
    network, dtype, peer : str
        Which.
    minimum : int
        Bytes that nobody does without: parameters, gradients, x, and a of every layer.
    growth : int
        Bytes by which resident memory was larger at its peak than before.
    """

    network: str
    dtype: str
    peer: str
    minimum: int
    growth: int

    @property
    def multiple(self) -> float:
        """The growth as a multiple of the minimum."""
        return self.growth / self.minimum


def measure(row: Row, dtype: str, peer: str) -> Memory:
    """Return the peak memory of one peer on one network. To be asked once, in a fresh process.

    Parameters
    ----------
    row : Row
        The network.
    dtype : str
        float32 or float64.
    peer : str
        "handgrad", or one of `verification.benchmark.peers.PEERS`.

    Returns
    -------
    Memory
        The growth from after a first small network, which loads the libraries, over building this one and a few calls.
        Where the system can forget a peak (Linux), what drawing random numbers and handing them over took for a moment is
        not counted.
    """
    small = _made(row.reduced(), dtype, peer)
    small.run()
    del small
    _tidy()
    before = _resident() or _peak()
    made = _made(row, dtype, peer)
    _tidy()
    _forget_peak()
    for _ in range(CALLS):
        made.run()
    return Memory(row.name, dtype, peer, row.minimum_bytes(dtype), _peak() - before)


def _made(row: Row, dtype: str, peer: str) -> Subject:
    net, x, y = network_of(row, dtype)
    return handgrad(net, x, y) if peer == OWN else subject(peer, net, x, y)


def _resident() -> int | None:
    """Return the bytes in memory now, where the system says so."""
    return _status("VmRSS")


def _peak() -> int:
    """Return the most bytes that were in memory."""
    import resource  # not everywhere

    unit = 1 if sys.platform == "darwin" else 1024
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB$", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _tidy() -> None:
    """Give back what is free, where the C library can: otherwise it is counted, or serves again, as it happens."""
    gc.collect()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _forget_peak() -> None:
    with suppress(OSError):
        CLEAR.write_text("5", encoding="ascii")
