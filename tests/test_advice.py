"""net.advice: each remark where it belongs and not beside it, with numbers that NumPy alone confirms, and never an error."""

import copy
import pickle
import string
import warnings
from collections import Counter

import numpy as np
import pytest

import handgrad as hg
from handgrad.homework.advice import RULES
from handgrad.homework.words import LANGUAGES, words

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.tanh(X @ RNG.normal(size=(3, 1)))  # within (−1, 1)
SIGNS = np.where(Y > 0, 1.0, -1.0)
CLASSES = np.arange(40) % 3
ONE_HOT = np.eye(3)[CLASSES]
MOSTLY = CLASSES % 2  # never class 2


def random(widths, activations, loss="squared_error", **changed):
    """Return a random network with some parameters replaced: w1=…, b2=…."""
    net = hg.Network.random(widths, activations=activations, loss=loss, seed=1)
    for name, value in changed.items():
        net.named()[name][...] = value
    return net


def dead_bias(dead, units=8):
    return np.where(np.arange(units) < dead, -100.0, 0.5)


def scaled(*factors):
    return X * np.array(factors)


PLAIN = random([3, 8, 1], ["relu", "identity"])
CLASSIFIER = random([3, 8, 3], ["relu", "softmax"], "cross_entropy")
TWIN_ROWS = np.random.default_rng(2).normal(size=(4, 3))[[0, 0, 1, 2]]
STEEP_ROWS = 1.5 * np.random.default_rng(2).normal(size=(8, 3))  # z beyond 3 in some cases, no unit in most
# About, and (net, x, y, rate) that must get this remark and no other; then the near twin that must get none.
CASES = {
    "zero-weights": (
        (random([3, 8, 1], ["tanh", "identity"], w1=0), X, Y, None),
        (random([3, 8, 1], ["tanh", "identity"], w2=0), X, Y, None),
    ),
    "zero-gradient": (
        (
            random([3, 4, 1], ["relu", "identity"], b1=-100.0, b2=0.0),
            X[:3],
            np.array([1.0, -1.0, 0.0])[:, None],
            None,
        ),
        (random([3, 4, 1], ["relu", "identity"], b1=-100.0, b2=0.0), X[:3], np.zeros((3, 1)), None),
    ),
    "symmetric-weights": (
        (random([3, 4, 1], ["tanh", "identity"], w1=TWIN_ROWS, b1=0.0, w2=1.0), X, Y, None),
        (random([3, 4, 1], ["tanh", "identity"], w1=TWIN_ROWS, b1=0.0, w2=[[1.0, 2.0, 1.0, 1.0]]), X, Y, None),
    ),
    "dead-units": (
        (random([3, 8, 1], ["relu", "identity"], b1=dead_bias(3)), X, Y, None),
        (random([3, 8, 1], ["leaky_relu", "identity"], b1=dead_bias(3)), X, Y, None),
    ),
    "saturated-units": (
        (random([3, 8, 1], ["tanh", "identity"], w1=STEEP_ROWS, b1=dead_bias(3)), X, Y, None),
        (random([3, 8, 1], ["tanh", "identity"], w1=STEEP_ROWS, b1=dead_bias(2)), X, Y, None),
    ),
    "deep-squashing": (
        (random([3, 8, 8, 8, 8, 1], ["sigmoid"] * 4 + ["identity"]), X, Y, None),
        (random([3, 8, 8, 8, 8, 1], ["tanh"] * 4 + ["identity"]), X, Y, None),
    ),
    "saturated-output": (  # with z about 10; the twin has every answer right
        (random([3, 8, 1], ["relu", "sigmoid"], b2=10.0), X, np.zeros((40, 1)), 0.1),
        (random([3, 8, 1], ["relu", "sigmoid"], b2=10.0), X, np.ones((40, 1)), 0.1),
    ),
    "linear-layers": (
        (random([3, 8, 8, 1], ["identity"] * 3), X, Y, None),
        (random([3, 8, 8, 1], ["identity", "relu", "identity"]), X, Y, None),
    ),
    "relu-output": (
        (random([3, 8, 1], ["relu", "relu"]), X, np.abs(Y), None),
        (random([3, 8, 1], ["relu", "leaky_relu"]), X, np.abs(Y), None),
    ),
    "softmax-squared-error": (
        (random([3, 8, 3], ["relu", "softmax"]), X, ONE_HOT, None),
        (CLASSIFIER, X, ONE_HOT, None),
    ),
    "targets-out-of-range": (
        (random([3, 8, 1], ["relu", "sigmoid"]), X, SIGNS, None),
        (random([3, 8, 1], ["relu", "tanh"]), X, SIGNS, None),
    ),
    "squashed-regression": (
        (random([3, 8, 1], ["relu", "tanh"]), X, Y, None),
        (PLAIN, X, Y, None),
    ),
    "targets-not-scaled": ((PLAIN, X, 2e5 + 5e4 * Y, None), (PLAIN, X, 50 + 90 * Y, None)),
    "class-missing": ((CLASSIFIER, X, MOSTLY, None), (CLASSIFIER, X[:29], MOSTLY[:29], None)),
    "inputs-constant": (
        (PLAIN, np.hstack([X[:, :2], np.full((40, 1), 3.5)]), Y, None),
        (PLAIN, np.hstack([X[:, :2], np.full((40, 1), 1.0)]), Y, None),
    ),
    "inputs-far-from-zero": ((PLAIN, X + np.array([0.0, 20.0, 0.0]), Y, None), (PLAIN, X + np.array([0.0, 4.0, 0.0]), Y, None)),
    "inputs-not-scaled": ((PLAIN, scaled(1, 100, 1), Y, None), (PLAIN, scaled(1, 0.01, 1), Y, None)),
    "rate-diverges": ((PLAIN, X, Y, 3.0), (PLAIN, X, Y, 0.03)),
    "rate-crawls": ((PLAIN, X, Y, 1e-7), (PLAIN, X, Y, 0.003)),
}
# Remarks that come with others, or that no near twin is without.
ALSO = {
    "not-finite": (random([3, 2, 1], ["identity", "identity"], w1=1e300, b1=-3e300, w2=[[1e300, -2e300]]), X, Y, None),
    "softmax-of-one-unit": (random([3, 4, 1], ["tanh", "softmax"]), X, np.full((40, 1), 0.5), None),
}


