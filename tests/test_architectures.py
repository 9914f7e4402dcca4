import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import handgrad as hg
import verification as v
from handgrad.losses import JOINED
from verification.random_networks.architectures import ACTIVATIONS, LAYOUTS, SLOPES, TARGETS, Architecture, Options, Unit
from verification.random_networks.cases import case, contents
from verification.random_networks.regimes import REGIMES

slow_is_fine = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@slow_is_fine
@given(v.architectures(), v.seeds())
def test_case_of_the_same_seed_equals_itself(architecture, seed):
    first, second = case(architecture, seed), case(architecture, seed)
    assert repr(first) == repr(second)


@slow_is_fine
@given(v.cases())
def test_case_printed_and_read_equals_itself(drawn):
    read = eval(repr(drawn), {"np": np, "hg": hg, "Case": v.Case})
    assert repr(read.net) == repr(drawn.net)
    for name, array in drawn.net.named().items():
        assert read.net.named()[name].dtype == array.dtype
        assert np.array_equal(read.net.named()[name], array)
    for mine, theirs in ((drawn.x, read.x), (drawn.y, read.y)):
        assert mine.dtype == theirs.dtype
        assert np.array_equal(mine, theirs)
        assert mine.shape == theirs.shape
        assert mine.flags.c_contiguous == theirs.flags.c_contiguous


@slow_is_fine
@given(st.data())
def test_cases_of_options_is_within_them(data):
    options = {
        "activations": data.draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=1, unique=True)),
        "reductions": data.draw(st.sampled_from([["sum"], ["mean"]])),
        "dtypes": data.draw(st.sampled_from([["float32"], ["float64"]])),
        "max_layers": data.draw(st.integers(1, 3)),
        "max_width": data.draw(st.integers(1, 3)),
        "max_examples": 1,
    }
    net, x, _ = data.draw(v.cases(**options))
    assert {layer.activation.name for layer in net.layers} <= set(options["activations"])
    assert [net.reduction] == options["reductions"]
    assert [net.dtype.name] == options["dtypes"]
    assert len(net.layers) <= options["max_layers"]
    assert max(net.widths) <= options["max_width"]
    assert np.ndim(x) == 1 or len(x) == 1


def test_smallest_network_of_two_layers_is_checkable_by_hand():
    net, x, y = find(v.cases(), lambda drawn: len(drawn.net.layers) == 2)
    assert net.widths == (1, 1, 1)
    assert x.size == y.size == 1
    numbers = np.concatenate([array.ravel() for array in (*net.named().values(), x, y)])
    assert set(numbers.tolist()) <= {-2.0, -1.0, 0.0, 1.0, 2.0}


@pytest.mark.parametrize("number", range(6))
def test_counterexample_to_what_is_always_wrong_is_the_smallest_network_as_code(number):
    seen = []

    @hypothesis.seed(number)
    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(v.cases(activations=["relu", "tanh", "softmax"], max_layers=3))
    def fails(case):
        seen.append(case)
        raise AssertionError("wrong")

    with pytest.raises(AssertionError, match="wrong") as raised:
        fails()
    net, x, _ = seen[-1]
    assert repr(net) == "Network(1-1, relu; squared_error, sum; float64; 2 parameters)"
    assert x.shape == (1, 1)
    assert any("case=Case(hg.Network([" in note for note in raised.value.__notes__)


@pytest.mark.parametrize("regime", REGIMES)
def test_regime_fills_is_finite(regime):
    for seed in range(20):
        net, x, _ = case(Architecture(2, (Unit(3, "tanh"), Unit(2, "identity")), regime=regime, examples=3), seed)
        assert all(np.isfinite(array).all() for array in (*net.named().values(), x))


@pytest.mark.parametrize("regime", [*REGIMES, "mixed"])
def test_contents_of_each_regime_is_all_different(regime):
    drawn = contents(Architecture(4, (Unit(5, "tanh"), Unit(6, "identity")), regime=regime, examples=7), 3, 16)
    arrays = [{**each.net.named(), "x": each.x, "y": each.y} for each in drawn]
    for name in arrays[0]:
        assert len({array[name].tobytes() for array in arrays}) > 2, name
    assert len({repr(each) for each in drawn}) == 16
    assert {repr(each.net) for each in drawn} == {repr(drawn[0].net)}
    for number, each in enumerate(drawn):
        assert not any(np.shares_memory(each.x, other.x) for other in drawn[number + 1 :])


