"""The submission in a file: loading it, and finding the function or class that is meant."""

from __future__ import annotations

import ast
import difflib
import inspect
import sys
import tokenize
from pathlib import Path
from types import ModuleType
from typing import Any

from verification.submissions.answers import SubmissionError
from verification.submissions.local import is_class_submission, is_stepping_class, last_line, what_happened
from verification.submissions.support import SUPPORT_ATTRIBUTE

# Not "__main__", so that what stands under `if __name__ == "__main__":` is not run.
MODULE = "__submission__"


def check_file(path: str) -> None:
    """Raise a SubmissionError unless the path leads to a Python file."""
    file = Path(path)
    if not path:
        raise SubmissionError("the file's name is empty")
    if file.is_dir():
        raise SubmissionError("this is a directory; a submission is one Python file", path)
    if not file.exists():
        raise SubmissionError("there is no such file", path)
    if file.suffix != ".py":
        raise SubmissionError("a submission is a Python file, whose name ends in .py", path)


def load(path: str) -> ModuleType:
    """Run a file and return it as a module, with its folder on the import path.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    ModuleType
        Its names.

    Raises
    ------
    SubmissionError
        If it is no Python file, or its code fails.
    """
    check_file(path)
    module = ModuleType(MODULE)
    module.__file__ = path
    # What is looked up by name while the file runs, dataclasses for one, looks here.
    sys.modules[MODULE] = module
    sys.path.insert(0, str(Path(path).resolve().parent))
    try:
        code = compile(Path(path).read_bytes(), path, "exec")
    except (SyntaxError, ValueError) as error:
        line = last_line(error, path)
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        raise SubmissionError(f"this is not Python: {text}", path, line) from None
    except OSError as error:
        raise SubmissionError(f"the file cannot be read: {error.strerror}", path) from None
    try:
        exec(code, vars(module))
    except BaseException as error:  # whatever the file raises, sys.exit's SystemExit included
        raise SubmissionError(f"the file {what_happened(error)} while it was loaded", path, last_line(error, path)) from None
    return module


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
    lines = definition_lines(path)
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


def _listed(found: dict[str, Any], lines: dict[str, int]) -> str:
    return ", ".join(f"{key} (line {lines[key]})" if key in lines else key for key in found) or "nothing public"


def definition_lines(path: str) -> dict[str, int]:
    """Return name → line of the functions, classes and names that a file defines at its top level."""
    with tokenize.open(path) as file:
        tree = ast.parse(file.read())
    lines = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            lines[node.name] = node.lineno
        elif isinstance(node, ast.Assign):
            lines |= {target.id: node.lineno for target in node.targets if isinstance(target, ast.Name)}
    return lines
