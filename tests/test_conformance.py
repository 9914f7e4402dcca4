"""The shipped suite on right files, on wrong ones, on none."""

import subprocess
import sys
import textwrap
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import handgrad
from verification.checking import pytest_plugin
from verification.conformance import PROPERTIES, applying
from verification.submissions.support import Support

pytest_plugins = ["pytester"]

HOUSE = Path(handgrad.__file__).parents[1]

NET = """
import numpy as np
from verification import supports

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

G = {"sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "identity": lambda z: z}
G_PRIME = {
    "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0).astype(z.dtype),
    "identity": lambda z: np.ones_like(z),
}

@supports(activations=list(G), losses=["squared_error"], single=False)
class Net:
    def __init__(self, network):
        self.network = network

    def forward(self, x):
        self.a, self.z = [x], []
        for w, b, name in zip(self.network.weights, self.network.biases, self.network.activations):
            self.z.append(self.a[-1] @ w.T + b)
            self.a.append(G[name](self.z[-1]))

    def backward(self, y):
        n, g = self.network, {}
        dL_da = 2 * (self.a[-1] - y)
        if n.reduction == "mean":
            dL_da = dL_da / len(y)
        for number in range(len(n.weights), 0, -1):
            dL_dz = dL_da * G_PRIME[n.activations[number - 1]](self.z[number - 1])
            g[f"w{number}"], g[f"b{number}"] = dL_dz.T @ self.a[number - 1], dL_dz.sum(axis=0)
            dL_da = dL_dz @ n.weights[number - 1]
        return g
"""


@pytest.fixture
def suite(pytester):
    """Return a function that runs the suite on a file's text, in a folder without any configuration of its own."""

    def run(text, *options):
        path = pytester.path / "homework.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        options = ("--pyargs", "verification.conformance", "--submission", "homework.py", *options)
        return pytester.runpytest_inprocess("-p", "verification.checking.pytest_plugin", "-p", "no:cacheprovider", *options)

    return run


def failed(result):
    reports = result.reprec.getreports("pytest_runtest_logreport")
    return {report.nodeid.split("[")[1].rstrip("]") for report in reports if report.failed}


def test_right_file_passes_every_property_that_concerns_it(suite):
    result = suite(NET)
    concerned = applying(Support(activations=["sigmoid", "tanh", "relu", "identity"], single=False), frozenset({"w", "b"}))
    result.assert_outcomes(passed=len(concerned))
    result.stdout.fnmatch_lines(["submission: homework.py, class Net"])
    assert {"one-tanh-layer", "hidden-relu-layers", "batch-mean", "rows-of-calls"} <= set(concerned)
    assert not {"one-softmax-layer", "hidden-prelu-layers", "one-example", "loss", "cross-entropy-distribution"} & set(
        concerned
    )


@pytest.mark.parametrize(
    ("right", "wrong", "fails", "holds", "says"),
    [
        (
            "lambda z: 1 - np.tanh(z) ** 2",
            "lambda z: 1 - z ** 2",
            {"one-tanh-layer", "hidden-tanh-layers"},
            {"one-sigmoid-layer", "hidden-relu-layers", "identity-layers"},
            "*(12)*",
        ),
        (
            "dL_da = dL_dz @ n.weights[number - 1]",
            "dL_da = (dL_dz @ n.weights[number - 1]) * 2",
            {"identity-layers", "hidden-tanh-layers"},
            {"one-identity-layer", "one-tanh-layer"},
            "*(14)*",
        ),
        ("dL_da = dL_da / len(y)", "dL_da = dL_da", {"batch-mean"}, {"batch-sum"}, "*mean over*"),
    ],
)
def test_wrong_file_fails_the_properties_that_it_lacks(suite, right, wrong, fails, holds, says):
    assert right in NET
    result = suite(NET.replace(right, wrong), "-k", " or ".join(sorted(fails | holds)))
    assert failed(result) == fails
    result.assert_outcomes(failed=len(fails), passed=len(holds))
    result.stdout.fnmatch_lines([says])
    text = result.stdout.str()
    # The student's numbers and network, none of the suite's own lines.
    assert "The smallest network that shows it" in text
    assert "conformance.py:" not in text


def test_class_that_errs_only_in_a_row_fails_rows_of_calls_alone(suite):
    accumulates = NET.replace("n, g = self.network, {}", "n, g = self.network, getattr(self, 'g', {})").replace(
        "        return g", "        self.g = {k: v * 1 for k, v in g.items()}\n        return g"
    )
    text = accumulates.replace(
        '], g[f"b{number}"] = dL_dz.T @ self.a[number - 1],',
        '], g[f"b{number}"] = g.get(f"w{number}", 0) + dL_dz.T @ self.a[number - 1],',
    )
    assert text != accumulates
    result = suite(text)
    assert failed(result) == {"rows-of-calls"}
    result.stdout.fnmatch_lines(["*In a row of calls it is wrong at: *"])


