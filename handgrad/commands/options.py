"""What several commands take: a network with its data, a file to write to."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from handgrad.losses import LOSSES, REDUCTIONS

if TYPE_CHECKING:
    from handgrad.homework.dataset import Dataset
    from handgrad.network import Network

# What is said of a network and its data, and how it is trained.
OF_A_NETWORK = ("file", "widths", "activations", "loss", "reduction", "seed", "x", "y", "data", "target", "rate", "epochs")


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add where a network and its data come from."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="network and data, .toml or .json, or a saved network, .npz")
    parser.add_argument("--widths", type=widths, metavar="N,N,…", help="n_0, …, n_L, for random numbers")
    parser.add_argument("--activations", type=names, metavar="G,G,…", help="one for each layer")
    parser.add_argument("--loss", choices=LOSSES)
    parser.add_argument("--reduction", choices=REDUCTIONS)
    parser.add_argument("--seed", type=int, metavar="S", help="of the random numbers (0)")
    parser.add_argument("--x", metavar="X", help="one example, 0.5,1, or several, 0,1;1,0")
    parser.add_argument("--y", metavar="Y", help="their targets; for cross_entropy classes, counted from 0")
    parser.add_argument("--data", metavar="FILE.csv", help="examples and targets from a table, as `fit` takes it")
    parser.add_argument("--target", metavar="COLUMN", help="of --data, by number from 1, or by name (the last one)")
    parser.add_argument("--rate", type=float, metavar="RATE", help="the learning rate")


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add the language of the words."""
    parser.add_argument("--language", default="en", metavar="LANGUAGE", help="en or es (en)")


def add_output(parser: argparse.ArgumentParser, text: str) -> None:
    """Add where the result goes."""
    parser.add_argument("--output", "-o", metavar="FILE", help=text)


def widths(text: str) -> list[int]:
    """Return the widths that are typed, like 2,3,1."""
    try:
        return [int(part) for part in re.split("[,-]", text)]
    except ValueError:
        raise argparse.ArgumentTypeError(f"widths are typed like 2,3,1; got {text!r}") from None


def names(text: str) -> list[str]:
    """Return the names that are typed, with commas between them."""
    return [part.strip() for part in text.split(",")]


def settings(asked: argparse.Namespace) -> dict[str, Any]:
    """Return what the file says, and the options in its place where they are given."""
    from handgrad.homework import described

    found = {} if asked.file is None else described.read(asked.file)
    typed = {name: getattr(asked, name) for name in ("widths", "activations", "loss", "reduction", "seed")}
    typed |= {name: described.row_of_numbers(name, value) for name in ("x", "y") if (value := getattr(asked, name)) is not None}
    return found | {name: value for name, value in typed.items() if value is not None}


def network_and_data(asked: argparse.Namespace, found: dict[str, Any]) -> tuple[Network, Any, Any, Dataset | None]:
    """Return the network of the settings with x and y: those of --data, whose table comes last, or of the settings."""
    from handgrad.homework import dataset, described

    net = described.network(found)
    if asked.data is None:
        if asked.target is not None:
            raise ValueError(f"--target is a column of --data FILE.csv; got {asked.target} without it")
        if "network" in found and not {"x", "y"} & set(found):
            raise ValueError("a saved network needs data: --data FILE.csv, or --x and --y")
        x, y = described.data(found)
        return net, x, y, None
    typed = [name for name in ("x", "y") if getattr(asked, name) is not None]
    if typed:
        raise ValueError(f"--data holds x and y; got --{' and --'.join(typed)}, too")
    data = dataset.read(asked.data, asked.target)
    return net, data.x, dataset.targets(data, net.loss_name, net.widths[-1]), data


def rate(asked: argparse.Namespace, found: dict[str, Any]) -> Any:
    """Return the learning rate that is typed, or else what the settings say."""
    return found.get("rate") if asked.rate is None else asked.rate


def show(text: str) -> None:
    """Print what a command was asked for."""
    print(text, flush=True)  # noqa: T201  # what a command line is for
