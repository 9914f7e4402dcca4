"""Modules that a submission must do without: whoever imports one is told, though this process may have it.

It keeps out what is imported, by a statement, `importlib` or `__import__`, in the submission's file, its neighbours or a
package. It is no sandbox: a file that looks for handgrad in the modules that run it, or starts a Python of its own, finds it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType

# What every submission's process works with, the standard library apart.
NEEDED = ("numpy", "verification")


class ForbiddenImportError(ImportError):
    """An import of a module that a submission must do without."""


def checked(forbid: Sequence[str]) -> tuple[str, ...]:
    """Return the names of modules that may be forbidden.

    Parameters
    ----------
    forbid : sequence of str
        Names such as "torch".

    Raises
    ------
    TypeError, ValueError
        If it is no sequence of top-level modules' names, or has one that the process itself needs.
    """
    if isinstance(forbid, str) or not all(isinstance(name, str) for name in forbid):
        raise TypeError(f"forbid must be a sequence of names of modules; got {forbid!r}")
    for name in forbid:
        if not name.isidentifier():
            raise ValueError(f"forbid must name modules that stand in no other, as torch does; got {name!r}")
        if name in NEEDED or name in sys.stdlib_module_names:
            raise ValueError(f"forbid must name modules that a submission's process can do without; it needs {name}")
    return tuple(forbid)


class Forbidden(MetaPathFinder):
    """Finds no module for whom it is forbidden, and says so.

    Parameters
    ----------
    names : sequence of str
        The forbidden modules.
    file : str
        The submission's file.

    Attributes
    ----------
    tried : list of (str, int)
        What the file itself has tried to import, and in which line, even if it can do without.
    """

    def __init__(self, names: Sequence[str], file: str) -> None:
        self._names, self._file = frozenset(names), file
        self.tried: list[tuple[str, int]] = []

    def install(self) -> None:
        """Take the modules out of reach of every import from now on."""
        for name in list(sys.modules):
            if name.partition(".")[0] in self._names:
                del sys.modules[name]
        sys.meta_path.insert(0, self)

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Raise a ForbiddenImportError for what is forbidden; leave the rest to others."""
        name = fullname.partition(".")[0]
        if name not in self._names:
            return None
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        if frame is not None and frame.f_code.co_filename == self._file:
            self.tried.append((name, frame.f_lineno))
        raise ForbiddenImportError(f"imports {name}, which is forbidden here", name=name)
