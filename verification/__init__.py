"""verification: handgrad beside `torch.autograd`, on random networks, within bounds that follow from rounding.

The rooms are opened when a name of theirs is first asked for: who checks a homework needs NumPy alone, and torch takes seconds.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verification.autograd.batched import assert_contents_match_autograd
    from verification.autograd.comparison import Report, assert_matches_autograd, compare
    from verification.autograd.modules import module_submission
    from verification.autograd.twins import SquaredError, from_torch, to_torch, to_torch_loss
    from verification.bounds.entries import Entry
    from verification.checking.check import check
    from verification.checking.verdict import Verdict
    from verification.random_networks.architectures import Architecture
    from verification.random_networks.cases import Case
    from verification.random_networks.strategies import architectures, cases, networks, seeds
    from verification.submissions.answers import SubmissionError
    from verification.submissions.description import Description, describe
    from verification.submissions.remote import open_submission
    from verification.submissions.support import Support, supports

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
    "architectures",
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
    "seeds",
    "supports",
    "to_torch",
    "to_torch_loss",
]
STRATEGIES = "random_networks.strategies"
_ROOMS = {
    "autograd.batched": ["assert_contents_match_autograd"],
    "autograd.comparison": ["Report", "assert_matches_autograd", "compare"],
    "autograd.modules": ["module_submission"],
    "autograd.twins": ["SquaredError", "from_torch", "to_torch", "to_torch_loss"],
    "bounds.entries": ["Entry"],
    "checking.check": ["check"],
    "checking.verdict": ["Verdict"],
    "random_networks.architectures": ["Architecture"],
    "random_networks.cases": ["Case"],
    STRATEGIES: ["architectures", "cases", "networks", "seeds"],
    "submissions.answers": ["SubmissionError"],
    "submissions.description": ["Description", "describe"],
    "submissions.remote": ["open_submission"],
    "submissions.support": ["Support", "supports"],
}


def __getattr__(name: str) -> Any:
    """Return a public name from the room that has it."""
    for room, names in _ROOMS.items():
        if name in names:
            found = getattr(import_module(f"verification.{room}"), name)
            if room == STRATEGIES:
                # What is drawn is compared, and Hypothesis takes the time of each example: torch is loaded before the first.
                with suppress(ImportError):
                    import_module("verification.autograd.comparison")
            return found
    raise AttributeError(f"module 'verification' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
