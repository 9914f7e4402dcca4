import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import handgrad as hg
import verification as v
from verification.autograd import comparison
from verification.bounds import entries as compared
from verification.bounds.analysis import bounds
from verification.bounds.rounding import NAIVE, STABLE


def network_and_data(dtype=np.float64):
    rng = np.random.default_rng(7)
    net = hg.Network.random([3, 4, 2], activations=["prelu", "softmax"], seed=rng, dtype=dtype)
    return net, rng.normal(size=(5, 3)), rng.normal(size=(5, 2))


def with_wrong(monkeypatch, change):
    """Let the matrix form tell a changed trace."""
    monkeypatch.setitem(comparison.TELLINGS, "matrix", (lambda net, x, y: comparison.quantities(change(net.trace(x, y))), True))


def changed_layer(trace, number, **arrays):
    layers = list(trace.layers)
    layers[number - 1] = replace(layers[number - 1], **arrays)
    return replace(trace, layers=tuple(layers))


def test_entries_of_several_arrays_equals_each_alone():
    rng = np.random.default_rng(1)
    right = {"w1": rng.normal(size=(3, 2)), "b1": rng.normal(size=3), "loss": np.asarray(0.5), "x": rng.normal(size=(2, 2))}
    given = {"w1": right["w1"] + [[0, 0], [0, 1e-3], [0, 0]], "b1": right["b1"][:2], "x": right["x"].astype(np.float32)}
    given |= {"loss": np.asarray(np.float32(0.5))}
    arrays = [(name, "(1)", given.get(name), right[name], np.full(right[name].shape, 2e-3)) for name in right]
    arrays.insert(1, ("dL_da1", "(4)", None, np.ones(2), np.ones(2)))
    found = compared.entries(arrays)
    assert str(found) == str(tuple(compared.entry(*each) for each in arrays))  # as text, because NaN equals nothing
    assert [each.problem for each in found] == [
        "", "is missing", "has shape (2,); right is (3,)", "", "has dtype float32; right is float64",
    ]  # fmt: skip
    assert found[0].index == (1, 1)
    assert found[0].share == pytest.approx(0.5)
    assert compared.entries([]) == ()


def test_compare_entries_is_every_quantity_in_the_order_of_one_pass():
    report = v.compare(*network_and_data())
    names = [entry.name for entry in report.entries]
    forward, output = ["z1", "a1", "z2", "a2", "loss"], ["dL_da2", "da_dz2", "dL_dz2", "w2", "b2"]
    assert names == [*forward, *output, "dL_da1", "da_dz1", "dL_dz1", "w1", "b1", "alpha1", "x"]
    assert report.ok
    assert 0 < report.largest_share <= 1
    assert [entry.equation for entry in report.entries if entry.name in ("z1", "w2", "dL_da2", "dL_da1")] == [
        "(8)",
        "(4)",
        "(11), (13)",
        "(14)",
    ]


