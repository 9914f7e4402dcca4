"""A number as it is written by hand or typed: with a comma, as a fraction, behind an equals sign, with a remark after it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from handgrad.homework.digits import ARITHMETIC, NOISE, rounded

LONGEST = 40
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
# 1/8, 1 1/2, and the characters for a half and other fractions, alone or behind a whole number.
FRACTION = re.compile(r"([+-]?)(?:([0-9]+) )?([0-9]+) ?/ ?([+-]?)([0-9]+)")
CHARACTER = re.compile(r"([+-]?)([0-9]*) ?([\u00bc-\u00be\u2150-\u215e])")
GROUPS = re.compile(r"[+-]?[0-9]{1,3}( [0-9]{3})+(\.[0-9]+)?")


@dataclass(frozen=True)
class Written:
    """A number as it was written.

    Parameters
    ----------
    text : str
        What stood there; "" of a blank.
    value : Decimal or None
        The number, None if it is none.
    place : Decimal
        A unit of its last digit; 0 of a fraction, which is exact.
    """

    text: str
    value: Decimal | None
    place: Decimal


def number(text: str) -> Written:
    """Return what is written as a number.

    Parameters
    ----------
    text : str
        Digits with a point or a comma, a power of ten like 1e-3, or a fraction; of "1/8 = 0.125" the last. What is struck
        out, ~~so~~, or stands in parentheses behind it, is left out. What is only lines, "____", is a blank.

    Returns
    -------
    Written
        Without a value if it is none.

    Examples
    --------
    >>> number("≈ −0,250"), number("1 1/8").value, number("____").text
    (Written(text='≈ −0,250', value=Decimal('-0.250'), place=Decimal('0.001')), Decimal('1.125'), '')
    """
    bare = re.sub(r"[_$`*]|\\[()]", "", re.sub(r"~~.*?~~", "", text)).strip()
    bare = " ".join(bare.split())
    shown = bare if len(bare) <= LONGEST else f"{bare[:LONGEST]}…"
    last = re.split("[=≈]", re.sub(r"(?<=\S)\s*\([^()]*\)$", "", bare))[-1]
    plain = " ".join(re.sub(r"[−–\u2012]", "-", last).replace("~", " ").split())
    plain = re.sub(r"^([+-]) ", r"\1", re.sub(r"^\(([^()]*)\)$", r"\1", plain))
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if GROUPS.fullmatch(plain):
        plain = plain.replace(" ", "")
    if len(plain) > LONGEST:
        return Written(shown, None, Decimal(0))
    with localcontext(ARITHMETIC):
        fraction = _fraction(plain)
        if fraction is not None:
            return Written(shown, Decimal(fraction.numerator) / Decimal(fraction.denominator), Decimal(0))
        if not NUMBER.fullmatch(plain):
            return Written(shown, None, Decimal(0))
        value = Decimal(plain)
        if len(value.as_tuple().digits) > NOISE["float64"]:  # as a program prints it: the last digits are noise
            value = rounded(value, NOISE["float64"]).normalize()
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)  # it has digits
        return Written(shown, value, Decimal(1).scaleb(exponent))


def _fraction(plain: str) -> Fraction | None:
    if found := CHARACTER.fullmatch(plain):
        sign, whole, part = found.groups()
        fraction = int(whole or 0) + Fraction(unicodedata.numeric(part)).limit_denominator(10)
        return -fraction if sign == "-" else fraction
    found = FRACTION.fullmatch(plain)
    if not found or not int(found[5]) or (found[2] and found[4]):
        return None
    fraction = int(found[2] or 0) + Fraction(int(found[3]), int(found[5]))
    return -fraction if (found[1] == "-") != (found[4] == "-") else fraction
