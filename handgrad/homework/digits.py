"""How a number is shown: rounded to a number of significant digits, and what a reader's own arithmetic then finds.

A reader has no other digits than those on the page. Everything here is decimal, with far more digits than a float has, so that
what a calculator would find with the digits shown is found here, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

# More digits than any float needs, and exponents that no float reaches; an overflow is an infinity, and no error.
ARITHMETIC = Context(prec=60, Emin=-(10**15), Emax=10**15, traps=[])
# A float's last digits are noise once something was computed: 0.1 + 0.2 is shown as 0.3.
NOISE = {"float64": 13, "float32": 6}
LEAST, MOST = 2, 12


@dataclass(frozen=True)
class Shown:
    """A number as it stands on the page.

    Parameters
    ----------
    sign : str
        "−" or "".
    mantissa : str
        Its digits, with a point if there is one; "∞" or "NaN" of what is no number.
    exponent : int or None
        The power of ten that it is times, None if it is written without one.
    value : Decimal
        What these digits say.
    """

    sign: str
    mantissa: str
    exponent: int | None
    value: Decimal


def decimal(value: float) -> Decimal:
    """Return the shortest decimal number that is this float."""
    return Decimal(repr(float(value)))


def rounded(value: Decimal, digits: int) -> Decimal:
    """Return a number rounded to so many significant digits, a half away from zero, as it is done on paper."""
    if not value.is_finite() or value.is_zero():
        return value
    with localcontext(ARITHMETIC):
        kept = value.quantize(Decimal(1).scaleb(value.adjusted() - digits + 1), ROUND_HALF_UP)
        # 9.999 has become 10.00, which is a digit more.
        return kept.quantize(Decimal(1).scaleb(kept.adjusted() - digits + 1), ROUND_HALF_UP)


def shown(value: float | Decimal, digits: int, noise: int | None = NOISE["float64"]) -> Shown:
    """Return a number as it is shown.

    Parameters
    ----------
    value : float or Decimal
        The number.
    digits : int
        How many significant digits are shown at most.
    noise : int or None
        How many digits of the number are to be believed. If they end before `digits` do, no zeros are written behind them:
        0.25 is a quarter, and 0.250000 something near it. With None every digit is written.

    Returns
    -------
    Shown
        With a power of ten if it is smaller than 0.0001, or has more digits before the point than are shown.

    Examples
    --------
    >>> shown(0.1 + 0.2, 6).mantissa, shown(0.30000004, 6).mantissa, shown(4.5e-7, 6).exponent
    ('0.3', '0.300000', -7)
    """
    number = value if isinstance(value, Decimal) else decimal(value)
    sign = "−" if number.is_signed() and not number.is_nan() else ""
    if not number.is_finite():
        return Shown(sign, "∞" if number.is_infinite() else "NaN", None, number)
    with localcontext(ARITHMETIC):
        kept = rounded(number, digits)
        if noise is not None and kept == rounded(number, max(noise, digits)):
            kept = kept.normalize()
        if kept.is_zero():
            return Shown("", "0", None, Decimal(0))
        if -5 < kept.adjusted() < digits:
            return Shown(sign, f"{abs(kept):f}", None, kept)
        return Shown(sign, f"{abs(kept).scaleb(-kept.adjusted()):f}", kept.adjusted(), kept)
