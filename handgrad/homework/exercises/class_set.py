"""A class set: as many different sheets as there are students, each with its key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handgrad import checks
from handgrad.destination import Destination
from handgrad.homework.exercises.exercise import Exercise, exercise
from handgrad.homework.exercises.sheet import FORMS

SHEETS, KEYS = "sheets", "keys"
MOST = 999


def different(count: int, seed: int, **options: Any) -> list[Exercise]:
    """Return exercises with different numbers, one a seed from the first on.

    Parameters
    ----------
    count : int
        How many, 1 to 999.
    seed : int
        Of the first.
    **options
        As for `exercise`.

    Returns
    -------
    list of Exercise
        Where two seeds gave the same numbers, the second is left out.

    Raises
    ------
    TypeError, ValueError
        As `exercise` does; if there are not so many different ones.
    """
    checks.between("count", count, 1, MOST)
    found: dict[str, Exercise] = {}
    for later in range(10 * count):
        made = exercise(seed=seed + later, **options)
        found.setdefault(f"{made.net.named()} {made.x} {made.y}", made)
        if len(found) == count:
            return list(found.values())
    return checks.no_more_exercises(len(found), count)


def write(exercises: Sequence[Exercise], folder: str | Path, ending: str) -> list[Path]:
    """Write a sheet and a key for each exercise: `folder/sheets/01.md` and `folder/keys/01.md`.

    Parameters
    ----------
    exercises : sequence of Exercise
        In their order.
    folder : str or Path
        Made if it is not there; it must hold no sheets or keys of an earlier set.
    ending : str
        ".md", ".tex", ".html" or ".txt".

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ValueError
        If there are sheets or keys already.
    OSError
        If something cannot be written.
    """
    digits = len(str(max(len(exercises), 10)))
    written = []
    for kind in (SHEETS, KEYS):
        checks.empty_folder(Path(folder) / kind)
    for kind in (SHEETS, KEYS):
        (Path(folder) / kind).mkdir(parents=True, exist_ok=True)
    for number, made in enumerate(exercises, start=1):
        for kind, sheet in ((SHEETS, made.sheet), (KEYS, made.key)):
            path = Path(folder) / kind / f"{number:0{digits}}{ending}"
            Destination(str(path)).write(FORMS[ending](sheet))
            written.append(path)
    return written
