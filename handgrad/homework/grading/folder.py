"""A folder of filled-in sheets: a line for each, whichever exercise it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from handgrad.homework.exercises.exercise import Exercise
from handgrad.homework.grading.answers import ENDINGS, read
from handgrad.homework.grading.grade import Grade, of_answers
from handgrad.homework.words import words

COLUMNS = ("file", "student", "exercise", "points", "of", "first_slip", "equations", "why")


@dataclass(frozen=True)
class Line:
    """One sheet of a class.

    Parameters
    ----------
    path : Path
        Its file.
    student : str
        Who filled it in, "" if it does not say.
    grade : Grade or None
        None if it cannot be graded.
    sentence : str
        The first slip in words, or why there is no grade.
    """

    path: Path
    student: str
    grade: Grade | None
    sentence: str


def files_of(folder: Path) -> list[Path]:
    """Return the sheets in a folder, in the order of their names.

    Parameters
    ----------
    folder : Path
        A folder.

    Returns
    -------
    list of Path
        Files that end in .csv or .md; hidden ones are left out.

    Raises
    ------
    ValueError
        If there is none.
    OSError
        If it cannot be read.
    """
    sheets = (path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and not path.name.startswith("."))
    found = sorted(path for path in sheets if path.is_file())
    if not found:
        raise ValueError(f"{folder} must hold filled-in sheets, {' or '.join(ENDINGS)}; there are none")
    return found


def lines_of(paths: Sequence[Path], exercise: Exercise | None = None, language: str = "en") -> list[Line]:
    """Return a line for each file; one that cannot be graded stops no other.

    Parameters
    ----------
    paths : sequence of Path
        Files.
    exercise : Exercise, optional
        What was asked; what each file says it is unless given.
    language : str
        Of what is said.

    Returns
    -------
    list of Line
        In their order.
    """
    found = []
    for path in paths:
        try:
            answers = read(path)
            its = of_answers(answers, str(path), exercise, language)
            found.append(Line(path, answers.student or "", its, its.summary()))
        except OSError as error:
            found.append(Line(path, "", None, f"{path}: {error.strerror}"))
        except (TypeError, ValueError) as error:
            found.append(Line(path, "", None, str(error)))
    return found


def table(lines: Sequence[Line], language: str = "en") -> str:
    """Return the lines for a terminal: file, points, and the first slip.

    Parameters
    ----------
    lines : sequence of Line
        The sheets.
    language : str
        Of the headings.

    Returns
    -------
    str
        A line each, under headings.
    """
    say = words(language)["grade"]
    rows = [(say["file"], say["points"], say["slip"])]
    for line in lines:
        points = "–" if line.grade is None else f"{line.grade.points:g}/{line.grade.of}"
        sentence = line.sentence if line.grade else f"{say['not_graded']}: {line.sentence}"
        rows.append((f"{line.path.name}{f' ({line.student})' if line.student else ''}", points, sentence))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    told = [f"{name:<{widths[0]}}  {points:>{widths[1]}}  {rest}" for name, points, rest in rows]
    left = sum(line.grade is None for line in lines)
    return "\n".join([*told, say["left"].format(left=left, count=len(lines))] if left else told)


def as_csv(lines: Sequence[Line]) -> str:
    """Return the lines as CSV, with the columns of `COLUMNS`.

    Parameters
    ----------
    lines : sequence of Line
        The sheets.

    Returns
    -------
    str
        A header, and a row each; what is not graded has no points.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        found = line.grade
        if found is None:
            writer.writerow([_plain(str(line.path)), "", "", "", "", "", "", _plain(line.sentence)])
            continue
        first = found.first_slip
        name, equations = ("", "") if first is None else (first.blank.name, " ".join(f"({n})" for n in first.equations))
        cells = [
            str(line.path),
            line.student,
            found.exercise.code,
            f"{found.points:g}",
            found.of,
            name,
            equations,
            line.sentence,
        ]
        writer.writerow([_plain(str(cell)) for cell in cells])
    return text.getvalue()


def _plain(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: names are typed by others."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
