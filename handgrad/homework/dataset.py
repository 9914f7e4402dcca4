"""Examples from a table in a file, CSV: an example a row, a number a column, and the targets in the last one or those chosen.

sepal_length,sepal_width,species
5.1,3.5,setosa
7.0,3.2,versicolor

The columns have names if the first row holds no number among its inputs. They are parted by commas, or by the semicolons or
tabs that stand in the first row. Targets are all numbers, or all words, one a class.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.homework import text_files

__all__ = ["Dataset", "classes", "labels", "read", "targets"]

Array = npt.NDArray[Any]

ENDINGS = (".csv", ".tsv", ".txt")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
SHOWN = 40  # characters of a cell, in an error


@dataclass(frozen=True)
class Dataset:
    """Examples, as `read` returns them.

    Parameters
    ----------
    x : ndarray
        Inputs, (N, n_0), float64.
    y : ndarray
        Targets: numbers (N, T), or the places of words among the labels, (N,) integers.
    columns, chosen : tuple of str
        The names of the inputs, and of the targets.
    labels : tuple of str
        The words, sorted; none if the targets are numbers.
    path : str
        The file's name.
    """

    x: Array
    y: Array
    columns: tuple[str, ...]
    chosen: tuple[str, ...]
    labels: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class Row:
    """A row of the file: the line that it begins in, and its cells."""

    line: int
    cells: list[str]


def read(path: str | Path, target: str | None = None) -> Dataset:
    """Return the examples of a file.

    Parameters
    ----------
    path : str or Path
        It ends in .csv, .tsv or .txt; UTF-8.
    target : str, optional
        The column of the targets, by its number from 1, or its name; several with commas between them. The last one unless
        given. All others are inputs.

    Returns
    -------
    Dataset
        At least one example, with at least one input and one target.

    Raises
    ------
    OSError
        If it cannot be read.
    TypeError, ValueError
        If it is no such table, with line and column; if there is no such target.
    """
    checks.ending(path, ENDINGS)
    text = text_files.decoded(path)
    delimiter = text_files.delimiter(text)
    rows = list(_rows(path, text, delimiter))
    if not rows:
        raise ValueError(f"{path} must hold at least one example; it is empty")
    for row in rows:
        if len(row.cells) != len(rows[0].cells):
            came, due = len(row.cells), len(rows[0].cells)
            raise ValueError(f"{path}, line {row.line}: {_count(came)}, but line {rows[0].line} has {due}{_parted(delimiter)}")
    if len(rows[0].cells) < 2:
        only = f"{path} has one column alone, {_cut(rows[0].cells[0])}{_parted(delimiter)}"
        raise ValueError(f"{only}: a table needs at least one input and one target")
    names = _header(rows, target)
    numbers = _chosen(path, names, len(rows[0].cells), target)
    return _dataset(_Table(str(path), names, rows if names is None else rows[1:], delimiter), numbers)


def targets(data: Dataset, loss: str, n_out: int) -> Array:
    """Return y of a dataset as a network with this loss and so many outputs takes it.

    Parameters
    ----------
    data : Dataset
        The examples.
    loss : str
        "squared_error" takes numbers; "cross_entropy" a class for each word, or for each different number, in their order;
        "binary_cross_entropy" numbers from 0 to 1, or two words, the second of which is 1.
    n_out : int
        n_L, the network's outputs.

    Returns
    -------
    ndarray
        Classes (N,), or numbers (N, T).

    Raises
    ------
    ValueError
        If the loss does not take words, or there are other than n_L classes.
    """
    if loss == "cross_entropy":
        places, labels = classes(data)
        if len(labels) != n_out:
            listed = ", ".join(labels[:10]) + ", …" * (len(labels) > 10)
            raise ValueError(
                f"{data.path} must have a class for each of the n_L = {n_out} outputs; got {len(labels)}: {listed}"
            )
        return places
    if data.labels and loss == "binary_cross_entropy" and len(data.labels) == 2:
        return data.y[:, None].astype(np.float64)
    if data.labels:
        right = "cross_entropy, or with two of them binary_cross_entropy" if loss == "squared_error" else "cross_entropy"
        raise ValueError(f"the targets of {data.path} are {len(data.labels)} words, which need the loss {right}; got {loss}")
    return data.y


def classes(data: Dataset) -> tuple[Array, tuple[str, ...]]:
    """Return the class of each example, (N,), from 0, and the labels in their order: words, or numbers from small to large."""
    if data.labels:
        return data.y, data.labels
    if data.y.shape[1] != 1:
        raise ValueError(f"classes are in one column; got the targets {', '.join(data.chosen)}")
    values, places = np.unique(data.y[:, 0], return_inverse=True)
    return places.reshape(-1), tuple(repr(value).removesuffix(".0") for value in values.tolist())


def labels(data: Dataset, loss: str) -> tuple[str, ...] | None:
    """Return the names of the classes in their order, None where the targets are numbers for a loss that predicts them."""
    return classes(data)[1] if loss == "cross_entropy" else data.labels or None


@dataclass(frozen=True)
class _Table:
    """What the file holds below its header."""

    path: str
    names: list[str] | None
    rows: list[Row]
    delimiter: str

    def numbers(self, columns: Sequence[int]) -> Array:
        """Return the numbers of some columns, (N, columns)."""
        return np.array([[self.number(row, column) for column in columns] for row in self.rows])

    def number(self, row: Row, column: int, why: str = "") -> float:
        cell = self.filled(row, column)
        found = _number(cell)
        if found is None:
            comma = self.delimiter != "," and _is_meant(cell)
            why = f": write decimals with a point, {cell.replace(',', '.', 1)}" if comma else why
            raise ValueError(f"{self.where(row, column)}: {_cut(cell)} is no number{why}")
        return found

    def filled(self, row: Row, column: int) -> str:
        """Return a cell that holds something, and neither NaN nor infinity."""
        cell = row.cells[column]
        if not cell:
            raise ValueError(f"{self.where(row, column)}: the cell is empty; leave out the row, or fill in a number")
        if NOT_FINITE.fullmatch(cell) or _number(cell) in (np.inf, -np.inf):
            raise ValueError(f"{self.where(row, column)}: {_cut(cell)} is no finite number")
        return cell

    def where(self, row: Row, column: int) -> str:
        name = f" ({_cut(self.names[column], False)})" if self.names and self.names[column] else ""
        return f"{self.path}, line {row.line}, column {column + 1}{name}"


def _dataset(table: _Table, numbers: list[int]) -> Dataset:
    if not table.rows:
        raise ValueError(f"{table.path} must hold at least one example; it has a header alone")
    inputs = [column for column in range(len(table.rows[0].cells)) if column not in numbers]
    if not inputs:
        raise ValueError(f"{table.path} must have at least one input; all its columns are targets")
    x = table.numbers(inputs)
    words = [table.filled(row, numbers[0]) for row in table.rows]
    labels: tuple[str, ...] = ()
    if len(numbers) == 1 and _number(words[0]) is None:
        labels = tuple(sorted(set(words)))
        for row, word in zip(table.rows, words, strict=True):
            if _number(word) is not None:
                first = f"{_cut(words[0])} in line {table.rows[0].line}"
                raise ValueError(f"{table.where(row, numbers[0])}: {_cut(word)} is a number, but {first} is a word")
        places = {label: place for place, label in enumerate(labels)}
        y = np.array([places[word] for word in words], np.intp)
    elif len(numbers) == 1:
        why = f", but {_cut(words[0])} in line {table.rows[0].line} is one: targets are all numbers or all words"
        y = np.array([[table.number(row, numbers[0], why)] for row in table.rows])
    else:
        y = table.numbers(numbers)
    called = [name or f"column {place}" for place, name in enumerate(table.names or [], start=1)]
    columns = [called[column] if called else f"x_{place}" for place, column in enumerate(inputs, start=1)]
    chosen = [called[column] if called else "y" if len(numbers) == 1 else f"y_{j}" for j, column in enumerate(numbers, start=1)]
    return Dataset(x, y, tuple(columns), tuple(chosen), labels, table.path)


def _rows(path: str | Path, text: str, delimiter: str) -> Iterator[Row]:
    """Yield the rows that hold something, without the spaces round their cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"{path}, line {line}: {error}") from None
        if cells not in ([], [""]):
            yield Row(line, cells)


