"""The matrix form: what it takes, gives and leaves alone. Its numbers are held to the literal form in test_literal."""

import copy
import pickle

import numpy as np
import pytest

import handgrad as hg

DTYPES = [np.float64, np.float32]
ACTIVATIONS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softmax"]


def dyadic(dtype=np.float64, reduction="mean"):
    """Return a 3-4-2 network of small multiples of 1/4 without transcendental functions: its arithmetic is exact."""
    rng = np.random.default_rng(20)
    w1, b1, w2, b2 = (rng.integers(-8, 8, shape) / 4 for shape in ((4, 3), 4, (2, 4), 2))
    layers = [
        hg.Dense(w1.astype(dtype), b1.astype(dtype), hg.Activation("prelu", alpha=[0.5, -1, 2, 0])),
        hg.Dense(w2.astype(dtype), b2.astype(dtype), hg.Activation("leaky_relu", slope=0.25)),
    ]
    return hg.Network(layers, reduction=reduction)


def data(dtype=np.float64, count=4):
    rng = np.random.default_rng(21)
    return rng.integers(-6, 6, (count, 3)).astype(dtype) / 2, rng.integers(-6, 6, (count, 2)).astype(dtype) / 2


def classifier(dtype=np.float64, reduction="mean"):
    return hg.Network.random(
        [3, 4, 3], activations=["tanh", "softmax"], loss="cross_entropy", reduction=reduction, seed=22, dtype=dtype
    )


