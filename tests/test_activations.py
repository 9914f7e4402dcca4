"""Activation functions and their derivatives against high precision, in units of rounding.

Bounds count relative errors in units of u (u = 2⁻⁵³ or 2⁻²⁴): every +, ·, / adds 1, and NumPy's exp and tanh are granted 5,
twice the 2.3 ULP that its float32 ones were measured at. A relative error of u is at most 1 ULP, so the bounds are checked
in ULPs, which also allows for subnormal results.
"""

import math
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext

import numpy as np
import pytest

import handgrad as hg
from handgrad import activations as act

PRECISE = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)
EXP = 5
DTYPES = [np.float64, np.float32]
NAMES = list(act.FORMS)
STRICT = {"over": "raise", "invalid": "raise", "divide": "raise"}


def pre_activations(dtype):
    rng = np.random.default_rng(5)
    sizes = np.concatenate(
        [
            rng.uniform(0, 5, 150),
            rng.uniform(5, 40, 100),
            rng.uniform(40, 110, 80),
            rng.uniform(110, 800, 80),
            10.0 ** np.arange(-30, 5),
        ]
    )
    return np.concatenate([sizes, -sizes, [0.0, -0.0, 1e4, -1e4]]).astype(dtype)


def ulps(got, exact):
    """Return the largest distance from the exact numbers in units of the last place of `got`'s dtype."""
    assert np.isfinite(got).all()
    with localcontext(PRECISE):
        rounded = np.array([float(number) for number in exact]).astype(got.dtype)
        steps = np.spacing(np.abs(rounded))
        return max(abs((Decimal(float(g)) - e) / Decimal(float(s))) for g, e, s in zip(got, exact, steps, strict=True))


def exact_sigmoid(z):
    return 1 / (1 + (-z).exp())


def exact_sigmoid_derivative(z):
    return (-abs(z)).exp() / (1 + (-abs(z)).exp()) ** 2


def exact_tanh(z):
    # tanh z = z - z³/3 + 2z⁵/15 - … where 1 - e^{-2z} would cancel.
    if abs(z) < Decimal("1e-9"):
        return z - z**3 / 3 + 2 * z**5 / 15
    e = (-2 * abs(z)).exp()
    return (1 - e) / (1 + e) * (1 if z > 0 else -1)


def exact_tanh_derivative(z):
    e = (-2 * abs(z)).exp()
    return 4 * e / (1 + e) ** 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("function", "exact", "bound"),
    [
        # exp in the numerator or, less felt, in the denominator; 1 + e; the quotient.
        (act.sigmoid, exact_sigmoid, EXP + 2),
        # e/(1 + e)² is felt by at most e's own relative error; r = 1/(1 + e) has 2, and is taken twice; two products.
        (act.sigmoid_derivative, exact_sigmoid_derivative, EXP + 6),
        (act.tanh, exact_tanh, EXP),
        # As the sigmoid's; 2|z| and 4 are exact.
        (act.tanh_derivative, exact_tanh_derivative, EXP + 6),
    ],
)
def test_analytic_function_matches_sixty_digits(function, exact, bound, dtype):
    z = pre_activations(dtype)
    with np.errstate(**STRICT):
        got = function(z)
    assert got.dtype == dtype
    assert got.shape == z.shape
    with localcontext(PRECISE):
        numbers = [exact(Decimal(float(number))) for number in z]
    assert ulps(got, numbers) <= bound


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_activation_is_finite_and_of_its_dtype_everywhere(name, dtype):
    huge = 1e300 if dtype == np.float64 else 1e38
    z = np.array([[huge, -huge, 1e4, -1e4], [0.0, -0.0, -1e-45, 1e-45], [huge, huge, huge, huge]], dtype)
    activation = hg.Activation(name, alpha=(4.0, 0.5, -2.0, 0.0)) if name == "prelu" else hg.Activation(name)
    kept = z.copy()
    with np.errstate(**STRICT):
        a, da_dz = activation(z), activation.derivative(z)
    assert (a.dtype, da_dz.dtype) == (dtype, dtype)
    assert a.shape == z.shape
    assert da_dz.shape == ((3, 4, 4) if name == "softmax" else z.shape)
    assert np.isfinite(a).all()
    assert np.isfinite(da_dz).all()
    np.testing.assert_array_equal(z, kept)


@pytest.mark.parametrize("dtype", DTYPES)
def test_leaky_side_is_not_taken_for_large_positive_pre_activations(dtype):
    largest = np.finfo(dtype).max
    with np.errstate(**STRICT):
        a = hg.Activation("leaky_relu", slope=8.0)(np.array([largest, -1.0], dtype))
    np.testing.assert_array_equal(a, np.array([largest, -8.0], dtype))


