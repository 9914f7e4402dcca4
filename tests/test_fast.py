"""The fast gradient against the plain one: the numbers, whose they are, and what is kept between calls."""

import gc
import pickle
import sys
import threading
import time
import weakref
from copy import copy as copy_of
from copy import deepcopy
from itertools import groupby, pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import handgrad as hg
from handgrad.fast import blocks, engine, plan
from handgrad.fast import weights as weights_module
from handgrad.fast.in_place import limits
from handgrad.fast.outputs import BinaryCrossEntropy
from handgrad.fast.passes import MANY
from handgrad.fast.stages import Stack
from handgrad.fast.weights import Weights
from verification.benchmark.networks import NETWORKS, network_of
from verification.bounds.analysis import bounds
from verification.bounds.entries import shares
from verification.bounds.quantities import without_batch_axis
from verification.bounds.rounding import STABLE
from verification.random_networks.cases import Case
from verification.random_networks.plain import plain_case
from verification.random_networks.strategies import cases

ROOM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DTYPES = [np.float64, np.float32]


def arrays(g):
    return g.named() | {"x": g.x, "loss": np.asarray(g.loss)}


def assert_matches(given, expected, net, x, y, times=2):
    """Compare two gradients, each within the bound of the stable form: names, shapes, dtypes, then numbers."""
    with np.errstate(all="ignore"):
        allowed = bounds(plain_case(net, x, y), STABLE)
    allowed = without_batch_axis(allowed) if np.ndim(x) == 1 else allowed
    given, expected = arrays(given), arrays(expected)
    assert list(given) == list(expected)
    for name, array in given.items():
        assert (array.shape, array.dtype) == (expected[name].shape, expected[name].dtype), name
        assert shares(array, expected[name], times * allowed[name]).max() <= 1, name


def stages_of(net, count):
    """Return the stages after the first of the last plan for so many examples, of its first block."""
    return net.engine._plans[count][-1].passes[0].later


@ROOM
@given(cases(max_examples=12))
def test_gradient_matches_its_trace(case):
    net, x, y = case
    with np.errstate(all="ignore"):
        assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)


@ROOM
@given(
    st.sampled_from(["identity", "relu", "sigmoid", "tanh"]),
    st.integers(1, 4),
    st.integers(MANY - 1, 9),
    st.integers(1, 12),
    st.sampled_from(DTYPES),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_gradient_of_stacked_layers_matches_its_trace(activation, width, layers, count, dtype, ends, seed):
    rng = np.random.default_rng(seed)
    widths = [3, *[width] * layers, 2] if ends else [width] * (layers + 1)
    names = [activation] * (layers + 1) if ends else [activation] * layers
    net = hg.Network.random(widths, activations=names, seed=rng, dtype=dtype)
    x, y = rng.normal(size=(count, widths[0])).astype(dtype), rng.normal(size=(count, widths[-1])).astype(dtype)
    assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)
    # The first layer is none of them: its x is the caller's.
    square = [len(list(run)) for (n_prev, n), run in groupby(pairwise(widths[1:])) if n_prev == n]
    assert any(isinstance(stage, Stack) for stage in stages_of(net, count)) == (max(square, default=0) >= MANY)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1.0, 30.0, 300.0, 1e4, 1e30])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (1, 40), (5, 1), (7, 4), (64, 10)])
def test_cross_entropy_of_classes_matches_its_trace(shape, scale, dtype):
    rng = np.random.default_rng(3)
    (count, classes), n_0 = shape, 3
    w, b = (rng.normal(size=(classes, n_0)) * scale).astype(dtype), rng.normal(size=classes).astype(dtype)
    net = hg.Network([hg.Dense(w, b, "softmax")], "cross_entropy")
    x, y = rng.normal(size=(count, n_0)).astype(dtype), rng.integers(0, classes, count)
    assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)
    # All the other parts of the loss, one of which every class has been.
    for k in range(min(classes, 5)):
        y = np.full(count, k)
        assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 300.0, 1e4, 1e30])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (1, 40), (5, 1), (16, 1), (17, 1), (7, 4), (64, 10)])
