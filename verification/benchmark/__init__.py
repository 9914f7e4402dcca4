"""The benchmark: handgrad's gradient beside the same gradient by others, in time and in memory.

The rooms are opened when a name of theirs is first asked for, as those of `verification` are: a child process that times one
peer has no use for the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verification.benchmark.networks import NETWORKS, Row, network_of, row_of

__all__ = ["NETWORKS", "Row", "network_of", "row_of"]
_ROOMS = {"networks": ["NETWORKS", "Row", "network_of", "row_of"]}


def __getattr__(name: str) -> Any:
    """Return a public name from the room that has it."""
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f"verification.benchmark.{room}"), name)
    raise AttributeError(f"module 'verification.benchmark' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
