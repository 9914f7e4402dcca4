"""The rows of a class as a table of text, and as CSV."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence

from verification.classroom.rows import Row

HEAD = ("hand-in", "verdict", "equations", "notes", "seconds", "first mistake")
COLUMNS = ("file", "name", "verdict", "right", "asked", "equation", "mistake", "notes", "seconds")
# A mistake is not cut below this, however narrow the terminal.
LEAST = 30


def printable(text: str) -> str:
    r"""Return a text in which nothing moves a cursor, turns the direction of writing or breaks a line.

    Parameters
    ----------
    text : str
        A file's name, or what somebody's code said.

    Returns
    -------
    str
        The same, with what cannot be printed written as Python writes it.

    Examples
    --------
    >>> printable("name\x1b[2J\u202e.py")
    'name\\x1b[2J\\u202e.py'
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape", "surrogatepass").decode() for sign in text)


def cells(row: Row) -> tuple[str, ...]:
    """Return a row's cells under `HEAD`."""
    equations = f"{row.right} of {row.asked}" if row.asked else ""
    mistake = ": ".join(filter(None, (row.equation, row.mistake)))
    return row.file, row.verdict, equations, str(row.notes or ""), f"{row.seconds:.1f}", mistake


def table(rows: Sequence[Row], width: int | None = None) -> str:
    """Return the table as lines of text.

    Parameters
    ----------
    rows : sequence of Row
        A line each.
    width : int, optional
        Of the terminal, if the last column is to be cut to it.

    Returns
    -------
    str
        A head, and the lines.
    """
    lines = [HEAD, *(tuple(map(printable, cells(row))) for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    room = None if width is None else max(width - sum(widths[:-1]) - 2 * (len(widths) - 1), LEAST)
    told = []
    for line in lines:
        padded = [cell + " " * (of - _width(cell)) for cell, of in zip(line[:-1], widths, strict=False)]
        last = line[-1] if room is None or len(line[-1]) <= room else f"{line[-1][: room - 3]}..."
        told.append("  ".join([*padded, last]).rstrip())
    return "\n".join(told)


def _width(text: str) -> int:
    return sum((unicodedata.east_asian_width(sign) in "WF") + (unicodedata.combining(sign) == 0) for sign in text)


def table_csv(rows: Sequence[Row]) -> str:
    """Return the rows as CSV, which a spreadsheet opens without running what stands in it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        values = (getattr(row, name) for name in COLUMNS)
        writer.writerow([_inert(value) if isinstance(value, str) else round(value, 3) for value in values])
    return text.getvalue()


def _inert(text: str) -> str:
    # A spreadsheet takes what begins like this for a formula. "(12)" alone it would take for -12.
    shown = printable(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown
