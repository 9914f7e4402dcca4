"""Gradient descent: one step, the loop around it, and two problems that it must learn."""

import builtins
import importlib.util
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from programs import on_a_terminal

import handgrad as hg

DTYPES = [np.float64, np.float32]
HOUSE = Path(hg.__file__).parents[1]


def line(dtype=np.float64, reduction="mean", w=0.0):
    return hg.Network([hg.Dense(np.array([[w]], dtype), np.zeros(1, dtype))], reduction=reduction)


def parameters(net):
    return np.concatenate([array.ravel() for array in net.named().values()])


@pytest.mark.parametrize("dtype", DTYPES)
def test_descend_equals_theta_minus_rate_times_gradient(dtype):
    net = hg.Network.random([3, 4, 2], activations=["prelu", "tanh"], seed=1, dtype=dtype)
    rng = np.random.default_rng(2)
    g = net.gradient(rng.normal(size=(5, 3)), rng.normal(size=(5, 2)))
    for rate in (0.1, np.float32(0.1), 2, np.int64(2)):
        before = {name: array.copy() for name, array in net.named().items()}
        arrays = net.named()
        net.descend(g, rate=rate)
        for name, array in net.named().items():
            np.testing.assert_array_equal(array, before[name] - dtype(rate) * g.named()[name], strict=True)
            assert array is arrays[name], "the step is taken in place"


def test_descend_takes_a_changed_gradient():
    net = hg.Network.random([2, 2], activations=["tanh"], seed=3)
    g = net.gradient([1.0, -0.5], [0.5, 0.25])
    before = parameters(net)
    net.descend(0.5 * g.with_vector(np.clip(g.vector, -0.1, 0.1)), 1.0)
    np.testing.assert_array_equal(parameters(net), before - 0.5 * np.clip(g.vector, -0.1, 0.1))


def test_refused_step_changes_nothing():
    net = line(w=1.0)
    g = net.gradient([[1e100]], [[0.0]])
    with np.errstate(over="raise"), pytest.raises(ValueError, match=r"w1 after a step of rate = 1e\+200 must be finite"):
        net.descend(g, 1e200)
    assert parameters(net).tolist() == [1, 0]


def test_step_of_fit_beyond_the_largest_number_raises_and_changes_nothing():
    net = line(w=1.0)
    with np.errstate(over="raise"), pytest.raises(ValueError, match=r"w1 after a step of rate = 1e\+308 must be finite"):
        hg.fit(net, [[10.0]], [[0.0]], rate=1e308, epochs=1)
    assert parameters(net).tolist() == [1, 0]


def test_fit_from_a_parameter_that_is_not_finite_raises():
    net = line(w=1.0)
    net.layers[0].w[...] = np.nan  # written into its memory, where nothing checks it
    with pytest.raises(ValueError, match=r"^net's w1 must be finite; net's w1\[0, 0\] is nan$"):
        hg.fit(net, [[1.0]], [[0.0]], rate=0.1, epochs=1)


def test_step_from_infinity_by_infinity_raises():
    net = line(w=1.0)
    net.layers[0].w[...] = np.inf  # written into its memory, where nothing checks it
    g = hg.Gradient(0.0, (hg.LayerGradient(np.array([[np.inf]]), np.zeros(1)),))
    with np.errstate(invalid="raise"), pytest.raises(ValueError, match=r"^g's w1 must be finite; g's w1\[0, 0\] is inf$"):
        net.descend(g, 0.1)