def test_rows_of_calls_are_not_judged_while_single_calls_are_wrong(suite):
    result = suite(NET.replace("2 * (self.a", "(self.a"), "-k", "rows")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cannot be judged while single calls are wrong*"])


def test_code_that_raises_fails_with_its_own_line(suite):
    result = suite("def gradient(network, x, y):\n    return network.wieghts\n", "-k", "one-identity-layer")
    assert failed(result) == {"one-identity-layer"}
    result.stdout.fnmatch_lines(["*homework.py:2: gradient raised AttributeError*"])


def test_optional_quantities_have_properties_of_their_own(suite):
    text = """
        import handgrad as hg
        from verification import supports
        from verification.submissions.description import as_network

        @supports(activations=["tanh"], layers=2, dtypes=["float64"])
        def gradient(network, x, y):
            t = as_network(network).trace(x, y)
            g = t.gradient
            return g.named() | t.named() | {"loss": g.loss / 2, "x": -g.x}
    """
    result = suite(text)
    assert failed(result) == {"loss", "dL_dx"}
    assert "one-tanh-layer" not in result.stdout.str()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "ERROR: verification.conformance checks somebody's file: say which with --submission FILE"),
        (["--submission", "none.py"], "ERROR: none.py: there is no such file"),
        (["--submission", "broken.py"], "ERROR: broken.py:1: this is not Python: *"),
        (["--submission", "good.py", "--submission-name", "Nett"], "ERROR: good.py: *did you mean 'Net'?"),
    ],
)
def test_suite_without_a_file_that_can_be_loaded_is_a_usage_error(pytester, options, sentence):
    (pytester.path / "broken.py").write_text("def :", encoding="utf-8")
    (pytester.path / "good.py").write_text(NET, encoding="utf-8")
    result = pytester.runpytest_inprocess(
        "-p", "verification.checking.pytest_plugin", "-p", "no:cacheprovider", "--pyargs", "verification.conformance", *options
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert any(fnmatch(line, sentence) for line in result.errlines + result.outlines)
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_other_suites_do_not_notice_the_plugin(pytester):
    pytester.makepyfile("def test_a(): ...")
    pytester.runpytest_inprocess("-p", "verification.checking.pytest_plugin", "-p", "no:cacheprovider").assert_outcomes(
        passed=1
    )


def test_plugin_loads_neither_torch_nor_numpy():
    load = "import sys, verification.checking.pytest_plugin"
    script = load + "; print(*{'torch', 'numpy', 'hypothesis', 'handgrad'} & set(sys.modules))"
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HOUSE, env={"PYTHONPATH": str(HOUSE)})
    assert answer.stdout.strip() == ""


def test_plugin_is_declared_under_its_own_name():
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    name = pytest_plugin.__name__
    assert project["project"]["entry-points"]["pytest11"] == {name: name}


def test_every_property_concerns_a_submission_that_supports_everything():
    kinds = frozenset({"w", "b", "alpha", "loss", "x", "z", "a", "dL_da", "da_dz", "dL_dz"})
    assert list(applying(Support(), kinds)) == list(PROPERTIES)
    assert "loss" not in applying(Support(), kinds - {"loss"})


@pytest.mark.parametrize(
    ("declared", "wanted", "common"),
    [
        ({}, {"layers": 1}, {"layers": 1}),
        ({"layers": (2, 3)}, {"layers": (3, 9)}, {"layers": 3}),
        ({"layers": 2}, {"layers": 1}, None),
        ({"activations": ["relu"]}, {"activations": ["tanh"], "layers": 2}, None),
        ({"activations": ["relu"], "outputs": ["tanh"]}, {"activations": ["tanh"]}, {"activations": ["tanh"], "layers": 1}),
        ({"activations": ["relu"]}, {"outputs": ["tanh"]}, None),
        ({"batches": False}, {"single": False}, None),
        ({"dtypes": ["float32"]}, {"dtypes": ["float64"]}, None),
        ({"losses": ["cross_entropy"]}, {"outputs": ["tanh"]}, None),
        ({"widths": 1}, {"layers": (1, 2)}, {"widths": 1, "layers": (1, 2)}),
        ({"widths": [2, 3, 1]}, {"layers": 2}, {"widths": [2, 3, 1]}),
        ({}, {"widths": 2}, {"widths": 2}),
        ({"widths": 1}, {"widths": 2}, None),
    ],
)
def test_narrowed_support_equals_what_both_support(declared, wanted, common):
    narrowed = Support(**declared).narrowed(**wanted)
    if common is None:
        assert narrowed is None
        return
    expected = Support(**common)
    assert narrowed.layer_range[0] == expected.layer_range[0]
    assert (narrowed.layer_range[1] or 64) == (expected.layer_range[1] or narrowed.layer_range[1])
    assert (narrowed.widths, narrowed.activations) == (expected.widths, expected.activations)
