"""The shipped suite on right files, on wrong ones, on none: a test an equation, a test a question, and the story once."""

import subprocess
import sys
import textwrap
import tomllib
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import pytest

import handgrad
import verification.conformance as conformance
from handgrad.formulas import FORMULAS
from verification.checking import pytest_plugin
from verification.checking.card import Row, rows
from verification.checking.check import examined
from verification.checking.notes import Note
from verification.checking.verdict import Verdict
from verification.submissions.support import Support

pytest_plugins = ["pytester"]

HOUSE = Path(handgrad.__file__).parents[1]
QUESTIONS = ["ordinary", "rows", "corners", "numbers"]
OWN_ERROR = "error::verification.conformance.NoteWarning"
SUPPORT = Support(activations=["sigmoid", "tanh", "relu", "identity"], losses=["squared_error"], single=False)
EQUATIONS = [
    *("(8)", "(9) sigmoid", "(9) tanh", "(9) relu", "loss", "(4)", "(12) sigmoid", "(12) tanh", "(12) relu"),
    *("(13)", "(7)", "(11)", "(14)"),
]

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
def suite(pytester, monkeypatch):
    """Return a function that runs the suite on a file's text, in a folder without any configuration of its own."""
    # The same questions about fewer networks: the same code, sooner done.
    monkeypatch.setattr(conformance, "examined", partial(examined, examples=60))
    monkeypatch.setattr("verification.checking.telling.EVIDENCE", 20)
    monkeypatch.setattr("verification.checking.telling.FRESH", 9)

    def run(text, *options):
        path = pytester.path / "homework.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        # In this process warnings are errors, which no student has asked for.
        options = ("-W", "default", "--pyargs", "verification.conformance", "--submission", "homework.py", *options)
        return pytester.runpytest_inprocess("-p", "verification.checking.pytest_plugin", "-p", "no:cacheprovider", *options)

    return run


@pytest.fixture
def told(suite, monkeypatch):
    """Return a function that runs the suite on a right file of which a made-up verdict is given."""

    def run(verdict, *options):
        examinations = []
        monkeypatch.setattr(conformance, "examined", lambda subject: examinations.append(subject) or verdict)
        result = suite(NET, *options)
        # However many tests there are, it is examined once.
        assert len(examinations) == 1
        return result

    return run


def asked(test):
    """Return the equation or question of a test, in whose name pytest has escaped what is no ASCII."""
    return test.partition("[")[2].removesuffix("]").encode("ascii").decode("unicode_escape")


def outcomes(result):
    """Return the equations and questions of the tests that failed, passed and were skipped, each in their order."""
    found = {"failed": [], "passed": [], "skipped": []}
    for report in result.reprec.getreports("pytest_runtest_logreport"):
        if report.when == "call" or report.skipped:
            found[report.outcome].append(asked(report.nodeid))
    return found


def why_skipped(result):
    """Return why each test was skipped."""
    return {
        asked(report.nodeid): report.longrepr[2].removeprefix("Skipped: ")
        for report in result.reprec.getreports("pytest_runtest_logreport")
        if report.skipped
    }


def changed(*changes):
    text = NET
    for right, wrong in changes:
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    return text


G_PRIME = ("lambda z: 1 - np.tanh(z) ** 2", "lambda z: 1 - z ** 2")
MEAN = ("dL_da = dL_da / len(y)", "dL_da = dL_da")
UPSTREAM = ("dL_da = dL_dz @ n.weights[number - 1]", "dL_da = (dL_dz @ n.weights[number - 1]) * 2")
OVERFLOW = ("return 1 / (1 + np.exp(-z))", "return np.exp(z) / (1 + np.exp(z))")
KEPT = """self.kept = getattr(self, "kept", {})
        x = self.kept.setdefault(x.shape, x)
        self.a, self.z = [x], []
"""
CACHED = ("self.a, self.z = [x], []\n", KEPT)


def test_right_file_passes_every_equation_and_question(suite):
    result = suite(NET)
    assert rows(SUPPORT) == EQUATIONS
    assert outcomes(result) == {
        "failed": [],
        "passed": [*(row for row in EQUATIONS if row != "loss"), *QUESTIONS],
        "skipped": ["loss"],
    }
    assert why_skipped(result) == {"loss": "not used: it returns no loss"}
    result.assert_outcomes(passed=16, skipped=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["submission: homework.py, class Net"])
    # Nor is there anything to be strict about.
    suite(NET, "--submission-strict").assert_outcomes(passed=16, skipped=1)


