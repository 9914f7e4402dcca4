"""∇L as figure 9 orders it: by layer, by name, flat and back, and its arithmetic."""

import numpy as np
import pytest

import handgrad as hg

DTYPES = [np.float64, np.float32]


def gradient(dtype=np.float64, factor=1.0):
    """Return a gradient whose vector is factor · (1, 2, 3, …), so that every place is known by its number."""
    numbers = (factor * np.arange(1, 19)).astype(dtype)
    layers = (
        hg.LayerGradient(numbers[:6].reshape(3, 2), numbers[6:9], numbers[9:12]),
        hg.LayerGradient(numbers[12:15].reshape(1, 3), numbers[15:16], numbers[16].reshape(())),
        hg.LayerGradient(numbers[17:18].reshape(1, 1), numbers[:1] * 0 + dtype(19 * factor)),
    )
    return hg.Gradient(0.5 * factor, layers, (factor * np.array([[1.0, -2.0]])).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_vector_equals_figure_9s_order(dtype):
    g = gradient(dtype)
    np.testing.assert_array_equal(g.vector, np.arange(1, 20, dtype=dtype), strict=True)
    assert list(g.named()) == ["w1", "b1", "alpha1", "w2", "b2", "alpha2", "w3", "b3"]
    np.testing.assert_array_equal(np.concatenate([array.ravel() for array in g.named().values()]), g.vector)
    assert g.named()["w1"] is g[1].w
    assert g.named()["alpha2"] is g[2].alpha
    assert g[1].named(7).keys() == {"w7", "b7", "alpha7"}


def test_vector_is_a_copy():
    g = gradient()
    g.vector[:] = 0
    assert g[1].w[0, 0] == 1


def test_vector_of_a_network_equals_its_parameters_order():
    net = hg.Network.random([2, 3, 1], activations=["prelu", "tanh"], seed=1)
    g = net.gradient([0.5, -1.0], [0.25])
    assert list(g.named()) == list(net.named()) == ["w1", "b1", "alpha1", "w2", "b2"]
    assert [array.shape for array in g.named().values()] == [array.shape for array in net.named().values()]


@pytest.mark.parametrize("dtype", DTYPES)
def test_with_vector_equals_the_vector(dtype):
    g = gradient(dtype)
    assert g.with_vector(g.vector) == g
    turned = g.with_vector(g.vector[::-1])
    np.testing.assert_array_equal(turned.vector, g.vector[::-1], strict=True)
    assert [array.shape for array in turned.named().values()] == [array.shape for array in g.named().values()]
    assert turned.loss == g.loss
    np.testing.assert_array_equal(turned.x, g.x)
    assert g.with_vector(g.vector.tolist()) == g
    assert g.with_vector(g.vector.astype(np.int64)) == g


def test_with_vector_is_of_its_own_memory():
    vector = np.arange(19.0)
    g = gradient().with_vector(vector)
    vector[:] = -1
    assert g.vector.tolist() == list(range(19))


def test_layers_are_counted_from_1():
    g = gradient()
    assert [g[1], g[2], g[3]] == list(g) == list(g.layers)
    assert len(g) == 3
    assert g[np.int64(2)] is g.layers[1]
    t = hg.Network.random([2, 3, 1], activations=["relu", "tanh"], seed=1).trace([0.5, -1.0], [0.25])
    assert [t[1], t[2]] == list(t)
    assert len(t) == 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_arithmetic_equals_numpys_on_the_vector(dtype):
    g, h = gradient(dtype), gradient(dtype, 0.25)
    for result, vector, loss, x in (
        (g + h, g.vector + h.vector, 0.625, None),
        (g - h, g.vector - h.vector, 0.375, None),
        (-g, -g.vector, -0.5, -g.x),
        (g * 3, 3 * g.vector, 1.5, 3 * g.x),
        (0.1 * g, dtype(0.1) * g.vector, 0.05, dtype(0.1) * g.x),
        (np.float32(0.5) * g, g.vector / 2, 0.25, g.x / 2),
        (g * np.int64(2), g.vector * 2, 1.0, 2 * g.x),
        (g / 3, g.vector / dtype(3), 0.5 / 3, g.x / dtype(3)),
        (g / np.float64(7), g.vector / dtype(7), 0.5 / 7, g.x / dtype(7)),
        (g * 0, 0 * g.vector, 0.0, 0 * g.x),
    ):
        assert isinstance(result, hg.Gradient)
        np.testing.assert_array_equal(result.vector, vector, strict=True)
        assert [(array.shape, array.dtype) for array in result.named().values()] == [
            (array.shape, array.dtype) for array in g.named().values()
        ]
        assert all(isinstance(array, np.ndarray) for array in result.named().values())
        assert result.loss == loss
        if x is None:
            assert result.x is None
        else:
            np.testing.assert_array_equal(result.x, x, strict=True)
    assert (g + h) * 2 == (2 * g) + (h * 2)
    assert ((g + h) * 2).x is None
    np.testing.assert_array_equal(g.vector, np.arange(1, 20, dtype=dtype), strict=True)


def test_gradients_of_two_batches_equal_the_gradient_of_both():
    net = hg.Network.random([2, 3, 1], activations=["prelu", "identity"], reduction="sum", seed=2)
    for array in net.named().values():
        array[...] = np.round(array * 16) / 16  # dyadic, so that the sums are exact
    x, y = np.random.default_rng(3).integers(-4, 4, (5, 2)), np.random.default_rng(4).integers(-4, 4, (5, 1))
    whole, parts = net.gradient(x, y), net.gradient(x[:2], y[:2]) + net.gradient(x[2:], y[2:])
    assert parts == whole
    assert parts.loss == whole.loss


def test_equality_is_of_names_shapes_dtypes_and_numbers():
    g = gradient()
    assert g == gradient()
    assert g != gradient(factor=2.0)
    assert g != gradient(np.float32)
    assert g != hg.Gradient(g.loss, g.layers[:2])
    assert g != hg.Gradient(g.loss, (*g.layers[:2], hg.LayerGradient(g[3].w, g[3].b, np.zeros(()))))
    assert g != hg.Gradient(g.loss, (*g.layers[:2], hg.LayerGradient(g[3].w, g[3].b.reshape(1, 1))))
    one = g.vector
    one[11] += 1
    assert g != g.with_vector(one)
    assert g != "g"
    with pytest.raises(TypeError, match="unhashable"):
        hash(g)


@pytest.mark.parametrize("count", [1, 20])
def test_gradient_of_another_vector_equals_nothing_that_is_shared(count):
    net = hg.Network.random([2, 3, 1], activations=["relu", "tanh"], seed=1)
    g = net.gradient(np.ones((count, 2)), np.ones((count, 1)))
    for first in (g, g + g):
        h = first.with_vector(2 * first.vector)
        np.testing.assert_array_equal(h.vector, 2 * first.vector)
        if first.x is None:
            assert h.x is None
        else:
            np.testing.assert_array_equal(h.x, first.x)
            assert not np.shares_memory(h[1].w, first[1].w)
    of_x = g.x.copy()
    g.with_vector(g.vector).x[...] = np.nan
    np.testing.assert_array_equal(g.x, of_x)


def test_gradient_repr_equals_its_parts():
    g = hg.Gradient(0.5, (hg.LayerGradient(np.array([[1.0]]), np.array([2.0])),))
    assert repr(g) == f"Gradient(loss=0.5, layers={g.layers!r}, x=None)"