def about(advice):
    return [remark.about for remark in advice]


def only(name):
    """Return the remark of a case's first network."""
    net, x, y, rate = CASES[name][0] if name in CASES else ALSO[name]
    (remark,) = [remark for remark in net.advice(x, y, rate) if remark.about == name]
    return remark


@pytest.mark.parametrize("name", CASES)
def test_remark_is_where_it_belongs_and_not_beside_it(name):
    (net, x, y, rate), (twin, x_twin, y_twin, rate_twin) = CASES[name]
    assert about(net.advice(x, y, rate)) == [name]
    assert about(twin.advice(x_twin, y_twin, rate_twin)) == []


@pytest.mark.parametrize("name", ALSO)
def test_remark_is_among_others(name):
    net, x, y, rate = ALSO[name]
    beside = {"not-finite": [], "softmax-of-one-unit": ["zero-gradient"]}[name]
    assert about(net.advice(x, y, rate)) == [*beside, name]


def test_every_template_is_tried():
    assert {*CASES, *ALSO, "nothing", "rate-diverges-still", "inputs-not-scaled-alike"} == set(words("en")["advice"])
    assert len(RULES) == len(CASES) + len(ALSO) - 1  # the two on the rate are one function


def forward(net, x):
    """Return every (z, a), by NumPy alone."""
    g = {
        "relu": lambda z: z * (z > 0),
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "identity": lambda z: z,
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    }
    passed = []
    for layer in net.layers:
        z = x @ layer.w.T + layer.b
        x = g[layer.activation.name](z)
        passed.append((z, x))
    return passed


def mean_squared_error(net, x, y):
    return ((forward(net, x)[-1][1] - y) ** 2).sum(axis=1).mean()


def differences(net, x, y, name, step=1e-6):
    """Return dL/d(name) by central differences."""
    array = net.named()[name]
    derivative = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        kept, losses = array[place], []
        for sign in (1, -1):
            array[place] = kept + sign * step
            losses.append(mean_squared_error(net, x, y))
        array[place] = kept
        derivative[place] = (losses[0] - losses[1]) / (2 * step)
    return derivative


def test_numbers_of_dead_units_equal_a_count():
    net, x, _, _ = CASES["dead-units"][0]
    dead = int((forward(net, x)[0][0] <= 0).all(axis=0).sum())
    remark = only("dead-units")
    assert remark.numbers == {"dead": dead, "units": 8, "examples": 40} == {**remark.numbers, "dead": 3}
    assert remark.text.startswith("Dead units in layer 1 (ReLU): 3 of 8. Their z <= 0 on all 40 examples")
    assert (remark.layer, remark.section) == (1, "II")


def test_numbers_of_saturated_units_match_g_prime():
    net, x, _, _ = CASES["saturated-units"][0]
    z, a = forward(net, x)[0]
    flat = 1 - a**2 < 0.01
    remark = only("saturated-units")
    assert remark.numbers["saturated"] == (flat.mean(axis=0) >= 0.9).sum() == 3
    assert remark.numbers["percent"] == pytest.approx(100 * flat.mean(), rel=1e-12)
    assert remark.numbers["z"] == pytest.approx(np.abs(z).mean(), rel=1e-12)
    assert f"in {100 * flat.mean():.3g} % of all cases, and the mean |z| is {np.abs(z).mean():.3g}" in remark.text


TABLE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])


@pytest.mark.parametrize(
    ("dead", "examples", "expected"),
    [
        (2, 4, ["dead-units"]),
        (1, 4, []),
        (4, 4, ["dead-units"]),
        (2, 3, []),  # fewer than a truth table
        (4, 9, ["dead-units"]),
        (3, 9, []),  # more than a third of the layer, less than half
        (3, 10, ["dead-units"]),
    ],
)
def test_dead_units_of_few_examples_are_a_remark_from_half_of_the_layer(dead, examples, expected):
    units = 8 if examples > 4 else 4
    alive = np.abs(np.random.default_rng(4).normal(size=(units, 2)))
    net = random([2, units, 1], ["relu", "sigmoid"], w1=alive, b1=dead_bias(dead, units))
    x = np.tile(TABLE, (3, 1))[:examples]
    assert about(net.advice(x, np.tile(XOR, (3, 1))[:examples])) == expected