def _header(rows: Sequence[Row], target: str | None) -> list[str] | None:
    """Return the names of the columns, if the first row holds them."""
    first, second = rows[0].cells, rows[min(1, len(rows) - 1)].cells
    wanted = {part.strip() for part in (target or "").split(",")}
    if any(not part.isdecimal() and part in first for part in wanted - {""}):
        return first
    targets = {int(part) - 1 for part in wanted if part.isdecimal()} or {len(first) - 1}
    inputs = [column for column in range(len(first)) if column not in targets]
    without = not any(_is_meant(first[column]) for column in inputs)
    # Words alone in both rows are a table of words: the first of them is told, in its place.
    named = without and (len(rows) == 1 or any(_is_meant(second[column]) for column in inputs))
    return first if named and inputs else None


def _chosen(path: str | Path, names: list[str] | None, count: int, target: str | None) -> list[int]:
    """Return the places of the target columns."""
    if target is None:
        return [count - 1]
    places = [_place(path, names, count, part.strip()) for part in target.split(",")]
    if len(set(places)) != len(places):
        raise ValueError(f"a target is chosen once; got {target}")
    return places


def _place(path: str | Path, names: list[str] | None, count: int, target: str) -> int:
    if target.isdecimal():
        return checks.between("target", int(target), 1, count) - 1
    occurring = Counter(names or [])[target] if target else 0
    if occurring > 1 and names:
        places = ", ".join(str(place) for place, name in enumerate(names, start=1) if name == target)
        raise ValueError(f"{path} has several columns {target!r}: choose one by its number, {places}")
    if occurring and names:
        return names.index(target)
    if names is None:
        raise ValueError(f"{path} has no names of columns, so a target is a number from 1 to {count}; got {target!r}")
    known = ", ".join(name for name in names if name)
    raise ValueError(f"target must be one of {known}; got {target!r}{checks.suggestion(target, names)}")


def _number(cell: str) -> float | None:
    return float(cell) if NUMBER.fullmatch(cell) else None


def _is_meant(cell: str) -> bool:
    """Say whether a cell is meant as a number, with a decimal comma, too."""
    return _number(cell.replace(",", ".", 1)) is not None


def _cut(cell: str, quoted: bool = True) -> str:
    short = cell if len(cell) <= SHOWN else f"{cell[:SHOWN]}…"
    return repr(short) if quoted else " ".join(short.split())


def _count(cells: int) -> str:
    return f"{cells} cell{'s' * (cells != 1)}"


def _parted(delimiter: str) -> str:
    return {",": " (parted by commas)", ";": " (parted by semicolons)", "\t": " (parted by tabs)"}[delimiter]
