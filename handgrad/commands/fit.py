"""`fit`: a network trained on the examples of a table."""

from __future__ import annotations

import argparse
import shlex
from importlib.util import find_spec
from typing import TYPE_CHECKING

from handgrad import checks
from handgrad.activations import FORMS
from handgrad.commands.options import add_language, show, widths
from handgrad.destination import Destination
from handgrad.losses import LOSSES

if TYPE_CHECKING:
    from handgrad.homework.dataset import Dataset
    from handgrad.homework.training import Trained

TEXT = """Train a network on the examples of a table: CSV in UTF-8, an example a row. The columns are numbers, parted by commas
(or semicolons or tabs); a first row without numbers names them. The last column is the target, unless --target says another:
words are classes (softmax, cross_entropy), numbers are predicted (linear, squared_error). A part of the examples is kept for a
test, whose accuracy or error is told at the end."""
TABLE = r"x_1,x_2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"
EXAMPLE = f"printf '{TABLE}' > xor.csv && python -m handgrad fit xor.csv --test 0 --save xor.npz"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE.csv", help="the table; also .tsv or .txt")
    parser.add_argument("--target", metavar="COLUMN", help="by number from 1, or by name; several numbers to predict: a,b")
    parser.add_argument("--hidden", type=hidden, default=[8], metavar="N,N,…", help="units of the hidden layers, or none (8)")
    parser.add_argument("--activation", choices=FORMS, default="tanh", metavar="G", help="of the hidden layers (tanh)")
    parser.add_argument("--loss", choices=LOSSES, metavar="LOSS", help=f"{', '.join(LOSSES)}; as the target is, unless given")
    parser.add_argument("--rate", type=float, default=0.1, metavar="RATE", help="the learning rate (0.1)")
    parser.add_argument("--epochs", type=int, default=1000, metavar="N", help="how many times each example is used (1000)")
    parser.add_argument("--batch-size", type=int, metavar="N", help="examples a step (all of them)")
    parser.add_argument("--test", type=float, default=0.2, metavar="SHARE", help="of the examples, for the test (0.2)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all that is random (0)")
    parser.add_argument(
        "--standardize", action="store_true", help="train on inputs of mean 0 and deviation 1; the saved network takes raw ones"
    )
    parser.add_argument("--save", metavar="FILE.npz", help="write the trained network")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the loss of each epoch; also .png or .pdf")
    add_language(parser)


def hidden(text: str) -> list[int]:
    """Return the units of the hidden layers that are typed, like 8,8, or none."""
    return [] if text == "none" else widths(text)


def run(asked: argparse.Namespace) -> None:
    """Train, write what was asked for, and say what came of it."""
    from handgrad.homework import dataset, saving, training
    from handgrad.homework.words import wording

    wording(asked.language, "training")
    to_save = None if asked.save is None else destination(asked.save, saving.ENDING)
    to_plot = None
    if asked.plot is not None:
        from handgrad.homework import figures

        to_plot = destination(asked.plot, *figures.ENDINGS)
    data = dataset.read(asked.file, asked.target)
    options = {name: getattr(asked, name) for name in OPTIONS}
    # Without the package there is no bar; standard error may be no terminal, either.
    trained = training.train(data, **options, progress=find_spec("rich") is not None)
    saved = None if to_save is None else saving.content(trained.net)
    if to_plot is not None:
        test = trained.tested if trained.tested.losses else None
        drawn = figures.losses(trained.history, test=test, loss=trained.net.loss_name, language=asked.language)
        to_plot.write(figures.saved(drawn, checks.ending(asked.plot, figures.ENDINGS)))
    if to_save is not None and saved is not None:
        to_save.write(saved)
    show("\n".join([training.report(trained, data, asked.language), *_written(asked, trained, data)]))


OPTIONS = ("hidden", "activation", "loss", "rate", "epochs", "batch_size", "test", "seed", "standardize")


def destination(path: str, *endings: str) -> Destination:
    """Return where a result goes, if its name has one of the endings."""
    checks.ending(path, endings)
    return Destination(path)


def _written(asked: argparse.Namespace, trained: Trained, data: Dataset) -> list[str]:
    """Return which files were written, and what can be done with the network."""
    from handgrad.homework.words import wording

    say = wording(asked.language, "training")
    files = [path for path in (asked.save, asked.plot) if path is not None]
    lines = [say("files", files=", ".join(files))] if files else []
    if asked.save is None:
        return lines
    lines.append(say("load", path=asked.save))
    two_classes = trained.y.shape[1:] == (1,) and len(set(trained.y.ravel().tolist())) == 2
    if len(data.columns) == 2 and (trained.net.loss_name == "cross_entropy" or two_classes):
        target = [] if asked.target is None else ["--target", asked.target]
        command = ["plot", "boundary", asked.save, "--data", asked.file, *target, "--output", "boundary.svg"]
        lines.append(say("plot", command=f"python -m handgrad {shlex.join(command)}"))
    return lines