@pytest.mark.parametrize(
    ("change", "row", "says"),
    [
        (G_PRIME, "(12) tanh", "as if: 1 - z², the cached z taken for a [tanh-derivative-of-z]"),
        (UPSTREAM, "(14)", "here: what goes back to the layer before is 2 times what it should be"),
        (MEAN, "(11)", "as if: the derivatives are summed over the batch, while the loss is a mean [mean-missing]"),
    ],
    ids=["12", "14", "11"],
)
def test_one_wrong_equation_fails_its_test_alone(suite, change, row, says):
    result = suite(changed(change))
    found = outcomes(result)
    assert found["failed"] == [row]
    assert found["passed"] == [each for each in EQUATIONS if each not in ("loss", row)]
    assert found["skipped"] == ["loss", *QUESTIONS]
    skipped = why_skipped(result)
    assert skipped["ordinary"] == f"wrong, and told at {row}"
    later = "not asked while something is wrong in: networks with numbers of ordinary size"
    assert [skipped[question] for question in QUESTIONS[1:]] == [later] * 3
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = result.stdout.lines
    number = int(row[1 : row.index(")")])
    formula = "da/dz of tanh is 1 − a²" if number == 12 else FORMULAS[number]
    assert f"{row}: {says.partition(' [')[0].partition(': ')[2]}" in lines
    assert lines[lines.index(f"  {f'({number})':<9} {formula}") + 1] == f"            {says}"
    # The student's numbers and network, none of the suite's own lines.
    text = result.stdout.str()
    assert text.count(" came as ") == 1
    assert text.count("on the network ") == 1
    assert "conformance.py:" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("on_ci", [False, True])
def test_two_planted_faults_fails_two_tests_and_tells_the_story_once(suite, monkeypatch, on_ci):
    # On CI pytest's summary has whole messages.
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    if on_ci:
        monkeypatch.setenv("CI", "true")
    result = suite(changed(G_PRIME, MEAN))
    found = outcomes(result)
    assert found["failed"] == ["(12) tanh", "(11)"]
    assert found["skipped"] == ["loss", *QUESTIONS]
    lines = result.stdout.lines
    assert "Net: WRONG; 10 of 12 equations are right" in lines
    second = "(11): the derivatives are summed over the batch, while the loss is a mean (the story stands at (12) tanh)"
    assert lines.count(second) == 1
    text = result.stdout.str()
    for once in ("Net: WRONG", " came as ", "[mean-missing]", "[tanh-derivative-of-z]", "on the network "):
        assert text.count(once) == 1, once


def test_right_file_that_overflows_passes_with_a_note(suite):
    note = "a power overflows. With e = e^(−|z|), which never overflows: 1/(1 + e) for z ≥ 0, and e/(1 + e) below."
    result = suite(changed(OVERFLOW))
    result.assert_outcomes(passed=16, skipped=1)
    assert result.stdout.str().count("NoteWarning: ") == 1
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"*: NoteWarning: dL/dw? is nan from |z| = * on* in a sigmoid layer: {note}"])
    strict = suite(changed(OVERFLOW), "--submission-strict")
    assert outcomes(strict)["failed"] == ["numbers"]
    strict.assert_outcomes(passed=15, failed=1, skipped=1)
    strict.stdout.fnmatch_lines([f"dL/dw? is nan from |z| = * on* in a sigmoid layer: {note}"])
    assert "NoteWarning" not in strict.stdout.str()


def test_class_that_errs_only_in_a_row_fails_the_rows_of_calls_alone(suite):
    result = suite(changed(CACHED))
    found = outcomes(result)
    assert found["failed"] == ["rows"]
    assert "ordinary" in found["passed"]
    assert found["passed"][: len(EQUATIONS) - 1] == [row for row in EQUATIONS if row != "loss"]
    assert why_skipped(result)["numbers"] == (
        "not asked while something is wrong in: rows of calls, as a training loop makes them"
    )
    lines = result.stdout.lines
    place = lines.index("rows of calls, as a training loop makes them")
    assert lines[place + 1] == ""
    assert lines[place + 2] == "Net: WRONG in a row of calls, though a single call is right"
    assert lines[place + 3].startswith("  step      ")


def test_corners_after_wrong_rows_is_not_asked(suite):
    result = suite(changed(CACHED))
    assert "corners" in outcomes(result)["skipped"]


def test_code_that_raises_fails_one_question_and_skips_the_rest(suite):
    result = suite("def gradient(network, x, y):\n    return network.wieghts\n")
    found = outcomes(result)
    every = rows(Support())
    assert found == {"failed": ["ordinary"], "passed": [], "skipped": [*every, *QUESTIONS[1:]]}
    skipped = why_skipped(result)
    assert [skipped[row] for row in every] == ["nothing could be judged"] * len(every)
    lines = result.stdout.lines
    place = lines.index("networks with numbers of ordinary size")
    assert lines[place + 1 : place + 3] == ["", "gradient: could not be judged"]
    assert lines[place + 3].startswith("  homework.py:2: gradient raised AttributeError: ")
    assert "Traceback" not in result.stdout.str()


