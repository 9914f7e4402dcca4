"""A file that a result is written to: as a whole or not at all, and refused before the work begins if it cannot be."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from handgrad.terminal import leave_output

STANDARD = "-"


class UnwrittenError(OSError):
    """A result that could not be written; its `strerror` says why."""


class Destination:
    """Where a result goes.

    A file is written beside the old one and renamed, so that the old one stays until the new one is whole. A symbolic link
    stays a link, and a file keeps its permissions and, where that is allowed, its owner. What is no ordinary file, a pipe or
    a device, is written to as it is.

    Parameters
    ----------
    path : str
        The file; "-" is standard output, and so is every other name of it, /dev/stdout for one.

    Attributes
    ----------
    is_standard_output : bool
        Whether what is written goes there, and should stand there alone.

    Raises
    ------
    OSError
        If nothing can be written there. Nothing is changed by finding out.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_standard_output = path == STANDARD or _is_standard_output(path)
        self._file = Path(path)
        # Whoever asks for the target of /dev/fd/3 would find the name of a pipe, which is no file.
        self._is_plain = not self.is_standard_output and (self._file.is_file() or not self._file.exists())
        if self.is_standard_output:
            return
        if self._is_plain:
            self._file = Path(os.path.realpath(path))
        if self._file.is_dir():
            raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
        if self._file.exists() and not os.access(self._file, os.W_OK):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        if self._is_plain:
            # No other question is answered truly by every file system.
            beside = self._beside()
            try:
                _new(beside).close()
            except OSError as error:
                # Whoever asked has never heard of the file beside it.
                raise OSError(error.errno, error.strerror, path) from None
            beside.unlink()

    def write(self, content: str | bytes) -> None:
        """Write the whole content, in UTF-8 if it is text.

        Parameters
        ----------
        content : str or bytes
            All that is to stand there.

        Raises
        ------
        UnwrittenError
            If the disk is full, or it cannot be written for another reason. An ordinary file is then what it was before.
        """
        # File names may hold bytes that are no text.
        data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
        try:
            if self.is_standard_output:
                _write_here(content)
            elif self._is_plain:
                self._replace(data)
            else:
                with self._file.open("wb") as stream:
                    stream.write(data)
        except OSError as error:
            raise UnwrittenError(error.errno, error.strerror, self.path) from None

    def _beside(self) -> Path:
        return self._file.with_name(f".handgrad-{secrets.token_hex(8)}")

    def _replace(self, data: bytes) -> None:
        beside = self._beside()
        try:
            with _new(beside) as stream:
                stream.write(data)
                stream.flush()
                # A disk may say no later than at the write.
                os.fsync(stream.fileno())
            with suppress(FileNotFoundError):
                _keep_permissions(self._file.stat(), beside)
            beside.replace(self._file)
        except BaseException:  # Ctrl-C, too
            beside.unlink(missing_ok=True)
            raise


def _new(path: Path) -> IO[bytes]:
    return path.open("xb")


def _keep_permissions(old: os.stat_result, new: Path) -> None:
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(new, old.st_uid, old.st_gid)
    new.chmod(stat.S_IMODE(old.st_mode))


def _is_standard_output(path: str) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # there is no such file, or no standard output with a number
        return False


def _write_here(content: str | bytes) -> None:
    try:
        if isinstance(content, bytes):
            sys.stdout.buffer.write(content)
        else:
            sys.stdout.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        leave_output()