def test_truth_table_that_gets_stuck_with_a_dead_unit_is_a_remark():
    """Of [2, 2, 1] relu networks, each after 2000 steps: with a unit that NumPy finds dead, and without."""
    found = Counter()
    for seed in range(20):
        net = hg.Network.random([2, 2, 1], activations=["relu", "sigmoid"], seed=seed)
        for _ in range(2000):
            net.descend(net.gradient(TABLE, XOR), 0.5)
        dead = bool((forward(net, TABLE)[0][0] <= 0).all(axis=0).any())
        assert ("dead-units" in about(net.advice(TABLE, XOR))) == dead
        found[dead] += 1
    assert min(found[True], found[False]) > 3


def test_numbers_of_a_saturated_output_match_g_prime():
    net, x, y, _ = CASES["saturated-output"][0]
    z, a = forward(net, x)[-1]
    stuck = (a - y > 0.5) & (a * (1 - a) < 0.01 / 4)
    expected = {
        "stuck": stuck.sum(),
        "examples": 40,
        "z": np.abs(z[stuck]).mean(),
        "derivative": (2 * (a - y) * a * (1 - a))[stuck].max(),
    }
    assert only("saturated-output").numbers == pytest.approx(expected, rel=1e-9)
    assert hg.Network(net.layers, reduction="sum").advice(x, y)[0].numbers == pytest.approx(expected, rel=1e-9)
    assert (only("saturated-output").layer, only("saturated-output").section) == (2, "II")


@pytest.mark.parametrize("bias", [10.0, 20.0, 30.0, -10.0, -30.0])
@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
@pytest.mark.parametrize("examples", [1, 4, 40])
def test_saturated_output_is_all_that_is_said_of_a_rate_that_crawls(bias, output, examples):
    net = random([3, 8, 1], ["relu", output], b2=bias)
    y = np.full((examples, 1), {"sigmoid": float(bias < 0), "tanh": -np.sign(bias)}[output])
    for rate in (None, 1e-3, 0.1):
        advice = net.advice(X[:examples], y, rate)
        # tanh(30) is 1 in float64, so that g′ is 0.
        assert about(advice) == ["zero-gradient"] * (not net.gradient(X[:examples], y).vector.any()) + ["saturated-output"]


def test_saturated_output_is_a_remark_from_half_of_the_examples():
    def advice(zeros, b2=10.0, loss="squared_error"):
        y = np.where(np.arange(40) < zeros, 0.0, 1.0)[:, None]
        return about(random([3, 8, 1], ["relu", "sigmoid"], loss, b2=b2).advice(X, y))

    assert advice(20) == ["saturated-output"]
    assert advice(19) == []
    assert advice(40, b2=2.0) == []  # on the wrong side, but not flat
    assert advice(40, loss="binary_cross_entropy") == []
    net, y = random([3, 8, 1], ["relu", "sigmoid"], b2=10.0), np.where(np.arange(40) < 25, 0.0, 1.0)[:, None]
    assert net.advice(X, y)[0].numbers["z"] == pytest.approx(np.abs(forward(net, X)[-1][0][:25]).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("output", "z", "y", "expected"),
    [
        ("sigmoid", 6.1, 0.0, ["saturated-output"]),
        ("sigmoid", 5.8, 0.0, []),  # g′ is 1.2 % of its largest value
        ("sigmoid", 6.1, 0.45, ["saturated-output"]),
        ("sigmoid", 6.1, 0.55, []),  # less than half of the range away
        ("tanh", 3.1, -1.0, ["saturated-output"]),
        ("tanh", 2.9, -1.0, []),
        ("tanh", 3.1, -0.1, ["saturated-output"]),
        ("tanh", 3.1, 0.1, []),
    ],
)
def test_saturated_output_is_flat_and_half_of_the_range_away(output, z, y, expected):
    net = random([3, 8, 1], ["relu", output], w2=0.0, b2=z)
    assert about(net.advice(X, np.full((40, 1), y))) == expected


def test_saturated_outputs_of_classes_are_counted_by_example():
    """All outputs near 0: of each example two are right and one is wrong, and all that is wrong is stuck."""
    net = random([3, 8, 3], ["relu", "sigmoid"], b2=-15.0)
    (remark,) = net.advice(X, ONE_HOT)
    assert (remark.about, remark.numbers["stuck"]) == ("saturated-output", 40)
    net.layers[1].b[...] = [15.0, 2.0, 2.0]  # the first is stuck on 26 examples; twice as many outputs are wrong and not flat
    assert about(net.advice(X, ONE_HOT)) == []


def test_output_that_does_what_it_can_is_not_saturated():
    """A tanh that is to give ±2 gives ±1, flat and wrong by 1, half of its range."""
    net = hg.Network([hg.Dense([[100.0]], [0.0], "tanh")])
    x = np.array([[1.0], [-1.0], [2.0], [-2.0]])
    assert "saturated-output" not in about(net.advice(x, 2.5 * np.sign(x)))
    assert "saturated-output" in about(net.advice(x, -2.5 * np.sign(x)))


def test_saturated_sigmoid_is_judged_by_its_own_slope():
    """At |z| = 5 the sigmoid's g′ is 2.7 % of its largest value, tanh's 0.02 %."""
    for name, expected in (("sigmoid", []), ("tanh", ["saturated-units"])):
        net = random([3, 8, 1], [name, "identity"], w1=0.01 * np.random.default_rng(3).normal(size=(8, 3)), b1=5.0)
        assert about(net.advice(X, Y)) == expected
    net.layers[0].b[...] = 8.0
    assert about(hg.Network([hg.Dense(net.layers[0].w, net.layers[0].b, "sigmoid"), net.layers[1]]).advice(X, Y)) == [
        "saturated-units"
    ]


