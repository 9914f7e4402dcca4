"""The names that people give: what each means, and that nothing else is taken for a name."""

import numpy as np
import pytest

import handgrad as hg
from verification.submissions.answers import SubmissionError, arrays_of, shapes
from verification.submissions.description import describe
from verification.submissions.naming import renamed, spelled

NET = hg.Network([hg.Dense(np.ones((2, 3)), np.ones(2), "prelu"), hg.Dense(np.ones((1, 2)), np.ones(1), "sigmoid")])
NETWORK, X = describe(NET), np.ones((4, 3))
NEEDED, ALLOWED = shapes(NETWORK, X)
KNOWN = NEEDED | ALLOWED


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        *[(name, "w1") for name in ("w1", "W1", "dW1", "dw1", "dL_dw1", "dL/dW1", "grad_w1", "gradW1", "W_1", "w[1]")],
        *[(name, "w2") for name in ("weights2", "weight_2", "dweights2", "nabla_w2", "delta_w2", "dJdW2", "W 2")],
        *[(name, "b1") for name in ("b1", "db1", "dB1", "bias1", "biases_1", "d_b1", "grad_bias1", "nabla_b1")],
        *[(name, "z2") for name in ("Z2", "z_2")],
        *[(name, "a1") for name in ("A1", "a_1")],
        *[(name, "dL_dz1") for name in ("dZ1", "dz1", "dL_dZ1", "grad_z1")],
        *[(name, "dL_da2") for name in ("dA2", "dL_dA2", "dL/da2")],
        *[(name, "da_dz1") for name in ("da_dz1", "dA_dZ1", "da/dz1")],
        *[(name, "alpha1") for name in ("alpha1", "dalpha1", "dL_dalpha1")],
        *[(name, "w1") for name in ("grads_W1", "dC_dw1", "dJ/dW1", "∂W1", "∂L/∂W1")],
        *[(name, "dL_dz1") for name in ("delta1", "delta_1", "δ1")],
        ("dAdZ2", "da_dz2"),
        *[(name, "loss") for name in ("loss", "cost", "Loss")],
        *[(name, "x") for name in ("dx", "dX", "dL_dx")],
    ],
)
def test_common_name_is_what_is_meant(given, meant):
    value = object()
    assert renamed({given: value}, KNOWN) == {meant: value}
    assert spelled(given)[0].lower() in (meant.lower(), given.lower())


@pytest.mark.parametrize("name", ["w3", "dw", "foo", "W", "w", "1", "", "dL", "w12", "d", "wz1", 1, None, ("w", 1)])
def test_other_name_is_left_as_it_came(name):
    assert renamed({name: 0.0}, KNOWN) == {name: 0.0}


@pytest.mark.parametrize(
    "returned",
    [
        {"W": ["w1", "w2"], "b": ["b1", "b2"]},
        {"dW": ("w1", "w2"), "db": ("b1", "b2")},
        {"weights": ["w1", "w2"], "biases": ["b1", "b2"]},
        {"nabla_w": ["w1", "w2"], "nabla_b": ["b1", "b2"]},
        {"W1": "w1", "W2": "w2", "b": ["b1", "b2"]},
        {"W": [None, "w1", "w2"], "b": {1: "b1", 2: "b2"}},
    ],
)
def test_lists_of_layers_is_each_layer_by_its_number(returned):
    assert renamed(returned, KNOWN) == {name: name for name in ("w1", "w2", "b1", "b2")}


def test_derivative_is_taken_before_the_parameter_that_it_is_by():
    for returned in ({"W1": "w", "dW1": "dw"}, {"dW1": "dw", "W1": "w"}, {"w1": "w", "dw1": "dw"}, {"dw1": "dw", "w1": "w"}):
        assert renamed(returned, KNOWN) == {"w1": "dw"}


def test_nested_lists_equals_the_arrays_by_their_names():
    g = NET.gradient(X, np.ones((4, 1))).named()
    nested = {"W": [g["w1"], g["w2"]], "b": [g["b1"], g["b2"]], "alpha": [g["alpha1"]]}
    found = arrays_of(nested, NETWORK, X, "gradient")
    assert found.keys() == g.keys()
    assert all(np.array_equal(found[name], g[name]) for name in g)


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ({"W": [0.0], "b": [0.0]}, "must give 'W' as a list of an array for each of the 2 layers; it gave one of 1"),
        ({"W": [0.0] * 3, "b": [0.0] * 2}, "must give 'W' as a list of an array for each of the 2 layers; it gave one of 3"),
        ({"W": np.zeros((2, 3))}, "for each of the 2 layers; it gave an array of shape (2, 3)"),
        ({"W": "text"}, "for each of the 2 layers; it gave a value of type str"),
        ({"w" * 1000: 0.0}, f"returned '{'w' * 59}..., which is not a name it may give; for this network it must name w1"),
    ],
)
def test_lists_that_do_not_fit_raises_what_is_missing(returned, says):
    with pytest.raises(SubmissionError) as caught:
        arrays_of(returned, NETWORK, X, "gradient")
    assert says in caught.value.sentence


def test_single_layer_that_stands_alone_equals_a_list_of_it():
    network = describe(hg.Network([hg.Dense(np.ones((2, 3)), np.ones(2))]))
    w, b = np.arange(6.0).reshape(2, 3), np.arange(2.0)
    for returned in ({"W": w, "b": b}, {"dW": [w], "db": (b,)}, {"W": np.array([w]), "b": {1: b}}):
        found = arrays_of(returned, network, X, "gradient")
        assert np.array_equal(found["w1"], w)
        assert np.array_equal(found["b1"], b)
