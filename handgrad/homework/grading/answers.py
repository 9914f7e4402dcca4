"""Answers as they come: typed in Python, in a CSV file, or in the sheet's own Markdown."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from handgrad import checks
from handgrad.homework.digits import NOISE, decimal, rounded
from handgrad.homework.exercises.exercise import CODE
from handgrad.homework.grading.numbers import Written, number
from handgrad.homework.text_files import decoded, delimiter

ENDINGS = (".csv", ".md")
# What stands in the first column of a CSV file beside the names of quantities.
EXERCISE, STUDENT, HEADINGS = "exercise", "student", ("name", "typed as", "se escribe")
# Of the sheet's table: the name, what is asked, its equation, the answer; whatever else there is comes after.
COLUMNS = 4
NAMED = re.compile(r"^[\s*_]*(?:Name|Nombre)[\s*_]*:(.*)$")
LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class Answers:
    """What was handed in.

    Parameters
    ----------
    written : dict of str to Written
        By name.
    code : str or None
        Which exercise it says it is.
    student : str or None
        Who filled it in, if it says.
    not_asked : tuple of str
        Names in a file that the exercise does not ask for.
    """

    written: dict[str, Written]
    code: str | None = None
    student: str | None = None
    not_asked: tuple[str, ...] = ()

    def for_names(self, names: Iterable[str]) -> Answers:
        """Return the answers to what is asked, whatever the capitals of their names, and the names of all others."""
        known = {name.lower(): name for name in names}
        asked: dict[str, Written] = {}
        for name, each in self.written.items():
            if (called := known.get(name.lower())) is not None:
                checks.same_answer(called, asked.get(called, each).text, each.text, asked.get(called, each).value == each.value)
                asked[called] = each
        others = tuple(name for name in self.written if name.lower() not in known)
        return Answers(asked, self.code, self.student, others)


def read(answers: object) -> Answers:
    """Return what was handed in.

    Parameters
    ----------
    answers : mapping of str to object, or str or Path
        Numbers, or text as it was written, by name; or the path of a file that ends in .csv or .md.

    Returns
    -------
    Answers
        In the order in which they came.

    Raises
    ------
    TypeError
        If it is neither, or a value is neither number nor text.
    ValueError
        If a name comes twice with different numbers, or a file has another form.
    OSError
        If the file cannot be read.
    """
    # A series has items, too, and is no mapping.
    if isinstance(answers, Mapping) or (hasattr(answers, "items") and hasattr(answers, "iloc")):
        return Answers({_name(name): number(_typed(name, value)) for name, value in answers.items()})
    return _of_file(checks.path("answers", answers, "a mapping from name to number, or the path of a .csv or .md file"))


def _name(name: object) -> str:
    checks.instance("a name in the answers", name, str, "a text like 'z1_1'")
    return str(name)


def _typed(name: object, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    found = value if isinstance(value, Decimal) else decimal(checks.real_number(f"answers[{name!r}]", value))
    # All digits of what was computed are more than anybody writes.
    return str(rounded(found, NOISE["float64"]).normalize() if len(found.as_tuple().digits) > NOISE["float64"] else found)


def _of_file(path: Path) -> Answers:
    size = path.stat().st_size  # what is not there is told first, whatever its ending
    ending = checks.ending(path, ENDINGS)
    if size > LARGEST_FILE:
        raise ValueError(f"{path} must be a filled-in sheet of at most {LARGEST_FILE:,} bytes; it has {size:,}")
    text = decoded(path)
    if not text.strip():
        raise ValueError(f"{path} must be a filled-in sheet; it is empty")
    pairs, code, student = (_of_csv if ending == ".csv" else _of_markdown)(path, text)
    written: dict[str, Written] = {}
    for line, name, answer in pairs:
        found = number(answer)
        if name in written and written[name].value != found.value:
            came = f"{written[name].text or 'blank'} and {found.text or 'blank'}"
            raise ValueError(f"{path}, line {line}: {name} comes twice, {came}")
        written.setdefault(name, found)
    if not written:
        raise ValueError(f"{path} has no answers: a row is a name and a number, z1_1,0.5 or | `z1_1` | … | (8) | 0.5 |")
    return Answers(written, code, student)


Pairs = list[tuple[int, str, str]]


def _of_csv(path: Path, text: str) -> tuple[Pairs, str | None, str | None]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text))
    pairs: Pairs = []
    said: dict[str, str] = {}
    for line, cells in _rows(path, reader):
        name = cells[0]
        if name.lower() in (EXERCISE, STUDENT):
            said[name.lower()] = ",".join(cells[1:])
            continue
        if len(cells) == 1:
            cells = [name, ""]
        if len(cells) > 2 and re.fullmatch(r"[+−-]?[0-9]+", cells[1]) and re.match("[0-9]", cells[2]):
            raise ValueError(
                f"{path}, line {line}: a decimal comma needs quotes, or a point in its place; got {','.join(cells)}"
            )
        if not (name.lower() in HEADINGS and not pairs):
            pairs.append((line, name, cells[1]))
    return pairs, said.get(EXERCISE) or None, said.get(STUDENT) or None


def _rows(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not empty, without empty cells at its end, with the number of its line."""
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield reader.line_num, cells  # type: ignore[attr-defined]
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from None  # type: ignore[attr-defined]


def _of_markdown(path: Path, text: str) -> tuple[Pairs, str | None, str | None]:
    pairs: Pairs = []
    code = student = None
    for line, row in enumerate(text.splitlines(), start=1):
        if named := NAMED.match(row):
            student = student or named[1].strip(" _*") or None
            continue
        cells = row.strip().strip("|").split("|")
        name = re.fullmatch(r"\s*`(\w+)`\s*", cells[0])
        if name and len(cells) >= COLUMNS:
            pairs.append((line, name[1], cells[COLUMNS - 1]))
        elif found := CODE.search(row.lower()):
            code = code or found[0]
    return pairs, code, student
