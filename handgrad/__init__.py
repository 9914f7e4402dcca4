"""handgrad: backpropagation by hand, equation by equation, in NumPy.

Read `handgrad.equations` and `handgrad.literal` beside the lecture notes; use `Network` to compute.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from handgrad import literal
from handgrad.activations import Activation
from handgrad.descent import History, fit
from handgrad.equations import EQUATIONS, Equation
from handgrad.gradient import Gradient, LayerGradient, LayerTrace, Trace
from handgrad.network import Dense, Network

__all__ = [
    "EQUATIONS",
    "Activation",
    "Dense",
    "Equation",
    "Gradient",
    "History",
    "LayerGradient",
    "LayerTrace",
    "Network",
    "Trace",
    "fit",
    "literal",
    "load",
    "worked",
]
__version__ = "0.5.0"

if TYPE_CHECKING:
    from handgrad.homework.saving import load
    from handgrad.homework.worked import worked

# What belongs to homework, with its module: computing does not wait for it.
LAZY = {"load": "handgrad.homework.saving", "worked": "handgrad.homework.worked"}


def __getattr__(name: str) -> Any:
    """Load what belongs to homework when it is first asked for."""
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(LAZY[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    """Return the names, with those that are not loaded yet."""
    return sorted({*globals(), *__all__})
