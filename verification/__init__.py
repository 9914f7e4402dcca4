"""verification: handgrad beside `torch.autograd`, on random networks, within bounds that follow from rounding.

The rooms are opened when a name of theirs is first asked for: a submission's process, which is started again after every
endless loop, has no use for torch, and torch takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verification.architectures import Architecture, Case, cases, networks
    from verification.checking import check
    from verification.comparison import Entry, Report, assert_matches_autograd, compare
    from verification.derivation import Verdict
    from verification.runner import open_submission
    from verification.submission import Description, SubmissionError, Support, describe, supports
    from verification.together import assert_contents_match_autograd
    from verification.torch_modules import module_submission
    from verification.twins import SquaredError, from_torch, to_torch, to_torch_loss

__all__ = [
    "Architecture",
    "Case",
    "Description",
    "Entry",
    "Report",
    "SquaredError",
    "SubmissionError",
    "Support",
    "Verdict",
    "assert_contents_match_autograd",
    "assert_matches_autograd",
    "cases",
    "check",
    "compare",
    "describe",
    "from_torch",
    "module_submission",
    "networks",
    "open_submission",
    "supports",
    "to_torch",
    "to_torch_loss",
]
_ROOMS = {
    "architectures": ["Architecture", "Case", "cases", "networks"],
    "checking": ["check"],
    "derivation": ["Verdict"],
    "comparison": ["Entry", "Report", "assert_matches_autograd", "compare"],
    "runner": ["open_submission"],
    "submission": ["Description", "SubmissionError", "Support", "describe", "supports"],
    "together": ["assert_contents_match_autograd"],
    "torch_modules": ["module_submission"],
    "twins": ["SquaredError", "from_torch", "to_torch", "to_torch_loss"],
}


def __getattr__(name: str) -> Any:
    """Return a public name from the room that has it."""
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f"verification.{room}"), name)
    raise AttributeError(f"module 'verification' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
