"""Several contents of one architecture at once: the same verdict as one by one, and the case at fault is named."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import handgrad as hg
import verification as v
from verification import comparison
from verification.architectures import Architecture, Unit, architectures, contents, seeds
from verification.together import CONTENTS, FEW, MismatchError, compare_together

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
        tally = compare_together(drawn, dict.fromkeys(FEW, 1))
        reports = [v.compare(*each, telling=name) for name, number in tally.tellings.items() for each in drawn[:number]]
    assert all(report.ok for report in reports)
    assert tally.tellings["matrix"] == 3
    assert tally.tellings["trace"] == tally.tellings["literal"] == 1
    assert tally.numbers == sum(int(np.prod(entry.shape)) for report in reports for entry in report.entries)
    assert tally.incomparable >= sum(np.isinf(entry.allowed) for report in reports for entry in report.entries)
    # torch may sum many contents in another order than one.
    assert tally.largest_share == pytest.approx(max(report.largest_share for report in reports), abs=0.3)


def test_tally_is_of_every_telling():
    tally = compare_together(contents(CHAIN, 3, 8))
    assert tally.tellings == {"matrix": 8, "trace": FEW["trace"], "literal": FEW["literal"], "chain": FEW["chain"]}
    # w, b of two layers, and x.
    assert tally.gradients == 5 * sum(tally.tellings.values())
    assert compare_together(contents(CHAIN, 3, 8), {}).tellings["literal"] == 8


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
        compare_together(contents(NET, 11, CONTENTS))
    assert raised.value.telling == "matrix"
    assert repr(raised.value.case) == repr(contents(NET, 11, CONTENTS)[place])
    with pytest.raises(AssertionError) as raised:
        v.assert_contents_match_autograd(NET, 11)
    assert "the first is w1" in str(raised.value)
    assert repr(contents(NET, 11, CONTENTS)[place]) in str(raised.value)


def test_contents_with_a_handgrad_that_raises_raises_what_it_said(monkeypatch):
    def broken(net, x, y):
        raise IndexError("no such layer")

    monkeypatch.setitem(comparison.TELLINGS, "literal", (broken, False))
    with pytest.raises(AssertionError, match="raises IndexError: no such layer"):
        v.assert_contents_match_autograd(NET, 1)


def test_contents_of_one_seed_is_all_different():
    drawn = contents(NET, 5, CONTENTS)
    assert len({repr(each) for each in drawn}) == CONTENTS
    assert {repr(each.net) for each in drawn} == {repr(drawn[0].net)}
    for number, each in enumerate(drawn):
        assert all(not np.shares_memory(each.x, other.x) for other in drawn[number + 1 :])


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((hg, 1), TypeError, "architecture must be an Architecture; got module"),
        ((NET, -1), ValueError, "seed must be >= 0; got -1"),
        ((NET, "1"), TypeError, "seed must be an integer >= 0, a numpy Generator or None; got '1'"),
        ((NET, 1, 0), ValueError, "count must be an integer >= 1; got 0"),
        ((NET, 1, 2.0), TypeError, "count must be an integer >= 1; got 2.0"),
    ],
)
def test_contents_of_bad_arguments_raises(arguments, error, text):
    with pytest.raises(error) as raised:
        v.assert_contents_match_autograd(*arguments)
    assert text in str(raised.value)