def test_binary_cross_entropy_matches_its_trace(shape, scale, dtype):
    """Few numbers are computed in Python's own, more of them in place: both, on either side of 0 and at it."""
    rng = np.random.default_rng(4)
    (count, units), n_0 = shape, 3
    w, b = (rng.normal(size=(units, n_0)) * scale).astype(dtype), (rng.normal(size=units) * scale).astype(dtype)
    x = rng.normal(size=(count, n_0)).astype(dtype)
    for reduction in ("mean", "sum"):
        net = hg.Network([hg.Dense(w, b, "sigmoid")], "binary_cross_entropy", reduction)
        for y in (rng.integers(0, 2, shape), rng.random(shape), np.zeros(shape), np.ones(shape), np.full(shape, 0.5)):
            target = y.astype(dtype)
            assert_matches(net.gradient(x, target), net.trace(x, target).gradient, net, x, target)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_binary_cross_entropy_at_zero_equals_half_minus_y(zero, count, dtype):
    for y in (0.0, 1.0):
        logits = np.full((count, 1), zero, dtype)
        output = BinaryCrossEntropy(logits, np.empty_like(logits), 1.0)
        loss = output.loss(np.full((count, 1), y, dtype))
        np.testing.assert_array_equal(output.derivative, np.full((count, 1), 0.5 - y, dtype), strict=True)
        assert abs(loss - count * np.log(2)) <= count * count * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layers", [1, 2, 5])
def test_binary_cross_entropy_after_a_stack_matches_its_trace(layers, dtype):
    """The output is no part of the stack before it, though it has the same shape and activation."""
    rng = np.random.default_rng(5)
    names = ["sigmoid"] * layers
    net = hg.Network.random([3] * (layers + 1), activations=names, loss="binary_cross_entropy", seed=rng, dtype=dtype)
    x, y = rng.normal(size=(20, 3)).astype(dtype), rng.integers(0, 2, (20, 3))
    assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)
    assert any(isinstance(stage, Stack) for stage in stages_of(net, 20)) == (layers == 5)


def test_binary_cross_entropy_leaves_x_and_y_as_they_are():
    net = hg.Network([hg.Dense(np.ones((3, 2)), np.zeros(3), "sigmoid")], "binary_cross_entropy")
    for count in (1, 20):
        x, y = np.random.default_rng(6).random((count, 2)), np.random.default_rng(7).random((count, 3))
        before = x.copy(), y.copy()
        net.gradient(x, y)
        assert np.array_equal(x, before[0])
        assert np.array_equal(y, before[1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 2])
def test_cross_entropy_of_the_farthest_logits_equals_zero(count, dtype):
    largest = np.finfo(dtype).max
    net = hg.Network([hg.Dense(np.array([[largest], [-largest]]), np.zeros(2, dtype), "softmax")], "cross_entropy")
    with np.errstate(over="raise", invalid="raise", divide="raise"):  # two logits differ by more than the largest number
        g = net.gradient(np.ones((count, 1), dtype), np.zeros(count, int))
    assert g.loss == 0
    assert not g.vector.any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factor", [0.5, 0.99, 1.01, 1.5, 1.99, 3.0])
def test_cross_entropy_of_logits_on_both_sides_of_what_is_calm_matches_its_trace(factor, dtype):
    most = np.sqrt(limits(np.dtype(dtype)).calm / 2)
    for b in ([-most * factor, most * factor], [-most * 0.99, most * factor], [-most * factor, most * 0.99]):
        net = hg.Network([hg.Dense(np.zeros((2, 1), dtype), np.array(b, dtype), "softmax")], "cross_entropy")
        for y in (0, 1):
            for count in (1, 2):
                x, targets = np.ones((count, 1), dtype), np.full(count, y)
                assert_matches(net.gradient(x, targets), net.trace(x, targets).gradient, net, x, targets)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [2, 6, 100, 1000])
