"""Output to terminals and pipes that cannot print every character: what they lack is replaced by something readable."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import re
import sys

READABLE = "readable"
LOWERED, RAISED = "₀₁₂₃₄₅₆₇₈₉", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾"
TYPED = str.maketrans(LOWERED + RAISED, "01234567890123456789-()")
INDICES = re.compile(f"[{LOWERED}]+|[{RAISED}]+")
# What the packages print, and what stands in a file that is checked.
SUBSTITUTES = {
    "≈": "~=",
    "←": "<-",
    "η": "eta",
    "∞": "inf",
    "⋮": ":",
    "«": '"',
    "»": '"',
    "·": "*",
    "′": "'",
    "Σ": "sum",
    "α": "alpha",
    "∇": "grad ",
    "−": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "½": "1/2",
    "×": "x",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "±": "+-",
    "→": "->",
    "σ": "sigma",
    "θ": "theta",
    "λ": "lambda",
    "∂": "d",
    "δ": "delta",
    "µ": "u",
    "“": '"',
    "”": '"',
    "’": "'",
    "\xa0": " ",
    "º": "o",
    "á": "a",
    "É": "E",
    "é": "e",
    "í": "i",
    "ó": "o",
    "ú": "u",
    "ñ": "n",
    "ü": "u",
    "¿": "?",
    "¡": "!",
}


def substitute(error: UnicodeError) -> tuple[str, int]:
    """Return something readable for what an encoding lacks: an error handler as `codecs.register_error` takes it.

    Parameters
    ----------
    error : UnicodeEncodeError
        Which characters of which text.

    Returns
    -------
    tuple of (str, int)
        What is printed in their place, in ASCII, and where to go on.

    Raises
    ------
    UnicodeError
        The error itself, if it is none of encoding.

    Examples
    --------
    >>> "dL/dw_jk = dz_j/dw_jk · dL/dz_j, g′ ≤ 1".encode("ascii", READABLE)
    b"dL/dw_jk = dz_j/dw_jk * dL/dz_j, g' <= 1"
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = INDICES.sub(_index, error.object[error.start : error.end])
    return "".join(
        SUBSTITUTES.get(sign, sign.encode("ascii", "backslashreplace").decode("ascii")) for sign in missing
    ), error.end


def _index(found: re.Match[str]) -> str:
    """Return indices and exponents as they are typed: ₁₂ is _12, and ⁽¹⁾ is ^(1)."""
    # An encoding may have ² and lack what stands round it: the end of ⁽²⁾ alone is no exponent.
    mark = "_" if found[0][0] in LOWERED else "" if found[0] == "⁾" else "^"
    return mark + found[0].translate(TYPED)


codecs.register_error(READABLE, substitute)


def make_readable() -> None:
    """Let standard output and standard error replace what they cannot print, from now on."""
    for stream in (sys.stdout, sys.stderr):
        # What stands in their place under a test, or in a notebook, takes every character.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=READABLE)


def is_full(error: OSError) -> bool:
    """Say whether an error is the system's word for a disk without room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def tell_unwritten(error: OSError) -> None:
    """Say on standard error that the output cannot be written, and why; standard output goes nowhere from now on."""
    # Where standard error cannot be written either the exit status has to do.
    with contextlib.suppress(OSError):
        print(f"the output cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201
    leave_output()


def leave_output() -> None:
    """Send what is still to be written nowhere: Python would complain once more when it closes the output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
