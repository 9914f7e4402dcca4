"""Several contents of one architecture at once: the same verdict as one by one, and the case at fault is named."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import handgrad as hg
import verification as v
from verification.autograd import comparison
from verification.autograd.batched import CONTENTS, FEW, MOST_WEIGHTS, MismatchError, compare_batch, compare_batches
from verification.autograd.oracles import autograd
from verification.bounds.analysis import both_bounds
from verification.random_networks.architectures import Architecture, Unit
from verification.random_networks.cases import Case, contents
from verification.random_networks.plain import plain_case
from verification.random_networks.strategies import architectures, seeds

slow_is_fine = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
NET = Architecture(3, (Unit(4, "tanh"), Unit(2, "prelu")), examples=5, regime="normal")
CHAIN = Architecture(1, (Unit(1, "sigmoid"), Unit(1, "identity")), regime="normal")


@slow_is_fine
@given(architectures(), seeds())
def test_every_content_of_an_architecture_matches_autograd(architecture, seed):
    v.assert_contents_match_autograd(architecture, seed)


@slow_is_fine
@given(architectures(), seeds())
def test_contents_compared_together_equals_one_by_one(architecture, seed):
    drawn = contents(architecture, seed, 3)
    with np.errstate(all="ignore"):
        tally = compare_batch(drawn, dict.fromkeys(FEW, 1))
        reports = [v.compare(*each, telling=name) for name, number in tally.tellings.items() for each in drawn[:number]]
    assert all(report.ok for report in reports)
    assert tally.tellings["matrix"] == 3
    assert tally.tellings["trace"] == tally.tellings["literal"] == 1
    assert tally.numbers == sum(int(np.prod(entry.shape)) for report in reports for entry in report.entries)


def test_tally_is_of_every_telling():
    tally = compare_batch(contents(CHAIN, 3, 8))
    assert tally.tellings == {"matrix": 8} | FEW
    # w, b of two layers, and x.
    assert tally.gradients == 5 * sum(tally.tellings.values())
    assert compare_batch(contents(CHAIN, 3, 8), {}).tellings["literal"] == 8


def test_tally_of_what_is_written_out_is_of_one_example_and_a_small_network():
    def counted(architecture):
        return compare_batch(contents(architecture, 3, 4), {}).tellings["written out"]

    assert counted(replace(NET, examples=0)) == counted(replace(NET, examples=1)) == 4
    assert counted(replace(NET, examples=2)) == 0
    # It has 4 weights for each input, and 8 in the layer behind.
    most = (MOST_WEIGHTS - 8) // 4
    within, beyond = (replace(NET, inputs=inputs, examples=1) for inputs in (most, most + 1))
    assert (counted(within), counted(beyond)) == (4, 0)


def test_batches_compared_in_a_row_equals_each_alone():
    batches = [contents(NET, 1, 4), contents(replace(NET, examples=0), 2, 3), contents(CHAIN, 3, 5)]
    assert list(compare_batches(batches)) == [compare_batch(batch) for batch in batches]


def wrong_on(monkeypatch, seed, place, change):
    """Let the matrix form be wrong on one of the contents."""
    chosen = contents(NET, seed, CONTENTS)[place].net
    right, stable = comparison.TELLINGS["matrix"]

    def tell(net, x, y):
        arrays = right(net, x, y)
        same = all(
            np.array_equal(mine, theirs) for mine, theirs in zip(net.named().values(), chosen.named().values(), strict=True)
        )
        return change(arrays) if same else arrays

    monkeypatch.setitem(comparison.TELLINGS, "matrix", (tell, stable))


def test_batches_with_a_wrong_one_raises_after_those_before_it(monkeypatch):
    wrong_on(monkeypatch, 11, 3, lambda arrays: arrays | {"w1": arrays["w1"] * (1 + 1e-9)})
    tallies = compare_batches([contents(CHAIN, 3, 2), contents(NET, 11, CONTENTS), contents(CHAIN, 4, 2)])
    assert next(tallies).networks == 2
    with pytest.raises(MismatchError) as raised:
        next(tallies)
    assert repr(raised.value.case) == repr(contents(NET, 11, CONTENTS)[3])


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays | {"w1": arrays["w1"] * (1 + 1e-9)},
        lambda arrays: arrays | {"w1": arrays["w1"].T},
        lambda arrays: arrays | {"w1": arrays["w1"].astype(np.float32)},
        lambda arrays: {name: array for name, array in arrays.items() if name != "w1"},
        lambda arrays: arrays | {"w1": arrays["w1"] * np.nan},
    ],
    ids=["number", "shape", "dtype", "missing", "nan"],
)
@pytest.mark.parametrize("place", [0, 7, CONTENTS - 1])
def test_contents_with_one_wrong_raises_that_one(monkeypatch, place, change):
    wrong_on(monkeypatch, 11, place, change)
    with pytest.raises(MismatchError) as raised:
        compare_batch(contents(NET, 11, CONTENTS))
    assert raised.value.telling == "matrix"
    assert repr(raised.value.case) == repr(contents(NET, 11, CONTENTS)[place])
    with pytest.raises(AssertionError) as raised:
        v.assert_contents_match_autograd(NET, 11)
    assert "the first is w1" in str(raised.value)
    assert repr(contents(NET, 11, CONTENTS)[place]) in str(raised.value)


def exchange(monkeypatch, telling, change):
    """Let a telling's arrays be changed by what torch gives and what rounding may do to the naive form."""
    right, stable = comparison.TELLINGS[telling]

    def tell(net, x, y):
        asked = plain_case(net, x, y)
        return right(net, x, y) | change(autograd(asked), both_bounds(asked)[1])

    monkeypatch.setitem(comparison.TELLINGS, telling, (tell, stable))