@pytest.mark.parametrize(("targets", "loss"), [(kind, loss) for loss, kinds in TARGETS.items() for kind in kinds])
def test_targets_of_contents_is_all_different(targets, loss):
    output = "sigmoid" if loss == "binary_cross_entropy" else "softmax"
    drawn = contents(Architecture(2, (Unit(4, output),), loss, targets=targets, examples=6, regime="normal"), 4, 16)
    assert len({each.y.tobytes() for each in drawn}) == 16


def test_slopes_of_contents_is_all_different():
    drawn = contents(Architecture(1, (Unit(8, "prelu", shared=False),)), 5, 16)
    assert len({each.net.layers[0].alpha.tobytes() for each in drawn}) == 16


def test_kinks_of_every_content_is_hit():
    for net, x, y in contents(Architecture(3, (Unit(8, "relu"), Unit(8, "prelu")), kinks=True, examples=2), 6, 16):
        trace = net.trace(x, y)
        assert (trace[1].z[0] == 0).any()
        assert (trace[2].z[0] == 0).any()


def test_kinks_behind_slopes_of_their_own_is_hit():
    layers = (Unit(8, "prelu", shared=False), Unit(8, "relu"))
    for net, x, y in contents(Architecture(3, layers, kinks=True, examples=2), 6, 16):
        assert (net.trace(x, y)[2].z[0] == 0).any()


def test_kinks_of_integers_is_hit_exactly():
    hits = 0
    for seed in range(20):
        net, x, y = case(Architecture(3, (Unit(4, "relu"), Unit(2, "prelu")), kinks=True, examples=2), seed)
        trace = net.trace(x, y)
        hits += int((trace[1].z[0] == 0).sum() + (trace[2].z[0] == 0).sum())
    # Half of 20 · 6 units are moved to the kink.
    assert hits >= 40


def test_fitting_targets_is_a_vanishing_derivative():
    net, x, y = case(Architecture(2, (Unit(2, "sigmoid"),), targets="fitting", examples=3, regime="normal"), 5)
    assert not net.trace(x, y)[1].dL_da.any()


@pytest.mark.parametrize(
    ("loss", "targets", "integer"),
    [
        ("cross_entropy", "indices", "uint8"),
        ("cross_entropy", "one_hot", "int32"),
        ("cross_entropy", "distribution", "int64"),
        ("squared_error", "integers", "uint8"),
        ("binary_cross_entropy", "yes_or_no", "uint8"),
        ("binary_cross_entropy", "probabilities", "int64"),
    ],
)
def test_targets_of_each_kind_is_what_the_network_takes(loss, targets, integer):
    output = Unit(4, JOINED.get(loss, "identity"))
    net, x, y = case(Architecture(2, (output,), loss, examples=5, targets=targets, integer=integer), 1)
    assert y.dtype == (np.float64 if targets in ("distribution", "probabilities") else integer)
    assert np.isfinite(net.loss(x, y))


def test_targets_of_yes_or_no_units_is_certain_or_any_probability():
    output, drawn = (Unit(4, "sigmoid"),), {}
    for targets in ("yes_or_no", "probabilities"):
        of = Architecture(2, output, "binary_cross_entropy", examples=6, targets=targets, dtype="float32")
        drawn[targets] = np.concatenate([y.ravel() for _, _, y in contents(of, 7, 16)])
    assert set(drawn["yes_or_no"].tolist()) == {0, 1}
    assert {0.0, 0.5, 1.0} < set(drawn["probabilities"].tolist())
    assert drawn["probabilities"].dtype == np.float32
    assert len(set(drawn["probabilities"].tolist())) > 100
    assert ((drawn["probabilities"] >= 0) & (drawn["probabilities"] <= 1)).all()


@settings(suppress_health_check=list(HealthCheck))
@given(v.cases(losses=["binary_cross_entropy"], activations=["relu", "sigmoid"]))
def test_output_of_a_binary_cross_entropy_is_sigmoid(drawn):
    assert drawn.net.loss_name == "binary_cross_entropy"
    assert drawn.net.layers[-1].activation.name == "sigmoid"


