"""The network written out: backpropagation of one example as a straight-line program on plain numbers, told and compiled.

It is the fourth telling: `straight_line` has its lines, `handgrad.written_out` shows them, and a network of a few units is
computed by them faster than NumPy could be called. A program depends on the architecture alone, not on the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from handgrad.fast.architecture import Architecture
from handgrad.fast.straight_line import Line, Names, Section, names_of, sections_of

Numbers = Sequence[float]
# Of parameters, x and y: L, ∇L, and dL/dx.
Compute = Callable[[Numbers, Numbers, Numbers], tuple[float, tuple[float, ...], tuple[float, ...]]]

# What a program may call, apart from plain arithmetic.
FUNCTIONS = ("exp", "log1p", "tanh")
# So many architectures are kept, with what is compiled of them.
MOST_PROGRAMS = 256


@dataclass(frozen=True, eq=False)
class Program:
    """Backpropagation of one example by one architecture: its lines, and the same lines compiled.

    Nothing in it raises an error, whatever the numbers are: what overflows is infinite, or NaN. y must be finite.

    Parameters
    ----------
    architecture : Architecture
        Of the network; of one example the mean loss is the sum.
    """

    architecture: Architecture

    @cached_property
    def names(self) -> list[Names]:
        """What the quantities of each layer are called, first layer first."""
        return names_of(self.architecture.shapes)

    @cached_property
    def sections(self) -> list[Section]:
        """The lines, in the order of one pass."""
        return sections_of(self.names, self.architecture.activations, self.architecture.loss)

    @property
    def lines(self) -> list[Line]:
        """Every line, in the order of one pass."""
        return [line for section in self.sections for line in section.lines]

    @cached_property
    def parameters(self) -> list[str]:
        """The names of the parameters, in figure 9's order."""
        return [name for of in self.names for name in of.parameters]

    @property
    def x(self) -> list[str]:
        """The names of the inputs."""
        return self.names[0].a_prev

    @property
    def y(self) -> list[str]:
        """The names of the targets, one for each output."""
        return [f"y_{j}" for j in range(1, len(self.names[-1].b) + 1)]

    @property
    def functions(self) -> list[str]:
        """What the lines call of `math`."""
        text = "\n".join(code for code, _, _ in self.lines)
        return [name for name in FUNCTIONS if f"{name}(" in text]

    @cached_property
    def classes(self) -> tuple[tuple[float, ...], ...]:
        """The y of each class: 1 in its own place, and 0 elsewhere."""
        count = range(len(self.y))
        return tuple(tuple(float(k == j) for j in count) for k in count)

    @cached_property
    def gradient(self) -> Compute:
        """The lines as a function of parameters in figure 9's order, x and y: L, ∇L in figure 9's order, dL/dx."""
        derivatives = ", ".join(f"d{name}" for name in self.parameters)
        dL_dx = ", ".join(self.names[0].dL_da_prev)
        needed = [line for line in self.lines if not line.beside]
        gradient: Compute = self._compiled(needed, f"L, ({derivatives},), ({dL_dx},)")
        return gradient

    def quantities(self, parameters: Numbers, x: Numbers, y: Numbers) -> dict[str, float]:
        """Return every quantity by its name in the program, those beside the gradient, too.

        Parameters
        ----------
        parameters : sequence of float
            In figure 9's order.
        x, y : sequence of float
            The example; a class as 1 and 0 (`classes`).

        Returns
        -------
        dict of str to float
            The given numbers are in it, too.
        """
        found: dict[str, Any] = self._all(parameters, x, y)
        return {name: number for name, number in found.items() if name not in _ARGUMENTS}

    @cached_property
    def _all(self) -> Callable[[Numbers, Numbers, Numbers], dict[str, Any]]:
        return self._compiled(self.lines, "locals()")

    def _compiled(self, lines: Sequence[Line], returned: str) -> Callable[..., Any]:
        """Return lines as a function; names unpacked into its own are the fastest that Python has."""
        given = zip((self.parameters, self.x, self.y), _ARGUMENTS, strict=True)
        head = [f"({', '.join(names)},) = {argument}" for names, argument in given]
        body = "\n ".join([*head, *(code for code, _, _ in lines), f"return {returned}"])
        namespace: dict[str, Any] = {name: getattr(math, name) for name in FUNCTIONS}
        exec(compile(f"def program({', '.join(_ARGUMENTS)}):\n {body}", "<network written out>", "exec"), namespace)
        # Taken out of what it refers to, so that it dies without the garbage collector.
        program: Callable[..., Any] = namespace.pop("program")
        return program


_ARGUMENTS = ("parameters", "x", "y")


@lru_cache(maxsize=MOST_PROGRAMS)
def program_of(architecture: Architecture) -> Program:
    """Return the program of an architecture, the same one every time.

    Parameters
    ----------
    architecture : Architecture
        Of the network.

    Returns
    -------
    Program
        Compiled when it is first asked for a gradient.
    """
    return Program(architecture)
