"""`exercise`: a sheet with blanks and its key, or a class set of them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from handgrad.commands.options import add_language, add_output, names, show, widths
from handgrad.destination import Destination
from handgrad.losses import LOSSES

TEXT = """Make an exercise: a small network with numbers that suit paper, a sheet with blanks, and its answer key. The same seed
gives the same sheet. With --count there are as many different sheets, each with its key."""
EXAMPLE = "python -m handgrad exercise --level 2 --seed 7"
FORMATS = {"text": ".txt", "markdown": ".md", "latex": ".tex", "html": ".html"}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    level = "1: one neuron a layer; 2: several, ReLU (2); 3: sigmoid, with a table; 4: softmax and cross-entropy"
    parser.add_argument("--level", type=int, default=2, metavar="N", help=level)
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the numbers (0); of a class set the first")
    parser.add_argument("--widths", type=widths, metavar="N,N,…", help="n_0, …, n_L, in place of the level's")
    parser.add_argument("--activations", type=names, metavar="G,G,…", help="one for each layer, in place of the level's")
    parser.add_argument("--loss", choices=LOSSES, help="in place of the level's")
    parser.add_argument(
        "--key", metavar="FILE", nargs="?", const="-", help="the key: where it goes; alone, in the sheet's place"
    )
    parser.add_argument("--count", type=int, metavar="N", help="a class set: --output is a folder, with sheets/ and keys/")
    parser.add_argument("--format", choices=FORMATS, help="what is written (as the file's ending says; text, or markdown)")
    add_language(parser)
    add_output(parser, "FILE.txt, .md, .tex or .html; with --count a folder; - is the terminal")


def run(asked: argparse.Namespace) -> None:
    """Print or write the sheets."""
    from handgrad.homework.exercises import class_set
    from handgrad.homework.exercises.exercise import exercise
    from handgrad.homework.exercises.sheet import FORMS

    options = {name: getattr(asked, name) for name in ("level", "widths", "activations", "loss", "language")}
    ending = FORMATS[asked.format] if asked.format else None
    if asked.count is not None:
        if asked.output in (None, "-", ""):
            raise ValueError(f"--count needs a folder to write {asked.count} sheets to: --output FOLDER")
        if asked.key is not None:
            raise ValueError("--count writes every key to the folder keys; --key is for one exercise")
        made = class_set.different(asked.count, asked.seed, **options)
        class_set.write(made, asked.output, ending or ".md")
        show(f"{asked.count} sheets in {Path(asked.output, class_set.SHEETS)}, keys in {Path(asked.output, class_set.KEYS)}")
        return
    one = exercise(seed=asked.seed, **options)
    wanted = [] if asked.key == "-" and asked.output is None else [(one.sheet, asked.output)]
    wanted += [] if asked.key is None else [(one.key, asked.key)]
    if len(wanted) == 2 and asked.output is not None and os.path.realpath(asked.output) == os.path.realpath(asked.key):
        raise ValueError(f"sheet and key need two files; got {asked.key} for both")
    places = [(sheet, *_place(path, ending)) for sheet, path in wanted]
    for sheet, destination, form in places:
        if destination.is_standard_output:
            show(FORMS[form](sheet))
        else:
            destination.write(FORMS[form](sheet))


def _place(path: str | None, ending: str | None) -> tuple[Destination, str]:
    """Return where a sheet goes, and the ending of what is written there: as the path says, or as `ending` does."""
    from handgrad.homework.exercises.sheet import FORMS

    destination = Destination("-" if path is None else path)
    own = None if path is None or destination.is_standard_output else Path(path).suffix.lower()
    form = ending or own or ".txt"
    if form not in FORMS or own not in (None, form):
        raise ValueError(f"a sheet is written to a file that ends in {ending or ', '.join(FORMS)}; got {path}")
    return destination, form
