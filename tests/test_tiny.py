"""One example of a tiny network that is asked often: computed by its program, with the same numbers, errors and manners."""

import pickle
import threading
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import handgrad as hg
from handgrad.fast import engine
from verification.bounds.analysis import bounds
from verification.bounds.entries import shares
from verification.bounds.quantities import without_batch_axis
from verification.bounds.rounding import STABLE
from verification.random_networks.plain import plain_case
from verification.random_networks.strategies import cases

DTYPES = [np.float64, np.float32]
LOSSES = {
    "squared_error": ("identity", [[0.5, -1.0], np.array([0.5, -1.0]), np.array([0.5, -1.0], np.float32), np.array([1, -2])]),
    "cross_entropy": ("softmax", [1, np.int64(1), np.uint8(1), np.array(1), [0.25, 0.75], np.array([0.25, 0.75])]),
    "binary_cross_entropy": ("sigmoid", [[0.25, 1.0], np.array([0.0, 1.0]), [True, False], np.array([0, 1])]),
}


def network(loss="squared_error", dtype=np.float64, seed=1):
    return hg.Network.random([3, 4, 2], activations=["tanh", LOSSES[loss][0]], loss=loss, seed=seed, dtype=dtype)


def is_by_program(net):
    return net.engine._tiny is not None


@pytest.fixture
def at_once(monkeypatch):
    """Let the first call be often enough."""
    monkeypatch.setattr(engine, "OFTEN", 0)


def assert_matches_trace(net, x, y):
    with np.errstate(all="ignore"):
        allowed = bounds(plain_case(net, x, y), STABLE)
        expected, g = net.trace(x, y).gradient, net.gradient(x, y)
    allowed = without_batch_axis(allowed) if np.ndim(x) == 1 else allowed
    for name, right in (expected.named() | {"x": expected.x, "loss": np.asarray(expected.loss)}).items():
        array = (g.named() | {"x": g.x, "loss": np.asarray(g.loss)})[name]
        assert (array.shape, array.dtype) == (right.shape, right.dtype), name
        assert shares(array, right, 2 * allowed[name]).max() <= 1, name


def test_gradient_by_program_matches_its_trace():
    compared = []

    @settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
    @given(cases(max_examples=1, max_width=5, max_layers=3))
    def holds(case):
        net, x, y = case
        assert_matches_trace(net, x, y)
        compared.append(is_by_program(net))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "OFTEN", 0)
        holds()
    assert sum(compared) > len(compared) / 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_target_of_every_kind_matches_its_trace(loss, dtype, at_once):
    net = network(loss, dtype)
    x = np.array([0.5, -1.0, 2.0])
    for y in LOSSES[loss][1]:
        for as_x in (x, x.astype(np.float32), x.tolist(), x[::-1][::-1]):
            assert_matches_trace(net, as_x, y)
            assert_matches_trace(net, np.array(as_x)[None], np.array(y)[None])
    assert is_by_program(net)


def test_network_asked_often_is_computed_by_its_program():
    net = network()
    x, y = np.ones(3), np.ones(2)
    first = net.gradient(x, y)
    for _ in range(2 * engine.OFTEN):
        net.gradient(np.ones((2, 3)), np.ones((2, 2)))
    for _ in range(engine.OFTEN - 1):
        net.gradient(x, y)
        assert not is_by_program(net)
    g = net.gradient(x, y)
    assert is_by_program(net)
    np.testing.assert_allclose(g.vector, first.vector, rtol=1e-14)
    # Another network starts anew.
    other = network()
    other.gradient(x, y)
    assert not is_by_program(other)


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ([2, 2, 2], True),
        ([4, 8, 3], True),
        ([5] * 6, True),
        ([8, 8, 8], False),
        ([64, 10], False),
        ([1, 45], False),
        ([7, 7, 7], False),
        ([5] * 21, False),
    ],
)
def test_network_of_more_multiply_adds_is_computed_as_ever(widths, expected, at_once):
    net = hg.Network.random(widths, activations=["tanh"] * (len(widths) - 1), seed=1)
    net.gradient(np.ones(widths[0]), np.ones(widths[-1]))
    assert is_by_program(net) == expected


@pytest.mark.parametrize(("classes", "expected"), [(4, True), (12, True), (30, False)])
def test_network_of_many_classes_is_computed_as_ever(classes, expected, at_once):
    net = hg.Network.random([1, classes], activations=["softmax"], loss="cross_entropy", seed=1)
    net.gradient([1.0], 0)
    assert is_by_program(net) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["w1", "b1", "alpha1", "w2", "b3"])
def test_parameter_that_is_not_finite_is_seen_as_ever(name, value, monkeypatch):
    net = hg.Network.random([2, 3, 2, 1], activations=["prelu", "relu", "tanh"], seed=2)
    net.named()[name][...] = value
    x, y = np.array([0.5, -1.0]), np.array([1.0])
    expected = net.gradient(x, y)
    monkeypatch.setattr(engine, "OFTEN", 0)
    np.testing.assert_array_equal(net.gradient(x, y).vector, expected.vector)


def test_derivative_beyond_float32_is_infinite(at_once):
    net = hg.Network(
        [hg.Dense(np.array([[1e-30]], np.float32), np.zeros(1, np.float32)), hg.Dense(np.array([[1e-4]], np.float32), [0.0])]
    )
    x, y = np.array([1e30], np.float32), np.array([-1e19], np.float32)
    g = net.gradient(x, y)
    assert is_by_program(net)
    np.testing.assert_array_equal(np.isinf(g[1].w), np.isinf(net.trace(x, y)[1].dL_dw))
    net.layers[0].w, x = np.array([[1e30]], np.float32), np.array([1e-30], np.float32)
    assert np.isinf(net.gradient(x, y).x).all()
    assert np.isinf(g[1].w).all()