def test_ratio_of_deep_squashing_matches_differences():
    net, x, y, _ = CASES["deep-squashing"][0]
    ratio = np.abs(differences(net, x, y, "w1", 1e-3)).mean() / np.abs(differences(net, x, y, "w5")).mean()
    remark = only("deep-squashing")
    assert remark.numbers["ratio"] == pytest.approx(ratio, rel=1e-3)
    assert f"of layer 1 is {ratio:.2g} times that of layer 5" in remark.text
    assert (remark.numbers["squashing"], remark.numbers["last"], remark.section) == (4, 5, "II.F")


def test_numbers_of_relu_output_equal_a_count():
    net, x, y, _ = CASES["relu-output"][0]
    a = forward(net, x)[-1][1]
    stuck = int(((a == 0) & (y > 0)).sum())
    assert only("relu-output").numbers == {"stuck": stuck, "outputs": 40}
    assert 0 < stuck < 40


def test_numbers_of_softmax_with_squared_error_match_its_jacobian():
    net, x, y, _ = CASES["softmax-squared-error"][0]
    p = forward(net, x)[-1][1]
    wrong = np.where(y == 1, 0, p).max(axis=1)
    i = wrong.argmax()
    jacobian = np.diag(p[i]) - np.outer(p[i], p[i])
    derivative, joined = np.abs(jacobian @ (2 * (p[i] - y[i]))).max(), np.abs(p[i] - y[i]).max()
    assert only("softmax-squared-error").numbers == pytest.approx(
        {"p": wrong[i], "derivative": derivative, "joined": joined}, rel=1e-12
    )
    summed = hg.Network(net.layers, reduction="sum").advice(x, y)[0]
    assert summed.numbers == pytest.approx(only("softmax-squared-error").numbers, rel=1e-12)


def test_numbers_of_targets_equal_a_count():
    minus = int((SIGNS < 0).sum())
    numbers = {"low": 0.0, "high": 1.0, "beyond": minus, "targets": 40, "least": -1.0, "largest": 1.0}
    assert only("targets-out-of-range").numbers == numbers
    distinct = {"distinct": len(set(Y.ravel().tolist())), "least": Y.min(), "largest": Y.max()}
    assert only("squashed-regression").numbers == distinct


def test_negative_targets_of_relu_are_out_of_range():
    net = CASES["relu-output"][0][0]
    advice = net.advice(X, SIGNS)
    assert about(advice) == ["relu-output", "targets-out-of-range"]
    a = forward(net, X)[-1][1]
    assert advice[0].numbers["stuck"] == ((a == 0) & (SIGNS > 0)).sum() < (a == 0).sum()
    assert advice[1].numbers["beyond"] == (SIGNS < 0).sum()
    assert "beyond 0 and inf" in advice[1].text


def test_numbers_of_inputs_match_mean_and_deviation():
    x = CASES["inputs-not-scaled"][0][1]
    deviations = x.std(axis=0)
    expected = {"narrow": deviations.argmin(), "least": deviations.min(), "wide": 1, "largest": deviations[1]}
    assert only("inputs-not-scaled").numbers == pytest.approx(expected, rel=1e-12)
    assert f"that of x[:, 1] {deviations[1]:.3g}" in only("inputs-not-scaled").text
    x = CASES["inputs-far-from-zero"][0][1]
    expected = {"column": 1, "mean": x[:, 1].mean(), "deviation": x[:, 1].std()}
    assert only("inputs-far-from-zero").numbers == pytest.approx(expected, rel=1e-12)
    assert only("inputs-constant").numbers == {"column": 2, "mean": 3.5, "examples": 40}
    assert "x[:, 2] is 3.5 on all 40 examples" in only("inputs-constant").text


def test_deviations_far_apart_are_a_remark_though_neither_is_huge():
    assert about(PLAIN.advice(X / X.std(axis=0) * [4, 0.2, 1], Y)) == ["inputs-not-scaled"]


def test_inputs_that_are_all_huge_are_told_by_their_range():
    net = random([64, 8, 1], ["leaky_relu", "identity"])
    x = np.random.default_rng(6).integers(0, 256, size=(40, 64)).astype(float)
    (remark,) = net.advice(x, Y)
    deviations = x.std(axis=0)
    assert f"is {deviations.min():.3g}, the largest {deviations.max():.3g}, both far from 1" in remark.text
    assert remark.about == "inputs-not-scaled"
    (tiny,) = net.advice(x * 1e-6, Y)
    assert "both far from 1" in tiny.text
    for factors in ([400, 4, 10], [12, 1.3, 5]):  # apart, and neither apart nor all far from 1
        (remark,) = random([3, 8, 1], ["leaky_relu", "identity"]).advice(X / X.std(axis=0) * factors, Y)
        assert f"x[:, 1] is {factors[1]}, that of x[:, 0] {factors[0]}" in remark.text


def test_numbers_of_targets_that_are_not_scaled_match_mean_and_deviation():
    _, x, y, _ = CASES["targets-not-scaled"][0]
    expected = {"column": 0, "mean": y.mean(), "deviation": y.std()}
    assert only("targets-not-scaled").numbers == pytest.approx(expected, rel=1e-12)
    assert about(PLAIN.advice(x, 101 + Y - Y.mean())) == about(PLAIN.advice(x, Y - Y.mean() - 101)) == ["targets-not-scaled"]
    assert not PLAIN.advice(x, 99 + Y - Y.mean())
    two = random([3, 8, 2], ["relu", "identity"])
    spread = 101 * (Y - Y.mean()) / Y.std()
    for y, column in (([0, 1], 1), ([1, 0], 0)):
        (remark,) = two.advice(x, spread * np.array(y))
        assert (remark.numbers["column"], remark.numbers["deviation"]) == (column, pytest.approx(101))
    assert not two.advice(x, 0.98 * spread * np.array([1, 0]))
    assert not two.advice(x[:3], 1e3 * spread[:3] * np.array([1, 0]))  # too few to say
    assert not random([3, 8, 1], ["relu", "leaky_relu"]).advice(x, 1e3 * spread)


