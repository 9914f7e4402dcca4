"""Many hand-ins checked, one after another or by several workers; what becomes of one is nothing to the others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from handgrad import checks
from handgrad.extras import needed_by
from verification.classroom.rows import RIGHT, VERDICTS, WRONG, Row, failed, grade

# Seconds that all calls of one hand-in may take together, if each is just short of its own limit.
TOTAL = 60.0
# joblib hands out so many a worker: one of them ended it, if a worker ends.
AHEAD = 2


@dataclass
class Marked:
    """A class's hand-ins, checked.

    Parameters
    ----------
    rows : list of Row
        In the order of the files.
    asked : int
        How many there were to be checked.
    interrupted : bool
        Whether Ctrl-C came before all of them were.
    """

    rows: list[Row] = field(default_factory=list)
    asked: int = 0
    interrupted: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each verdict, those that there are."""
        counted = Counter(row.verdict for row in self.rows)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}

    def exit_status(self, *, strict: bool = False) -> int:
        """Return 0 if all are right (and, if strict, without notes), 1 if some are wrong, 3 if some were not judged."""
        if self.counts.get(WRONG) or (strict and any(row.notes for row in self.rows if row.verdict == RIGHT)):
            return 1
        return 3 if set(self.counts) - {RIGHT} or self.interrupted else 0

    def __str__(self) -> str:
        """Return the counts in a line."""
        of = f" of {self.asked}" if self.interrupted else ""
        counted = ", ".join(f"{count} {verdict.lower()}" for verdict, count in self.counts.items()) or "none checked"
        return f"{len(self.rows)}{of} hand-in{'s' if self.asked != 1 else ''}: {counted}"


def mark(files: Sequence[str], *, jobs: int = 1, progress: Callable[[int], object] | None = None, **options: Any) -> Marked:
    """Check many hand-ins.

    Parameters
    ----------
    files : sequence of str
        Their paths.
    jobs : int
        How many workers share them, by joblib: processes of this machine, or whatever backend `joblib.parallel_config` names
        (Dask, Ray), whose workers must find the files under the same paths. What is found does not depend on it.
    progress : callable, optional
        Called with the number of hand-ins checked so far.
    **options
        As `verification.classroom.rows.grade` takes them; `total` is 60 s unless given.

    Returns
    -------
    Marked
        A row for each; at Ctrl-C those that are finished.

    Raises
    ------
    TypeError, ValueError
        If jobs is not an integer >= 1.
    ImportError
        If jobs is more than 1 and joblib not installed.
    """
    workers = checks.positive_integer("jobs", jobs)
    if options.get("total") is None:
        options["total"] = TOTAL
    one: Callable[[str], Row] = partial(grade, folder=os.getcwd(), **options)
    marked = Marked(asked=len(files))
    found: dict[int, Row] = {}
    try:
        rows = ((number, one(file)) for number, file in enumerate(files)) if workers == 1 else _shared(files, one, workers)
        for number, row in rows:
            found[number] = row
            if progress is not None:
                progress(len(found))
    except KeyboardInterrupt:
        marked.interrupted = True
    marked.rows = [found[number] for number in sorted(found)]
    return marked


def _shared(files: Sequence[str], one: Callable[[str], Row], workers: int) -> Iterator[tuple[int, Row]]:
    """Let workers check the files; yield a number and its row as they come.

    A hand-in may end the worker that checks it. Then the next are checked one at a time, so that it is known which does.
    """
    with needed_by("checking with several jobs"):
        from joblib import Parallel, delayed

    left = dict(enumerate(files))
    alone = 0
    # At least two, or it would be this process that is ended.
    many = max(workers, 2)
    while left:
        part = list(left.items())[: 1 if alone else None]
        parallel = Parallel(n_jobs=many, return_as="generator_unordered", batch_size=1, pre_dispatch=AHEAD * many)
        try:
            for number, row in parallel(delayed(_numbered)(number, one, file) for number, file in part):
                del left[number]
                yield number, row
        except Exception as error:  # `grade` raises none: the worker is gone, or whoever sent it
            if alone:
                ((number, file),) = part
                del left[number]
                said = " ".join(str(error).split()).partition(". ")[0]
                yield number, failed(file, f"the process that checks it ended: {said[:200]}")
            else:
                alone = 1 + AHEAD * many
        alone = max(alone - 1, 0)


def _numbered(number: int, one: Callable[[str], Row], file: str) -> tuple[int, Row]:
    return number, one(file)