@pytest.mark.parametrize(
    ("activations", "left"),
    [
        (["relu", "softmax"], ("squared_error", "cross_entropy")),
        (["relu", "sigmoid"], ("squared_error", "binary_cross_entropy")),
        (["relu"], ("squared_error",)),
        (["sigmoid", "softmax"], ("squared_error", "cross_entropy", "binary_cross_entropy")),
    ],
)
def test_losses_of_options_is_those_whose_output_is_among_the_activations(activations, left):
    assert Options(activations=activations).losses == left


def test_prelu_with_a_slope_a_unit_is_drawn():
    alphas = [case(Architecture(1, (Unit(4, "prelu", shared=False),)), seed).net.layers[0].alpha for seed in range(5)]
    assert {alpha.shape for alpha in alphas} == {(4,)}
    assert any(len(set(alpha.tolist())) > 1 for alpha in alphas)


def test_whole_inputs_is_integers():
    _, x, _ = case(Architecture(2, (Unit(2, "tanh"),), examples=3, integer="uint8", whole=True, regime="big"), 3)
    assert x.dtype == np.uint8


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_of_data_is_as_asked(layout):
    _, x, y = case(Architecture(3, (Unit(2, "relu"),), examples=4, layout=layout), 0)
    for array in (x, y):
        assert array.flags.c_contiguous == (layout == "C")
        assert array.flags.f_contiguous == (layout == "F")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"activations": ["sigmod"]}, ValueError, "got 'sigmod' (did you mean 'sigmoid'?)"),
        ({"activations": "sigmoid"}, TypeError, "activations must be a sequence of names; got 'sigmoid'"),
        ({"activations": []}, ValueError, "activations must name at least one of identity"),
        (
            {"losses": ["mse"]},
            ValueError,
            "losses must be one of squared_error, cross_entropy, binary_cross_entropy; got 'mse'",
        ),
        ({"losses": ["binary_cross_entropy"], "activations": ["relu"]}, ValueError, "need sigmoid in activations; got relu"),
        (
            {"losses": ["binary_cross_entropy", "cross_entropy"], "activations": ["relu"]},
            ValueError,
            "losses of cross_entropy, binary_cross_entropy alone need softmax or sigmoid in activations; got relu",
        ),
        ({"losses": ["cross_entropy"], "activations": ["relu"]}, ValueError, "need softmax in activations; got relu"),
        ({"dtypes": ["float16"]}, ValueError, "dtypes must be one of float64, float32; got 'float16'"),
        ({"reductions": 3}, TypeError, "reductions must be a sequence of names; got 3"),
        ({"max_layers": 0}, ValueError, "max_layers must be an integer >= 1; got 0"),
        ({"max_width": 1.5}, TypeError, "max_width must be an integer >= 1; got 1.5"),
        ({"max_examples": -1}, ValueError, "max_examples must be an integer >= 1; got -1"),
        ({"max_layer": 2}, ValueError, "options must be one of activations, losses, reductions, dtypes, max_layers"),
        ({"lossess": ["squared_error"]}, ValueError, "got 'lossess' (did you mean 'losses'?)"),
    ],
)
@pytest.mark.parametrize("strategy", [v.cases, v.networks, v.architectures])
def test_strategies_of_bad_options_raises(strategy, options, error, text):
    with pytest.raises(error) as raised:
        strategy(**options)
    assert text in str(raised.value)


@pytest.mark.parametrize(
    "drawn_unit",
    [
        lambda unit: unit.activation == "prelu" and not unit.shared,
        lambda unit: unit.activation == "prelu" and unit.shared,
        *[lambda unit, s=s: unit.activation == "prelu" and unit.slope == s for s in SLOPES],
        *[lambda unit, s=s: unit.activation == "leaky_relu" and unit.slope == s for s in SLOPES],
    ],
)
def test_strategy_draws_every_slope_shared_and_not(drawn_unit):
    found = find(
        v.architectures(),
        lambda architecture: any(map(drawn_unit, architecture.layers)),
        settings=settings(database=None, max_examples=5000, deadline=None),
    )
    assert any(map(drawn_unit, found.layers))