@pytest.mark.parametrize(
    ("activations", "expected"),
    [(["identity"], []), (["identity", "sigmoid"], ["linear-layers"]), (["identity", "identity", "tanh"], ["linear-layers"])],
)
def test_hidden_layers_alone_are_asked_whether_they_are_linear(activations, expected):
    net = random([3, *[4] * (len(activations) - 1), 1], activations)
    advice = net.advice(X, (SIGNS + 1) / 2)
    assert about(advice) == expected
    assert [remark.numbers for remark in advice] == [{"hidden": len(activations) - 1}] * len(expected)


def test_targets_out_of_range_on_both_sides_equal_a_count():
    y = 2 * Y / np.abs(Y).max()
    (remark,) = random([3, 8, 1], ["relu", "sigmoid"]).advice(X, y)
    assert (remark.about, remark.numbers["beyond"]) == ("targets-out-of-range", int(((y < 0) | (y > 1)).sum()))
    assert remark.numbers["beyond"] > (y < 0).sum()


def test_first_of_the_missing_classes_is_named():
    net = random([3, 8, 4], ["relu", "softmax"], "cross_entropy")
    assert net.advice(X, 3 * (CLASSES % 2))[0].numbers == {"missing": 2, "classes": 4, "first": 1, "examples": 40}


@pytest.mark.parametrize("factor", [30.0, 1e-4])
def test_inputs_all_huge_or_tiny_is_a_remark(factor):
    net = random([3, 8, 1], ["leaky_relu", "identity"])
    assert about(net.advice(X * factor, Y)) == ["inputs-not-scaled"]


def test_numbers_of_weights_match_differences():
    net, x, y, _ = CASES["zero-weights"][0]
    zero = sum((np.abs(differences(net, x, y, name)) < 1e-9).sum() for name in net.named())
    # dL/dw_1 is not 0: w_2 passes the gradient on. Nothing in this network is 0 but the weights.
    assert only("zero-weights").numbers == {"zero": zero, "derivatives": 41}
    net, x, y, _ = CASES["symmetric-weights"][0]
    derivative = differences(net, x, y, "w1")
    numbers = only("symmetric-weights").numbers
    assert (numbers["alike"], numbers["units"]) == (2, 4)
    assert numbers["difference"] < 1e-15
    assert np.abs(derivative[0] - derivative[1]).max() < 1e-9 < np.abs(derivative[0] - derivative[2]).max()


def test_zero_network_has_no_way_back():
    net = random([3, 4, 1], ["relu", "identity"], w1=0, b1=0, w2=0)
    (remark,) = net.advice(X, Y)
    assert (remark.about, remark.numbers) == ("zero-weights", {"zero": 20, "derivatives": 21})


def test_slopes_of_prelu_tell_twins_apart():
    def net(alpha):
        return random([3, 4, 1], [hg.Activation("prelu", alpha=alpha), "identity"], w1=TWIN_ROWS, b1=0.0, w2=1.0)

    assert about(net((0.1, 0.1, 0.2, 0.3)).advice(X, Y)) == ["symmetric-weights"]
    assert about(net((0.1, 0.2, 0.2, 0.3)).advice(X, Y)) == []
    assert about(net(0.1).advice(X, Y)) == ["symmetric-weights"]


def test_prelu_without_slope_is_dead():
    net = random([3, 8, 1], [hg.Activation("prelu", alpha=0.0), "identity"], b1=dead_bias(3))
    assert about(net.advice(X, Y)) == ["dead-units"]


def test_numbers_that_are_not_finite_are_counted():
    numbers = only("not-finite").numbers
    assert numbers["w"] == 2e300
    assert numbers["x"] == np.abs(X).max()
    assert not np.isfinite(numbers["loss"])
    assert 0 < numbers["bad"] <= numbers["derivatives"] == 11


@pytest.mark.parametrize(
    ("net", "x", "y", "bad"),
    [
        (random([1, 1], ["identity"]), [[1.0]], [[1e200]], 0),  # the loss alone
        (hg.Network([hg.Dense([[1e-50]], [0.0])]), [[1e200]], [[0.0]], 1),  # dL/dw = 2 · 1e150 · 1e200
        (random([3, 8, 1], ["relu", "identity"], b1=dead_bias(3), w2=1e300), X, Y, None),  # dead units besides
        (random([3, 3], ["softmax"], w1=[[1e308] * 3, [-1e308] * 3, [0] * 3]), 10 * np.abs(X), ONE_HOT, None),
    ],
)
def test_what_is_not_finite_is_all_that_is_said_of_the_network(net, x, y, bad):
    (remark,) = net.advice(x, y, 0.1)
    assert remark.about == "not-finite"
    assert bad is None or remark.numbers["bad"] == bad


