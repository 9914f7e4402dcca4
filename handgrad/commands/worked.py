"""`worked`: every number of a small network derived."""

from __future__ import annotations

import argparse
from pathlib import Path

from handgrad.commands.options import add_language, add_network, add_output, network_and_data, rate, settings, show
from handgrad.destination import Destination

TEXT = """Derive every number of a small network on some examples: forward, loss, backward, and with --rate a step of gradient
descent. The network and its data stand in a file, TOML or JSON, or in options; an option goes before the file's word. A
network that was saved, .npz, takes its data from options: --data is a table."""
EXAMPLE = "python -m handgrad worked --widths 2,2,1 --activations sigmoid,sigmoid --x 0.5,1 --y 1 --rate 0.5"
FORMATS = {"text": ".txt", "markdown": ".md", "latex": ".tex", "html": ".html", "picture": ".svg"}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_network(parser)
    parser.add_argument("--layer", type=int, metavar="L", help="show this layer alone, counted from 1")
    parser.add_argument("--unit", type=int, metavar="J", help="with --layer, show this unit of it alone")
    parser.add_argument("--example", type=int, metavar="I", help="show this example alone")
    parser.add_argument("--digits", type=int, default=6, metavar="N", help="significant digits, 2 to 12 (6)")
    parser.add_argument("--format", choices=FORMATS, help="what is written (as the file's ending says, or text)")
    add_language(parser)
    add_output(parser, "FILE.txt, .md, .tex, .html, or .svg for the picture; - is the terminal")


def run(asked: argparse.Namespace) -> None:
    """Print or write the worked solution."""
    from handgrad.homework.worked import FORMS, ending_of, worked

    ending = FORMATS[asked.format] if asked.format else ".txt"
    destination = None
    if asked.output not in (None, "-"):
        destination = Destination(asked.output)
        if not asked.format:
            ending = ".txt" if destination.is_standard_output else ending_of(asked.output)
        elif Path(asked.output).suffix.lower() in set(FORMS) - {ending}:
            raise ValueError(f"--format {asked.format} is written to a file that ends in {ending}; got {asked.output}")
    found = settings(asked)
    net, x, y, _ = network_and_data(asked, found)
    chosen = {name: getattr(asked, name) for name in ("layer", "unit", "example", "digits", "language")}
    text = FORMS[ending](worked(net, x, y, rate=rate(asked, found), **chosen))
    if destination is None:
        show(text)
    else:
        destination.write(text)
