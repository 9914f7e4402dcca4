"""`grade`: filled-in sheets, one or a folder of them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from handgrad import checks
from handgrad.commands.options import add_language, add_output, show
from handgrad.destination import Destination

TEXT = """Grade filled-in sheets: the sheet's Markdown with its blanks filled, or CSV with a row a number, z1_1,0.5. A number
that follows rightly from an earlier slip counts, and the first slip is named with its equation. Of several files, or a folder,
there is a line each. A row student,NAME in CSV says whose it is."""
EXAMPLE = "python -m handgrad exercise --level 1 --output sheet.md && python -m handgrad grade sheet.md"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .md or .csv file, or a folder of them")
    parser.add_argument("--exercise", metavar="CODE", help="'level=2 seed=7'; what stands on the sheet unless given")
    add_language(parser)
    add_output(parser, "of several a table, FILE.csv; of one everything, FILE.json; - is the terminal")


def run(asked: argparse.Namespace) -> None:
    """Print the grade, or a line for each sheet."""
    from handgrad.homework.exercises.exercise import from_code
    from handgrad.homework.grading.answers import read
    from handgrad.homework.grading.folder import as_csv, files_of, lines_of, table
    from handgrad.homework.grading.grade import of_answers

    paths = [Path(name) for name in asked.files]
    is_one = len(paths) == 1 and not paths[0].is_dir()
    destination = Destination("-" if asked.output is None else asked.output)
    if not destination.is_standard_output:
        checks.ending(asked.output, (".json",) if is_one else (".csv",))
    exercise = None if asked.exercise is None else from_code(asked.exercise, asked.language)
    if is_one:
        found = of_answers(read(paths[0]), str(paths[0]), exercise, asked.language)
        text, form = str(found), json.dumps(found.to_dict(), indent=2) + "\n"
    else:
        sheets = [sheet for path in paths for sheet in (files_of(path) if path.is_dir() else [path])]
        lines = lines_of(sheets, exercise, asked.language)
        text, form = table(lines, asked.language), as_csv(lines)
    if destination.is_standard_output:
        show(text)
    else:
        destination.write(form)