def descended(net, x, y, rate, steps=20):
    """Return the losses of as many steps of plain descent, before each and after the last."""
    own = copy.deepcopy(net)
    losses = [mean_squared_error(own, x, y)]
    for _ in range(steps):
        with np.errstate(all="ignore"):
            own.descend(own.gradient(x, y), rate)
            losses.append(mean_squared_error(own, x, y))
    return losses


def test_numbers_of_a_rate_that_crawls_match_descent():
    numbers = only("rate-crawls").numbers
    slow, fast = descended(PLAIN, X, Y, 1e-7), descended(PLAIN, X, Y, numbers["better"])
    assert numbers["before"] == pytest.approx(slow[0], rel=1e-12)
    assert numbers["percent"] == pytest.approx(100 * (1 - slow[-1] / slow[0]), rel=1e-6)
    assert numbers["reached"] == pytest.approx(100 * (1 - fast[-1] / fast[0]), rel=1e-9)
    assert (numbers["rate"], numbers["steps"]) == (1e-7, 20)


def test_numbers_of_a_rate_that_diverges_match_descent():
    net, x = hg.Network([hg.Dense([[0.0]], [0.0])]), np.array([[1.0], [-1.0]])
    # L = (w − 2)²: a step multiplies the error by 1 − 2 rate.
    (remark,) = net.advice(x, 2 * x, 1.5)
    assert remark.numbers == {
        "rate": 1.5,
        "before": 4.0,
        "after": 4.0 * 4.0**20,
        "steps": 20,
        "better": 0.75,
        "reached": 4 / 4.0**20,
    }
    assert remark.text.startswith(
        "With the rate 1.5 the loss goes from 4 to 4.398e+12 in 20 steps; with 0.75 it falls to 3.638e-12."
    )
    assert not net.advice(x, 2 * x, 0.75)


def test_rate_to_infinity_that_no_halving_mends_is_a_remark():
    net = random([3, 1], ["identity"], w1=1.0)
    (remark,) = [remark for remark in net.advice(X * 1e30, Y, 1e30) if remark.about == "rate-diverges"]
    assert remark.numbers["after"] == np.inf
    assert "still does not fall" in remark.text
    assert remark.numbers["better"] == 1e30 / 2**30


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("rate", [1e-9, 0.1, 3.0])
def test_rate_of_a_network_that_has_learned_is_no_matter(rate, reduction):
    net = hg.Network(random([3, 1], ["identity"]).layers, reduction=reduction)
    y = net(X)
    off = np.sqrt(1e-3) * y.std()
    for mean in (0.0, 50.0):  # the best constant is no matter either
        net.layers[0].b[...] = mean
        assert not net.advice(X, net(X) + 0.99 * off, rate)
        if rate == 3.0:
            assert about(net.advice(X, net(X) + 1.01 * off, rate)) == ["rate-diverges"]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("target", "size"), [(0.0, 1.0), (0.1, 0.1), (50.0, 50.0)])
def test_targets_that_are_all_the_same_are_measured_from_zero(target, size, reduction):
    off, y = np.sqrt(1e-3) * size, np.full((40, 1), target)
    for share, expected in ((0.99, []), (1.01, ["rate-crawls"])):
        net = hg.Network([hg.Dense(np.zeros((1, 3)), [target + share * off])], reduction=reduction)
        assert about(net.advice(X, y, 1e-7)) == expected


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_cross_entropy_below_a_thousandth_of_a_nat_an_example_is_learned(reduction):
    x = np.array([[1.0], [-1.0]])
    for z, expected in ((7.0, []), (6.8, ["rate-crawls"])):  # log(1 + e⁻⁷) = 0.9e-3, log(1 + e^−6.8) = 1.1e-3
        net = hg.Network([hg.Dense([[z]], [0.0], "sigmoid")], "binary_cross_entropy", reduction)
        assert about(net.advice(x, (x + 1) / 2, 1e-4)) == expected


def test_truth_table_that_is_learned_needs_no_larger_rate():
    net = hg.Network.random([2, 3, 1], activations=["tanh", "sigmoid"], seed=0)
    steps = 0
    while (loss := mean_squared_error(net, TABLE, XOR)) > 2e-4:
        net.descend(net.gradient(TABLE, XOR), 3.0)
        steps += 1
        assert steps < 20_000
    assert loss > 1e-4
    for rate in (1e-3, 0.1, 1.0):
        assert not net.advice(TABLE, XOR, rate)


def test_fall_to_nothing_is_a_hundred_per_cent():
    assert "it falls by 100 %." in hg.Network([hg.Dense([[0.0]], [0.0])]).advice([[1.0], [-1.0]], [[2.0], [-2.0]], 1e-6)[0].text


def test_rate_at_a_minimum_does_not_crawl():
    x = np.hstack([X, np.ones((40, 1))])
    y = Y + np.random.default_rng(5).normal(size=Y.shape)
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    net = hg.Network([hg.Dense(best[:3].T, best[3])])
    assert mean_squared_error(net, X, y) > 0.1
    for rate in (1e-7, 0.1):
        assert not net.advice(X, y, rate)


def test_rate_is_halved_until_the_loss_falls():
    net, x = hg.Network([hg.Dense([[0.0]], [0.0])]), np.array([[1.0], [-1.0]])
    for rate in (3.0, 6.0, 12.0):  # the error grows by |1 − 2 rate|, more slowly with each half
        assert net.advice(x, 2 * x, rate)[0].numbers["better"] == 0.75