@pytest.mark.parametrize("telling", ["matrix", "trace", "literal"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("single", [False, True])
def test_compare_of_right_gradients_is_ok(telling, dtype, single):
    net, x, y = network_and_data(dtype)
    x, y = (x[0], y[0]) if single else (x, y)
    report = v.compare(net, x, y, telling=telling)
    assert report.ok
    assert report.mismatches == ()
    v.assert_matches_autograd(net, x, y, telling=telling)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compare_of_a_network_written_out_is_ok(dtype):
    net, x, y = network_and_data(dtype)
    for one in ((x[0], y[0]), (x[:1], y[:1])):
        assert v.compare(net, *one, telling="written out").ok
    with pytest.raises(ValueError, match="x must be one example"):
        v.compare(net, x, y, telling="written out")


class Own(nn.Module):
    """A student's module: its forward is written out."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2, bias=False)
        self.slope = nn.PReLU()

    def forward(self, x):
        x = self.slope(self.first(torch.flatten(x, 1)))
        return nn.functional.dropout(self.last(x), 0.5, self.training)


def made(make, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reduction", [None, "sum"])
@pytest.mark.parametrize(
    ("make", "loss", "y"),
    [
        (lambda: Own().eval(), None, [[0.5, 1.0], [0.0, -1.0], [2.0, 0.25]]),
        (lambda: Own().eval(), "cross_entropy", [0, 1, 1]),
        (lambda: Own().eval(), "cross_entropy", [[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]]),
        (lambda: Own().eval(), "binary_cross_entropy", [[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]]),
        (lambda: nn.Sequential(Own().eval(), nn.LogSoftmax(-1)), "cross_entropy", [0, 1, 1]),
        (lambda: nn.Sequential(Own().eval(), nn.LogSoftmax(1)), "cross_entropy", [[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]]),
        (lambda: nn.Sequential(nn.Sequential(nn.Linear(3, 2)), nn.PReLU(2)), "squared_error", [[0.5, 1.0]] * 3),
        (lambda: nn.Linear(3, 2), None, [[0.5, 1.0], [0.0, -1.0], [2.0, 0.25]]),
    ],
)
def test_compare_of_module_is_ok(make, loss, y, reduction, dtype):
    module = made(make).to(dtype)
    x = torch.tensor([[1.0, -2.0, 0.5], [0.25, 4.0, -1.0], [2.0, 0.0, 1.0]])
    report = v.compare(module, x, torch.tensor(y), loss=loss, reduction=reduction)
    assert report.ok
    assert report.network.startswith("Network(3-")
    assert f"{loss or 'squared_error'}, {reduction or 'mean'}; {str(dtype).removeprefix('torch.')}" in report.network
    v.assert_matches_autograd(module, x[0], torch.tensor(y[0]), loss=loss, reduction=reduction, telling="literal")


class Partly(Own):
    """Its first layer takes no part in the gradient."""

    def forward(self, x):
        with torch.no_grad():
            a = self.slope(self.first(x))
        return self.last(a)


class Doubled(Own):
    """Its outputs are doubled when it is called on numbers."""

    def forward(self, x):
        output = super().forward(x)
        return 2 * output if isinstance(output, torch.Tensor) else output


def test_compare_of_module_is_with_the_modules_own_gradients():
    """What torch.fx does not see is seen by whoever calls the module, and by nobody who reads its layers."""
    module = made(lambda: Partly().double().eval())
    x, y = np.ones((2, 3)), np.ones((2, 2))
    report = v.compare(module, x, y)
    assert [entry.name for entry in report.mismatches] == ["w1", "b1", "alpha1", "x"]
    assert {entry.expected for entry in report.mismatches} == {0.0}
    with pytest.raises(AssertionError, match="4 of 17 arrays differ, the first is w1"):
        v.assert_matches_autograd(module, x, y)
    wrong = [entry.name for entry in v.compare(made(Doubled).double().eval(), x, y).mismatches]
    assert wrong == ["loss", "w2", "w1", "b1", "alpha1", "x"]


def test_compare_of_module_that_nobody_differentiates_is_mismatches():
    class Cut(Own):
        def forward(self, x):
            with torch.no_grad():
                return super().forward(x)

    wrong = v.compare(made(Cut).double().eval(), np.ones((2, 3)), np.ones((2, 2))).mismatches
    assert [entry.name for entry in wrong] == ["w2", "w1", "b1", "alpha1", "x"]


def test_compare_within_inference_mode_is_ok():
    module = made(Own).eval()
    with torch.inference_mode():
        assert v.compare(module, torch.ones(2, 3), torch.ones(2, 2)).ok
        made_within = made(Own).eval()
        assert v.compare(made_within, torch.ones(2, 3), torch.ones(2, 2)).ok
        assert torch.is_inference_mode_enabled()
    assert v.compare(made_within, torch.ones(2, 3), torch.ones(2, 2)).ok


def test_compare_of_module_that_leaves_autograd_raises():
    class Inferring(Own):
        def forward(self, x):
            with torch.inference_mode():
                a = self.slope(self.first(x))
            return self.last(a)

    with pytest.raises(TypeError, match="module's forward must be one that torch can differentiate: Inference tensors"):
        v.compare(made(Inferring).eval(), np.ones((2, 3)), np.ones((2, 2)))


def test_compare_of_module_leaves_it_as_it_was():
    module = made(lambda: nn.Sequential(nn.Linear(3, 4), nn.Dropout(0), nn.Tanh(), nn.Linear(4, 2)))
    module[0].weight.requires_grad_(False)
    module[3].bias.grad = torch.ones(2)
    before = {name: parameter.clone() for name, parameter in module.named_parameters()}
    x = torch.ones(2, 3, requires_grad=True)
    with torch.no_grad():
        assert v.compare(module, x, torch.ones(2, 2)).ok
    assert x.grad is None
    assert [parameter.requires_grad for parameter in module.parameters()] == [False, True, True, True]
    assert module[3].weight.grad is None
    assert torch.equal(module[3].bias.grad, torch.ones(2))
    assert all(each.training for each in module.modules())
    assert all(torch.equal(parameter, before[name]) for name, parameter in module.named_parameters())


@pytest.mark.parametrize("function", [v.compare, v.assert_matches_autograd])
@pytest.mark.parametrize(
    ("net", "options", "error", "text"),
    [
        (network_and_data()[0], {"loss": "squared_error"}, TypeError, "loss is an argument of a module alone; Network(3-4-2"),
        (network_and_data()[0], {"reduction": "sum"}, TypeError, "has its own; got reduction='sum'"),
        (nn.Sequential(nn.Linear(3, 2), nn.GELU()), {}, TypeError, "module 1 must be one of Linear"),
        (nn.Linear(3, 2), {"loss": "mse"}, ValueError, "got 'mse': the notes' word is squared_error"),
        (nn.Linear(3, 2), {"telling": "matrices"}, ValueError, "telling must be one of"),
        (nn.Linear(4, 2), {}, ValueError, "x must have shape (N, n_0) = (N, 4)"),
        (nn.Linear(3, 2), {"loss": "cross_entropy"}, ValueError, "y must hold distributions that sum to 1"),
    ],
)
def test_compare_of_other_modules_raises(function, net, options, error, text):
    with pytest.raises(error) as raised:
        function(net, np.ones((2, 3)), np.ones((2, 2)), **options)
    assert text in str(raised.value)


def test_compare_of_binary_cross_entropy_is_ok():
    net = hg.Network.random([2, 3, 2], activations=["relu", "sigmoid"], loss="binary_cross_entropy", seed=1)
    x, y = [[1.0, 2.0], [-0.5, 0.25]], [[0.0, 1.0], [0.5, 0.3]]
    for telling in ("matrix", "trace", "literal"):
        report = v.compare(net, x, y, telling=telling)
        assert report.ok, report
        equations = {entry.name: entry.equation for entry in report.entries}
        assert (equations["loss"], equations["dL_dz2"], equations["dL_dz1"]) == ("(1)", "a - y", "(12) dL/da")
        assert not {"dL_da2", "da_dz2"} & set(equations)
    with pytest.raises(ValueError, match="net must have one neuron a layer"):
        v.compare(net, x, y, telling="chain")


def test_compare_of_cross_entropy_is_ok():
    net = hg.Network.random([2, 3, 3], activations=["relu", "softmax"], loss="cross_entropy", seed=1)
    report = v.compare(net, [[1.0, -2.0], [0.5, 3.0]], [2, 0])
    assert report.ok
    assert {entry.equation for entry in report.entries} >= {"(1)", "p - y"}
    assert {entry.equation for entry in v.compare(net, [1.0, 2.0], [0.5, 0.25, 0.25]).entries} >= {"(2)"}


def test_compare_of_a_wrong_number_is_a_mismatch_with_place_and_ratio(monkeypatch):
    net, x, y = network_and_data()
    right = net.gradient(x, y)[2].w

    def double_one(trace):
        wrong = trace[2].dL_dw.copy()
        wrong[1, 3] *= 2
        return changed_layer(trace, 2, dL_dw=wrong)

    with_wrong(monkeypatch, double_one)
    report = v.compare(net, x, y)
    assert not report.ok
    (wrong,) = report.mismatches
    assert (wrong.name, wrong.index, wrong.shape) == ("w2", (1, 3), (2, 4))
    assert wrong.given == 2 * right[1, 3]
    assert wrong.ratio == pytest.approx(2, rel=1e-12)
    assert wrong.share > 1e6
    assert "1 of 17 arrays differ, the first is w2" in str(report)
    assert "WRONG" in str(wrong)
    with pytest.raises(AssertionError, match="w2"):
        v.assert_matches_autograd(net, x, y)


def test_compare_is_of_the_gradient_that_users_call_for(monkeypatch):
    net, x, y = network_and_data()
    monkeypatch.setattr(hg.Network, "gradient", lambda self, x, y: 2 * self.trace(x, y).gradient)
    names = [entry.name for entry in v.compare(net, x, y).mismatches]
    assert names == ["loss", "w2", "b2", "w1", "b1", "alpha1", "x"]
    assert v.compare(net, x, y, telling="trace").ok


def test_compare_reports_is_all_mismatches(monkeypatch):
    with_wrong(monkeypatch, lambda trace: changed_layer(trace, 1, dL_dw=-trace[1].dL_dw, dL_db=-trace[1].dL_db))
    assert [entry.name for entry in v.compare(*network_and_data()).mismatches] == ["w1", "b1"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda array: array.T, "has shape (4, 2); right is (2, 4)"),
        (lambda array: array[None], "has shape (1, 2, 4); right is (2, 4)"),
        (lambda array: array.astype(np.float32), "has dtype float32; right is float64"),
    ],
)
def test_compare_of_another_shape_or_dtype_is_a_mismatch(monkeypatch, change, problem):
    with_wrong(monkeypatch, lambda trace: changed_layer(trace, 2, dL_dw=change(trace[2].dL_dw)))
    (wrong,) = v.compare(*network_and_data()).mismatches
    assert wrong.problem == problem
    assert problem in str(wrong)


def test_compare_of_a_missing_array_is_a_mismatch(monkeypatch):
    with_wrong(monkeypatch, lambda trace: changed_layer(trace, 1, dL_dalpha=None))
    (wrong,) = v.compare(*network_and_data()).mismatches
    assert (wrong.name, wrong.problem) == ("alpha1", "is missing")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_compare_of_a_number_that_is_none_is_a_mismatch(monkeypatch, value):
    def spoil(trace):
        wrong = trace[1].dL_db.copy()
        wrong[2] = value
        return changed_layer(trace, 1, dL_db=wrong)

    with_wrong(monkeypatch, spoil)
    (wrong,) = v.compare(*network_and_data()).mismatches
    assert (wrong.name, wrong.index) == ("b1", (2,))


def test_compare_of_what_must_be_zero_is_strict(monkeypatch):
    net = hg.Network([hg.Dense([[1.0]], [-5.0], "relu")])
    with_wrong(monkeypatch, lambda trace: changed_layer(trace, 1, dL_dw=np.array([[1e-300]])))
    (wrong,) = v.compare(net, [[1.0]], [[1.0]]).mismatches
    assert wrong.share == np.inf


def test_compare_where_numbers_overflow_is_said():
    net = hg.Network([hg.Dense([[1e200]], [0.0])])
    report = v.compare(net, [[1e200]], [[0.0]])
    assert report.ok
    assert "not comparable" in str(report)


@pytest.mark.parametrize("side", [0.0, 1.0])
def test_compare_nearer_to_a_kink_than_the_bound_is_ok_on_either_side(monkeypatch, side):
    net = hg.Network([hg.Dense([[0.1, 0.2]], [-0.3], "relu")])

    def on_side(trace):
        da_dz = np.full((1, 1), side)
        dL_dz = da_dz * trace[1].dL_da
        return changed_layer(
            trace, 1, da_dz=da_dz, dL_dz=dL_dz, dL_dw=dL_dz.T @ [[1.0, 1.0]], dL_db=dL_dz[0], dL_da_prev=dL_dz @ net.layers[0].w
        )

    with_wrong(monkeypatch, on_side)
    assert v.compare(net, [[1.0, 1.0]], [[1.0]]).ok


def test_compare_at_an_exact_kink_is_strict(monkeypatch):
    net = hg.Network([hg.Dense([[1.0, 2.0]], [-3.0], "relu")])
    with_wrong(monkeypatch, lambda trace: changed_layer(trace, 1, da_dz=np.ones((1, 1))))
    assert [entry.name for entry in v.compare(net, [[1.0, 1.0]], [[1.0]]).mismatches] == ["da_dz1"]


def test_report_as_dict_is_json_with_every_number(monkeypatch):
    report = v.compare(*network_and_data())
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read["ok"] is True
    assert [entry["name"] for entry in read["entries"]] == [entry.name for entry in report.entries]
    assert read["entries"][0]["given"] == report.entries[0].given
    with_wrong(monkeypatch, lambda trace: changed_layer(trace, 1, dL_db=trace[1].dL_db * np.nan))
    wrong = json.loads(json.dumps(v.compare(*network_and_data()).to_dict(), allow_nan=False))
    assert wrong["ok"] is False
    assert [entry["share"] for entry in wrong["entries"] if entry["name"] == "b1"] == ["inf"]


@pytest.mark.parametrize(
    ("telling", "form"), [("matrix", STABLE), ("trace", STABLE), ("literal", NAIVE), ("written out", STABLE)]
)
def test_compare_allows_equals_the_bounds_of_both_sides(telling, form):
    net = hg.Network([hg.Dense([[1.0]], [0.0], "sigmoid")])
    x, y = [[30.0]], [[0.0]]
    asked = comparison.plain_case(net, x, y)
    of_handgrad, of_torch = bounds(asked, form), bounds(asked, NAIVE)
    for entry in v.compare(net, x, y, telling=telling).entries:
        assert entry.allowed == (of_handgrad[entry.name] + of_torch[entry.name]).max(), entry.name


def test_compare_of_reversed_arrays_is_ok():
    net, x, y = network_and_data()
    assert v.compare(net, x[::-1, ::-1], y[::-1, ::-1]).ok


@pytest.mark.parametrize("telling", ["literal", "chain"])
def test_compare_where_a_square_overflows_is_said(telling):
    report = v.compare(hg.Network([hg.Dense([[1e200]], [0.0])]), [1.0], [0.0], telling=telling)
    assert report.ok
    assert "not comparable" in str(report)


def test_ratio_to_zero_is_nan():
    net = hg.Network([hg.Dense([[1.0]], [-5.0], "relu")])
    (entry,) = [entry for entry in v.compare(net, [[1.0]], [[1.0]]).entries if entry.name == "w1"]
    assert np.isnan(entry.ratio)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"net": "net"}, TypeError, "net must be a handgrad Network or an nn.Module; got str"),
        (
            {"telling": "literate"},
            ValueError,
            "telling must be one of matrix, trace, literal, chain, written out; got 'literate' (did you mean 'literal'?)",
        ),
        ({"telling": 3}, TypeError, "telling must be one of matrix, trace, literal, chain, written out; got 3"),
        ({"telling": "chain"}, ValueError, "net must have one neuron a layer, n_0 = ... = n_L = 1; got widths 3-4-2"),
        ({"x": [[1.0, 2.0]]}, ValueError, "x must have shape (N, n_0) = (N, 3)"),
        ({"y": [[1.0]]}, ValueError, "y must have shape (N, n_L) = (5, 2)"),
        ({"x": np.full((5, 3), np.nan)}, ValueError, "x[0, 0] is nan"),
    ],
)
@pytest.mark.parametrize("function", [v.compare, v.assert_matches_autograd])
def test_compare_of_bad_input_raises(function, arguments, error, text):
    net, x, y = network_and_data()
    with pytest.raises(error) as raised:
        function(**({"net": net, "x": x, "y": y} | arguments))
    assert text in str(raised.value)
