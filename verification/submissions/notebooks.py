"""A Jupyter notebook as Python: its code cells one after another, without what only IPython understands.

The cells stand in one text, so that a line has one number everywhere; `Notebook.place` says in which cell that is. Cells are
counted from 1, those of code alone.
"""

from __future__ import annotations

import json
import re
import tokenize
from dataclasses import dataclass
from typing import Any

from verification.submissions.answers import SubmissionError

ENDING = ".ipynb"
# Of a cell that begins with one of these the rest is Python. Of other cells with a magic it is another language, or not kept.
PYTHON_CELLS = re.compile(r"%%(time|capture)\b")
# A magic, a command of the shell, or a question; and one whose result is given a name.
MAGIC = re.compile(r"\s*(%|!|\?|[\w.*%]+\?{1,2}\s*$|[\w., ]+=\s*(%|!(?!=)))")

# For each line of a cell that looks like a magic the lines before are read, in all so many and no more.
MOST_READ = 100_000


@dataclass(frozen=True)
class Notebook:
    """The code of a notebook.

    Parameters
    ----------
    cells : tuple of (int, str)
        Each code cell that is Python: the number of the line that it begins after, and its text. The numbers of its lines are
        those of all the cells together.
    numbers : tuple of int
        Which code cell of the notebook each is.
    """

    cells: tuple[tuple[int, str], ...]
    numbers: tuple[int, ...]

    @property
    def source(self) -> str:
        """All the cells in one text."""
        return "".join(text for _, text in self.cells)

    def place(self, line: int) -> str:
        """Return "cell 3, line 2" for a line of all the cells together."""
        found = max((index for index, (after, _) in enumerate(self.cells) if after < line), default=0)
        return f"cell {self.numbers[found]}, line {line - self.cells[found][0]}"


def read(path: str, shown: str | None = None) -> Notebook:
    """Return the code of a notebook.

    Parameters
    ----------
    path : str
        The file, in nbformat 3 or 4.
    shown : str, optional
        What to call it in errors; the path unless given.

    Returns
    -------
    Notebook
        Its cells, each with as many lines as it has there.

    Raises
    ------
    SubmissionError
        If it cannot be read, is no notebook, one of another language or of Python 2, or has no code.
    """
    file = shown or path
    try:
        with open(path, encoding="utf-8-sig") as stream:
            content = json.load(stream)
    except OSError as error:
        raise SubmissionError(f"the file cannot be read: {error.strerror}", file) from None
    except json.JSONDecodeError as error:
        raise SubmissionError(f"this is no notebook: {error.msg}", file, error.lineno) from None
    except (UnicodeDecodeError, RecursionError):
        raise SubmissionError("this is no notebook: it is not JSON in UTF-8", file) from None
    language = _language(content)
    if language != "python":
        raise SubmissionError(f"this is a notebook for {language}; a submission is one for Python 3", file)
    texts = [_text(cell) for cell in _cells(content) if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    if not any(map(str.strip, texts)):
        raise SubmissionError("nothing is written in it: the notebook has no code", file, undone=True)
    cells, numbers, after = [], [], 0
    for number, text in enumerate(texts, 1):
        python = without_magics(text)
        if python is not None:
            cells.append((after, python))
            numbers.append(number)
            after += python.count("\n")
    if not cells:
        raise SubmissionError("no cell of the notebook is Python: each begins with a magic", file)
    return Notebook(tuple(cells), tuple(numbers))


def _language(content: Any) -> str:
    """Return "python", or the name of what else it is for: what a notebook of any version says of itself, if it does."""
    metadata = _mapping(_mapping(content).get("metadata"))
    kernel, info = _mapping(metadata.get("kernelspec")), _mapping(metadata.get("language_info"))
    name = str(info.get("name") or kernel.get("language") or "python")
    is_old = str(info.get("version", "3")).startswith("2") or kernel.get("name") == "python2"
    if name.lower() not in ("python", "ipython"):
        return name[:50]
    return "Python 2" if is_old else "python"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _cells(content: Any) -> list[Any]:
    """Return the cells: of nbformat 4, or of every worksheet of nbformat 3."""
    sheets = [content, *_list(_mapping(content).get("worksheets"))]
    return [cell for sheet in sheets for cell in _list(_mapping(sheet).get("cells"))]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(cell: dict[str, Any]) -> str:
    text = cell.get("source", cell.get("input", ""))
    return "".join(part for part in _list(text) if isinstance(part, str)) if isinstance(text, list) else str(text)


def without_magics(text: str) -> str | None:
    r"""Return a cell as Python with as many lines, each of them ended; None if the whole cell is something else.

    Parameters
    ----------
    text : str
        The cell. What only IPython understands becomes `pass`, so that a block that holds nothing else is still one.

    Returns
    -------
    str or None
        Python, as far as the cell is.

    Examples
    --------
    >>> print(without_magics("%matplotlib inline\nif True:\n    !ls\nx = (7\n%3)"), end="")
    pass
    if True:
        pass
    x = (7
    %3)
    >>> without_magics("%%bash\nls")
    """
    # As Python counts lines: a form feed ends none.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].startswith("%%"):
        if not PYTHON_CELLS.match(lines[first]):
            return None
        lines[first] = "pass"
    goes_on, begun, done = False, 0, 0
    for number, line in enumerate(lines):
        if not goes_on and (done > MOST_READ or not MAGIC.match(line)):
            continue
        done += number - begun
        if goes_on or _begins_a_line(lines[begun:number]):
            # A command that ends in a backslash goes on in the next line.
            goes_on, begun = line.rstrip().endswith("\\"), number + 1
            lines[number] = f"{line[: len(line) - len(line.lstrip())]}pass"
    return "".join(f"{line}\n" for line in lines)


def _begins_a_line(before: list[str]) -> bool:
    """Say whether what follows is a statement of its own: not within a string or brackets, and not after a backslash."""
    try:
        # Without indentation, which says nothing of that, and may fit nothing before.
        list(tokenize.generate_tokens(iter([f"{line.lstrip()}\n" for line in before]).__next__))
    except (tokenize.TokenError, SyntaxError):
        return False
    return True