@pytest.mark.parametrize("count", [1, 3])
def test_cross_entropy_of_an_improbable_class_matches_its_trace(count, classes, dtype):
    # On both sides of where e^{-distance} is no normal number any more, and where a sum over the classes divided by it is none.
    for distance in [*np.arange(30, 120, 1.5), *np.arange(690, 760, 1.5), 2000.0, 1e4]:
        b = np.zeros(classes, dtype)
        b[1] = -distance
        net = hg.Network([hg.Dense(np.zeros((classes, 1), dtype), b, "softmax")], "cross_entropy")
        x, y = np.ones((count, 1), dtype), np.full(count, 1)
        assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "identity"])
def test_gradient_at_extreme_z_matches_its_trace(activation, dtype):
    largest = float(np.finfo(dtype).max)
    z = np.array([0.0, 1e-30, 1, 20, 44, 80, 87, 88.5, 90, 110, 350, 700, 710, 745, 800, 1e4, 1e9, largest**0.4]).astype(dtype)
    z = np.concatenate([-z[:0:-1], z])
    net = hg.Network([hg.Dense(np.ones((1, 1), dtype), np.zeros(1, dtype), activation)], reduction="sum")
    for z_i in z:  # apart, so that no sum hides a small derivative
        x, y = z_i.reshape(1, 1), np.full((1, 1), 0.25, dtype)
        assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)


@pytest.mark.parametrize("row", NETWORKS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient_of_benchmarked_network_matches_literal(row, dtype):
    net, x, y = network_of(row.reduced(), dtype)
    literal = hg.literal.gradient(net, x, y)
    # The literal form loses digits where the stable ones do not; on these networks no more than a factor of 16.
    assert_matches(net.gradient(x, y), literal, net, x, y, times=16)


@pytest.mark.parametrize("position", range(5))
def test_gradient_of_a_stack_with_nan_is_nan_like_its_trace(position):
    net = hg.Network.random([3] * 6, activations=["relu"] * 5, seed=3)
    net.layers[position].w[1, 2] = np.nan
    x, y = np.random.default_rng(4).uniform(0.5, 1, (20, 3)), np.zeros((20, 3))
    g, expected = net.gradient(x, y), net.trace(x, y).gradient
    assert np.isnan(g.loss)
    np.testing.assert_array_equal(np.isnan(g.vector), np.isnan(expected.vector))
    assert np.isnan(g.vector).any()


@pytest.fixture
def small_cache(monkeypatch):
    """Let a cache hold so little that a few examples are too many for it."""
    monkeypatch.setattr(blocks, "cache_size", lambda: 500)
    monkeypatch.setattr(blocks, "FEWEST_ROWS", 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("activations", "loss"),
    [
        (["tanh", "relu", "softmax"], "cross_entropy"),
        (["softmax", "prelu", "sigmoid"], "binary_cross_entropy"),
        (["relu", "leaky_relu", "tanh"], "squared_error"),
        (["sigmoid"] * 5, "squared_error"),
        (["softmax"], "cross_entropy"),
    ],
)
def test_gradient_of_blocks_matches_its_trace(activations, loss, reduction, dtype, small_cache):
    rng = np.random.default_rng(5)
    widths = [3] * (len(activations) + 1)
    net = hg.Network.random(widths, activations=activations, loss=loss, reduction=reduction, seed=rng, dtype=dtype)
    for count in (150, 151, 157):
        x = rng.normal(size=(count, 3)).astype(dtype)
        match loss:
            case "cross_entropy":
                targets = [rng.integers(0, 3, count), np.eye(3, dtype=dtype)[rng.integers(0, 3, count)]]
            case _:
                targets = [rng.random((count, 3)).astype(dtype)]
        for y in targets:
            for _ in range(2):
                assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)
        (only,) = net.engine._plans[count]
        assert len(only.blocks) >= blocks.FEWEST_BLOCKS


def test_fit_in_blocks_matches_fit_in_one(small_cache, monkeypatch):
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(150, 3)), rng.normal(size=(150, 3))
    nets = [hg.Network.random([3, 3, 3], activations=["tanh", "identity"], seed=7) for _ in range(2)]
    histories = [hg.fit(nets[0], x, y, rate=0.1, epochs=5)]
    monkeypatch.setattr(blocks, "cache_size", lambda: 2**20)
    histories.append(hg.fit(nets[1], x, y, rate=0.1, epochs=5))
    assert [len(net.engine._plans[150][0].blocks) > 1 for net in nets] == [True, False]
    np.testing.assert_allclose(histories[0].losses, histories[1].losses, rtol=1e-12)


