"""Losses and the derivatives that start the way back, against high precision. Errors are counted as in test_activations."""

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

import handgrad as hg
from handgrad import activations as act
from handgrad import losses
from verification.bounds.analysis import bounds
from verification.bounds.rounding import STABLE
from verification.random_networks.plain import plain_case

# ln(1 + r) with r as small as the smallest float64 needs more than 324 digits.
PRECISE = Context(prec=700, Emax=MAX_EMAX, Emin=MIN_EMIN)
EXP = 5
DTYPES = [np.float64, np.float32]
STRICT = {"over": "raise", "invalid": "raise", "divide": "raise"}


def logits(dtype):
    rng = np.random.default_rng(9)
    far = 1e300 if dtype == np.float64 else 1e38
    rows = [rng.integers(-width, width, 4) / 16 for width in (16, 160, 800, 1600, 160000) for _ in range(3)]
    rows += [
        np.array(row) for row in ([0, 0, 0, 0], [far, -far, 0, 1], [-far] * 4, [37, 0, 0, -37], [80, 0, -9, 3], [700, 0, 0, 0])
    ]
    return np.array(rows, dtype)


def exact_powers(z):
    z = [Decimal(float(z_j)) for z_j in z]
    return [(z_j - max(z)).exp() for z_j in z], max(z)


