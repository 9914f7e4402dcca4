"""`python -m handgrad`: what is typed, and what it ends with; `handgrad.commands` has a module for each command."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

import handgrad
from handgrad.checks import suggestion
from handgrad.commands import equations, examples, exercise, fit, grade, plot, worked
from handgrad.destination import UnwrittenError
from handgrad.extras import PACKAGES
from handgrad.terminal import is_full, leave_output, make_readable, tell_unwritten

BAD, STOPPED = 2, 130
DESCRIPTION = """Backpropagation by hand: the notes' equations, a network worked out number by number, the notes' figures,
published examples recomputed; exercises with their keys, and grading; networks fitted to a table."""
EPILOG = """Without a command, or with numbers alone, the equations are shown. Exit status: 0; 2 for bad input, or if the output
cannot be written; 130 if stopped by Ctrl-C."""
COMMANDS = {
    "equations": equations,
    "worked": worked,
    "plot": plot,
    "examples": examples,
    "exercise": exercise,
    "grade": grade,
    "fit": fit,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after `python -m handgrad`.

    Returns
    -------
    int
        0; 2 if the input is bad or the output cannot be written; 130 after Ctrl-C. Bad usage leaves through SystemExit with 2.
    """
    make_readable()
    typed = list(sys.argv[1:] if arguments is None else arguments)
    if not typed or typed[0].lstrip("-").isdigit():
        typed = ["equations", *typed]
    parser = _parser()
    if typed[0] not in COMMANDS and not typed[0].startswith("-"):
        known = list(COMMANDS)
        parser.error(f"COMMAND must be one of {', '.join(known)}; got {typed[0]!r}{suggestion(typed[0], known)}")
    asked = parser.parse_args(_with_signs(typed))
    try:
        asked.run(asked)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201
        return STOPPED
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain once more when it closes the pipe.
        leave_output()
    except OSError as error:
        if is_full(error) or isinstance(error, UnwrittenError):
            tell_unwritten(error)
            return BAD
        if error.filename is None:
            raise
        return _refuse(asked, f"{error.filename}: {error.strerror}")
    except ImportError as error:
        if error.name not in PACKAGES:
            raise
        return _refuse(asked, str(error))
    except (TypeError, ValueError, IndexError, MemoryError) as error:
        return _refuse(asked, str(error))
    return 0


def _with_signs(typed: list[str]) -> list[str]:
    """Return what was typed with a number like -1,2 joined to its option: it would be taken for another option."""
    joined: list[str] = []
    for word in typed:
        if joined and joined[-1] in ("--x", "--y", "--rate") and re.match(r"-[\d.]", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _refuse(asked: argparse.Namespace, sentence: str) -> int:
    print(f"{asked.parser.prog}: {sentence}", file=sys.stderr)  # noqa: T201
    return BAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m handgrad", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"handgrad {handgrad.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        form, short = argparse.RawDescriptionHelpFormatter, command.TEXT.split(":")[0].split(".")[0]
        added = commands.add_parser(name, help=short, description=command.TEXT, formatter_class=form)
        added.epilog = f"example: {command.EXAMPLE}"
        added.set_defaults(run=command.run, parser=added)
        command.add(added)
    return parser


if __name__ == "__main__":
    sys.exit(main())
