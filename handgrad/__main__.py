"""`python -m handgrad`: the notes' equations, a worked solution, and the notes' figures."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handgrad import checks
from handgrad.activations import FORMS
from handgrad.destination import Destination, UnwrittenError
from handgrad.equations import EQUATIONS
from handgrad.extras import PACKAGES
from handgrad.formulas import FORMULAS
from handgrad.losses import LOSSES, REDUCTIONS
from handgrad.terminal import is_full, leave_output, make_readable, tell_unwritten

BAD, STOPPED = 2, 130
DESCRIPTION = "Backpropagation by hand: the notes' equations, a network worked out number by number, the notes' figures."
EPILOG = """Without a command, or with numbers alone, the equations are shown. Exit status: 0; 2 for bad input, or if the output
cannot be written; 130 if stopped by Ctrl-C."""
SHOW = "Show the notes' equations: number, section, formula and function. With numbers, show these with their code."
WORK = """Derive every number of a small network on some examples: forward, loss, backward, and with --rate a step of gradient
descent. The network and its data stand in a file, TOML or JSON, or in options; an option goes before the file's word."""
PLOT = """Draw one of the notes' figures, or what becomes of a network that is trained on your data. What needs a network takes
it from a file, TOML or JSON, or from options."""
# A command's --help ends with an example that runs.
EXAMPLES = {
    "equations": "python -m handgrad equations 14",
    "worked": "python -m handgrad worked --widths 2,2,1 --activations sigmoid,sigmoid --x 0.5,1 --y 1 --rate 0.5",
    "plot": "python -m handgrad plot sigmoid --output sigmoid.svg",
}
# What is drawn without data, and what is drawn of a training.
DRAWN = (*FORMS, "cross_entropy", "squared_error", "gradient_norms", "saturation")
TRAINED = ("losses", "dead_units", "boundary", "weights")
# What is said of a network, its data and its training.
OF_A_NETWORK = ("file", "widths", "activations", "loss", "reduction", "seed", "x", "y", "rate", "epochs")
FORMATS = {"text": ".txt", "markdown": ".md", "latex": ".tex", "html": ".html", "picture": ".svg"}


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
    asked = _parser().parse_args(_with_signs(typed))
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
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        form = argparse.RawDescriptionHelpFormatter
        added = commands.add_parser(name, help=text.split(":")[0].split(".")[0], description=text, formatter_class=form)
        added.epilog = f"example: {EXAMPLES[name]}"
        added.set_defaults(run=run, parser=added)
        return added

    shown = command("equations", _equations, SHOW)
    numbers = f"equations to show in full, {min(EQUATIONS)} to {max(EQUATIONS)}"
    shown.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help=numbers)

    derived = command("worked", _worked, WORK)
    _add_network(derived)
    derived.add_argument("--layer", type=int, metavar="L", help="show this layer alone, counted from 1")
    derived.add_argument("--unit", type=int, metavar="J", help="with --layer, show this unit of it alone")
    derived.add_argument("--example", type=int, metavar="I", help="show this example alone")
    derived.add_argument("--digits", type=int, default=6, metavar="N", help="significant digits, 2 to 12 (6)")
    derived.add_argument("--format", choices=FORMATS, help="what is written (as the file's ending says, or text)")
    _add_output(derived, "FILE.txt, .md, .tex, .html, or .svg for the picture; - is the terminal")

    named = f"figures:\n  {', '.join(DRAWN)}\nof a network and its data:\n  {', '.join(TRAINED)}"
    drawn = command("plot", _plot, f"{PLOT}\n\n{named}")
    drawn.add_argument("figure", choices=[*DRAWN, *TRAINED], metavar="FIGURE", help="one of those above")
    _add_network(drawn)
    drawn.add_argument(
        "--epochs", type=int, metavar="N", help="how long a network is trained (100); with a rate of 0.1, unless given"
    )
    _add_output(drawn, "FILE.svg, .png or .pdf; needed, since a terminal shows no figure; - is SVG on standard output")
    return parser