def ulps(got, exact):
    """Return how far a number is from the exact one, in units of the last place of its dtype."""
    with localcontext(PRECISE):
        step = np.spacing(np.abs(got.dtype.type(float(exact))))
        return abs((Decimal(float(got)) - exact) / Decimal(float(step)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_of_a_class_matches_decimal_arithmetic(dtype):
    z = logits(dtype)
    for k in range(4):
        y = np.zeros_like(z)
        y[:, k] = 1
        with np.errstate(**STRICT):
            got = losses.cross_entropy(z, y)
        assert got.dtype == dtype
        assert got.shape == (len(z),)
        for z_i, got_i in zip(z, got, strict=True):
            with localcontext(PRECISE):
                powers, largest = exact_powers(z_i)
                below = largest - Decimal(float(z_i[k]))
                # log1p where the others are so small that ln(1 + r) is r to every digit that is compared.
                rest = sum(powers) - 1
                exact = below + (rest if rest < Decimal("1e-200") else (1 + rest).ln())
            # exp, a sum of n, log1p (as good as exp), a sum of two terms that are never negative.
            assert ulps(got_i, exact) <= 2 * EXP + 4 + 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_p_minus_y_of_a_class_matches_decimal_arithmetic(dtype):
    z = logits(dtype)
    for k in range(4):
        y = np.zeros_like(z)
        y[:, k] = 1
        with np.errstate(**STRICT):
            got = losses.cross_entropy_derivative(act.softmax(z), y)
        assert got.dtype == dtype
        assert got.shape == z.shape
        for z_i, got_i in zip(z, got, strict=True):
            with localcontext(PRECISE):
                powers, _ = exact_powers(z_i)
                total = sum(powers)
                exact = [(power if j != k else -sum(powers[:j] + powers[j + 1 :])) / total for j, power in enumerate(powers)]
            # softmax (2 exp, a sum of n, a quotient), and at the true class a sum of the others, see sum_of_others.
            assert max(ulps(g, e) for g, e in zip(got_i, exact, strict=True)) <= 2 * EXP + 4 + 1 + 2 * 4 + 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_soft_labels_match_the_exact_loss_and_its_own_derivative(dtype):
    """A distribution whose sum is off by rounding still has one loss, −Σ y log p, and that loss has one derivative."""
    u = Decimal(float(np.finfo(dtype).eps / 2))
    rng = np.random.default_rng(10)
    z = (rng.integers(-100, 100, (20, 4)) / 16).astype(dtype)
    y = rng.dirichlet(np.ones(4), 20).astype(dtype)
    y[:5] *= dtype(1 + 2.0**-12)  # further off than a rounding, so that the two candidates p − y and p·Σy − y differ
    y[5] = [0, 0.5, 0.5, 0]
    got_loss, got = losses.cross_entropy(z, y), losses.cross_entropy_derivative(act.softmax(z), y)
    assert (got_loss.dtype, got.dtype) == (dtype, dtype)
    for z_i, y_i, loss_i, got_i in zip(z, y, got_loss, got, strict=True):
        with localcontext(PRECISE):
            powers, largest = exact_powers(z_i)
            weights = [Decimal(float(y_k)) for y_k in y_i]
            terms = [y_k * (largest - Decimal(float(z_k)) + sum(powers).ln()) for y_k, z_k in zip(weights, z_i, strict=True)]
            assert abs(Decimal(float(loss_i)) - sum(terms)) <= u * sum(terms) * (2 * EXP + 4 + 1 + 1 + 4)
            for g, power, y_k in zip(got_i, powers, weights, strict=True):
                p = power / sum(powers)
                # d/dz_k of −Σ_j y_j (z_j − log Σ e^z) = p_k Σ_j y_j − y_k, in the form of two products of sums of others.
                bound = u * (p * (sum(weights) - y_k) + y_k * (1 - p)) * (2 * EXP + 4 + 1 + 2 * 4 + 1 + 2)
                assert abs(Decimal(float(g)) - (p * sum(weights) - y_k)) <= bound


def test_cross_entropy_is_infinite_only_where_a_class_is_infinitely_far():
    z = np.array([[1.7e308, -1.7e308, 0.0]])
    with np.errstate(**STRICT):
        assert losses.cross_entropy(z, np.array([[1.0, 0.0, 0.0]])) == 0
        assert losses.cross_entropy(z, np.array([[0.0, 0.0, 1.0]])) == 1.7e308
        assert losses.cross_entropy(z, np.array([[0.0, 1.0, 0.0]])) == np.inf


def probabilities(dtype):
    """Return targets 0 … 1 in every combination with logits, with numbers near both ends."""
    z = np.array([0, -0.0, 1e-9, 0.5, 3, 17, 37, 90, 745, 1e4, 1e300 if dtype == np.float64 else 1e38], dtype)
    y = np.array([0, 1, 0.5, 0.25, 0.3, 1e-20, np.nextafter(dtype(1), dtype(0))], dtype)
    z, y = np.meshgrid(np.concatenate([-z, z]), y)
    return z.reshape(-1, 1), y.reshape(-1, 1)


def minus_logarithms(z):
    """Return −log a and −log(1 − a) of a sigmoid unit."""
    e = (-abs(z)).exp()
    logarithm = e if e < Decimal("1e-200") else (1 + e).ln()
    return max(-z, Decimal(0)) + logarithm, max(z, Decimal(0)) + logarithm


@pytest.mark.parametrize("dtype", DTYPES)
def test_binary_cross_entropy_matches_decimal_arithmetic(dtype):
    z, y = probabilities(dtype)
    with np.errstate(**STRICT):
        got = losses.binary_cross_entropy(z, y)
    assert (got.dtype, got.shape) == (dtype, (len(z),))
    for z_i, y_i, got_i in zip(z.ravel(), y.ravel(), got, strict=True):
        with localcontext(PRECISE):
            of_yes, of_no = minus_logarithms(Decimal(float(z_i)))
            exact = Decimal(float(y_i)) * of_yes + (1 - Decimal(float(y_i))) * of_no
        # exp and log1p, 1 − y, a product and a sum of two terms that are never negative.
        assert ulps(got_i, exact) <= 2 * EXP + 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_minus_y_matches_decimal_arithmetic(dtype):
    z, y = probabilities(dtype)
    with np.errstate(**STRICT):
        got = losses.binary_cross_entropy_derivative(z, y)
    assert (got.dtype, got.shape) == (dtype, z.shape)
    smallest = Decimal(float(np.finfo(dtype).tiny))
    for z_i, y_i, got_i in zip(z.ravel(), y.ravel(), got.ravel(), strict=True):
        with localcontext(PRECISE):
            e, y_i = (-abs(Decimal(float(z_i)))).exp(), Decimal(float(y_i))
            a = 1 / (1 + e) if z_i > 0 else e / (1 + e)
            rest = e / (1 + e) if z_i > 0 else 1 / (1 + e)
            # The sigmoid (exp, a sum, a quotient), 1 − y, a product, the difference of two numbers that are never negative.
            bound = Decimal(float(np.finfo(dtype).eps)) * (a * (1 - y_i) + y_i * rest) * (EXP + 5) + 2 * smallest
            assert abs(Decimal(float(got_i)) - (a - y_i)) <= bound
            # At y = 1 no digit is lost to a near 1.
            assert y_i != 1 or rest < 4 * smallest or ulps(got_i, -rest) <= EXP + 5


def test_binary_cross_entropy_sums_over_the_units_and_means_over_the_examples():
    rng = np.random.default_rng(14)
    z, y = rng.normal(size=(5, 3)), rng.random((5, 3))
    of_units = losses.binary_cross_entropy(z.reshape(-1, 1), y.reshape(-1, 1)).reshape(5, 3)
    net = hg.Network([hg.Dense(np.eye(3), np.zeros(3), "sigmoid")], "binary_cross_entropy")
    assert abs(net.loss(z, y) - of_units.sum() / 5) <= 16 * 2.0**-53 * of_units.sum()
    total = hg.Network(net.layers, "binary_cross_entropy", "sum")
    assert abs(total.loss(z, y) - of_units.sum()) <= 16 * 2.0**-53 * of_units.sum()


@pytest.mark.parametrize("dtype", DTYPES)
def test_squared_error_equals_fractions(dtype):
    rng = np.random.default_rng(11)
    a, y = (rng.integers(-64, 64, (6, 3)) / 16 for _ in range(2))
    got = losses.squared_error(a.astype(dtype), y.astype(dtype))
    exact = [
        sum((Fraction(p) - Fraction(q)) ** 2 for p, q in zip(*pair, strict=True))
        for pair in zip(a.tolist(), y.tolist(), strict=True)
    ]
    np.testing.assert_array_equal(got, np.array([float(number) for number in exact], dtype), strict=True)
    derivative = losses.squared_error_derivative(a.astype(dtype), y.astype(dtype))
    np.testing.assert_array_equal(derivative, (2 * a - 2 * y).astype(dtype), strict=True)


def softmax_net(dtype, reduction="sum"):
    return hg.Network([hg.Dense(np.eye(3, dtype=dtype), np.zeros(3, dtype), "softmax")], "cross_entropy", reduction)


@pytest.mark.parametrize("dtype", DTYPES)
def test_class_indices_equal_one_hot_distributions(dtype):
    net = softmax_net(dtype)
    x = np.random.default_rng(12).normal(0, 3, (4, 3)).astype(dtype)
    index = [2, 0, 1, 2]
    for kind in (np.int64, np.uint8, np.int8, np.uint64):
        for one_hot in (
            np.eye(3)[index],
            np.eye(3, dtype=np.int32)[index],
            np.eye(3, dtype=bool)[index],
            np.eye(3)[index].tolist(),
        ):
            assert net.loss(x, np.array(index, kind)) == net.loss(x, one_hot)
            of_index, of_one_hot = net.trace(x, np.array(index, kind)).gradient, net.trace(x, one_hot).gradient
            assert of_index == of_one_hot
            # The fast form has a way of its own for indices; both are within the bound of the right numbers.
            allowed = bounds(plain_case(net, x, index), STABLE)
            of_index, of_one_hot = net.gradient(x, np.array(index, kind)).named(), net.gradient(x, one_hot).named()
            for name, array in of_index.items():
                assert (np.abs(array.astype(float) - of_one_hot[name]) <= 2 * allowed[name]).all(), name


@pytest.mark.parametrize("dtype", DTYPES)
def test_network_loses_no_digit_at_a_certain_true_class(dtype):
    net = softmax_net(dtype)
    g = net.gradient(np.array([40, 0, 0], dtype), 0)
    exact = 2 * Decimal(-40).exp()
    assert ulps(g[1].b[0], -exact) <= 20
    assert ulps(dtype(g.loss), exact) <= 20
