"""Text from files that anybody may have made: UTF-8, and what parts the columns of its table."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["decoded", "delimiter"]

FIRST_ROW = re.compile(r'[\r\n]*((?:"[^"]*"|[^"\r\n])*)')


def decoded(path: str | Path) -> str:
    """Return the text of a file in UTF-8, without the mark that Windows begins one with; its line ends stay.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is another encoding, or holds a zero byte, with the line.
    """
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: byte 0x{data[error.start]:02x} is no UTF-8; save the file as UTF-8") from None
    if "\0" in text:
        raise ValueError(f"{path}, line {text.count(chr(10), 0, text.index(chr(0))) + 1}: a zero byte stands in no text")
    return text


def delimiter(text: str) -> str:
    r"""Return what parts the columns: a tab or a semicolon, if the first row has one outside quotes, or else the comma.

    Examples
    --------
    >>> delimiter("a;b\n1,5;2\n"), delimiter('"a;b",c\n'), delimiter("\na\tb;c\n")
    (';', ',', '\t')
    """
    found = FIRST_ROW.match(text)
    first = re.sub('"[^"]*"', "", found[1] if found else "")
    return next((sign for sign in "\t;" if sign in first), ",")
