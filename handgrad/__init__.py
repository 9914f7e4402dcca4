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
    "exercise",
    "fit",
    "grade",
    "literal",
    "load",
    "worked",
    "written_out",
]
__version__ = "0.7.0"

# What belongs to homework is loaded when it is first asked for, so that computing does not wait for it.
LATER = {
    "exercise": "handgrad.homework.exercises.exercise",
    "grade": "handgrad.homework.grading.grade",
    "load": "handgrad.homework.saving",
    "worked": "handgrad.homework.worked",
    "written_out": "handgrad.homework.written_out",
}

if TYPE_CHECKING:
    from handgrad.homework.exercises.exercise import exercise
    from handgrad.homework.grading.grade import grade
    from handgrad.homework.saving import load
    from handgrad.homework.worked import worked
    from handgrad.homework.written_out import written_out


def __getattr__(name: str) -> Any:
    """Load a name of `LATER`."""
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(LATER[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    """Return the names, with those that are not loaded yet."""
    return sorted({*globals(), *__all__})
