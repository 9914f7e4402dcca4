"""The oracles against closed forms worked out by hand, and against one another."""

import numpy as np
import pytest

import handgrad as hg
from verification.autograd.oracles import autograd, complex_step
from verification.bounds.analysis import bounds
from verification.bounds.rounding import NAIVE
from verification.random_networks.plain import plain_case, stacked


def test_autograd_of_a_sigmoid_equals_hand_calculation():
    # z = 0, a = 1/2: dL/da = 2 (1/2 - 1) = -1, da/dz = 1/4, dL/dz = -1/4, dL/dw = -1/4 · 2, dL/dx = -1/4 · 4.
    net = hg.Network([hg.Dense([[4.0]], [-8.0], "sigmoid")])
    found = autograd(plain_case(net, [[2.0]], [[1.0]]))
    expected = {
        "z1": 0,
        "a1": 0.5,
        "loss": 0.25,
        "dL_da1": -1,
        "da_dz1": 0.25,
        "dL_dz1": -0.25,
        "w1": -0.5,
        "b1": -0.25,
        "x": -1,
    }
    assert {name: array.item() for name, array in found.items()} == expected


@pytest.mark.parametrize("telling", ["one example", "batch"])
def test_autograd_of_stacked_problems_matches_each(telling):
    rng = np.random.default_rng(3)
    cases = []
    for _ in range(3):
        activation = hg.Activation("prelu", alpha=tuple(rng.normal(size=4)))
        net = hg.Network.random([2, 4, 3], activations=[activation, "softmax"], seed=rng)
        shape = () if telling == "one example" else (5,)
        cases.append(plain_case(net, rng.normal(size=(*shape, 2)), rng.normal(size=(*shape, 3))))
    together = autograd(stacked(cases))
    for place, each in enumerate(cases):
        alone = autograd(each)
        assert list(alone) == list(together)
        allowed = bounds(each, NAIVE)
        for name, array in alone.items():
            assert array.shape == together[name][place].shape, name
            assert (np.abs(array - together[name][place]) <= 2 * allowed[name]).all(), name


def test_autograd_of_a_binary_cross_entropy_equals_hand_calculation():
    # z = 0, a = 1/2, y = 1: L = log 2, dL/dz = 1/2 - 1, dL/dw = -1/2 · 2, dL/dx = -1/2 · 4.
    net = hg.Network([hg.Dense([[4.0]], [-8.0], "sigmoid")], "binary_cross_entropy")
    found = autograd(plain_case(net, [[2.0]], [[1.0]]))
    expected = {"z1": 0, "a1": 0.5, "loss": np.log(2), "dL_dz1": -0.5, "w1": -1, "b1": -0.5, "x": -2}
    assert {name: array.item() for name, array in found.items()} == expected


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_complex_step_of_a_binary_cross_entropy_matches_autograd(reduction):
    rng = np.random.default_rng(12)
    net = hg.Network.random(
        [2, 3, 3], activations=["tanh", "sigmoid"], loss="binary_cross_entropy", reduction=reduction, seed=rng
    )
    net.layers[-1].w *= 4
    asked = plain_case(net, rng.normal(size=(4, 2)), rng.choice([0.0, 1.0, 0.5, 0.3], (4, 3)))
    expected, allowed = autograd(asked), bounds(asked, NAIVE)
    for name in ("w1", "b1", "w2", "b2", "x"):
        for index in np.ndindex(expected[name].shape):
            assert abs(complex_step(asked, name, index) - expected[name][index]) <= 2 * allowed[name][index]


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_complex_step_matches_autograd(loss, reduction):
    rng = np.random.default_rng(11)
    net = hg.Network.random([2, 3, 3], activations=["tanh", "softmax"], loss=loss, reduction=reduction, seed=rng)
    asked = plain_case(
        net, rng.normal(size=(4, 2)), rng.integers(0, 3, 4) if loss == "cross_entropy" else rng.normal(size=(4, 3))
    )
    expected, allowed = autograd(asked), bounds(asked, NAIVE)
    for name in ("w1", "b1", "w2", "b2", "x"):
        for index in np.ndindex(expected[name].shape):
            assert abs(complex_step(asked, name, index) - expected[name][index]) <= 2 * allowed[name][index]


def test_complex_step_of_a_kinked_activation_raises():
    asked = plain_case(hg.Network([hg.Dense([[1.0]], [0.0], "relu")]), [[1.0]], [[1.0]])
    with pytest.raises(ValueError, match="needs analytic activations, identity, sigmoid, tanh, softmax; got relu"):
        complex_step(asked, "w1", (0, 0))