def test_first_step_to_infinity_is_told_with_the_loss_before():
    net, x = hg.Network([hg.Dense([[0.0]], [0.0])]), np.array([[1.0], [-1.0]])
    (remark,) = net.advice(x, 2 * x, 1e308)
    assert (remark.numbers["before"], remark.numbers["after"], remark.numbers["steps"]) == (4.0, np.inf, 1)


def fine_case(seed, dtype):
    """Return an ordinary random network with standard normal inputs, a teacher's targets, and a moderate rate."""
    rng = np.random.default_rng([7, seed])
    hidden = int(rng.integers(0, 4))
    activation = ["relu", "leaky_relu", "prelu", "tanh", "sigmoid"][seed % 5]
    hidden = min(hidden, 2) if activation == "sigmoid" else hidden
    n_0, examples = int(rng.integers(1, 9)), int(rng.integers(30, 200))
    output, loss, n_L = [
        ("identity", "squared_error", 1),
        ("softmax", "cross_entropy", 3),
        ("sigmoid", "binary_cross_entropy", 2),
        ("tanh", "squared_error", 1),
    ][seed % 4]
    widths = [n_0, *rng.integers(8, 33, size=hidden).tolist(), n_L]
    net = hg.Network.random(widths, activations=[activation] * hidden + [output], loss=loss, seed=seed, dtype=dtype)
    x = rng.normal(size=(examples, n_0))
    taught = x @ rng.normal(size=(n_0, n_L))
    signs = np.where(taught > 0, 1.0, -1.0)
    y = {"identity": taught, "softmax": rng.permutation(np.arange(examples) % 3), "sigmoid": (signs + 1) / 2, "tanh": signs}
    return net, x, y[output]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_fine_network_gets_no_remark(dtype):
    """Of 200, at the rate 0.01; a deep relu layer may by its own chance have a third of its units dead, and that is true."""
    seen = Counter()
    for seed in range(200):
        net, x, y = fine_case(seed, dtype)
        seen.update(about(net.advice(x, y, 0.01)))
    assert set(seen) <= {"dead-units"}
    assert seen.total() <= 1


FINE = {
    "twin rows of another bias": (random([3, 4, 1], ["tanh", "identity"], w1=TWIN_ROWS, b1=[0, 1, 0, 0], w2=1.0), X, Y),
    "units that are flat on most examples": (random([3, 8, 1], ["tanh", "identity"], w1=5 * STEEP_ROWS, b1=0), X, Y),
    "three examples of any size": (PLAIN, X[:3] * 100, Y[:3]),
    "three examples far away": (PLAIN, X[:3] + 100, Y[:3]),
    "three examples with a constant": (PLAIN, np.hstack([X[:3, :2], np.full((3, 1), 3.5)]), Y[:3]),
    "a bias's column beside wide ones": (PLAIN, np.hstack([4 * X[:, :2] / X[:, :2].std(axis=0), np.ones((40, 1))]), Y),
    "deviations 4 and 1": (PLAIN, X / X.std(axis=0) * [4, 1, 1], Y),
    "a narrow column at 2": (PLAIN, X * [1, 0.1, 1] + [0, 2, 0], Y),
    "no unit's yes": (random([3, 8, 2], ["relu", "sigmoid"], "binary_cross_entropy"), X, np.zeros((40, 2))),
    "a column of targets that are 0": (random([3, 8, 2], ["relu", "identity"]), X, np.hstack([Y, 0 * Y])),
}


@pytest.mark.parametrize("what", FINE)
def test_what_is_fine_gets_no_remark(what):
    net, x, y = FINE[what]
    assert about(net.advice(x, y)) == []


def test_truth_table_gets_no_remark():
    net = hg.Network.random([2, 3, 1], activations=["tanh", "sigmoid"], seed=0)
    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    advice = net.advice(x, y, 1.0)
    assert not advice
    assert str(advice) == words("en")["advice"]["nothing"]
    assert str(net.advice(x, y, language="es")) == words("es")["advice"]["nothing"]


def test_linear_network_may_start_from_zero():
    net = hg.Network([hg.Dense(np.zeros((1, 3)), np.zeros(1))])
    assert not net.advice(X, Y, 0.1)


def test_advice_is_a_sequence_of_lines():
    net = CASES["relu-output"][0][0]
    advice = net.advice(X, SIGNS)
    assert bool(advice)
    assert len(advice) == 2
    assert [advice[0], advice[1]] == list(advice)
    assert str(advice) == "".join(f"- {remark.text}\n" for remark in advice)[:-1]
    assert repr(advice) == "Advice(relu-output, targets-out-of-range)"
    assert repr(PLAIN.advice(X, Y)) == "Advice(nothing stands out)"
    assert pickle.loads(pickle.dumps(advice)) == advice
    assert len({*advice}) == 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*CASES, *ALSO])
def test_remark_is_said_in_each_language(name, language):
    net, x, y, rate = CASES[name][0] if name in CASES else ALSO[name]
    (remark,) = [remark for remark in net.advice(x, y, rate, language=language) if remark.about == name]
    assert remark.numbers == pytest.approx(only(name).numbers, nan_ok=True)
    beyond = {"en": "Beyond the notes:", "es": "Más allá de los apuntes:"}[language]
    section = {"en": "section", "es": "sección"}[language]
    assert (beyond in remark.text) == (remark.section == "")
    assert (f"({section} {remark.section})" in remark.text) == (remark.section != "")
    for value in remark.numbers.values():
        assert type(value) in (int, float)


