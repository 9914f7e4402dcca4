import numpy as np
import pytest

import handgrad as hg
from verification.random_networks.architectures import Architecture, Unit
from verification.random_networks.cases import Case, case
from verification.random_networks.shrinking import MOST_TRIALS, shrink


def large_case(**options):
    layers = (Unit(4, "tanh"), Unit(5, "prelu", shared=False), Unit(3, options.pop("output", "sigmoid")))
    return case(Architecture(4, layers, examples=5, regime="normal", **options), 2)


def test_shrink_where_everything_fails_is_one_by_one_of_zeros():
    smallest = shrink(large_case(reduction="mean", dtype="float32", layout="strided"), lambda each: True)
    assert smallest.net.widths == (1, 1)
    assert smallest.net.layers[0].activation.name == "identity"
    assert smallest.net.reduction == "sum"
    assert smallest.net.dtype == np.float64
    assert smallest.x.tolist() == smallest.y.tolist() == [0.0]
    assert not smallest.net.layers[0].w.any()


@pytest.mark.parametrize("targets", ["indices", "distribution"])
def test_shrink_of_cross_entropy_is_a_valid_case(targets):
    start = large_case(output="softmax", loss="cross_entropy", targets=targets, integer="uint8")
    smallest = shrink(start, lambda each: each.net.widths[-1] >= 2)
    assert smallest.net.widths == (1, 2)
    assert smallest.net.loss(smallest.x, smallest.y) >= 0


@pytest.mark.parametrize("targets", ["yes_or_no", "probabilities"])
def test_shrink_of_binary_cross_entropy_is_a_valid_case(targets):
    start = large_case(loss="binary_cross_entropy", targets=targets, integer="uint8", dtype="float32")
    smallest = shrink(start, lambda each: each.net.loss_name == "binary_cross_entropy" and each.net.widths[-1] >= 2)
    assert smallest.net.widths == (1, 2)
    assert smallest.net.layers[-1].activation.name == "sigmoid"
    assert np.isin(smallest.y, (0, 1)).all()
    assert smallest.net.dtype == np.float64
    assert smallest.x.shape == (1,)


def test_shrink_of_a_binary_cross_entropy_is_without_its_output_layer_if_that_is_no_part_of_the_cause():
    layers = (Unit(4, "sigmoid"), Unit(3, "sigmoid"))
    start = case(Architecture(2, layers, "binary_cross_entropy", targets="probabilities", regime="normal"), 3)
    smallest = shrink(start, lambda each: max(each.net.widths[1:]) == 4)
    assert smallest.net.widths == (1, 4)


@pytest.mark.parametrize(
    "needed",
    [
        lambda each: len(each.net.layers) >= 2,
        lambda each: max(each.net.widths) >= 3,
        lambda each: each.x.ndim == 2 and len(each.x) >= 2,
        lambda each: any(layer.activation.name == "prelu" for layer in each.net.layers),
        lambda each: (each.net.layers[0].w == 2).any(),
        lambda each: bool((np.abs(each.x) > 2.3).any()),
        lambda each: each.net.dtype == np.float32,
    ],
    ids=["two layers", "width 3", "batch", "prelu", "a weight of 2", "a large x", "float32"],
)
def test_shrink_is_no_smaller_than_what_fails(needed):
    start = large_case(dtype="float32")
    start.net.layers[0].w[0, 0] = 2
    start.x[0, 0] = 2.5
    smallest = shrink(start, needed)
    assert needed(smallest)
    numbers = sum(array.size for array in smallest.net.named().values()) + smallest.x.size + smallest.y.size
    assert numbers <= 16


def test_shrink_of_a_trained_alpha_is_that_alpha():
    net = hg.Network([hg.Dense([[1.0]], [0.0], hg.Activation("prelu", alpha=0.25))])
    net.layers[0].alpha[...] = 0.75
    smallest = shrink(Case(net, np.array([1.0]), np.array([1.0])), lambda each: each.net.layers[0].activation.name == "prelu")
    assert smallest.net.layers[0].alpha == 0.75


def test_shrink_where_nothing_simpler_fails_equals_the_case():
    start = large_case()
    smallest = shrink(start, lambda each: repr(each) == repr(start))
    assert repr(smallest) == repr(start)


def test_shrink_calls_is_at_most_the_limit():
    calls = []
    shrink(large_case(), lambda each: calls.append(each) is None and False)
    assert len(calls) <= MOST_TRIALS


def test_shrink_leaves_the_case_as_it_is():
    start = large_case()
    before = repr(start)
    shrink(start, lambda each: True)
    assert repr(start) == before


def test_shrink_of_what_fails_in_square_layers_alone_is_square():
    def fails(each):
        return len(set(each.net.widths)) == 1 and each.net.widths[0] > 1

    start = case(Architecture(5, (Unit(5, "tanh"), Unit(5, "identity")), examples=5, regime="normal"), 3)
    smallest = shrink(start, fails)
    assert (smallest.net.widths, np.ndim(smallest.x)) == ((2, 2), 1)