Z = [-2.0, -0.5, -0.0, 0.0, 0.5, 2.0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("activation", "a", "da_dz"),
    [
        (hg.Activation("identity"), Z, [1] * 6),
        (hg.Activation("relu"), [0, 0, 0, 0, 0.5, 2], [0, 0, 0, 0, 1, 1]),
        (hg.Activation("leaky_relu", slope=0.5), [-1, -0.25, 0, 0, 0.5, 2], [0.5] * 4 + [1, 1]),
        (hg.Activation("leaky_relu", slope=-2), [4, 1, 0, 0, 0.5, 2], [-2] * 4 + [1, 1]),
        (hg.Activation("leaky_relu", slope=0), [0, 0, 0, 0, 0.5, 2], [0] * 4 + [1, 1]),
        (hg.Activation("leaky_relu", slope=3), [-6, -1.5, 0, 0, 0.5, 2], [3] * 4 + [1, 1]),
        (hg.Activation("prelu"), [-0.5, -0.125, 0, 0, 0.5, 2], [0.25] * 4 + [1, 1]),
        (
            hg.Activation("prelu", alpha=[0, 1, 2, 3, 4, 5]),
            [0, -0.5, 0, 0, 0.5, 2],
            [0, 1, 2, 3, 1, 1],
        ),
    ],
    ids=repr,
)
def test_piecewise_function_equals_hand_numbers(activation, a, da_dz, dtype):
    z = np.array(Z, dtype)
    np.testing.assert_array_equal(activation(z), np.array(a, dtype), strict=True)
    np.testing.assert_array_equal(activation.derivative(z), np.array(da_dz, dtype), strict=True)


def test_conventions_at_zero_equal_pytorchs():
    for zero in (0.0, -0.0):
        at = np.array([zero])
        assert act.relu_derivative(at) == 0
        assert act.leaky_relu_derivative(at) == 0.01
        assert act.leaky_relu_derivative_by_slope(at) == 0
        assert act.sigmoid_derivative(at) == 0.25
        assert act.tanh_derivative(at) == 1
        assert act.identity_derivative(at) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_derivatives_of_the_largest_number_is_zero_without_overflow(dtype):
    z = np.array([np.finfo(dtype).max, -np.finfo(dtype).max])
    with np.errstate(all="raise", under="ignore"):
        for derivative in (act.sigmoid_derivative, act.tanh_derivative):
            assert not derivative(z).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_of_the_farthest_logits_equals_one_and_zeros(dtype):
    largest = np.finfo(dtype).max
    with np.errstate(**STRICT):  # their difference is beyond the largest number
        a = act.softmax(np.array([[largest, -largest, 0]], dtype))
    np.testing.assert_array_equal(a, np.array([[1, 0, 0]], dtype), strict=True)


@pytest.mark.parametrize("axes", [(), (1,), (2, 3), (4, 1, 2)])
def test_softmax_of_any_axes_equals_that_of_each_row(axes):
    z = np.random.default_rng(13).normal(size=(*axes, 3))
    softmax = hg.Activation("softmax")
    a, jacobian, dL_dz = softmax(z), softmax.derivative(z), act.softmax_backward(softmax(z), z)
    for place in np.ndindex(axes):
        row = z[place][None]
        np.testing.assert_array_equal(a[place], act.softmax(row)[0], strict=True)
        np.testing.assert_array_equal(jacobian[place], act.softmax_jacobian(row)[0], strict=True)
        np.testing.assert_array_equal(dL_dz[place], act.softmax_backward(act.softmax(row), row)[0], strict=True)


def test_slope_unless_given_equals_a_hundredth():
    z = np.array([-1.0, 2.0])
    np.testing.assert_array_equal(act.leaky_relu(z), [-0.01, 2])
    np.testing.assert_array_equal(act.leaky_relu_derivative(z), [0.01, 1])


def test_derivative_by_slope_equals_the_negative_part():
    np.testing.assert_array_equal(act.leaky_relu_derivative_by_slope(np.array(Z)), [-2, -0.5, 0, 0, 0, 0])


def test_activation_takes_lists_integers_and_half_precision_as_float64():
    relu = hg.Activation("relu")
    for z in ([-1, 2], np.array([-1, 2], np.int8), np.array([-1, 2], np.float16), (-1.0, 2.0)):
        np.testing.assert_array_equal(relu(z), np.array([0.0, 2.0]), strict=True)
    assert relu(3.0) == 3


def test_identity_is_a_copy():
    z = np.array([1.0, 2.0])
    assert not np.shares_memory(hg.Activation("identity")(z), z)


def exact_softmax(z):
    z = [Decimal(float(z_j)) for z_j in z]
    powers = [(z_j - max(z)).exp() for z_j in z]
    total = sum(powers)
    return [power / total for power in powers]