def same_traces(one, other):
    assert one.loss == other.loss
    for mine, theirs in zip(one, other, strict=True):
        for name in hg.LayerTrace.__dataclass_fields__:
            a, b = getattr(mine, name), getattr(theirs, name)
            assert (a is None) == (b is None), name
            if a is not None:
                np.testing.assert_array_equal(a, b, strict=True, err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
def test_worked_example_equals_hand_numbers(dtype):
    """z1 = (2·1 − 1·0.5 + 0.5, −1·1 + 0.5·0.5 + 0) = (2, −0.75), and so on; every number is dyadic."""
    net = hg.Network(
        [
            hg.Dense(np.array([[2, -1], [-1, 0.5]], dtype), np.array([0.5, 0], dtype), hg.Activation("prelu", alpha=0.5)),
            hg.Dense(np.array([[1, 4]], dtype), np.array([-0.5], dtype), "identity"),
        ]
    )
    t = net.trace(np.array([1, 0.5], dtype), np.array([1], dtype))
    g = t.gradient
    for got, hand in (
        (t[1].a_prev, [1, 0.5]),
        (t[1].z, [2, -0.75]),
        (t[1].a, [2, -0.375]),
        (t[2].a_prev, [2, -0.375]),
        (t[2].z, [0]),
        (t[2].a, [0]),
        (t[2].dL_da, [-2]),
        (t[2].da_dz, [1]),
        (t[2].dL_dz, [-2]),
        (g[2].w, [[-4, 0.75]]),
        (g[2].b, [-2]),
        (t[2].dL_da_prev, [-2, -8]),
        (t[1].dL_da, [-2, -8]),
        (t[1].da_dz, [1, 0.5]),
        (t[1].dL_dz, [-2, -4]),
        (g[1].w, [[-2, -1], [-4, -2]]),
        (g[1].b, [-2, -4]),
        (g[1].alpha, 6),
        (g.x, [0, 0]),
    ):
        np.testing.assert_array_equal(got, np.array(hand, dtype), strict=True)
    assert t.loss == g.loss == net.loss([1, 0.5], [1]) == 1
    assert g[2].alpha is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_one_example_equals_the_batch_of_one(reduction, dtype):
    x, y = data(dtype)
    for net, one, batch in (
        (dyadic(dtype, reduction), y[0], y[:1]),
        (classifier(dtype, reduction), 2, [2]),
        (classifier(dtype, reduction), [0.25, 0.5, 0.25], [[0.25, 0.5, 0.25]]),
    ):
        np.testing.assert_array_equal(net(x[0]), net(x[:1])[0], strict=True)
        assert net.loss(x[0], one) == net.loss(x[:1], batch)
        single, of_one = net.gradient(x[0], one), net.gradient(x[:1], batch)
        assert single == of_one
        np.testing.assert_array_equal(single.x, of_one.x[0], strict=True)
        for layer, whole in zip(net.trace(x[0], one), net.trace(x[:1], batch), strict=True):
            for name in ("a_prev", "z", "a", "dL_da", "da_dz", "dL_dz", "dL_da_prev"):
                if getattr(layer, name) is None:
                    assert getattr(whole, name) is None
                else:
                    np.testing.assert_array_equal(getattr(layer, name), getattr(whole, name)[0], strict=True)
            for name in ("dL_dw", "dL_db"):
                np.testing.assert_array_equal(getattr(layer, name), getattr(whole, name), strict=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sum_equals_mean_times_the_number_of_examples(dtype):
    x, y = data(dtype, 4)  # 4 is a power of two: the factor 1/4 is exact
    mean, total = dyadic(dtype), dyadic(dtype, "sum")
    assert total.loss(x, y) == 4 * mean.loss(x, y)
    assert total.gradient(x, y) == 4 * mean.gradient(x, y)
    np.testing.assert_array_equal(total.gradient(x, y).x, 4 * mean.gradient(x, y).x, strict=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_equals_its_examples_added(dtype):
    x, y = data(dtype)
    net = dyadic(dtype, "sum")
    each = [net.gradient(x_i, y_i) for x_i, y_i in zip(x, y, strict=True)]
    assert each[0] + each[1] + each[2] + each[3] == net.gradient(x, y)
    np.testing.assert_array_equal(np.stack([g.x for g in each]), net.gradient(x, y).x, strict=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts_and_number_types_equal_a_plain_array(dtype):
    x, y = data(dtype)
    net = dyadic(dtype)
    plain = net.trace(x, y)
    wide = np.full((8, 6), np.nan, dtype)
    wide[::2, 1::2] = x
    backwards = x[::-1].copy()
    fixed = x.copy()
    fixed.flags.writeable = False
    for other in (np.asfortranarray(x), wide[::2, 1::2], backwards[::-1], fixed, x.tolist(), tuple(map(tuple, x.tolist()))):
        same_traces(net.trace(other, y), plain)
        np.testing.assert_array_equal(net(other), net(x), strict=True)
    same_traces(net.trace(x, np.asfortranarray(y)), plain)
    for kind in (np.float16, np.float32, np.float64):
        same_traces(net.trace(x.astype(kind), y.astype(kind)), plain)
    # Integers and truth values are converted, too.
    whole = np.array([[1, 0, 3], [0, 1, 1]])
    for kind in (np.int8, np.uint8, np.int64, np.uint64, ">i4"):
        same_traces(
            net.trace(whole.astype(kind), whole[:, :2].astype(kind)), net.trace(whole.astype(dtype), whole[:, :2] * 1.0)
        )
    same_traces(net.trace(whole > 0, whole[:, :2] > 0), net.trace((whole > 0) * 1.0, (whole[:, :2] > 0) * 1.0))


class Tensor:
    """An array of another package, which NumPy reads through `__array__`."""

    def __init__(self, numbers):
        self.numbers = np.asarray(numbers)

    def __array__(self, dtype=None, copy=None):
        return self.numbers


def test_foreign_arrays_equal_a_plain_array():
    x, y = data()
    same_traces(dyadic().trace(Tensor(x), Tensor(y)), dyadic().trace(x, y))
    assert np.array_equal(hg.Dense(Tensor([[1.0]]), Tensor([2.0])).b, [2.0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_dtype_is_kept(name, dtype):
    loss = "cross_entropy" if name == "softmax" else "squared_error"
    net = hg.Network.random([3, 2, 3], activations=[name, name], loss=loss, seed=3, dtype=dtype)
    x = np.random.default_rng(4).normal(size=(5, 3))
    y = [0, 1, 2, 0, 1] if name == "softmax" else x
    assert net(x).dtype == net(x[0]).dtype == net.dtype == dtype
    g, t = net.gradient(x, y), net.trace(x, y)
    assert {array.dtype for array in [*g.named().values(), g.vector, g.x, *t.named().values()]} == {np.dtype(dtype)}
    assert all(isinstance(array, np.ndarray) for array in [*g.named().values(), *t.named().values()])
    assert type(net.loss(x, y)) is type(g.loss) is float
    net.descend(g, 0.1)
    assert {array.dtype for array in net.named().values()} == {np.dtype(dtype)}


def test_results_are_the_callers_own():
    x, y = data()
    net = dyadic()
    kept_x, parameters = x.copy(), copy.deepcopy(net.named())
    first = net.gradient(x, y)
    vector, of_x = first.vector, first.x.copy()
    t = net.trace(x, y)
    assert not np.shares_memory(t[1].a_prev, x)
    for _ in range(2):
        net.gradient(2 * x, y)
    np.testing.assert_array_equal(first.vector, vector)
    np.testing.assert_array_equal(first.x, of_x)
    for array in [*first.named().values(), first.x, *t.named().values(), t[1].a_prev, t[2].dL_da_prev, net(x), net(x[0])]:
        array[...] = np.nan
    np.testing.assert_array_equal(x, kept_x)
    for name, array in net.named().items():
        np.testing.assert_array_equal(array, parameters[name])


@pytest.mark.parametrize("net", [dyadic(), classifier()], ids=repr)
def test_arguments_are_not_modified(net):
    x, y = data()
    soft = np.array([[0.25, 0.5, 0.25]] * 4)
    targets = [y] if net.loss_name == "squared_error" else [np.array([0, 2, 1, 1], np.uint8), soft]
    for target in targets:
        kept = x.copy(), target.copy()
        net(x), net.loss(x, target), net.gradient(x, target), net.trace(x, target)
        g = net.gradient(x, target)
        vector = g.vector
        copy.deepcopy(net).descend(g, 0.5)
        hg.literal.gradient(net, x, target)
        hg.fit(copy.deepcopy(net), x, target, rate=0.001, epochs=2, batch_size=3, seed=0)
        np.testing.assert_array_equal(x, kept[0], strict=True)
        np.testing.assert_array_equal(target, kept[1], strict=True)
        np.testing.assert_array_equal(g.vector, vector, strict=True)
        x.flags.writeable = target.flags.writeable = False
        assert net.gradient(x, target) == g
        x.flags.writeable = target.flags.writeable = True


def test_constructors_copy():
    w, b, alpha = np.array([[1.0, 2.0]]), np.array([3.0]), np.array([0.5])
    layer = hg.Dense(w, b, hg.Activation("prelu", alpha=alpha))
    net = hg.Network([layer])
    w[:], b[:], alpha[:] = 7, 7, 7
    assert (layer.w.tolist(), layer.b.tolist(), layer.alpha.tolist()) == ([[1, 2]], [3], 0.5)
    layer.w[:], layer.b[:], layer.alpha[...] = 8, 8, 8
    assert (net.layers[0].w.tolist(), net.layers[0].b.tolist(), net.layers[0].alpha.tolist()) == ([[1, 2]], [3], 0.5)
    twice = hg.Network([net.layers[0]])
    twice.layers[0].w[:] = 9
    assert net.layers[0].w.tolist() == [[1, 2]]


def test_two_layers_from_one_dense_are_apart():
    layer = hg.Dense([[1.0]], [0.0], hg.Activation("prelu", alpha=0.5))
    net = hg.Network([layer, layer])
    net.layers[0].w[:], net.layers[0].alpha[...] = 5, 5
    assert net.layers[1].w.tolist() == [[1]]
    assert net.layers[1].alpha == 0.5


def test_parameters_are_taken_in_any_layout():
    w = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    layer = hg.Dense(w, np.arange(4.0)[::2])
    assert layer.w.flags.c_contiguous
    np.testing.assert_array_equal(layer.w, w)
    np.testing.assert_array_equal(layer.b, [0, 2])
    single = hg.Dense(w.astype(np.float32), [0.5, 1], hg.Activation("prelu", alpha=0.1))
    assert (single.w.dtype, single.b.dtype, single.alpha.dtype) == (np.float32,) * 3
    assert single.alpha == np.float32(0.1)


def test_trained_slope_survives_a_new_network():
    net = hg.Network(
        [hg.Dense([[1.0], [1.0]], [0.0, 0.0], hg.Activation("prelu", alpha=[0.5, 0.25])), hg.Dense([[1.0, 1.0]], [0.0])]
    )
    net.descend(net.gradient([-1.0], [1.0]), 0.25)
    trained = net.layers[0].alpha.copy()
    assert not np.array_equal(trained, [0.5, 0.25])
    for other in (hg.Network(net.layers), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(other.layers[0].alpha, trained, strict=True)
        assert not np.shares_memory(other.layers[0].alpha, net.layers[0].alpha)
        np.testing.assert_array_equal(other([-1.0]), net([-1.0]))
        assert other.gradient([-1.0], [1.0]) == net.gradient([-1.0], [1.0])


def test_shared_slope_of_one_unit_is_a_number():
    layer = hg.Dense([[1.0]], [0.0], hg.Activation("prelu", alpha=[0.5]))
    assert layer.alpha.shape == ()
    assert hg.Network([layer]).gradient([[-2.0]], [[0.0]])[1].alpha.shape == ()
    for value in ([0.25], np.array([0.25]), 0.25):
        layer.alpha = 0.5
        layer.alpha = value
        assert layer.alpha.shape == ()
        assert layer.alpha == 0.25


@pytest.mark.parametrize("dtype", DTYPES)
def test_random_is_of_its_seed(dtype):
    options = {"activations": ["prelu", "tanh"], "dtype": dtype}
    one, same, other = (hg.Network.random([3, 4, 2], seed=seed, **options) for seed in (5, 5, 6))
    from_generator = hg.Network.random([3, 4, 2], seed=np.random.default_rng(5), **options)
    unseeded = [hg.Network.random([3, 4, 2], **options) for _ in range(2)]
    for name, array in one.named().items():
        np.testing.assert_array_equal(array, same.named()[name], strict=True)
        np.testing.assert_array_equal(array, from_generator.named()[name], strict=True)
        if not name.startswith("alpha"):
            assert not np.array_equal(array, other.named()[name])
            assert not np.array_equal(unseeded[0].named()[name], unseeded[1].named()[name])
            assert array.dtype == dtype
            assert np.count_nonzero(array) == array.size
            assert len(np.unique(array)) == array.size


@pytest.mark.parametrize(
    ("activation", "variance"),
    [
        ("identity", 2 / (300 + 200)),
        ("sigmoid", 2 / (300 + 200)),
        ("tanh", 2 / (300 + 200)),
        ("softmax", 2 / (300 + 200)),
        ("relu", 2 / 300),
        ("leaky_relu", 2 / (300 * (1 + 0.01**2))),
        (hg.Activation("leaky_relu", slope=-2), 2 / (300 * 5)),
        ("prelu", 2 / (300 * (1 + 0.25**2))),
        (hg.Activation("prelu", alpha=[0.0, 2.0] * 100), 2 / (300 * (1 + 2))),
    ],
    ids=str,
)
def test_random_matches_glorots_and_hes_variances(activation, variance):
    net = hg.Network.random([300, 200], activations=[activation], seed=7)
    w, b = net.layers[0].w, net.layers[0].b
    # The variance of m normal numbers has a relative standard deviation of √(2/m), their mean one of √(variance/m): 5 of them.
    assert abs(np.var(w) / variance - 1) <= 5 * np.sqrt(2 / w.size)
    assert abs(w.mean()) <= 5 * np.sqrt(variance / w.size)
    assert abs(np.var(b) / 0.01 - 1) <= 5 * np.sqrt(2 / b.size)
    assert abs(b.mean()) <= 5 * np.sqrt(0.01 / b.size)


def test_trace_has_every_quantity_in_its_shape():
    net = hg.Network.random([3, 4, 5, 2], activations=["prelu", "softmax", "sigmoid"], seed=8)
    x, y = np.ones((6, 3)), np.ones((6, 2))
    for t, lead in ((net.trace(x, y), (6,)), (net.trace(x[0], y[0]), ())):
        for layer, (n_prev, n), jacobian in zip(t, ((3, 4), (4, 5), (5, 2)), ((), (5,), ()), strict=True):
            shapes = {
                name: getattr(layer, name).shape for name in ("a_prev", "z", "a", "dL_da", "da_dz", "dL_dz", "dL_da_prev")
            }
            assert shapes == {
                "a_prev": (*lead, n_prev),
                "z": (*lead, n),
                "a": (*lead, n),
                "dL_da": (*lead, n),
                "da_dz": (*lead, n, *jacobian),
                "dL_dz": (*lead, n),
                "dL_da_prev": (*lead, n_prev),
            }
            assert (layer.dL_dw.shape, layer.dL_db.shape) == ((n, n_prev), (n,))
        assert [layer.dL_dalpha is None for layer in t] == [False, True, True]
        assert list(t.named()) == [f"{name}{number}" for number in (1, 2, 3) for name in ("z", "a", "dL_da", "da_dz", "dL_dz")]
        assert t.named()["dL_dz2"] is t[2].dL_dz


def test_joined_factors_are_not_formed():
    net = classifier()
    x, _ = data()
    for of in (net.trace, lambda x, y: hg.literal.trace(net, x, y)):
        t = of(x, [0, 1, 2, 0])
        assert t[2].dL_da is None
        assert t[2].da_dz is None
        assert t[1].dL_da.shape == t[1].da_dz.shape == (4, 4)
        assert list(t.named()) == ["z1", "a1", "dL_da1", "da_dz1", "dL_dz1", "z2", "a2", "dL_dz2"]


def test_predictions_of_a_classifier_are_probabilities():
    p = classifier()(data()[0])
    assert (p > 0).all()
    # Each of three quotients and their sum err by at most 3u.
    assert np.abs(p.sum(axis=1) - 1).max() <= 6 * 2.0**-53


def test_reprs_equal_their_descriptions():
    assert repr(hg.Dense([[1.0, 2.0]], [0.5])) == "Dense(2 -> 1, identity, float64)"
    assert repr(dyadic(np.float32)) == "Network(3-4-2, prelu, leaky_relu; squared_error, mean; float32; 30 parameters)"
    assert repr(classifier(reduction="sum")) == "Network(3-4-3, tanh, softmax; cross_entropy, sum; float64; 31 parameters)"
    assert dyadic().widths == (3, 4, 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_saturated_network_is_finite_without_warnings(dtype):
    """Pre-activations up to 1e4 through every activation, forward and back."""
    names = ["tanh", "sigmoid", "prelu", "softmax", "leaky_relu", "relu", "identity", "softmax"]
    rng = np.random.default_rng(9)
    layers = [hg.Dense((1e4 * rng.normal(size=(4, 4))).astype(dtype), np.zeros(4, dtype), name) for name in names]
    net = hg.Network(layers, "cross_entropy")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        t = net.trace(rng.normal(size=(5, 4)), [0, 1, 2, 3, 0])
    assert all(np.isfinite(array).all() for array in t.named().values())
    assert np.isfinite(t.gradient.vector).all()
    assert np.isfinite(t.loss)


@pytest.mark.parametrize(
    ("of", "name", "value"),
    [
        (lambda net: net, "layers", ()),
        (lambda net: net, "loss_name", "cross_entropy"),
        (lambda net: net, "reduction", "sum"),
        (lambda net: net, "dtype", np.float32),
        (lambda net: net.layers[0], "activation", hg.Activation("relu")),
    ],
)
def test_what_a_plan_is_made_for_raises_when_assigned(of, name, value):
    net = dyadic()
    before = getattr(of(net), name)
    with pytest.raises(AttributeError):
        setattr(of(net), name, value)
    assert getattr(of(net), name) is before


class OwnNetwork(hg.Network):
    pass


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_network_equals_itself(protocol):
    net = OwnNetwork([hg.Dense([[1.0, 2.0]], [0.5], hg.Activation("prelu", alpha=0.5))])
    net.layers[0].w[0, 0] = np.nan  # a network that went wrong can still be looked at
    other = pickle.loads(pickle.dumps(net.layers[0], protocol))
    assert (type(other), other.activation) == (hg.Dense, net.layers[0].activation)
    np.testing.assert_array_equal(other.w, net.layers[0].w, strict=True)
    net.layers[0].w = [[1.0, 2.0]]
    again = pickle.loads(pickle.dumps(net, protocol))
    assert type(again) is OwnNetwork
    x, y = np.array([[1.0, 2.0], [-3.0, 0.5]]), np.ones((2, 1))
    assert again.gradient(x, y) == net.gradient(x, y)
    again.descend(again.gradient(x, y), 0.5)
    assert again.gradient(x, y) != net.gradient(x, y)


def largest(dtype):
    return float(np.finfo(dtype).max)


# Of each network what it is, and numbers so large that its loss, or something on the way, overflows: weights, inputs, targets.
OVERFLOWING = {
    "square": (["tanh", "identity"], "squared_error", lambda most: (1, 1, most / 4)),
    "difference": (["identity"], "squared_error", lambda most: (1, most / 4, -most / 1.5)),
    "sum of squares": (["identity"], "squared_error", lambda most: (0.5, 1, 0.9 * most**0.5)),
    "derivative by a weight": (["relu", "identity"], "squared_error", lambda most: (1, most**0.6, 1)),
    "pre-activation": (["identity", "identity"], "squared_error", lambda most: (most**0.7, most**0.7, 1)),
    "of a stack": (["relu"] * 5, "squared_error", lambda most: (most**0.3, most**0.3, most**0.5)),
    "of leaky ones": (["leaky_relu", "prelu"], "squared_error", lambda most: (most**0.7, most**0.7, 1)),
    "of classes": (["softmax"], "cross_entropy", lambda most: (1, most / 3.5, 1)),
    "of hidden classes": (["identity", "softmax"], "cross_entropy", lambda most: (most**0.7, most**0.7, 1)),
    "of units": (["sigmoid"], "binary_cross_entropy", lambda most: (1, most / 3.5, 1)),
    "of hidden units": (["identity", "sigmoid"], "binary_cross_entropy", lambda most: (most**0.7, most**0.7, 1)),
    "on the way back": (["tanh", "identity"], "squared_error", lambda most: (most**0.6, 1, most**0.6)),
}


def overflowing(kind, dtype, count):
    """Return a network of 3 units a layer with data on which something overflows; one example if `count` is None."""
    activations, loss, sizes = OVERFLOWING[kind]
    size_w, size_x, size_y = sizes(largest(dtype))
    signs = np.array([[1, -1, 1], [-1, 1, 1], [1, 1, -1]])
    net = hg.Network([hg.Dense((size_w * signs).astype(dtype), np.ones(3, dtype), name) for name in activations], loss)
    x = (size_x * np.resize([1, 1, -1, -1], (count or 1, 3))).astype(dtype)
    y = (size_y * np.resize([1, -1, 1], (count or 1, 3))).astype(dtype)
    if loss != "squared_error":
        y = np.resize([0, 2, 1], count or 1) if loss == "cross_entropy" else np.resize([1, 1, 0], x.shape).astype(dtype)
    return (net, x, y) if count else (net, x[0], y[0])


@pytest.mark.parametrize(
    "call",
    [
        lambda net, x, y: net(x),
        lambda net, x, y: net.loss(x, y),
        lambda net, x, y: net.gradient(x, y).x,
        lambda net, x, y: net.trace(x, y),
        hg.literal.gradient,
        hg.literal.trace,
        lambda net, x, y: net.advice(x, y),
        lambda net, x, y: str(hg.worked(net, x, y, example=1)),
    ],
    ids=["call", "loss", "gradient", "trace", "literal.gradient", "literal.trace", "advice", "worked"],
)
@pytest.mark.parametrize("count", [None, 1, 2, 30])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", OVERFLOWING)
def test_what_overflows_is_without_warnings(kind, dtype, count, call):
    """Warnings are errors here, and an error state that the caller has set does not matter either."""
    net, x, y = overflowing(kind, dtype, count)
    with np.errstate(over="raise", invalid="raise"):
        call(net, x, y)


@pytest.mark.parametrize("count", [None, 2, 30])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", OVERFLOWING)
def test_training_on_what_overflows_raises_without_warnings(kind, dtype, count):
    net, x, y = overflowing(kind, dtype, count)
    g = net.gradient(x, y)
    # A few sigmoid units are taken in Python's own numbers, which hold what float32 does not: then `net.loss` alone overflows.
    assert not (np.isfinite(net.loss(x, y)) and np.isfinite(g.vector).all() and np.isfinite(g.x).all())
    if count and not (np.isfinite(g.loss) and np.isfinite(g.vector).all()):
        with pytest.raises(ValueError, match="training diverged in epoch 1"):
            hg.fit(net, x, y, rate=0.1, epochs=1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient_of_a_loss_that_overflows_equals_the_formula(dtype):
    """(4) needs no square: the loss is infinite, its derivative is not."""
    net = hg.Network([hg.Dense(np.ones((1, 1), dtype), np.zeros(1, dtype))])
    y = largest(dtype) / 4
    g = net.gradient([[1.0]], np.array([[y]], dtype))
    assert g.loss == net.loss([[1.0]], [[y]]) == net.trace([[1.0]], [[y]]).loss == np.inf
    assert g[1].b == dtype(-2 * y)
    # What is not finite in the data is still refused, not taken for what overflows.
    for y in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"^y must be finite; y\[0, 0\] is "):
            net.gradient([[1.0]], np.array([[y]], dtype))
