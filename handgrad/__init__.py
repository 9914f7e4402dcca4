"""handgrad: backpropagation by hand, equation by equation, in NumPy.

Read `handgrad.equations` and `handgrad.literal` beside the lecture notes; use `Network` to compute.
"""

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
]
__version__ = "0.4.0"