def logits(dtype):
    """Return rows of logits that are multiples of 1/16, so that subtracting the largest one is exact; and far ones."""
    rng = np.random.default_rng(6)
    far = 1e300 if dtype == np.float64 else 1e38
    rows = [rng.integers(-width, width, 5) / 16 for width in (16, 160, 800, 1600, 16000, 160000) for _ in range(6)]
    rows += [
        np.array(row) for row in ([0, 0, 0, 0, 0], [far, -far, 0, far, 1], [-far] * 5, [3, 3, -700, -50, 3], [40, 0, 0, 0, 0])
    ]
    return np.array(rows, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_and_jacobian_match_sixty_digits(dtype):
    z = logits(dtype)
    with np.errstate(**STRICT):
        a, jacobian = act.softmax(z), act.softmax_jacobian(z)
    assert a.dtype == jacobian.dtype == dtype
    n = z.shape[-1]
    # exp above and below the line, a sum of n terms, a quotient.
    of_softmax = 2 * EXP + n + 1
    for z_i, a_i, jacobian_i in zip(z, a, jacobian, strict=True):
        with localcontext(PRECISE):
            p = exact_softmax(z_i)
            derivative = [
                [p_j * ((j == i) - p_i) if j != i else p_j * sum(p[:j] + p[j + 1 :]) for i, p_i in enumerate(p)]
                for j, p_j in enumerate(p)
            ]
        assert ulps(a_i, p) <= of_softmax
        # Two probabilities, or one and a sum of others, in which at most a half cancels: 2(of_softmax + n).
        assert ulps(jacobian_i.ravel(), [number for row in derivative for number in row]) <= 3 * of_softmax + 2 * n + 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_backward_matches_exact_jacobian_product(dtype):
    z = logits(dtype)
    u = np.finfo(dtype).eps / 2
    n = z.shape[-1]
    dL_da = np.random.default_rng(7).normal(0, 3, z.shape).astype(dtype)
    with np.errstate(**STRICT):
        got = act.softmax_backward(act.softmax(z), dL_da)
    assert got.dtype == dtype
    for z_i, up, dL_dz in zip(z, dL_da, got, strict=True):
        with localcontext(PRECISE):
            p = exact_softmax(z_i)
            up = [Decimal(float(number)) for number in up]
            for i in range(n):
                exact = p[i] * sum(p[j] * (up[i] - up[j]) for j in range(n))
                # The two terms of a·(shifted − Σ a·shifted), each with the errors of a, of a difference and of a sum.
                distance = abs(up[i] - up[p.index(max(p))])
                share = sum(p_j * abs(u_j - up[p.index(max(p))]) for p_j, u_j in zip(p, up, strict=True))
                bound = Decimal(float(u)) * p[i] * (distance + share) * (2 * (2 * EXP + n + 1) + n + 5)
                assert abs(Decimal(float(dL_dz[i])) - exact) <= bound + Decimal(float(np.finfo(dtype).smallest_subnormal)) * 8


def test_softmax_backward_keeps_its_digits_where_one_class_is_certain():
    # dL/dz_0 = a_0 Σ_j a_j (dL/da_0 - dL/da_j) is about 3e^{-40}; a Jacobian of 1 - a_0 = 0 would give 0.
    got = act.softmax_backward(act.softmax(np.array([40.0, 0.0])), np.array([2.0, -1.0]))
    assert math.isclose(got[0], 3 * math.exp(-40), rel_tol=40 * 2.0**-53)
    assert math.isclose(got[1], -3 * math.exp(-40), rel_tol=40 * 2.0**-53)


def test_softmax_jacobian_is_not_diagonal():
    np.testing.assert_array_equal(act.softmax_jacobian(np.zeros((1, 2))), [[[0.25, -0.25], [-0.25, 0.25]]])
    assert act.softmax_jacobian(np.zeros((3, 1))).tolist() == [[[0.0]]] * 3


@pytest.mark.parametrize("n", [6, act.FEW + 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sum_of_others_matches_sixty_digits(dtype, n):
    p = np.random.default_rng(8).uniform(0, 1, (40, n)) ** np.arange(1, 41)[:, None]
    p[:3, 2] = [1e30, 1.0, 1e-30]
    p = p.astype(dtype)
    got = act.sum_of_others(p)
    assert got.dtype == dtype
    for p_i, got_i in zip(p, got, strict=True):
        numbers = [Decimal(float(number)) for number in p_i]
        with localcontext(PRECISE):
            exact = [sum(numbers[:j] + numbers[j + 1 :]) for j in range(n)]
        # Of the total at most a half is taken away, which doubles its n u; the difference rounds once.
        assert ulps(got_i, exact) <= 2 * n + 1


def test_activation_holds_slopes_as_plain_numbers():
    assert hg.Activation("leaky_relu").slope == 0.01
    assert hg.Activation("prelu").alpha == 0.25
    assert hg.Activation("prelu", alpha=np.array([1, 2])).alpha == (1.0, 2.0)
    assert hg.Activation("prelu", alpha=np.float32(0.5)) == hg.Activation("prelu", alpha=0.5)
    assert hg.Activation("relu").negative_slope is None
    assert hash(hg.Activation("prelu", alpha=[1.0, 2.0])) == hash(hg.Activation("prelu", alpha=(1.0, 2.0)))
    assert repr(hg.Activation("tanh")) == "Activation(name='tanh', slope=None, alpha=None)"


def test_activation_by_name_equals_the_object():
    assert act.activation("tanh") == hg.Activation("tanh")
    relu = hg.Activation("relu")
    assert act.activation(relu) is relu
