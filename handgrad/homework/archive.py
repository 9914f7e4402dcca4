"""The arrays of an .npz file that anybody may have written: no object is made, no more memory taken than the file is large.

An .npz file is a zip archive of .npy files. `handgrad.homework.saving` says what the arrays of a network mean.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ENDING = ".npy"
ENCRYPTED = 0x1  # a bit of an entry's flags
# What `zipfile` raises for archives that are damaged or made to harm.
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OverflowError, RuntimeError, EOFError, OSError)
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read(path: str | Path) -> dict[str, Array]:
    """Return the arrays of an .npz file by name.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to ndarray
        Each of a dtype without objects; they cannot be written to.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        With what is wrong, if it is no archive of arrays, or not one as `np.savez` writes it, without compression.
    """
    with open(path, "rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        begins_so = file.read(4) == b"PK\x03\x04"
        try:
            archive = zipfile.ZipFile(file)
        except DAMAGE as error:
            wrong = f"it is cut off or damaged: {error}" if begins_so else "it is no zip archive, as every .npz file is"
            raise ValueError(wrong if size else "it is empty") from None
        with archive:
            entries = archive.infolist()
            _distrust(entries, size)
            return {entry.filename.removesuffix(ENDING): _array(archive, entry) for entry in entries}


def _distrust(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Raise for entries that would fill the memory, hide one another, or cannot be read."""
    names: set[str] = set()
    for entry in entries:
        name = entry.filename
        if name in names:
            raise ValueError(f"entry {name!r} is there twice")
        names.add(name)
        if not name.endswith(ENDING):
            raise ValueError(f"entry {name!r} is no array: its name does not end in {ENDING}")
        if entry.flag_bits & ENCRYPTED:
            raise ValueError(f"entry {name!r} is encrypted")
        # What is stored as it is takes no more memory than the file has bytes.
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"entry {name!r} is compressed: take np.savez, not np.savez_compressed")
        if entry.compress_size != entry.file_size:
            raise ValueError(f"entry {name!r} promises {entry.file_size} bytes and has {entry.compress_size}")
    promised = sum(entry.file_size for entry in entries)
    if promised > size:
        raise ValueError(f"its entries promise {promised} bytes, and the file has {size}")


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Array:
    try:
        content = archive.read(entry)
    except DAMAGE as error:
        raise ValueError(f"entry {entry.filename!r} is cut off or damaged: {error}") from None
    stream = io.BytesIO(content)
    shape, in_columns, dtype = _header(entry.filename, stream)
    if dtype.hasobject or dtype.kind not in "biufcSU":
        raise ValueError(f"entry {entry.filename!r} holds Python objects or records, not numbers: they are never loaded")
    promised, there = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if min(shape, default=0) < 0 or promised != there:
        raise ValueError(f"entry {entry.filename!r} promises shape {shape} of {dtype}, and has {there} bytes of numbers")
    return np.frombuffer(content, dtype, offset=stream.tell()).reshape(shape, order="F" if in_columns else "C")


def _header(name: str, stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and dtype of an .npy file; the stream stands behind them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it would advise to write old files anew
            return HEADERS[np.lib.format.read_magic(stream)](stream)
    except Exception:  # whatever NumPy's parser raises for a header that is made to harm
        raise ValueError(f"entry {name!r} is no array: it has no header of an .npy file of version 1 or 2") from None
