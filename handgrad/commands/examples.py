"""`examples`: small published examples of backpropagation, recomputed."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from handgrad import checks
from handgrad.commands.options import add_output, show
from handgrad.destination import Destination

if TYPE_CHECKING:
    from handgrad.homework.examples import Erratum, Example, Row

TEXT = """Recompute small examples: the notes' own networks, and published ones with the numbers that they print. Without a name
there is a line for each; with one, every number and the errata."""
EXAMPLE = "python -m handgrad examples mazur"

WIDTH = 100


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one of the examples (all of them)")
    add_output(parser, "FILE.toml: the example's network and data, for worked and plot; - is the terminal")


def run(asked: argparse.Namespace) -> None:
    """Print the examples that are asked for, or write the file of one."""
    from handgrad.homework.examples import EXAMPLES, example

    if asked.output is not None:
        _write(asked.name, asked.output)
        return
    chosen = [example(name) for name in (EXAMPLES if asked.name is None else [asked.name])]
    checked = [one.checked() for one in chosen]
    show(_listed(chosen, checked) if asked.name is None else _in_full(chosen[0], checked[0]))
    checks.as_published({one.name: [row.verdict for row in rows] for one, rows in zip(chosen, checked, strict=True)})


def _write(name: str | None, output: str) -> None:
    from handgrad.homework.examples import example

    if name is None:
        raise ValueError("--output needs the name of an example, whose network and data are written; got none")
    text = example(name).file()
    destination = Destination(output)
    if not destination.is_standard_output:
        checks.ending(output, (".toml",))
    destination.write(text)


def _listed(chosen: Sequence[Example], checked: Sequence[Sequence[Row]]) -> str:
    table = [["example", "network", "source", "numbers", "errata"]]
    for one, rows in zip(chosen, checked, strict=True):
        agree = sum(row.verdict in ("agrees", "cut") for row in rows)
        errata = sum(row.verdict == "erratum" for row in rows)
        table.append([one.name, _network(one), _author(one), f"{agree} of {len(rows)} agree", f"{errata or 'none'}"])
    return _in_columns(table)


def _in_full(one: Example, rows: Sequence[Row]) -> str:
    table = [["quantity", "published", "computed", "", "equation"]]
    for row in rows:
        number = "" if row.equation is None else f"({row.equation})"
        table.append([row.quantity, row.published, _digits(row), row.verdict, number])
    note = textwrap.fill(one.note, WIDTH)
    paragraphs = [f"{one.title}\n{_author(one)}; {one.source}", _network(one), note, _in_columns(table)]
    paragraphs += [_explained(erratum) for erratum in one.errata]
    hint = f"Worked out number by number: python -m handgrad examples {one.name} --output {one.name}.toml, then"
    return "\n\n".join([*filter(None, paragraphs), f"{hint}\npython -m handgrad worked {one.name}.toml"])


def _explained(erratum: Erratum) -> str:
    lines = [textwrap.fill(f"Erratum, {'; '.join(erratum.quantities)}:", WIDTH)]
    lines.append(textwrap.fill(erratum.text, WIDTH, initial_indent="  ", subsequent_indent="  "))
    if erratum.working:
        lines.append(f"  As printed: {erratum.working}")
    if erratum.mistake:
        lines.append(f"  The mistake {erratum.mistake} of the verifier's catalogue.")
    return "\n".join(lines)


def _digits(row: Row) -> str:
    """Return the computed number with three digits more than are printed; all of them where the print is cut."""
    if row.verdict == "cut":
        return repr(row.computed)
    mantissa = row.published.lower().partition("e")[0]
    digits = len(mantissa.replace(".", "").lstrip("-0"))
    return f"{row.computed:.{min(max(digits, 1) + 3, 15)}g}"


def _author(one: Example) -> str:
    return one.author if one.year is None else f"{one.author} ({one.year})"


def _network(one: Example) -> str:
    net = one.network()
    names = ", ".join(layer.activation.name for layer in net.layers)
    return f"{'-'.join(map(str, net.widths))}, {names}; {net.loss_name}"


def _in_columns(table: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