@pytest.mark.parametrize("count", [1, 7, 2047, 2048, 65_536, 1_000_003])
@pytest.mark.parametrize("widths", [(4, 16, 1), (64, 64, 10), (784, 128, 10), (784, 1024, 1024, 10)])
def test_blocks_of_a_batch_is_all_rows_in_equal_parts(widths, count):
    shapes = tuple(((n, n_prev), None) for n_prev, n in pairwise(widths))
    rows = blocks.blocks_of(shapes, 4, count)
    assert [part.start for part in rows] == [0, *(part.stop for part in rows[:-1])]
    assert rows[-1].stop == count
    sizes = [part.stop - part.start for part in rows]
    assert max(sizes) - min(sizes) <= 1
    assert len(rows) == 1 or (len(rows) >= blocks.FEWEST_BLOCKS and min(sizes) >= blocks.FEWEST_ROWS - 1)
    # A layer of 1,024 units has no blocks, on no machine: a few rows of it fill a cache.
    assert len(rows) == 1 or 1024 not in widths or blocks.cache_size() > 2**22


def test_cache_that_the_system_does_not_tell_is_the_usual_one(monkeypatch):
    def says(answer):
        monkeypatch.setattr(blocks.os, "sysconf", answer, raising=False)
        return blocks.cache_size.__wrapped__()

    def knows_no_such_name(name):
        raise ValueError(name)

    assert says(lambda name: 2**19) == 2**19
    for answer in (lambda name: 0, lambda name: -1, knows_no_such_name):
        assert says(answer) == blocks.USUAL_CACHE
    monkeypatch.delattr(blocks.os, "sysconf")
    assert blocks.cache_size.__wrapped__() == blocks.USUAL_CACHE


def some_case(count=12, dtype=np.float64, loss="squared_error"):
    last = "softmax" if loss == "cross_entropy" else "identity"
    net = hg.Network.random([4, 6, 3], activations=["tanh", last], loss=loss, seed=1, dtype=dtype)
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, count) if loss == "cross_entropy" else rng.normal(size=(count, 3)).astype(dtype)
    return Case(net, rng.normal(size=(count, 4)).astype(dtype), y)


class Kind(np.ndarray):
    """An array of another type, whose views refer to memory by other rules."""


@pytest.mark.parametrize(
    "keep",
    [
        lambda g: g,
        lambda g: g[2].b,
        lambda g: g[1].w[0],
        lambda g: g.named()["w2"].T,
        lambda g: g.flat[3:].reshape(-1)[::2],
        lambda g: g[1].w.view(Kind)[1:],
        lambda g: np.frombuffer(g[1].w),
        lambda g: torch.from_numpy(g[1].w),
    ],
)
@pytest.mark.parametrize("count", [1, plan.FEW, plan.FEW + 1, 40])
def test_what_a_caller_keeps_equals_itself_after_later_calls(count, keep):
    net, x, y = some_case(count)
    parts, copies = [], []
    for step in range(5):
        part = keep(net.gradient(x + step, y))
        parts.append(part)
        copies.append(arrays(part) if isinstance(part, hg.Gradient) and step % 2 else part)
        copies[-1] = pickle.loads(pickle.dumps(copies[-1]))
        net.gradient(2 * x, y)
    for part, copy in zip(parts, copies, strict=True):
        if isinstance(copy, dict):
            for name, array in arrays(part).items():
                np.testing.assert_array_equal(array, copy[name], strict=True)
        elif isinstance(part, hg.Gradient):
            assert part == copy
            np.testing.assert_array_equal(part.x, copy.x, strict=True)
        else:
            np.testing.assert_array_equal(part, copy, strict=True)


