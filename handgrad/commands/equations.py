"""`equations`: the notes' equations, each with its section, its formula and its function."""

from __future__ import annotations

import argparse
import inspect

from handgrad.commands.options import show
from handgrad.equations import EQUATIONS
from handgrad.formulas import FORMULAS

TEXT = "Show the notes' equations: number, section, formula and function. With numbers, show these with their code."
EXAMPLE = "python -m handgrad equations 14"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    numbers = f"equations to show in full, {min(EQUATIONS)} to {max(EQUATIONS)}"
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help=numbers)


def run(asked: argparse.Namespace) -> None:
    """Print the table, or the equations that are asked for."""
    for number in asked.numbers:
        if number not in EQUATIONS:
            raise ValueError(f"equations are numbered from {min(EQUATIONS)} to {max(EQUATIONS)}; got {number}")
    for number in asked.numbers or EQUATIONS:
        equation = EQUATIONS[number]
        show(f"({number})".ljust(5) + f"{equation.section:<7} {equation.function.__name__:<18} {FORMULAS[number]}")
        if asked.numbers:
            show("\n" + inspect.getsource(equation.function))
