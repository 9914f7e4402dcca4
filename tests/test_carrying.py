"""Several mistakes in one backpropagation: each alone is the catalogue's own, and together they are both."""

from itertools import pairwise

import numpy as np
import pytest

import handgrad as hg
from verification.mistakes import MISTAKES
from verification.mistakes.carrying import Changed, Exchange, carrying, gradient_carrying
from verification.mistakes.reference import RIGHT, exchanged, gradient_with
from verification.submissions.description import describe

KINDS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softmax")
BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
COMPOSABLE = [mistake for mistake in MISTAKES if mistake.steps is not None]
# Without an activation the literal form takes the logarithm of what is no probability, or raises.
OTHER_LOSS = {"forward-without-activation", "logits-against-the-others"}


def drawn(seed, layers=None):
    rng = np.random.default_rng([seed, 11])
    widths = rng.integers(2, 5, (layers or 1 + seed % 3) + 1).tolist()
    names = rng.choice(KINDS, len(widths) - 1).tolist()
    loss = "squared_error"
    if seed % 3 == 0:
        loss, names[-1] = "cross_entropy", "softmax"
    made = [
        hg.Dense(rng.normal(size=(n, m)), rng.normal(size=n), name)
        for (m, n), name in zip(pairwise(widths), names, strict=True)
    ]
    net = hg.Network(made, loss, ("mean", "sum")[seed % 2])
    count = int(rng.integers(2, 5))
    y = rng.integers(0, widths[-1], count) if loss == "cross_entropy" else rng.normal(size=(count, widths[-1]))
    return describe(net), rng.normal(size=(count, widths[0])), y


CASES = [drawn(seed) for seed in range(18)]


def answer(submission, case):
    with np.errstate(all="ignore"):
        try:
            return submission(*case)
        except Exception:  # a wrong shape somewhere
            return None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("mistake", COMPOSABLE, ids=lambda mistake: mistake.name)
def test_steps_of_a_mistake_matches_its_submission(mistake):
    carried = gradient_carrying([Exchange(mistake.steps)])
    for case in CASES:
        mine, theirs = answer(carried, case), answer(mistake.submission, case)
        assert (mine is None) == (theirs is None)
        if mine is None:
            continue
        for name, array in mine.items():
            if name == "loss" and mistake.name in OTHER_LOSS:
                continue
            assert np.shape(array) == np.shape(theirs[name])
            np.testing.assert_allclose(array, theirs[name], rtol=1e-9, atol=1e-12)


def test_steps_of_most_mistakes_is_there():
    stateful = [mistake for mistake in MISTAKES if mistake.protocol]
    assert len(COMPOSABLE) == len(MISTAKES) - len(stateful) - 3  # a result's dtype, and two classes
    assert {mistake.equation for mistake in COMPOSABLE} >= {1, 2, 4, 7, 8, 9, 10, 11, 12, 13, 14}


def test_two_mistakes_equals_the_steps_of_both_exchanged():
    one, other = BY_NAME["tanh-without-square"].steps, BY_NAME["bias-mean"].steps
    both = gradient_carrying([Exchange(one), Exchange(other)])
    by_hand = gradient_with(exchanged(g_prime=one["g_prime"], bias_gradient=other["bias_gradient"]))
    for case in CASES:
        mine, theirs = both(*case), by_hand(*case)
        for name, array in mine.items():
            np.testing.assert_array_equal(array, theirs[name])


def doubled(before, answer):
    return lambda layer: 2 * before(layer)


@pytest.mark.parametrize(("where", "numbers"), [("", {1, 2, 3}), ("hidden", {1, 2}), ("output", {3}), ("2", {2})])
def test_exchange_is_in_force_where_it_says(where, numbers):
    carried = gradient_carrying([Exchange({"weight_gradient": Changed(doubled)}, where)])
    for seed in range(6):
        case = drawn(seed, layers=3)
        mine, right = carried(*case), gradient_with(RIGHT)(*case)
        for number in (1, 2, 3):
            factor = 2 if number in numbers else 1
            np.testing.assert_array_equal(mine[f"w{number}"], factor * right[f"w{number}"])
            np.testing.assert_array_equal(mine[f"b{number}"], right[f"b{number}"])


def test_exchange_of_an_activation_in_one_layer_is_in_that_layer_alone():
    steps = {"g": {"tanh": lambda z, slope: np.tanh(z) + 1}}
    net = hg.Network([hg.Dense([[0.5]], [0.25], "tanh"), hg.Dense([[1.0]], [0.5], "tanh")])
    for where, shifts in (("1", (1, 0)), ("2", (0, 1)), ("", (1, 1))):
        found = gradient_with(carrying([Exchange(steps, where)]))(describe(net), np.array([1.0]), np.array([0.0]))
        for number, shift in zip((1, 2), shifts, strict=True):
            np.testing.assert_allclose(found[f"a{number}"], np.tanh(found[f"z{number}"]) + shift, rtol=1e-15)


def test_changed_step_equals_what_the_answer_says():
    taken = Changed(lambda before, answer: lambda layer: answer["b1"][None])
    steps = carrying([Exchange({"through_activation": taken})], {"b1": np.array([0.5])})
    net = hg.Network([hg.Dense([[2.0]], [0.0], "tanh")])
    found = gradient_with(steps)(describe(net), np.array([3.0]), np.array([1.0]))
    assert (found["b1"].tolist(), found["w1"].tolist()) == ([0.5], [[1.5]])


def test_right_steps_is_the_same_after_others_were_exchanged():
    carrying([Exchange({"g": {"tanh": np.sinh}}), Exchange({"bias_gradient": Changed(doubled)})])
    case = CASES[0]
    for name, array in gradient_with(RIGHT)(*case).items():
        np.testing.assert_array_equal(array, gradient_with(carrying([]))(*case)[name])
