"""How numbers are rounded and shown: by Python's own decimal formatting, and by cases worked out on paper."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.homework.digits import NOISE, decimal, rounded, shown
from handgrad.homework.writing import LATEX, TEXT

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "digits", "text", "latex"),
    [
        (0.25, 6, "0.25", "0.25"),
        (0.1 + 0.2, 6, "0.3", "0.3"),
        (1.0, 6, "1", "1"),
        (-2.5, 6, "−2.5", "-2.5"),
        # What is rounded keeps its zeros.
        (0.30000004, 6, "0.300000", "0.300000"),
        (0.59326999, 6, "0.593270", "0.593270"),
        (2 / 3, 3, "0.667", "0.667"),
        # A half goes away from zero, as on paper.
        (0.125, 2, "0.13", "0.13"),
        (-0.125, 2, "−0.13", "-0.13"),
        (2.5e-3, 2, "0.0025", "0.0025"),
        (0.0001, 6, "0.0001", "0.0001"),
        (0.00001, 6, "1·10⁻⁵", r"1 \cdot 10^{-5}"),
        (-1.2345678e-7, 3, "−1.23·10⁻⁷", r"-1.23 \cdot 10^{-7}"),
        (123456.0, 6, "123456", "123456"),
        (1234567.0, 6, "1.23457·10⁶", r"1.23457 \cdot 10^{6}"),
        (1e300, 6, "1·10³⁰⁰", r"1 \cdot 10^{300}"),
        (9.9999999, 3, "10.0", "10.0"),
        (0.0, 6, "0", "0"),
        (-0.0, 6, "0", "0"),
        (math.inf, 6, "∞", r"\infty"),
        (-math.inf, 6, "−∞", r"-\infty"),
        (math.nan, 6, "NaN", r"\mathrm{NaN}"),
    ],
)
def test_number_shown_is_what_one_writes(value, digits, text, latex):
    assert TEXT.number(shown(value, digits))[0] == text
    assert LATEX.number(shown(value, digits))[0] == latex


def test_noise_of_a_float32_is_not_shown():
    assert shown(float(np.float32(0.1)), 6, NOISE["float32"]).mantissa == "0.1"
    assert shown(float(np.float32(0.1)), 6, NOISE["float64"]).mantissa == "0.100000"


@given(FLOATS, st.integers(2, 12))
def test_rounded_matches_the_number_within_half_a_unit_of_its_last_digit(value, digits):
    exact = Decimal(repr(value))
    found = rounded(decimal(value), digits)
    unit = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    assert abs(found - exact) <= unit / 2
    assert len(found.normalize().as_tuple().digits) <= digits


@given(FLOATS, st.integers(2, 12))
def test_digits_shown_equals_the_value_that_is_said(value, digits):
    written = TEXT.number(shown(value, digits))[0]
    plain = written.replace("−", "-").replace("·10", "e").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    assert Decimal(plain) == shown(value, digits).value