def test_dL_dx_asked_for_later_equals_that_of_its_own_parameters():
    net, x, y = some_case(plan.FEW + 4)
    expected = net.gradient(x, y).x.copy()
    g = net.gradient(x, y)
    net.descend(g, 0.5)
    net.layers[0].w += 1.0
    for _ in range(3):
        net.gradient(2 * x, y)
    np.testing.assert_array_equal(g.x, expected, strict=True)
    assert g.x is g.x


def in_place(net):
    net.layers[0].w[...] += 1.0


def assigned(net):
    net.layers[0].w = np.random.default_rng(len(net.layers)).normal(size=(6, 4))


def through_a_copied_layer(net):
    copy_of(net.layers[0]).w[...] += 1.0


def by_descent(net):
    net.descend(net.gradient(np.ones((2, 4)), np.ones((2, 3))), 0.5)


def by_fit(net):
    hg.fit(net, np.ones((2, 4)), np.ones((2, 3)), rate=0.5, epochs=1)


@pytest.mark.parametrize("change", [in_place, assigned, through_a_copied_layer, by_descent, by_fit])
def test_dL_dx_asked_for_later_equals_that_of_its_own_parameters_after_every_change(change):
    net, x, y = some_case(plan.FEW + 4)
    gradients, expected = [], []
    for _ in range(3):
        expected.append(net.trace(x, y).gradient.x)
        gradients += [net.gradient(x, y), net.gradient(x, y)]
        change(net)
    for number, g in enumerate(gradients):
        np.testing.assert_allclose(g.x, expected[number // 2], rtol=1e-12)


@pytest.mark.parametrize(
    "part",
    [
        lambda net: net.layers[0].w,
        lambda net: net.layers[0].w[1:],
        lambda net: net.layers[0].w.T,
        lambda net: net.named()["w1"],
        lambda net: memoryview(net.layers[0].w),
        lambda net: copy_of(net.layers[0]).w,
    ],
)
def test_dL_dx_asked_for_later_is_no_matter_of_who_keeps_w_1(part):
    net, x, y = some_case(plan.FEW + 4)
    kept = part(net)
    for _ in range(3):
        expected, g = net.trace(x, y).gradient.x, net.gradient(x, y)
        np.asarray(kept)[...] += 1.0
        np.testing.assert_allclose(g.x, expected, rtol=1e-12)


def test_w_1_that_nobody_has_is_not_copied():
    net, x, y = some_case(plan.FEW + 4)
    waiting = [net.gradient(x, y), net.gradient(x, y)]
    first = net.layers[0]._weights.snapshot()
    assert np.shares_memory(first.w, net.engine.parameters)
    net.loss(x, y), net(x), net.trace(x, y), repr(net), net.widths, net.layers[0].b
    assert net.layers[0]._weights.snapshot() is first
    net.descend(waiting[0], 0.5)
    assert not np.shares_memory(first.w, net.engine.parameters)
    # One copy serves all who wait for the same parameters.
    assert net.layers[0]._weights.snapshot() is not first
    np.testing.assert_array_equal(waiting[0].x, waiting[1].x)


def test_w_1_that_was_only_looked_at_is_not_copied():
    net = some_case(plan.FEW + 4).net
    weights = net.layers[0]._weights
    assert net.layers[0].w.sum() == net.named()["w1"].sum()
    assert np.shares_memory(weights.snapshot().w, net.engine.parameters)
    w = net.layers[0].w
    assert w is net.layers[0].w
    part = w[1:]
    del w
    # Whoever has it, or a part, may write to it.
    assert not np.shares_memory(weights.snapshot().w, net.engine.parameters)
    del part
    assert np.shares_memory(weights.snapshot().w, net.engine.parameters)


def test_w_1_of_which_a_part_is_kept_is_copied_whoever_reads_it_again():
    net, x, y = some_case(plan.FEW + 4)
    part = net.layers[0].w[1:]
    net.layers[0].w.sum()
    expected, g = net.trace(x, y).gradient.x, net.gradient(x, y)
    part += 1.0
    np.testing.assert_allclose(g.x, expected, rtol=1e-12)


def at_once(work, monkeypatch, slow):
    """Let several threads do the same, all of which have begun before the first has got through what is slow."""
    quick, found = getattr(weights_module, slow), []

    def slowed(*arguments):
        made = quick(*arguments)
        time.sleep(0.02)
        return made

    monkeypatch.setattr(weights_module, slow, slowed)
    threads = [threading.Thread(target=lambda: found.append(work())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_w_read_by_several_threads_is_one(monkeypatch):
    net = hg.Network([hg.Dense(np.ones((6, 4)), np.zeros(6))])
    kept = at_once(lambda: net.layers[0].w, monkeypatch, "ref")
    assert len(kept) == 4
    assert all(w is kept[0] for w in kept)


def test_snapshots_of_several_threads_is_one(monkeypatch):
    weights = Weights(np.ones((6, 4)))
    kept = at_once(weights.snapshot, monkeypatch, "Snapshot")
    weights.assign(np.zeros((6, 4)))
    assert len(kept) == 4
    assert all(snapshot.w.all() for snapshot in kept)


def test_w_1_that_nobody_waits_for_is_not_copied(monkeypatch):
    net, x, y = some_case(plan.FEW + 4)
    vector = net.gradient(x, y).vector
    waiting = net.gradient(x, y)
    copies, copied = [], Weights.will_change

    def counted(self):
        copies.append(self._shared() is not None)
        copied(self)

    monkeypatch.setattr(Weights, "will_change", counted)
    net.layers[0].w = np.zeros((6, 4))
    del waiting
    net.gradient(x, y)
    net.layers[0].w = np.ones((6, 4))
    assert copies == [True, False]
    assert vector.any()


@pytest.mark.parametrize("copied", [copy_of, deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_layer_copied_equals_the_layer(copied):
    layer = hg.Network.random([3, 2], activations=["prelu"], seed=1).layers[0]
    layer.w[0, 0] = 5.0
    other = copied(layer)
    assert repr(other) == repr(layer)
    for name in ("w", "b", "alpha"):
        np.testing.assert_array_equal(getattr(other, name), getattr(layer, name), strict=True)


def test_memory_that_nobody_refers_to_serves_again():
    net, x, y = some_case(plan.FEW + 4)
    net.gradient(x, y)
    (only,) = net.engine._plans[len(x)]
    for _ in range(4):
        net.gradient(x, y)
    assert len(only.results) == 1
    g = net.gradient(x, y)
    for _ in range(4):
        g = net.gradient(x, y)
    assert len(only.results) == 2
    assert any(results.lender.lent() is not None for results in only.results)
    del g
    assert all(results.lender.lent() is None for results in only.results)


def test_memory_of_a_plan_is_that_of_two_gradients():
    net, x, y = some_case(plan.FEW + 4)
    held = [net.gradient(x, y) for _ in range(4)]
    (only,) = net.engine._plans[len(x)]
    assert len(only.results) == 2
    assert all(g == held[0] for g in held)


@pytest.mark.parametrize("count", [1, plan.FEW, 64])
def test_gradients_of_several_threads_equal_those_of_one(count, monkeypatch):
    # Of one example the program, which rounds in its own way, would soon take over.
    monkeypatch.setattr(engine, "OFTEN", np.inf)
    net, x, y = some_case(count)
    batches = [(x * factor, y) for factor in (0.5, 1.0, 2.0, 3.0)]
    expected = [net.gradient(*batch) for batch in batches]
    for g in expected:
        assert g.x is not None
    found, start = {}, threading.Barrier(4)

    def work(number):
        start.wait()
        found[number] = [net.gradient(*batches[number]) for _ in range(300)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(found) == 4
    for number, gradients in found.items():
        for g in gradients:
            assert g == expected[number]
            np.testing.assert_array_equal(g.x, expected[number].x, strict=True)
    assert len(net.engine._plans[count]) <= 4


@pytest.mark.parametrize("count", [1, plan.FEW, 64])
def test_gradient_is_out_of_reach_of_whoever_takes_the_plan_next(monkeypatch, count):
    net, x, y = some_case(count)
    expected, returned = net.gradient(x, y), engine.Engine._returned
    of_x = expected.x.copy()
    taken = []

    def returned_and_taken(self, plan):
        returned(self, plan)
        if not taken:
            taken.append(plan)
            self.gradient(2 * x, y)

    monkeypatch.setattr(engine.Engine, "_returned", returned_and_taken)
    g = net.gradient(x, y)
    assert taken
    assert g == expected
    np.testing.assert_array_equal(g.x, of_x, strict=True)


def test_plans_of_many_batch_sizes_are_few():
    net, x, y = some_case(40)
    for count in range(1, 40):
        net.gradient(x[:count], y[:count])
        assert len(net.engine._plans) <= engine.MOST_PLANS


def test_plans_of_a_few_batch_sizes_are_kept():
    net, x, y = some_case(40)
    counts, plans = range(1, engine.MOST_PLANS + 1), []
    for _ in range(2):
        for count in counts:
            net.gradient(x[:count], y[:count])
        plans.append([net.engine._plans[count][0] for count in counts])
    assert all(first is second for first, second in zip(*plans, strict=True))


def test_plan_dies_with_its_network():
    net, x, y = some_case()
    g = net.gradient(x, y)
    alive = weakref.ref(net.engine._plans[len(x)][0])
    vector = g.vector
    del net
    gc.collect()
    assert alive() is None
    np.testing.assert_array_equal(g.vector, vector)


@pytest.mark.parametrize("name", ["w", "b", "alpha"])
def test_parameter_assigned_is_what_is_computed_with(name):
    activation = hg.Activation("prelu", alpha=(0.5, 0.25))
    net = hg.Network([hg.Dense([[1.0, -2.0], [0.5, 1.0]], [0.5, 0.0], activation)])
    x, y = np.array([[1.0, 2.0], [-3.0, 0.25]]), np.array([[1.0, 2.0], [0.0, 1.0]])
    before = net.gradient(x, y)
    memory = getattr(net.layers[0], name)
    value = np.full(memory.shape, 0.75)
    setattr(net.layers[0], name, value)
    assert getattr(net.layers[0], name) is memory
    np.testing.assert_array_equal(memory, value, strict=True)
    value[...] = np.nan
    assert net.gradient(x, y) != before
    assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)


def test_error_in_a_call_is_no_loss_of_the_plan():
    net, x, y = some_case()
    expected = net.gradient(x, y)
    with pytest.raises(ValueError, match="y must have shape"):
        net.gradient(x, y[:-1])
    assert net.gradient(x, y) == expected


@pytest.mark.parametrize("activation", ["tanh", "prelu"])
def test_plan_keeps_no_x_alive(activation):
    net = hg.Network.random([4, 3], activations=[activation], seed=1)
    x, y = np.ones((20, 4)), np.ones((20, 3))
    alive = weakref.ref(x)
    net.gradient(x, y)
    del x
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_y_of_one_example_that_is_not_finite_raises_with_its_own_place(loss):
    net = hg.Network.random([3, 2], activations=["sigmoid"], loss=loss, seed=1)
    for call in (net.gradient, net.loss, net.trace):
        with pytest.raises(ValueError, match=r"y must be finite; y\[1\] is nan"):
            call(np.ones(3), np.array([1.0, np.nan]))


@pytest.mark.parametrize("count", [1, 3])
def test_gradient_of_a_layer_wider_than_a_row_matches_its_trace(count):
    net = hg.Network.random([2, 5000, 3], activations=["relu", "identity"], seed=1)
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(count, 2)), rng.normal(size=(count, 3))
    assert_matches(net.gradient(x, y), net.trace(x, y).gradient, net, x, y)


def test_w_read_by_whoever_interrupts_the_reading_is_the_same(monkeypatch):
    """A signal's handler runs in the midst of it, in the same thread."""
    net, within, interruptions = hg.Network([hg.Dense(np.ones((6, 4)), np.zeros(6))]), [], iter([True])

    def interrupted(array):
        if next(interruptions, False):
            within.append(net.layers[0].w)
        return weakref.ref(array)

    monkeypatch.setattr(weights_module, "ref", interrupted)
    w = net.layers[0].w
    assert np.shares_memory(w, within[0])
    assert net.layers[0]._weights.is_lent