def _add_network(parser: argparse.ArgumentParser) -> None:
    """Add where a network and its data come from."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="network and data, .toml or .json")
    parser.add_argument("--widths", type=_widths, metavar="N,N,…", help="n_0, …, n_L, for random numbers")
    parser.add_argument("--activations", type=_names, metavar="G,G,…", help="one for each layer")
    parser.add_argument("--loss", choices=LOSSES)
    parser.add_argument("--reduction", choices=REDUCTIONS)
    parser.add_argument("--seed", type=int, metavar="S", help="of the random numbers (0)")
    parser.add_argument("--x", metavar="X", help="one example, 0.5,1, or several, 0,1;1,0")
    parser.add_argument("--y", metavar="Y", help="their targets; for cross_entropy classes, counted from 0")
    parser.add_argument("--rate", type=float, metavar="RATE", help="the learning rate")


def _add_output(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--language", default="en", metavar="LANGUAGE", help="en or es (en)")
    parser.add_argument("--output", "-o", metavar="FILE", help=text)


def _widths(text: str) -> list[int]:
    try:
        return [int(part) for part in re.split("[,-]", text)]
    except ValueError:
        raise argparse.ArgumentTypeError(f"widths are typed like 2,3,1; got {text!r}") from None


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _settings(asked: argparse.Namespace) -> dict[str, Any]:
    """Return what the file says, and the options in its place where they are given."""
    from handgrad.homework import described

    settings = {} if asked.file is None else described.read(asked.file)
    typed = {name: getattr(asked, name) for name in ("widths", "activations", "loss", "reduction", "seed")}
    typed |= {name: described.row_of_numbers(name, value) for name in ("x", "y") if (value := getattr(asked, name)) is not None}
    return settings | {name: value for name, value in typed.items() if value is not None}


def _rate(asked: argparse.Namespace, settings: dict[str, Any]) -> Any:
    return settings.get("rate") if asked.rate is None else asked.rate


def _equations(asked: argparse.Namespace) -> None:
    for number in asked.numbers:
        if number not in EQUATIONS:
            raise ValueError(f"equations are numbered from {min(EQUATIONS)} to {max(EQUATIONS)}; got {number}")
    for number in asked.numbers or EQUATIONS:
        equation = EQUATIONS[number]
        _print(f"({number})".ljust(5) + f"{equation.section:<7} {equation.function.__name__:<18} {FORMULAS[number]}")
        if asked.numbers:
            _print("\n" + inspect.getsource(equation.function))


def _worked(asked: argparse.Namespace) -> None:
    from handgrad.homework import described
    from handgrad.homework.worked import FORMS, ending_of, worked

    ending = FORMATS[asked.format] if asked.format else ".txt"
    destination = None
    if asked.output not in (None, "-"):
        destination = Destination(asked.output)
        if not asked.format:
            ending = ".txt" if destination.is_standard_output else ending_of(asked.output)
        elif Path(asked.output).suffix.lower() in set(FORMS) - {ending}:
            raise ValueError(f"--format {asked.format} is written to a file that ends in {ending}; got {asked.output}")
    settings = _settings(asked)
    net, (x, y) = described.network(settings), described.data(settings)
    chosen = {name: getattr(asked, name) for name in ("layer", "unit", "example", "digits", "language")}
    text = FORMS[ending](worked(net, x, y, rate=_rate(asked, settings), **chosen))
    if destination is None:
        _print(text)
    else:
        destination.write(text)


def _plot(asked: argparse.Namespace) -> None:
    if asked.output is None:
        raise ValueError(f"plot needs a file to draw in: --output {asked.figure}.svg, or .png or .pdf; - is standard output")
    from handgrad.homework.figures import ENDINGS, FIGURES, TRAINING, saved

    destination = Destination(asked.output)
    ending = ".svg" if destination.is_standard_output else Path(asked.output).suffix.lower()
    checks.one_of("the file's ending", ending, ENDINGS)
    if asked.figure in DRAWN:
        given = [name for name in OF_A_NETWORK if getattr(asked, name) is not None]
        if given:
            raise ValueError(f"{asked.figure} is drawn without a network and data; got {', '.join(given)}")
        drawn = FIGURES[asked.figure](language=asked.language)
    else:
        from handgrad.homework import described

        settings = _settings(asked)
        net, (x, y) = described.network(settings), described.data(settings)
        rate, epochs = _rate(asked, settings), 100 if asked.epochs is None else asked.epochs
        trained = {"rate": 0.1 if rate is None else rate, "epochs": epochs, "language": asked.language}
        drawn = TRAINING[asked.figure](net, x, y, **trained)
    destination.write(saved(drawn, ending))


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # what a command line is for


if __name__ == "__main__":
    sys.exit(main())