BAD = {
    "another width": ([1.0, 2.0], [1.0, 2.0]),
    "NaN in x": ([1.0, np.nan, 2.0], [1.0, 2.0]),
    "infinity in x": (np.array([1.0, np.inf, -np.inf]), np.array([1.0, 2.0])),
    "NaN in y": (np.ones(3), np.array([np.nan, 1.0])),
    "infinity in y": (np.ones(3), np.array([1.0, np.inf])),
    "minus infinity in x": (np.array([1.0, -np.inf, 1.0]), np.array([1.0, 2.0])),
    "NaN in x, and another shape of y": (np.array([1.0, np.nan, 1.0]), np.ones(3)),
    "another shape of y": (np.ones(3), np.ones(3)),
    "a column for y": (np.ones((1, 3)), np.ones((2, 1))),
    "complex y": (np.ones(3), np.ones(2) * 1j),
    "text for y": (np.ones(3), np.array(["a", "b"])),
    "y with a batch axis": (np.ones(3), np.ones((1, 2))),
    "y without one": (np.ones((1, 3)), np.ones(2)),
    "text": (["a", "b", "c"], np.ones(2)),
    "no example": (np.ones((0, 3)), np.ones((0, 2))),
    "three axes": (np.ones((1, 1, 3)), np.ones(2)),
    "complex": (np.ones(3) * 1j, np.ones(2)),
}
BAD_CLASSES = {
    "-1": -1,
    "C": 2,
    "array of C": np.array(2),
    "a fraction": 0.5,
    "a float": np.float64(1.0),
    "a truth value": np.bool_(True),
    "an array of one": np.array(True),
    "a time": np.timedelta64(1),
    "masked": np.ma.array(1, mask=True),
    "of a batch of one": np.array([1]),
    "true": True,
    "of a sum": [0.5, 0.9],
}
BAD_YES_OR_NO = {"2": [2.0, 0.0], "negative": [-0.5, 1.0], "NaN": [np.nan, 1.0], "one": [1.0]}


@pytest.mark.parametrize(
    ("loss", "x", "y"),
    [
        *(pytest.param("squared_error", *data, id=name) for name, data in BAD.items()),
        *(pytest.param("cross_entropy", np.ones(3), y, id=f"class {name}") for name, y in BAD_CLASSES.items()),
        *(pytest.param("binary_cross_entropy", np.ones(3), y, id=f"yes or no {name}") for name, y in BAD_YES_OR_NO.items()),
    ],
)
def test_gradient_by_program_raises_as_ever(loss, x, y, monkeypatch):
    def error():
        net = network(loss)
        net.gradient(np.ones(3), 1 if loss == "cross_entropy" else np.ones(2))  # the program, if it is one, is there now
        with pytest.raises((TypeError, ValueError)) as info:
            net.gradient(x, y)
        return info.type, str(info.value)

    as_ever = error()
    monkeypatch.setattr(engine, "OFTEN", 0)
    assert error() == as_ever


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0.3, 0.5, 0.6, 0.9])
def test_what_overflows_is_as_infinite_as_its_trace_and_without_warnings(size, dtype, at_once):
    largest = float(np.finfo(dtype).max)
    w = np.array([[largest**size, -(largest**size)], [1.0, largest**size]], dtype)
    net = hg.Network([hg.Dense(w, np.ones(2, dtype), name) for name in ("relu", "identity")])
    x, y = np.array([largest ** (1 - size) / 4, 1.0], dtype), np.ones(2, dtype)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        g = net.gradient(x, y)
        assert g.x is not None
    with np.errstate(all="ignore"):
        expected = net.trace(x, y).gradient
    if dtype is np.float64 or not is_by_program(net):
        np.testing.assert_array_equal(np.isnan(g.vector), np.isnan(expected.vector))
        np.testing.assert_array_equal(np.isinf(g.vector), np.isinf(expected.vector))
    else:  # what lies beyond 32 bits on the way only is a number there
        assert np.isfinite(g.vector).sum() >= np.isfinite(expected.vector).sum()


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient_by_program_is_the_callers_own(dtype, at_once):
    net = network(dtype=dtype)
    x, y = np.array([0.5, -1.0, 2.0], dtype), np.array([0.25, 1.0], dtype)
    copies = x.copy(), y.copy(), net.engine.parameters.copy()
    g = net.gradient(x, y)
    expected, of_x = pickle.loads(pickle.dumps(g)), net.gradient(x, y).x
    for array in (g[1].w, g[2].b, net.layers[0].w, net.layers[1].b):
        array += 1.0
    assert np.array_equal(x, copies[0])
    assert np.array_equal(y, copies[1])
    assert g.flat.flags.writeable
    assert g.x.dtype == dtype
    np.testing.assert_array_equal(g.x, of_x, strict=True)
    assert g != expected
    # What was written to the parameters is what is computed with.
    assert_matches_trace(net, x, y)
    assert not np.array_equal(net.engine.parameters, copies[2])


def test_gradients_by_program_of_several_threads_equal_those_of_one(at_once):
    net = network()
    xs = [np.array([0.5, -1.0, 2.0]) * factor for factor in range(1, 5)]
    y = np.ones(2)
    expected = [net.gradient(x, y) for x in xs]
    found = {}

    def work(number):
        found[number] = [net.gradient(xs[number], y) for _ in range(300)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(g == expected[number] for number, gradients in found.items() for g in gradients)
