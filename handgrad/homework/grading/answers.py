"""Answers as they come: typed in Python, in a CSV file, or in the sheet's own Markdown; each a number as it is written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

from handgrad import checks
from handgrad.homework.digits import ARITHMETIC, NOISE, decimal, rounded
from handgrad.homework.exercises.exercise import CODE

ENDINGS = (".csv", ".md")
# What stands in the first column of a CSV file beside the names of quantities.
EXERCISE, STUDENT, HEADINGS = "exercise", "student", ("name", "typed as", "se escribe")
ROW = re.compile(r"^\s*\|\s*`?(\w+)`?\s*\|.*\|([^|]*)\|\s*$")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
FRACTION = re.compile(r"([+-]?\d+)/(\d+)")
LONGEST, LARGEST_FILE = 40, 1_000_000


@dataclass(frozen=True)
class Written:
    """A number as it was written.

    Parameters
    ----------
    text : str
        What stood there; "" of a blank.
    value : Decimal or None
        The number, None if it is none.
    place : Decimal
        A unit of its last digit; 0 of a fraction, which is exact.
    """

    text: str
    value: Decimal | None
    place: Decimal


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
    """

    written: dict[str, Written]
    code: str | None = None
    student: str | None = None


def number(text: str) -> Written:
    """Return what is written as a number.

    Parameters
    ----------
    text : str
        Digits with a point or a comma, a power of ten like 1e-3, or a fraction; "=" or "≈" may stand before it. What is only
        lines, "____", is a blank.

    Returns
    -------
    Written
        Without a value if it is none.

    Examples
    --------
    >>> number("≈ −0,250"), number("1/8").value, number("____").text
    (Written(text='-0.250', value=Decimal('-0.250'), place=Decimal('0.001')), Decimal('0.125'), '')
    """
    plain = text.strip().strip("_$`*").lstrip("=≈~").replace("−", "-").replace(" ", "").replace("\xa0", "")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if len(plain) > LONGEST:
        return Written(plain[:LONGEST] + "…", None, Decimal(0))
    with localcontext(ARITHMETIC):
        if found := FRACTION.fullmatch(plain):
            return Written(plain, _quotient(found), Decimal(0))
        if not NUMBER.fullmatch(plain):
            return Written(plain, None, Decimal(0))
        value = Decimal(plain)
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)  # it has digits
        return Written(plain, value, Decimal(1).scaleb(exponent))


def _quotient(found: re.Match[str]) -> Decimal | None:
    if not int(found[2]):
        return None
    quotient = Fraction(int(found[1]), int(found[2]))
    return Decimal(quotient.numerator) / Decimal(quotient.denominator)


def read(answers: object, names: Iterable[str] | None = None) -> Answers:
    """Return what was handed in.

    Parameters
    ----------
    answers : mapping of str to object, or str or Path
        Numbers, or text as it was written, by name; or the path of a file that ends in .csv or .md.
    names : iterable of str, optional
        The names that an exercise asks for.

    Returns
    -------
    Answers
        In the order in which they came.

    Raises
    ------
    TypeError
        If it is neither, or a value is neither number nor text.
    ValueError
        If a name is unknown or comes twice, or a file has another form.
    OSError
        If the file cannot be read.
    """
    if isinstance(answers, Mapping):
        found = Answers({name: number(_typed(name, value)) for name, value in answers.items()})
    else:
        found = _of_file(checks.path("answers", answers, "a mapping from name to number, or the path of a .csv or .md file"))
    if names is not None:
        known = list(names)
        for name in found.written:
            checks.one_of("a name in the answers", name, known)
    return found


def _typed(name: object, value: object) -> str:
    checks.instance("a name in the answers", name, str, "a text like 'z1_1'")
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return str(value)
    # Of what was computed, the last digits are noise.
    found = rounded(decimal(checks.real_number(f"answers[{name!r}]", value)), NOISE["float64"])
    return f"{found.normalize():f}"


def _of_file(path: Path) -> Answers:
    ending = checks.one_of("the ending of the answers' file", path.suffix.lower(), ENDINGS)
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{path} must be a filled-in sheet of at most {LARGEST_FILE:,} bytes; it has {path.stat().st_size:,}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be text in UTF-8: {error}") from None
    pairs, code, student = (_of_csv if ending == ".csv" else _of_markdown)(path, text)
    written: dict[str, Written] = {}
    for line, name, answer in pairs:
        if name in written:
            raise ValueError(f"{path}, line {line}: {name} comes twice")
        written[name] = number(answer)
    if not written:
        raise ValueError(f"{path} has no answers: a row is a name and a number, z1_1,0.5 or | `z1_1` | … | 0.5 |")
    return Answers(written, code, student)


Pairs = list[tuple[int, str, str]]


def _of_csv(path: Path, text: str) -> tuple[Pairs, str | None, str | None]:
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",")
    pairs: Pairs = []
    said: dict[str, str] = {}
    for line, cells in _rows(path, reader):
        if len(cells) != 2:
            more = "; a decimal comma needs quotes, or a point in its place" if len(cells) > 2 else ""
            raise ValueError(f"{path}, line {line}: a row is a name and a number, z1_1,0.5; got {len(cells)} cells{more}")
        name, value = (cell.strip() for cell in cells)
        if name in (EXERCISE, STUDENT):
            said[name] = value
        elif not (name.lower() in HEADINGS and not pairs):
            pairs.append((line, name, value))
    return pairs, said.get(EXERCISE), said.get(STUDENT) or None


def _rows(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not empty with the number of its line."""
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells  # type: ignore[attr-defined]
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from None  # type: ignore[attr-defined]


def _of_markdown(path: Path, text: str) -> tuple[Pairs, str | None, str | None]:
    pairs: Pairs = []
    student = None
    for line, row in enumerate(text.splitlines(), start=1):
        found = ROW.match(row)
        if found and "`" in row:
            pairs.append((line, found[1], found[2]))
        elif line <= 6 and (named := re.match(r"^\s*(?:Name|Nombre):(.*)$", row)):
            student = named[1].strip(" _*") or None
    code = CODE.search(text)
    return pairs, code[0] if code else None, student
