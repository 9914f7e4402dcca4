"""`plot`: the notes' figures, and what becomes of a network that is trained."""

from __future__ import annotations

import argparse

from handgrad import checks
from handgrad.activations import FORMS
from handgrad.commands.options import OF_A_NETWORK, add_language, add_network, add_output, network_and_data, rate, settings
from handgrad.destination import Destination

# What is drawn without data, and what is drawn of a training.
DRAWN = (*FORMS, "cross_entropy", "squared_error", "gradient_norms", "saturation")
TRAINED = ("losses", "dead_units", "boundary", "weights")
TEXT = f"""Draw one of the notes' figures, or what becomes of a network that is trained on your data. What needs a network takes
it from a file, TOML or JSON, or from options; the data may be a table, --data. The boundary of a saved network, .npz, is
drawn as it is, unless --epochs or --rate asks to train it further; everything else is drawn of a training.

figures:
  {", ".join(DRAWN)}
of a network and its data:
  {", ".join(TRAINED)}"""
EXAMPLE = "python -m handgrad plot sigmoid --output sigmoid.svg"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("figure", choices=[*DRAWN, *TRAINED], metavar="FIGURE", help="one of those above")
    add_network(parser)
    parser.add_argument(
        "--epochs", type=int, metavar="N", help="how long a network is trained (100); with a rate of 0.1, unless given"
    )
    add_language(parser)
    add_output(parser, "FILE.svg, .png or .pdf; needed, since a terminal shows no figure; - is SVG on standard output")


def run(asked: argparse.Namespace) -> None:
    """Write the figure."""
    if asked.output is None:
        raise ValueError(f"plot needs a file to draw in: --output {asked.figure}.svg, or .png or .pdf; - is standard output")
    from handgrad.homework.dataset import labels
    from handgrad.homework.figures import ENDINGS, FIGURES, TRAINING, boundary, saved

    destination = Destination(asked.output)
    ending = ".svg" if destination.is_standard_output else checks.ending(asked.output, ENDINGS)
    if asked.figure in DRAWN:
        given = [name for name in OF_A_NETWORK if getattr(asked, name) is not None]
        if given:
            raise ValueError(f"{asked.figure} is drawn without a network and data; got {', '.join(given)}")
        drawn = FIGURES[asked.figure](language=asked.language)
    else:
        found = settings(asked)
        net, x, y, table = network_and_data(asked, found)
        # What was trained and saved is seen as it is.
        if asked.figure == "boundary" and "network" in found and asked.epochs is None and asked.rate is None:
            named = {} if table is None else {"inputs": table.columns, "classes": labels(table, net.loss_name)}
            drawn = boundary(net, x, y, language=asked.language, **named)
        else:
            chosen, epochs = rate(asked, found), 100 if asked.epochs is None else asked.epochs
            trained = {"rate": 0.1 if chosen is None else chosen, "epochs": epochs, "language": asked.language}
            drawn = TRAINING[asked.figure](net, x, y, **trained)
    destination.write(saved(drawn, ending))