def test_loss_that_is_returned_has_a_test(suite):
    text = """
        import handgrad as hg
        from verification import supports
        from verification.submissions.description import as_network

        @supports(activations=["tanh"], losses=["squared_error"], layers=1, dtypes=["float64"])
        def gradient(network, x, y):
            g = as_network(network).gradient(x, y)
            return g.named() | {"loss": FACTOR * g.loss}
    """
    used = ["(8)", "(9) tanh", "loss", "(4)", "(12) tanh", "(13)", "(7)", "(11)"]
    assert outcomes(suite(text.replace("FACTOR", "1"))) == {"failed": [], "passed": [*used, *QUESTIONS], "skipped": []}
    result = suite(text.replace("FACTOR", "3"))
    assert outcomes(result)["failed"] == ["loss"]
    assert outcomes(result)["passed"] == [row for row in used if row != "loss"]
    assert "loss: the loss is 3 times what it should be" in result.stdout.lines


# Made-up verdicts.

CARD = (Row("(8)", "right"), Row("(7)", "cannot be told", "(4) is wrong wherever it is used"), Row("(4)", "wrong", "a thought"))


@pytest.mark.parametrize(
    ("question", "fails"),
    [("ordinary", "ordinary"), ("corners", "corners"), ("manners", "rows"), ("", "ordinary")],
)
@pytest.mark.parametrize("row", ["rows of calls", "gradient", ""])
def test_wrong_verdict_without_an_equation_fails_its_question(told, question, fails, row):
    card = (Row("(8)", "right"), *([Row(row, "wrong", "a thought")] if row else []))
    result = told(Verdict("Net", status="wrong", question=question, error="what happened", card=card))
    found = outcomes(result)
    assert found["failed"] == [fails]
    assert found["passed"][0] == "(8)"
    assert "  what happened" in result.stdout.lines
    assert why_skipped(result)["(4)"] == "nothing could be judged"
    for later in QUESTIONS[QUESTIONS.index(fails) + 1 :]:
        assert why_skipped(result)[later].startswith("not asked while something is wrong in: ")


def test_wrong_verdict_of_a_corner_fails_its_equation_after_the_ordinary_networks_passed(told):
    result = told(Verdict("Net", status="wrong", question="corners", when="for a batch", card=CARD))
    found = outcomes(result)
    assert found["failed"] == ["(4)"]
    assert {"(8)", "ordinary"} <= set(found["passed"])
    skipped = why_skipped(result)
    assert skipped["corners"] == "wrong, and told at (4)"
    assert skipped["(7)"] == "cannot be told: (4) is wrong wherever it is used"
    assert "Net: WRONG for a batch; 1 of 3 equations are right" in result.stdout.lines


def test_wrong_equation_that_is_asked_about_alone_names_the_place_of_the_story(told):
    card = (Row("(8)", "wrong", "a thought"), Row("(7)", "right"), Row("(11)", "wrong", "another"))
    result = told(Verdict("Net", status="wrong", question="ordinary", card=card), "-k", "11 or 7")
    assert outcomes(result) == {"failed": ["(11)"], "passed": ["(7)"], "skipped": []}
    assert "(11): another (the story stands at (8))" in result.stdout.lines
    assert "Net: WRONG" not in result.stdout.str()


def test_notes_is_warnings_of_their_question_each(told):
    notes = (Note("manners", "of rows", "copy"), Note("numbers", "of numbers"), Note("numbers", "of more numbers"))
    card = tuple(Row(row, "right") for row in EQUATIONS)
    result = told(Verdict("Net", card=card, notes=notes))
    result.assert_outcomes(passed=17)
    assert result.stdout.str().count("NoteWarning: ") == 3
    for text in ("of rows. Copy.", "of numbers.", "of more numbers."):
        result.stdout.fnmatch_lines([f"*: NoteWarning: {text}"])
    strict = told(Verdict("Net", card=card, notes=notes), "--submission-strict")
    assert outcomes(strict)["failed"] == ["rows", "numbers"]
    lines = strict.stdout.lines
    assert lines[lines.index("of numbers.") + 1] == "of more numbers."
    assert "of rows. Copy." in lines
    # Who takes warnings for errors has asked for it.
    assert outcomes(told(Verdict("Net", card=card, notes=notes), "-W", OWN_ERROR))["failed"] == ["rows", "numbers"]


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


@pytest.mark.parametrize(
    "declared", [{}, {"activations": ["tanh"], "losses": ["squared_error"], "layers": 1}, {"activations": ["softmax"]}]
)
def test_tests_of_a_submission_is_its_equations_and_the_questions(suite, declared):
    result = suite(
        f"from verification import supports\n@supports(**{declared})\ndef gradient(network, x, y): ...", "--co", "-q"
    )
    assert [asked(line) for line in result.stdout.lines if "::" in line] == [*rows(Support(**declared)), *QUESTIONS]


def test_file_with_several_submissions_is_told_the_option_that_the_suite_has(suite):
    result = suite("def gradient(network, x, y): ...\n\n\n" + NET.replace("@supports", "#"))
    said = result.stdout.str() + result.stderr.str()
    assert "say which with --submission-name: " in said
    assert result.ret == pytest.ExitCode.USAGE_ERROR
