"""The submission in a file or a notebook: loading it, and finding the function or class that is meant."""

from __future__ import annotations

import ast
import difflib
import inspect
import linecache
import sys
import tokenize
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from verification.submissions.answers import SubmissionError
from verification.submissions.forbidding import Forbidden, ForbiddenImportError
from verification.submissions.local import is_class_submission, is_stepping_class, last_line, what_happened
from verification.submissions.notebooks import ENDING, read
from verification.submissions.support import SUPPORT_ATTRIBUTE

# Not "__main__", so that what stands under `if __name__ == "__main__":` is not run.
MODULE = "__submission__"
ENDINGS = (".py", ENDING)


def check_file(path: str, folder: str | None = None) -> None:
    """Raise a SubmissionError unless the path, from a folder or from here, leads to a Python file or a notebook."""
    file = Path(folder or "", path)
    if not path:
        raise SubmissionError("the file's name is empty")
    if file.is_dir():
        raise SubmissionError("this is a directory; a submission is one Python file", path)
    if not file.exists():
        raise SubmissionError("there is no such file", path)
    if file.suffix not in ENDINGS:
        raise SubmissionError("a submission is a Python file, whose name ends in .py, or a notebook in .ipynb", path)


def load(path: str, forbid: Sequence[str] = ()) -> ModuleType:
    """Run a file and return it as a module, with its folder on the import path.

    Parameters
    ----------
    path : str
        The file: Python, or a notebook, whose code cells are run one after another.
    forbid : sequence of str
        Modules that it must do without, and this process, too, from now on.

    Returns
    -------
    ModuleType
        Its names.

    Raises
    ------
    SubmissionError
        If it is no Python file, its code fails, or it imports what is forbidden.
    """
    check_file(path)
    module = ModuleType(MODULE)
    module.__file__ = path
    # What is looked up by name while the file runs, dataclasses for one, looks here.
    sys.modules[MODULE] = module
    sys.path.insert(0, str(Path(path).resolve().parent))
    guard = Forbidden(forbid, path)
    if forbid:
        guard.install()
    if path.endswith(ENDING):
        notebook = read(path)
        # Whoever shows a line of the file, or looks for a `def`, finds it under the numbers that tracebacks have.
        linecache.cache[path] = (len(notebook.source), None, notebook.source.splitlines(keepends=True), path)
        # A notebook may show what it likes to; here nobody looks.
        vars(module)["display"] = print
        parts: list[tuple[int, str | bytes]] = list(notebook.cells)
    else:
        parts = [(0, _read(path))]
    for after, text in parts:
        code = _compiled(text, path, after)
        try:
            exec(code, vars(module))
        except ForbiddenImportError as error:
            raise SubmissionError(f"the file {what_happened(error)}", path, last_line(error, path)) from None
        except BaseException as error:  # whatever the file raises, sys.exit's SystemExit included
            raise SubmissionError(
                f"the file {what_happened(error)} while it was loaded", path, last_line(error, path)
            ) from None
    for name, line in guard.tried:
        raise SubmissionError(f"the file imports {name}, which is forbidden here", path, line)
    return module


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SubmissionError(f"the file cannot be read: {error.strerror}", path) from None


def _compiled(text: str | bytes, path: str, after: int) -> CodeType:
    """Return the code of a file or of a cell, whose lines are counted from `after`."""
    try:
        return compile("\n" * after + text if isinstance(text, str) else text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = last_line(error, path)
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise SubmissionError(f"this is not Python: {said}", path, line) from None


def find(module: ModuleType, name: str | None = None) -> Any:
    """Return the submission in a loaded file.

    Parameters
    ----------
    module : ModuleType
        From `load`.
    name : str, optional
        The function's or class's name. Without it: what is declared with `supports`, otherwise the function named gradient
        and the classes with forward and backward, or with train and parameters, if that is one.

    Returns
    -------
    callable
        A function or a class.

    Raises
    ------
    SubmissionError
        If there is none, or more than one: the sentence lists them.
    """
    path = str(module.__file__)
    public = {
        key: value
        for key, value in vars(module).items()
        if not key.startswith("_") and callable(value) and (_is_declared(value) or getattr(value, "__module__", None) == MODULE)
    }
    lines = definitions(path)
    if name is not None:
        if name in vars(module):
            return vars(module)[name]
        near = difflib.get_close_matches(name, public, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; it defines {_listed(public, lines)}"
        raise SubmissionError(f"the file has no function or class named {name!r}{hint}", path)
    usual = {key: value for key, value in public.items() if _is_usual(key, value)}
    declared = {key: value for key, value in public.items() if _is_declared(value)}
    for found in (declared, usual):
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise SubmissionError(f"the file has several submissions; say which with --name: {_listed(found, lines)}", path)
    if not lines:
        raise SubmissionError("nothing is written in it: it defines no function and no class", path, undone=True)
    raise SubmissionError(
        "the file has no function gradient(network, x, y), and no class with forward(x) and backward(y), or with "
        "train(x, y, rate) and parameters(); "
        f"it defines {_listed(public, lines)}",
        path,
    )


def _is_usual(name: str, value: object) -> bool:
    is_function = name == "gradient" and not inspect.isclass(value)
    return is_function or is_class_submission(value) or is_stepping_class(value)


def _is_declared(value: object) -> bool:
    # In its own namespace: a class does not inherit the declaration of its base as its own.
    return SUPPORT_ATTRIBUTE in getattr(value, "__dict__", {})


def _listed(found: dict[str, Any], places: dict[str, str]) -> str:
    return ", ".join(f"{key} ({places[key]})" if key in places else key for key in found) or "nothing public"


def definitions(path: str) -> dict[str, str]:
    """Return name → "line 3" or "cell 2, line 1" of the functions, classes and names that a file defines at its top level."""
    if path.endswith(ENDING):
        notebook = read(path)
        parts, place = [ast.parse("\n" * after + text) for after, text in notebook.cells], notebook.place
    else:
        with tokenize.open(path) as file:
            parts = [ast.parse(file.read())]
        place = "line {}".format
    places = {}
    for node in chain.from_iterable(part.body for part in parts):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            places[node.name] = place(node.lineno)
        elif isinstance(node, ast.Assign):
            places |= {target.id: place(node.lineno) for target in node.targets if isinstance(target, ast.Name)}
    return places
