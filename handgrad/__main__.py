"""`python -m handgrad`: the notes' equations, as handgrad codes them."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Sequence

from handgrad.equations import EQUATIONS
from handgrad.formulas import FORMULAS
from handgrad.terminal import is_full, leave_output, make_readable, tell_unwritten

UNWRITTEN = 2
DESCRIPTION = "Show the notes' equations: number, section, formula and function. With numbers, show these with their code."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after `python -m handgrad`.

    Returns
    -------
    int
        0, or 2 if the output cannot be written; bad usage leaves through SystemExit with 2.
    """
    make_readable()
    parser = argparse.ArgumentParser("python -m handgrad", description=DESCRIPTION)
    parser.add_argument(
        "numbers",
        nargs="*",
        type=int,
        metavar="NUMBER",
        help=f"equations to show in full, {min(EQUATIONS)} to {max(EQUATIONS)}",
    )
    asked = parser.parse_args(arguments)
    for number in asked.numbers:
        if number not in EQUATIONS:
            parser.error(f"equations are numbered from {min(EQUATIONS)} to {max(EQUATIONS)}; got {number}")
    try:
        for number in asked.numbers or EQUATIONS:
            equation = EQUATIONS[number]
            _print(f"({number})".ljust(5) + f"{equation.section:<7} {equation.function.__name__:<18} {FORMULAS[number]}")
            if asked.numbers:
                _print("\n" + inspect.getsource(equation.function))
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain once more when it closes the pipe.
        leave_output()
    except OSError as error:
        if not is_full(error):
            raise
        tell_unwritten(error)
        return UNWRITTEN
    return 0


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # what a command line is for


if __name__ == "__main__":
    sys.exit(main())
