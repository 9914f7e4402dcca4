"""Intervals: whatever numbers lie in them, what is computed from these lies in the result."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.homework.intervals import FUNCTIONS, INFINITY, Interval, around

HUNDREDTHS = st.integers(-500, 500).map(lambda n: Decimal(n) / 100)
INTERVALS = st.tuples(HUNDREDTHS, HUNDREDTHS).map(lambda ends: Interval(min(ends), max(ends)))
PLACES = st.integers(0, 8).map(lambda n: Decimal(n) / 8)
OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def inside(interval, place):
    return interval.low + place * (interval.high - interval.low)


@pytest.mark.parametrize("sign", OPERATIONS)
@given(first=INTERVALS, second=INTERVALS, at=PLACES, by=PLACES)
def test_result_of_an_operation_is_in_the_interval(sign, first, second, at, by):
    a, b = inside(first, at), inside(second, by)
    found = OPERATIONS[sign](first, second)
    if sign == "/" and second.low <= 0 <= second.high:
        assert found == Interval(-INFINITY, INFINITY)
        return
    result = OPERATIONS[sign](a, b)
    assert found.low - Decimal("1e-20") <= result <= found.high + Decimal("1e-20")
    # No wider than its corners say.
    corners = [OPERATIONS[sign](x, y) for x in (first.low, first.high) for y in (second.low, second.high)]
    assert (found.low, found.high) == (min(corners), max(corners))


@given(of=INTERVALS, other=INTERVALS, at=PLACES)
def test_result_of_a_function_is_in_the_interval(of, other, at):
    z = inside(of, at)
    expected = {"exp": math.exp(z), "tanh": math.tanh(z), "log": math.log(z) if z > 0 else -math.inf}
    for name, value in expected.items():
        found = FUNCTIONS[name](of)
        slack = 1e-12 * abs(value) if math.isfinite(value) else 0.0
        assert float(found.low) - slack <= value <= float(found.high) + slack
    assert -FUNCTIONS["exp"](of) == Interval(-(of.high.exp()), -(of.low.exp()))
    for name, function in (("max", max), ("min", min)):
        found = FUNCTIONS[name](of, other)
        assert found.low <= function(z, inside(other, at)) <= found.high
        assert found == Interval(function(of.low, other.low), function(of.high, other.high))


def test_interval_meets_what_it_shares_a_number_with():
    a = around(Decimal(1), Decimal("0.5"))
    assert a == Interval(Decimal("0.5"), Decimal("1.5"))
    assert a.wider(Decimal(1)) == Interval(Decimal("-0.5"), Decimal("2.5"))
    assert a.meets(Interval(Decimal("1.5"), Decimal(9)))
    assert a.meets(Interval(Decimal(-9), Decimal("0.5")))
    assert not a.meets(Interval(Decimal("1.51"), Decimal(9)))
    assert not a.meets(Interval(Decimal(-9), Decimal("0.49")))
    assert Interval(-INFINITY, INFINITY) * Interval(Decimal(0), Decimal(0)) == Interval(Decimal(0), Decimal(0))
