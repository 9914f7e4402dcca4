"""Which files of a folder are hand-ins."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from verification.submissions.answers import SubmissionError
from verification.submissions.loading import ENDINGS
from verification.submissions.notebooks import ENDING, read

# As many names of each kind are told.
MOST_NAMED = 3
# In bytes, of what is looked into before it is checked in a process of its own.
LONGEST = 1_000_000
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Found:
    """What was found.

    Parameters
    ----------
    files : list of str
        The hand-ins, sorted; a file that was named is one whatever it is called.
    left_out : dict of str to list of str
        Why → which files and folders of the folders were left out.
    """

    files: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return one line that says what was left out; "" if nothing was."""
        parts = []
        for why, names in self.left_out.items():
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            parts.append(f"{', '.join(sorted(names)[:MOST_NAMED])}{more} ({why})")
        return f"left out: {'; '.join(parts)}" if parts else ""


def find(paths: Sequence[str]) -> Found:
    """Return the hand-ins of files and folders.

    Parameters
    ----------
    paths : sequence of str
        A file is taken as it is. A folder is searched with all its folders for Python files and notebooks; left out are names
        that begin with _ or ., tests, environments, and what another file of the same folder imports and holds no submission.

    Returns
    -------
    Found
        Each file once, sorted.
    """
    found = Found()
    files: dict[str, str] = {}
    for path in paths:
        for file in _in_folder(path, found) if os.path.isdir(path) else [path]:
            files.setdefault(os.path.realpath(file), file)
    found.files = sorted(files.values())
    return found


def _in_folder(folder: str, found: Found) -> Iterator[str]:
    def leave(why: str, name: str) -> None:
        found.left_out.setdefault(why, []).append(os.path.relpath(name, folder))

    for where, folders, names in os.walk(folder):
        for name in list(folders):
            path = os.path.join(where, name)
            if name.startswith(("_", ".")):
                if name != "__pycache__":  # which nobody has written
                    leave("begin with _ or .", path)
            elif os.path.exists(os.path.join(path, "pyvenv.cfg")):
                leave("environments", path)
            else:
                continue
            folders.remove(name)
        taken = []
        for name in sorted(names):
            path = os.path.join(where, name)
            if name.startswith(("_", ".")):
                leave("begin with _ or .", path)
            elif not os.path.isfile(path):
                leave("no files to be read", path)
            elif not name.endswith(ENDINGS):
                leave(f"neither {' nor '.join(ENDINGS)}", path)
            elif name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py":
                leave("tests by their names", path)
            else:
                taken.append(path)
        trees = {path: _tree(path) for path in taken}
        imported = {name for tree in trees.values() if tree is not None for name in _imports(tree)}
        for path, tree in trees.items():
            if tree is not None and Path(path).stem in imported and not _has_submission(tree):
                leave("imported by others, without a submission", path)
            else:
                yield path


def _tree(path: str) -> ast.Module | None:
    """Return what a file says; None if it is not Python, which whoever runs it will tell, or longer than any homework."""
    try:
        if not path.endswith(ENDING) and os.path.getsize(path) > LONGEST:
            return None
        source = read(path).source if path.endswith(ENDING) else Path(path).read_bytes()
        return ast.parse(source) if len(source) <= LONGEST else None
    except (OSError, SubmissionError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from [(node.module or "").partition(".")[0]] if node.module else [alias.name for alias in node.names]


def _has_submission(tree: ast.Module) -> bool:
    """Say whether a file holds a submission, as far as its text shows it."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = {each.name for each in node.body if isinstance(each, Function)}
            if {"forward", "backward"} <= methods or {"train", "parameters"} <= methods or _is_declared(node):
                return True
        elif isinstance(node, Function) and (node.name == "gradient" or _is_declared(node)):
            return True
    return False


def _is_declared(node: Function | ast.ClassDef) -> bool:
    return any("supports" in _names(decorator) for decorator in node.decorator_list)


def _names(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
