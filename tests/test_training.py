"""Training on a table: the parts, inputs that are standardized, and what is said of the result."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import handgrad as hg
from handgrad.homework.dataset import Dataset
from handgrad.homework.training import fold, loss_of, report, split, spread, train

SETTINGS = {"hidden": [4], "activation": "tanh", "rate": 0.1, "epochs": 3}


def table(x, y, labels=(), columns=None):
    x = np.asarray(x, float)
    y = np.asarray(y) if labels else np.asarray(y, float).reshape(len(x), -1)
    names = tuple(columns or [f"x_{place}" for place in range(1, x.shape[1] + 1)])
    return Dataset(
        x, y, names, tuple(f"y_{place}" for place in range(1, y.shape[-1] + 1)) if y.ndim > 1 else ("kind",), labels, "t.csv"
    )


def flowers(count=30, seed=0):
    generator = np.random.default_rng(seed)
    places = np.arange(count) % 3
    return table(generator.normal(size=(count, 2)) + 3 * places[:, None], places, ("a", "b", "c"))


def numbers(count=20, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, 3))
    return table(x, x @ generator.normal(size=(3, 2)))


@given(st.integers(2, 40), st.floats(0.01, 0.99), st.integers(0, 9))
def test_parts_of_numbers_is_every_example_once(count, share, seed):
    for_training, for_test = split(count, None, share, seed)
    assert sorted([*for_training, *for_test]) == list(range(count))
    assert len(for_training) >= 1
    assert len(for_test) == min(max(1, round(share * count)), count - 1)
    again = split(count, None, share, seed)
    assert [part.tolist() for part in again] == [for_training.tolist(), for_test.tolist()]


@given(st.lists(st.integers(0, 4), min_size=3, max_size=40), st.floats(0.01, 0.99), st.integers(0, 9))
def test_parts_of_classes_is_their_shares(places, share, seed):
    sizes = Counter(places)
    room = len(places) - len(sizes)
    if not room:
        return
    for_training, for_test = split(len(places), np.array(places), share, seed)
    assert sorted([*for_training, *for_test]) == list(range(len(places)))
    assert len(for_test) == min(max(1, round(share * len(places))), room)
    assert {places[place] for place in for_training} == set(sizes)
    tested = Counter(places[place] for place in for_test)
    for label, size in sizes.items():
        # Within one of its share, unless another class had none to spare.
        if all(int(share * other) + 1 < other for other in sizes.values()):
            assert abs(tested[label] - share * size) <= 1


def test_parts_differ_by_seed_and_are_shuffled():
    parts = {tuple(split(50, None, 0.2, seed)[1].tolist()) for seed in range(5)}
    assert len(parts) == 5


def test_share_0_is_no_test():
    assert [part.tolist() for part in split(3, np.array([0, 1, 2]), 0, 0)] == [[0, 1, 2], []]


@pytest.mark.parametrize(
    ("count", "places", "share", "error", "said"),
    [
        (1, None, 0.2, ValueError, "the test needs an example that training can spare, but there is 1 example; with test = 0"),
        (1, np.array([0]), 0.2, ValueError, "but there is 1 example"),
        (3, np.array([0, 1, 2]), 0.2, ValueError, "but all 3 examples are of different classes; with test = 0 there is no"),
        (3, None, 1, ValueError, "test must be a share >= 0 and < 1; got 1"),
        (3, None, -0.1, ValueError, "test must be finite and >= 0; got -0.1"),
        (3, None, float("nan"), ValueError, "test must be finite and >= 0; got nan"),
        (3, None, "0.2", TypeError, "test must be a real number >= 0; got '0.2'"),
    ],
)
def test_parts_that_cannot_be_raises(count, places, share, error, said):
    with pytest.raises(error, match=re.escape(said)):
        split(count, places, share, 0)


def test_spread_equals_mean_and_deviation():
    mean, deviation = spread(np.array([[1.0, 0.1, 5.0], [3.0, 0.1, 5.0], [5.0, 0.1, 5.0]]), ["a", "b", "c"])
    np.testing.assert_allclose(mean, [3, 0.1, 5], rtol=1e-15)
    np.testing.assert_allclose(deviation, [np.sqrt(8 / 3), 1, 1], rtol=1e-15)


def test_spread_of_numbers_too_far_apart_raises():
    with pytest.raises(ValueError, match=re.escape("the deviation of b must be finite; the deviation of b is inf")):
        spread(np.array([[1.0, -1e200], [2.0, 1e200]]), ["a", "b"])


@pytest.mark.parametrize(
    "activation", ["tanh", hg.Activation("leaky_relu", slope=0.3), hg.Activation("prelu", alpha=[0.1, 0.2])]
)
@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_folded_network_matches_the_one_of_standardized_inputs(activation, loss):
    net = hg.Network.random([3, 2, 1], activations=[activation, "sigmoid"], loss=loss, reduction="sum", seed=1)
    if net.layers[0].alpha is not None:
        net.layers[0].alpha = [0.7, -0.2]
    generator = np.random.default_rng(2)
    x, shift, scale = generator.normal(5, 3, (9, 3)), generator.normal(5, 2, 3), generator.uniform(0.1, 7, 3)
    folded = fold(net, shift, scale)
    np.testing.assert_allclose(folded(x), net((x - shift) / scale), rtol=1e-12)
    assert (folded.loss_name, folded.reduction) == (loss, "sum")
    assert folded.layers[1].w.tolist() == net.layers[1].w.tolist()


CASES = {
    "words": (flowers(), {}),
    "numbers": (numbers(), {}),
    "numbers as classes": (table([[0], [1], [2], [3], [4]], [1, 2, 1, 2, 1]), {"loss": "cross_entropy"}),
    "yes and no": (table([[0], [1], [2], [3]], [1, 0, 1, 0]), {"loss": "binary_cross_entropy"}),
    "two words": (table([[0], [1], [2], [3]], [1, 0, 1, 0], ("no", "yes")), {"loss": "binary_cross_entropy"}),
    "several yes and no": (table([[0], [1], [2]], [[1, 0], [0, 0], [1, 1]]), {"loss": "binary_cross_entropy"}),
    "standardized": (flowers(), {"standardize": True}),
    "numbers standardized": (numbers(), {"standardize": True}),
    "in batches": (flowers(), {"batch_size": 30}),
    "no test": (numbers(), {"test": 0}),
}


@pytest.mark.parametrize("case", CASES)
def test_losses_matches_those_of_shorter_trainings(case):
    data, options = CASES[case]
    longer = train(data, **SETTINGS | options)
    for epochs in (1, 2):
        shorter = train(data, **SETTINGS | options | {"epochs": epochs})
        net = shorter.net
        # What the next epoch finds is what the shorter training left.
        for history, part in ((longer.history, shorter.train), (longer.tested, shorter.test)):
            if len(part):
                expected = net.loss(shorter.x[part], shorter.y[part])
                assert history.losses[epochs] == pytest.approx(expected, rel=1e-10)
        assert len(shorter.history.losses) == epochs
        assert len(shorter.tested.losses) == (epochs if len(shorter.test) else 0)
    assert longer.x is data.x


@pytest.mark.parametrize(
    ("case", "network"),
    [
        ("words", "Network(2-4-3, tanh, softmax; cross_entropy, mean; float64; 27 parameters)"),
        ("numbers", "Network(3-4-2, tanh, identity; squared_error, mean; float64; 26 parameters)"),
        ("numbers as classes", "Network(1-4-2, tanh, softmax; cross_entropy, mean; float64; 18 parameters)"),
        ("two words", "Network(1-4-1, tanh, sigmoid; binary_cross_entropy, mean; float64; 13 parameters)"),
        ("several yes and no", "Network(1-4-2, tanh, sigmoid; binary_cross_entropy, mean; float64; 18 parameters)"),
    ],
)
def test_network_is_what_the_targets_need(case, network):
    data, options = CASES[case]
    assert repr(train(data, **SETTINGS | options).net) == network
    assert repr(train(data, **SETTINGS | options | {"hidden": []}).net).startswith(f"Network({data.x.shape[1]}-")


def test_every_class_is_trained_on():
    for seed in range(5):
        trained = train(table(np.arange(5.0)[:, None], [0, 1, 1, 1, 1], ("rare", "usual")), **SETTINGS, test=0.5, seed=seed)
        assert 0 in trained.train
        yes = train(
            table(np.arange(5.0)[:, None], [1, 0, 0, 0, 0]), **SETTINGS, loss="binary_cross_entropy", test=0.5, seed=seed
        )
        assert 0 in yes.train


def test_same_seed_equals_the_same_training():
    for options in ({"test": 0}, {"batch_size": 5}):
        nets = [train(flowers(), **SETTINGS, **options, seed=seed).net.layers[0].w.tolist() for seed in (3, 3, 4)]
        assert nets[0] == nets[1] != nets[2]


@pytest.mark.parametrize("standardize", [True, False])
def test_training_is_without_the_examples_of_the_test(standardize):
    data = numbers()
    first = train(data, **SETTINGS, standardize=standardize)
    x, y = data.x.copy(), data.y.copy()
    x[first.test], y[first.test] = 100, -100
    second = train(table(x, y), **SETTINGS, standardize=standardize)
    assert second.test.tolist() == first.test.tolist()
    assert second.history.losses == first.history.losses
    assert second.net.layers[0].w.tolist() == first.net.layers[0].w.tolist()


def test_loss_is_of_the_targets_unless_said():
    assert [loss_of(data) for data in (flowers(), numbers())] == ["cross_entropy", "squared_error"]
    assert loss_of(numbers(), "cross_entropy") == "cross_entropy"


@pytest.mark.parametrize(
    ("data", "changes", "error", "said"),
    [
        (flowers(), {"loss": "mse"}, ValueError, "loss must be one of squared_error,"),
        (
            flowers(),
            {"loss": "squared_error"},
            ValueError,
            "the targets of t.csv are 3 words, which need the loss cross_entropy",
        ),
        (flowers(), {"loss": "binary_cross_entropy"}, ValueError, "are 3 words, which need the loss cross_entropy; got binary"),
        (numbers(), {"loss": "cross_entropy"}, ValueError, "classes are in one column; got the targets y_1, y_2"),
        (
            table([[0], [1], [2]], [0, 1, 2]),
            {"loss": "binary_cross_entropy"},
            ValueError,
            "y must hold probabilities, 0 <= y <= 1; y[2, 0] is 2",
        ),
        (
            table([[0], [1]], [0, 0], ("a",)),
            {},
            ValueError,
            "t.csv must have at least 2 classes for a cross-entropy; got a alone",
        ),
        (
            table([[0], [1]], [5, 5]),
            {"loss": "cross_entropy"},
            ValueError,
            "at least 2 classes for a cross-entropy; got 5 alone",
        ),
        (flowers(), {"hidden": [0]}, ValueError, "widths[1] must be an integer >= 1; got 0"),
        (flowers(), {"activation": "gelu"}, ValueError, "activation must be one of"),
        (flowers(), {"rate": 0}, ValueError, "rate must be finite and > 0"),
        (flowers(), {"epochs": 0}, ValueError, "epochs must be an integer >= 1; got 0"),
        (flowers(), {"batch_size": 0}, ValueError, "batch_size must be an integer >= 1; got 0"),
        (flowers(), {"test": 1}, ValueError, "test must be a share >= 0 and < 1; got 1"),
        (flowers(), {"seed": -1}, ValueError, "seed must be >= 0; got -1"),
        (numbers(), {"rate": 1e9, "epochs": 100}, ValueError, "training diverged in epoch"),
    ],
)
def test_bad_training_raises_a_sentence(data, changes, error, said):
    with pytest.raises(error, match=re.escape(said)):
        train(data, **SETTINGS | changes)


def right(net, x, places):
    """Return how many examples a network puts into their class, one at a time."""
    return sum(
        max(range(len(out := net(each).tolist())), key=out.__getitem__) == place for each, place in zip(x, places, strict=True)
    )


def test_report_of_classes_equals_counting():
    data = flowers()
    trained = train(data, **SETTINGS | {"epochs": 100})
    lines = report(trained, data).splitlines()
    assert lines[0] == "t.csv: 30 examples, 24 to train on and 6 to test"
    assert lines[1:3] == ["inputs: x_1, x_2; target: kind", "classes: a, b, c"]
    assert lines[3] == f"network: {trained.net!r}"
    first, last = trained.history.losses[0], trained.history.losses[-1]
    assert lines[4] == f"loss: {first:.4g} in the first of 100 epochs, {last:.4g} in the last"
    count = right(trained.net, data.x[trained.test], data.y[trained.test])
    loss = trained.net.loss(data.x[trained.test], data.y[trained.test])
    # Of 30 examples in three equal classes the training has 8 each, the test 2.
    assert lines[5].startswith(
        f"test part: right {count}/6 ({100 * count / 6:.1f} %), loss {loss:.4g}; always saying a would be"
    )
    assert lines[5].endswith("right 2/6 (33.3 %)")
    assert len(lines) == 6


def test_report_of_numbers_equals_the_errors():
    data = table([[0], [1], [2], [3]], [1, 3, 5, 11])
    trained = train(data, **SETTINGS | {"test": 0})
    lines = report(trained, data).splitlines()
    assert lines[0] == "t.csv: 4 examples, all to train on, no test part"
    error = sum((trained.net([each]).item() - y) ** 2 for each, y in zip([0, 1, 2, 3], [1, 3, 5, 11], strict=True)) / 4
    # The mean is 5, and 16 + 4 + 0 + 36 = 56 is the sum of the squares.
    assert lines[-1].startswith(f"training part: mean squared error {error:.4g}; always saying the mean, 5, would have 14")


def test_mean_of_the_report_is_that_of_the_training_part():
    data = table([[0], [1], [2], [3], [4]], [1, 2, 4, 8, 16])
    trained = train(data, **SETTINGS, test=0.4)
    known, tested = data.y[trained.train].ravel(), data.y[trained.test].ravel()
    always = sum((each - sum(known) / 3) ** 2 for each in tested) / 2
    assert f"the mean, {sum(known) / 3:.4g}, would have {always:.4g}" in report(trained, data)


def test_report_of_yes_and_no_equals_counting():
    for case, label in (("yes and no", "1"), ("two words", "yes")):
        data, options = CASES[case]
        data = table(data.x, [1, 1, 1, 0], data.labels)
        trained = train(data, **SETTINGS | options | {"test": 0})
        count = sum((trained.net(each).item() >= 0.5) == bool(y) for each, y in zip(data.x, [1, 1, 1, 0], strict=True))
        assert f"training part: right {count}/4 ({25 * count:.1f} %)" in report(trained, data)
        assert f"always saying {label} would be right 3/4 (75.0 %)" in report(trained, data)


@pytest.mark.parametrize(
    ("y", "labels", "loss", "said"),
    [
        ([0, 0, 1, 1, 1], ("a", "b"), None, "always saying b would be right 1/2"),
        ([1, 1, 0, 0, 0], ("no", "yes"), "binary_cross_entropy", "always saying no would be right 1/2"),
        ([1, 1, 0, 0, 0], (), "binary_cross_entropy", "always saying 0 would be right 1/2"),
    ],
)
def test_usual_answer_of_the_report_is_that_of_the_training_part(y, labels, loss, said):
    # Of 3 and 2 examples in two classes the test has 1 each, the training 2 and 1.
    data = table(np.arange(5.0)[:, None], y, labels)
    assert said in report(train(data, **SETTINGS, loss=loss, test=0.5), data)


LITTLE, SCALE = "The network has learned little: try --standardize, another --rate", "need scaling in the table: --standardize"


def hints(trained, losses, *, net=None):
    """Return whether each hint is in the report of a training, with other losses, or another network."""
    other = replace(trained, history=hg.History(losses), net=net or trained.net)
    lines = report(other, Dataset(trained.x, trained.y, ("x",), ("y",), trained.labels, "t.csv")).splitlines()
    return [any(hint in line for line in lines) for hint in (LITTLE, SCALE)]


def always(z, loss, x_sign=0.0):
    """Return a network that says z whatever the inputs, unless their sign counts."""
    activation = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(loss, "identity")
    return hg.Network([hg.Dense([[x_sign * (-1) ** place] for place in range(len(z))], z, activation)], loss)


def test_report_of_a_loss_that_hardly_falls_or_rises_is_a_hint():
    data = flowers()
    trained = train(data, **SETTINGS | {"epochs": 100})
    assert hints(trained, trained.history.losses) == [False, False]
    assert hints(trained, [1.0, 0.91]) == hints(trained, [1.0, 400.0]) == [True, False]
    assert hints(trained, [1.0, 0.9]) == [False, False]
    assert hints(train(numbers(), **SETTINGS), [2211.0, 4e5]) == [True, True]


@pytest.mark.parametrize(
    ("loss", "labels", "y", "net", "little"),
    [
        ("cross_entropy", ("a", "b"), [0, 0, 0, 1], always([1.0, 0.0], "cross_entropy"), True),
        ("cross_entropy", ("a", "b"), [0, 0, 0, 1], always([0.0, 1.0], "cross_entropy"), True),
        ("cross_entropy", ("a", "b"), [0, 0, 0, 1], always([5.0, 0.0], "cross_entropy", -1.0), False),
        ("binary_cross_entropy", (), [0, 0, 0, 1], always([-1.0], "binary_cross_entropy"), True),
        ("binary_cross_entropy", (), [0, 0, 0, 1], always([-5.0], "binary_cross_entropy", 2.0), False),
        # Nobody can be better than right.
        ("binary_cross_entropy", (), [0, 0, 0, 0], always([-1.0], "binary_cross_entropy"), False),
        # The mean is 3, and always saying it has the error 5.
        ("squared_error", (), [0, 2, 4, 6], always([3.0], "squared_error"), True),
        ("squared_error", (), [0, 2, 4, 6], always([0.7], "squared_error", 0.98), False),
        ("squared_error", (), [3, 3, 3, 3], always([3.1], "squared_error"), False),
    ],
)
def test_report_of_a_network_no_better_than_always_the_same_is_a_hint(loss, labels, y, net, little):
    data = table([[0], [1], [2], [3]], y, labels)
    trained = train(data, **SETTINGS, loss=loss, test=0)
    assert hints(trained, [1.0, 0.1], net=net) == [little, little and loss == "squared_error"]


def test_hint_of_numbers_is_from_nine_tenths_of_the_error_of_the_mean():
    trained = train(table([[0], [1]], [-1, 1]), **SETTINGS, test=0)
    # Always saying the mean, 0, has the error 1; the network says -root and root.
    for share, little in ((0.89, False), (0.91, True)):
        root = 1 - np.sqrt(share)
        net = hg.Network([hg.Dense([[2 * root]], [-root])])
        assert hints(trained, [1.0, 0.1], net=net) == [little, little]


def test_hint_is_of_the_training_part():
    trained = train(table([[0], [1], [2], [3]], [0, 2, 4, 6]), **SETTINGS, test=0.5)
    y = trained.y.copy()
    y[trained.test] = -100.0
    right = hg.Network([hg.Dense([[2.0]], [0.0])])
    assert hints(replace(trained, y=y), [1.0, 0.1], net=right) == [False, False]


def test_report_of_many_names_is_short_and_in_lines():
    data = table(np.arange(24.0).reshape(2, 12), [1, 2], columns=["a\nb", *"cdefghijklm"])
    lines = report(train(data, **SETTINGS), data, "es").splitlines()
    assert lines[1] == "entradas: a b, c, d, e, f, g, h, i, … (12); objetivo: y_1"
    assert lines[5] == "Una prueba con tan pocos ejemplos (1) dice poco; con --test 0 se entrena con todos."
    assert len(lines) == 6


@pytest.mark.parametrize(("count", "test", "few"), [(20, 0.2, 1), (20, 0.25, 0), (20, 0, 0)])
def test_report_of_a_small_test_is_a_hint(count, test, few):
    data = table(np.arange(2.0 * count).reshape(count, 2) / count, np.arange(count) / count)
    assert report(train(data, **SETTINGS | {"test": test}), data).count("says little; with --test 0") == few


def test_report_in_a_language_without_words_raises():
    data = flowers()
    with pytest.raises(ValueError, match="language must be one of en, es; got 'xx'"):
        report(train(data, **SETTINGS), data, "xx")
