"""handgrad: backpropagation by hand, equation by equation, in NumPy.

Read `handgrad.equations` and `handgrad.literal` beside the lecture notes; use `Network` to compute.
"""

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
    "worked",
]
__version__ = "0.5.0"

if TYPE_CHECKING:
    from handgrad.homework.worked import worked


def __getattr__(name: str) -> Any:
    """Load what belongs to homework when it is first asked for, so that computing does not wait for it."""
    if name == "worked":
        from handgrad.homework.worked import worked

        globals()[name] = worked
        return worked
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names, with those that are not loaded yet."""
    return sorted({*globals(), *__all__})