def test_activations_are_named_in_the_language():
    net, x, y, rate = CASES["targets-out-of-range"][0]
    assert "la capa de salida, sigmoide, no" in str(net.advice(x, y, rate, language="es"))
    assert "the output layer, sigmoid, cannot" in str(net.advice(x, y, rate))
    net, x, y, rate = CASES["relu-output"][0]
    assert "layer 2, is ReLU." in str(net.advice(x, y, rate))
    said = " ".join(words("es")["advice"].values()).split()
    assert not {"sigmoid", "relu", "leaky_relu", "prelu", "identity"} & {word.strip(".,;:()") for word in said}


def test_languages_have_the_same_templates_with_the_same_fields():
    def fields(template):
        return sorted(f"{name}:{form}" for _, name, form, _ in string.Formatter().parse(template) if name)

    english, spanish = (words(language)["advice"] for language in ("en", "es"))
    assert {key: fields(text) for key, text in english.items()} == {key: fields(text) for key, text in spanish.items()}
    assert all(english[key] != spanish[key] for key in english)


def test_advice_changes_nothing_of_the_callers():
    x, y = X.copy(), Y.copy()
    for array in (x, y):
        array.flags.writeable = False
    for rate in (None, 1e-7, 0.1, 3.0, 1e30):
        before = {name: array.copy() for name, array in PLAIN.named().items()}
        PLAIN.advice(x, y, rate)
        for name, array in PLAIN.named().items():
            np.testing.assert_array_equal(array, before[name])


EXTREMES = (0.0, 1.0, 30.0, 1e150, 1e300)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_whatever_network_gets_advice_and_no_warning(dtype):
    names = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softmax"]
    outputs = {"squared_error": names, "cross_entropy": ["softmax"], "binary_cross_entropy": ["sigmoid"]}
    seen = Counter()
    for seed in range(400):
        rng = np.random.default_rng([11, seed])
        loss = str(rng.choice([*outputs]))
        layers = int(rng.integers(1, 5))
        widths = rng.integers(1, 4, size=layers + 1).tolist()
        activations = [*rng.choice(names, size=layers - 1).tolist(), str(rng.choice(outputs[loss]))]
        reduction = str(rng.choice(["mean", "sum"]))
        net = hg.Network.random(widths, activations=activations, loss=loss, reduction=reduction, seed=seed, dtype=dtype)
        largest = float(np.finfo(dtype).max)
        for array in net.named().values():
            with np.errstate(over="ignore"):
                array[...] = np.clip(array * float(rng.choice(EXTREMES)), -largest, largest)
        x = rng.normal(size=(int(rng.integers(1, 14)), widths[0])) * rng.choice([0.0, 1.0, 1e30])
        y = {
            "squared_error": rng.normal(size=(len(x), widths[-1])) * rng.choice([0.0, 1.0, 1e30]),
            "cross_entropy": rng.integers(widths[-1], size=len(x)),
            "binary_cross_entropy": rng.uniform(size=(len(x), widths[-1])),
        }[loss]
        if seed % 4 == 0:
            x, y = x[0], y[0]  # one example without its axis
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            advice = net.advice(x, y, float(rng.choice([1e-30, 1e-7, 0.1, 1e30])), language=str(rng.choice(LANGUAGES)))
        assert str(advice)
        seen.update(about(advice))
    assert {"not-finite", "zero-gradient", "zero-weights", "rate-diverges", "inputs-not-scaled"} <= set(seen)


def test_parameters_that_are_not_finite_get_advice():
    net = random([3, 4, 1], ["tanh", "identity"])
    net.layers[0].w[...] = np.nan  # written into its memory, where nothing checks it
    assert about(net.advice(X, Y, 0.1)) == ["not-finite"]


def test_distribution_of_less_precision_gets_advice():
    """What a float32 distribution may be off by is more than float64 allows; it is checked in its own dtype alone."""
    y = np.full((40, 3), 1 / 3, np.float32)
    y[:, 0] += np.float32(1e-4)
    assert not CLASSIFIER.advice(X, y, 0.01)
    assert not CLASSIFIER.advice(X[0], y[0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": X[:, :2]}, ValueError, r"x must have shape \(N, n_0\) = \(N, 3\)"),
        ({"x": X[:0], "y": Y[:0]}, ValueError, "x must hold at least one example"),
        ({"x": np.where(X > 2, np.nan, X)}, ValueError, "x must be finite"),
        ({"x": "x"}, TypeError, "x must hold real numbers"),
        ({"y": Y[:, 0]}, ValueError, r"y must have shape \(N, n_L\) = \(40, 1\)"),
        ({"y": Y[:3]}, ValueError, r"y must have shape"),
        ({"y": None}, TypeError, "y must hold real numbers"),
        ({"rate": -1}, ValueError, "rate must be finite and > 0 in float64; got -1"),
        ({"rate": 0}, ValueError, "rate must be finite and > 0 in float64; got 0"),
        ({"rate": float("nan")}, ValueError, "rate must be finite and > 0"),
        ({"rate": "a"}, TypeError, "rate must be a real number > 0; got 'a'"),
        ({"rate": True}, TypeError, "rate must be a real number > 0; got True"),
        ({"language": "xx"}, ValueError, "language must be one of en, es; got 'xx'"),
        ({"language": None}, TypeError, "language must be one of en, es; got None"),
    ],
)
def test_bad_argument_raises(arguments, error, message):
    with pytest.raises(error, match=f"^{message}"):
        PLAIN.advice(**({"x": X, "y": Y} | arguments))