def test_fit_of_a_large_finite_gradient_equals_its_step():
    # dL/dw = -2e160, whose square is beyond the largest number.
    net = line()
    assert hg.fit(net, [[1e160]], [[1.0]], rate=1e-170, epochs=1).losses == [1.0]
    assert parameters(net).tolist() == [1e-170 * 2e160, 1e-170 * 2.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_fit_of_the_full_batch_equals_its_steps(dtype):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
    for options in ({}, {"batch_size": 6}, {"batch_size": 100}, {"seed": 5}):
        net = hg.Network.random([2, 3, 1], activations=["tanh", "identity"], seed=6, dtype=dtype)
        twin = hg.Network(net.layers)
        history = hg.fit(net, x, y, rate=0.1, epochs=3, **options)
        losses = []
        for _ in range(3):
            g = twin.gradient(x, y)
            losses.append(g.loss)
            twin.descend(g, 0.1)
        assert isinstance(history, hg.History)
        assert history.losses == losses
        np.testing.assert_array_equal(parameters(net), parameters(twin), strict=True)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_fit_of_mini_batches_equals_its_steps(reduction):
    """Batches of 2, 2 and 1 in an order that is shuffled anew every epoch; every loss before its own step."""
    x, y = np.arange(5.0)[:, None] / 4, np.arange(5.0)[:, None] / 2 + 1
    net, twin = line(reduction=reduction), line(reduction=reduction)
    history = hg.fit(net, x, y, rate=0.05, epochs=4, batch_size=2, seed=7)
    generator, orders = np.random.default_rng(7), []
    for loss in history.losses:
        order = generator.permutation(5)
        orders.append(order.tolist())
        total = 0.0
        for chosen in (order[:2], order[2:4], order[4:]):
            g = twin.gradient(x[chosen], y[chosen])
            total += g.loss * (len(chosen) / 5 if reduction == "mean" else 1)
            twin.descend(g, 0.05)
        assert loss == total
    np.testing.assert_array_equal(parameters(net), parameters(twin), strict=True)
    assert len({tuple(order) for order in orders}) > 1


def test_shuffling_is_of_its_seed():
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(20, 1)), rng.normal(size=(20, 1))

    def trained(seed):
        net = line()
        hg.fit(net, x, y, rate=0.1, epochs=2, batch_size=3, seed=seed)
        return parameters(net).tolist()

    assert trained(1) == trained(1) == trained(np.random.default_rng(1))
    assert trained(1) != trained(2)
    assert trained(None) != trained(None)


@pytest.mark.parametrize(
    ("answer", "epochs"),
    [(lambda e, loss: e == 2, 2), (lambda e, loss: np.bool_(e == 3), 3), (lambda e, loss: e, 5), (print, 5)],
)
def test_callback_stops(answer, epochs, capsys):
    seen = []

    def callback(epoch, loss):
        seen.append((epoch, loss))
        return answer(epoch, loss)

    history = hg.fit(line(), [[1.0]], [[2.0]], rate=0.1, epochs=5, callback=callback)
    assert [epoch for epoch, _ in seen] == list(range(1, epochs + 1))
    assert [loss for _, loss in seen] == history.losses
    capsys.readouterr()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [1e3, 1e30])
def test_divergence_raises(dtype, rate):
    with (
        np.errstate(divide="raise"),
        pytest.raises(ValueError, match=r"^training diverged in epoch \d+ \(loss (inf|nan)\); the rate must be smaller than"),
    ):
        hg.fit(line(dtype, w=1.0), [[1.0], [3.0]], [[2.0], [1.0]], rate=rate, epochs=1000)


def test_divergence_of_the_gradient_alone_raises():
    # a = 1e-100, dL/da = 2e-100; dL/dw1 = 2e-100 · 1e200 · 1e250 overflows where the loss, 1e-200, does not.
    net = hg.Network([hg.Dense([[0.0]], [1e-300]), hg.Dense([[1e200]], [0.0])])
    with pytest.raises(ValueError, match=r"^training diverged in epoch 1 \(loss 1e-200\)"):
        hg.fit(net, [[1e250]], [[0.0]], rate=0.1, epochs=1)


def test_divergence_to_what_is_no_number_raises():
    # g′ = 0 of the relu times a dL/da that overflows.
    net = hg.Network([hg.Dense([[-1.0]], [0.0], "relu"), hg.Dense([[1e200]], [0.0])])
    with pytest.raises(ValueError, match=r"^training diverged in epoch 1 \(loss inf\); the rate must be smaller than 0\.1$"):
        hg.fit(net, [[1.0]], [[-1e200]], rate=0.1, epochs=1)