SATURATED = Case(hg.Network([hg.Dense([[20.0]], [0.0], "sigmoid")]), np.array([[1.0]]), np.array([[0.25]]))


@pytest.mark.parametrize(
    ("telling", "times", "ok"), [("matrix", 0.5, True), ("matrix", 1.6, False), ("literal", 1.6, True), ("literal", 2.5, False)]
)
def test_contents_beside_torch_is_judged_by_the_form_of_the_telling(monkeypatch, telling, times, ok):
    # The stable form has next to no error here: matrix and torch may differ by what torch may err, literal by twice as much.
    exchange(monkeypatch, telling, lambda torch, naive: {"da_dz1": torch["da_dz1"] + times * naive["da_dz1"]})
    assert v.compare(*SATURATED, telling=telling).ok == ok
    if ok:
        compare_batch([SATURATED])
    else:
        with pytest.raises(MismatchError):
            compare_batch([SATURATED])


@pytest.mark.parametrize("name", ["a1", "loss", "da_dz1", "w1", "x"])
def test_tally_names_the_array_that_used_most_of_its_bound(monkeypatch, name):
    # At its first number, which follows the last one of the array before.
    exchange(monkeypatch, "matrix", lambda torch, naive: {name: torch[name] + 0.9 * naive[name]})
    tally = compare_batch([SATURATED])
    assert tally.largest_at == f"{name}, matrix form, float64"
    assert 0.4 < tally.largest_share < 0.95


def test_tally_of_incomparable_numbers_equals_that_of_the_bounds():
    huge = contents(Architecture(2, (Unit(3, "identity"),) * 4, regime="huge", dtype="float32", examples=2), 1, 6)
    number = dict.fromkeys(("matrix", "once"), 0)
    for place, each in enumerate(huge):
        stable, naive = both_bounds(plain_case(*each))
        infinite = sum(int(np.isinf(stable[name] + naive[name]).sum()) for name in naive)
        number["matrix"] += infinite
        # The trace and the literal form of the first.
        number["once"] += 2 * infinite if place == 0 else 0
    assert number["matrix"] > 0
    assert compare_batch(huge).incomparable == sum(number.values())
    assert compare_batch(contents(NET, 1, 6)).incomparable == 0


def test_one_example_told_with_a_batch_axis_raises(monkeypatch):
    alone = contents(replace(NET, examples=0), 2, 3)
    compare_batch(alone)
    right, stable = comparison.TELLINGS["matrix"]

    def tell(net, x, y):
        return {name: array[None] if name in ("z1", "z2", "x") else array for name, array in right(net, x, y).items()}

    monkeypatch.setitem(comparison.TELLINGS, "matrix", (tell, stable))
    assert not v.compare(*alone[0]).ok
    with pytest.raises(MismatchError):
        compare_batch(alone)


@pytest.mark.parametrize("name", ["z1", "z2", "loss", "x"])
def test_contents_without_an_array_raises(monkeypatch, name):
    right, stable = comparison.TELLINGS["matrix"]
    tell = lambda net, x, y: {key: array for key, array in right(net, x, y).items() if key != name}  # noqa: E731
    monkeypatch.setitem(comparison.TELLINGS, "matrix", (tell, stable))
    with pytest.raises(MismatchError):
        compare_batch(contents(NET, 2, 3))


def test_contents_with_a_handgrad_that_raises_raises_what_it_said(monkeypatch):
    def broken(net, x, y):
        raise IndexError("no such layer")

    monkeypatch.setitem(comparison.TELLINGS, "literal", (broken, False))
    with pytest.raises(AssertionError, match="raises IndexError: no such layer"):
        v.assert_contents_match_autograd(NET, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((hg, 1), TypeError, "architecture must be an Architecture; got module"),
        ((NET, -1), ValueError, "seed must be an integer >= 0; got -1"),
        ((NET, None), TypeError, "seed must be an integer >= 0; got None"),
        ((NET, 1, 0), ValueError, "count must be an integer >= 1; got 0"),
        ((NET, 1, 2.0), TypeError, "count must be an integer >= 1; got 2.0"),
    ],
)
def test_contents_of_bad_arguments_raises(arguments, error, text):
    with pytest.raises(error) as raised:
        v.assert_contents_match_autograd(*arguments)
    assert text in str(raised.value)
