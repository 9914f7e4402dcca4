"""One message as bytes: a start of fixed length, a head in JSON, and the numbers of its arrays. Nothing in it can be run.

The start is a magic word, the token of the request that it answers, and the lengths of the head (4 bytes) and of the body (8).
The head is {"head": ..., "arrays": [[name, dtype, shape], ...]} in UTF-8. The body is the arrays' numbers, one array after the
other, in C order. All numbers are little-endian.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from typing import IO, Any, NoReturn

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAGIC = b"handgrad"
# So many random bytes are met by chance no more than a key is.
TOKEN = 16
START = struct.Struct(f"<{len(MAGIC)}s{TOKEN}sIQ")
# In bytes, of a head or a body: so little may always be read.
SHORT = 1 << 16
NAME_AT_MOST = 100
AXES_AT_MOST = 8
# Little-endian, by their names in a head.
DTYPES: dict[str, np.dtype[Any]] = {
    dtype.str: dtype
    for dtype in (np.dtype(f"<{code}") for code in ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"))
}


class FrameError(ValueError):
    """Bytes that are no frame, or a frame that is no answer. Its message says why, about an "it"."""


@dataclass(frozen=True)
class Room:
    """How many bytes a head and a body may have."""

    head: int
    body: int


def holds(array: Array) -> bool:
    """Say whether a frame can hold an array: plain truth values, integers or floats of at most 8 bytes."""
    return array.dtype.newbyteorder("<").str in DTYPES


def write(stream: IO[bytes], token: bytes, head: object, arrays: Mapping[str, Array]) -> None:
    """Write one frame and flush it.

    Parameters
    ----------
    stream : binary file
        Where to.
    token : bytes
        Of the request that it answers.
    head : object
        Plain JSON without floats.
    arrays : mapping of str to ndarray
        Such as `holds` is true of.

    Raises
    ------
    ValueError
        If an array is of another dtype.
    """
    parts, listed = [], []
    for name, array in arrays.items():
        part = array
        if array.dtype.str not in DTYPES or not array.flags.c_contiguous:
            part = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        if part.dtype.str not in DTYPES:
            raise ValueError(f"a frame cannot hold {name}, which is of dtype {array.dtype}")
        parts.append(part)
        listed.append((name, part.dtype.str, array.shape))
    text = _ENCODER.encode({"head": head, "arrays": listed}).encode("ascii")
    stream.write(START.pack(MAGIC, token, len(text), sum(part.nbytes for part in parts)) + text)
    for part in parts:
        stream.write(part.data)
    stream.flush()


def read(stream: BufferedIOBase, token: bytes, room: Callable[[], Room]) -> tuple[Any, dict[str, Array]]:
    """Read one frame, which may be anything at all.

    Parameters
    ----------
    stream : binary file
        Where from. No byte is read beyond the frame.
    token : bytes
        The one that it must carry.
    room : callable
        Returns how long it may be; asked only about a frame that is not short.

    Returns
    -------
    tuple of object and dict of str to ndarray
        Its head, plain JSON without floats, in which anything may stand; and its arrays, native and in memory of their own.

    Raises
    ------
    EOFError
        If the stream ends before the frame does.
    FrameError
        If it is no frame, no answer to this request, or too long.
    """
    magic, carried, of_head, of_body = START.unpack(_exactly(stream, START.size))
    if magic != MAGIC:
        raise FrameError("it does not begin as an answer does")
    if carried != token:
        raise FrameError("it is not an answer to what was asked")
    if of_head > SHORT or of_body > SHORT:
        at_most = room()
        if of_head > at_most.head or of_body > at_most.body:
            raise FrameError(f"it is {of_head + of_body} bytes long, and an answer {at_most.head + at_most.body} at most")
    head, listed = _parsed(_exactly(stream, of_head))
    entries = _entries(listed)
    if sum(math.prod(shape) * dtype.itemsize for _, dtype, shape in entries) != of_body:
        raise FrameError("its body is not as long as its arrays")
    return head, {name: _numbers(stream, name, dtype, shape) for name, dtype, shape in entries}


def _exactly(stream: BufferedIOBase, length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise EOFError
    return found


def _numbers(stream: BufferedIOBase, name: str, dtype: np.dtype[Any], shape: list[int]) -> Array:
    try:
        found: Array = np.empty(shape, dtype)
    except ValueError:  # no numbers at all, with axes too long for numpy to multiply
        raise FrameError(f"its array {name!r} has a shape that no answer has") from None
    if stream.readinto(found.data) < found.nbytes:
        raise EOFError
    if dtype.kind == "b" and (found.view(np.uint8) > 1).any():
        raise FrameError(f"its array {name!r} has truth values that are neither true nor false")
    return found if dtype.isnative else found.astype(dtype.newbyteorder("="))


def _parsed(text: bytes) -> tuple[object, object]:
    try:
        found = _DECODER.decode(text.decode("utf-8"))
    except (ValueError, RecursionError):  # no UTF-8, no JSON, a float, an integer of very many digits, or too many brackets
        raise FrameError("its head is not the JSON of an answer") from None
    if not isinstance(found, dict) or found.keys() != {"head", "arrays"}:
        raise FrameError("its head is not the JSON of an answer")
    return found["head"], found["arrays"]


def _entries(listed: object) -> list[tuple[str, np.dtype[Any], list[int]]]:
    """Return the name, dtype and shape of each array in a frame's list, after checking them."""
    if not isinstance(listed, list):
        raise FrameError("its arrays are not in a list")
    names = set()
    found = []
    for entry in listed:
        if not isinstance(entry, list) or len(entry) != 3:
            raise FrameError("one of its arrays is not a name, a dtype and a shape")
        name, code, shape = entry
        if not isinstance(name, str) or len(name) > NAME_AT_MOST or name in names:
            raise FrameError("the name of one of its arrays is not a short name that no other has")
        if not isinstance(code, str) or code not in DTYPES:
            raise FrameError(f"its array {name!r} is of a dtype that no answer has")
        if not isinstance(shape, list) or len(shape) > AXES_AT_MOST or not all(map(_is_length, shape)):
            raise FrameError(f"its array {name!r} has a shape that no answer has")
        names.add(name)
        found.append((name, DTYPES[code], shape))
    return found


def _is_length(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is a float")


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_DECODER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