def test_xor_is_learned():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
    net = hg.Network.random([2, 3, 1], activations=["tanh", "sigmoid"], seed=0)
    history = hg.fit(net, x, y, rate=1.0, epochs=2000)
    assert history.losses[-1] < 0.01 < history.losses[0]
    np.testing.assert_array_equal(net(x) > 0.5, y == 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_two_yes_or_no_units_are_learned(dtype):
    rng = np.random.default_rng(12)
    x = rng.normal(size=(80, 2)).astype(dtype)
    y = np.stack([x[:, 0] * x[:, 1] > 0, x[:, 0] + x[:, 1] > 0], axis=1)
    net = hg.Network.random([2, 8, 2], activations=["tanh", "sigmoid"], loss="binary_cross_entropy", seed=13, dtype=dtype)
    history = hg.fit(net, x, y, rate=0.5, epochs=120, batch_size=16, seed=14)
    assert history.losses[-1] < 0.2 * history.losses[0]
    assert ((net(x) > 0.5) == y).mean() > 0.95


@pytest.mark.parametrize("dtype", DTYPES)
def test_three_classes_are_learned(dtype):
    rng = np.random.default_rng(9)
    y = np.arange(90) % 3
    x = np.array([[0, 2], [2, -1], [-2, -1]])[y] + rng.normal(0, 0.4, (90, 2))
    net = hg.Network.random([2, 8, 3], activations=["relu", "softmax"], loss="cross_entropy", seed=10, dtype=dtype)
    history = hg.fit(net, x, y, rate=0.2, epochs=60, batch_size=16, seed=11)
    assert history.losses[-1] < 0.1 * history.losses[0]
    np.testing.assert_array_equal(net(x).argmax(axis=1), y)


FIT_WITH_PROGRESS = """
import handgrad as hg
net = hg.Network([hg.Dense([[0.0]], [0.0])])
history = hg.fit(net, [[1.0], [-1.0]], [[2.0], [-2.0]], rate=0.25, epochs=3, progress=True)
print(history.losses)
stopped = hg.fit(net, [[1.0]], [[2.0]], rate=0.25, epochs=3, progress=True, callback=lambda epoch, loss: True)
print(len(stopped.losses))
"""
ENVIRONMENT = {"PYTHONPATH": str(HOUSE), "TERM": "xterm", "COLUMNS": "80"}


def test_progress_is_silent_in_a_pipe():
    answer = subprocess.run(
        [sys.executable, "-c", FIT_WITH_PROGRESS], capture_output=True, text=True, check=True, cwd=HOUSE, env=ENVIRONMENT
    )
    assert (answer.stdout, answer.stderr) == ("[4.0, 1.0, 0.25]\n1\n", "")


def test_progress_is_shown_on_a_terminal():
    status, printed, shown = on_a_terminal(FIT_WITH_PROGRESS, ENVIRONMENT, HOUSE)
    assert (status, printed) == (0, b"[4.0, 1.0, 0.25]\n1\n")
    assert b"fit" in shown
    assert b"100%" in shown
    assert b"loss 0.25" in shown
    assert re.search(rb"\d\d:\d\d", shown)


def test_progress_equals_training_without():
    assert importlib.util.find_spec("rich")
    x, y = np.array([[1.0], [-1.0]]), np.array([[2.0], [-2.0]])
    histories = [hg.fit(line(), x, y, rate=0.25, epochs=4, progress=progress).losses for progress in (True, False)]
    assert histories[0] == histories[1] == [4.0, 1.0, 0.25, 0.0625]


def test_progress_without_rich_raises(monkeypatch):
    load = builtins.__import__

    def without_rich(name, *arguments, **options):
        if name.split(".")[0] == "rich":
            raise ImportError(name)
        return load(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_rich)
    with pytest.raises(ImportError, match=r"^progress=True needs the package rich: pip install rich$"):
        hg.fit(line(), [[1.0]], [[2.0]], rate=0.1, epochs=1, progress=True)
    assert hg.fit(line(), [[1.0]], [[2.0]], rate=0.1, epochs=1).losses == [4.0]


def test_history_repr_equals_its_description():
    history = hg.fit(hg.Network([hg.Dense([[0.0]], [0.0])]), [[1.0], [-1.0]], [[2.0], [-2.0]], rate=0.25, epochs=2)
    assert repr(history) == "History(2 epochs, loss 4 to 1)"
    assert repr(hg.History()) == "History(0 epochs)"


@pytest.mark.parametrize("value", [-np.inf, np.nan])
def test_parameter_that_a_callback_makes_infinite_raises(value):
    net = hg.Network.random([2, 3, 1], activations=["relu", "identity"], seed=1)

    def callback(epoch, loss):
        net.layers[0].b[0] = value

    with pytest.raises(ValueError, match="net's b1 must be finite"):
        hg.fit(net, np.ones((4, 2)), np.ones((4, 1)), rate=0.1, epochs=3, callback=callback)


def test_fit_of_columns_equals_fit_of_rows():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(50, 4)), rng.normal(size=(50, 2))
    histories = []
    for inputs in (x, np.asfortranarray(x)):
        net = hg.Network.random([4, 3, 2], activations=["tanh", "identity"], seed=1)
        histories.append(hg.fit(net, inputs, y, rate=0.1, epochs=4, batch_size=16, seed=2).losses)
    assert histories[0] == histories[1]


def test_fit_of_all_examples_at_once_makes_no_copy_of_them():
    net = hg.Network.random([200, 4, 1], activations=["tanh", "identity"], seed=1)
    x, y = np.ones((20_000, 200)), np.ones((20_000, 1))
    tracemalloc.start()
    try:
        hg.fit(net, x, y, rate=0.1, epochs=1)
        assert tracemalloc.get_traced_memory()[1] < x.nbytes / 2
    finally:
        tracemalloc.stop()
