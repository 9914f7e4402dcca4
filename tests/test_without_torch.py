"""Checking needs NumPy alone, and whoever needs more is told what brings it. Packages are hidden in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import handgrad as hg
import verification as v

HOUSE = Path(hg.__file__).parents[1]
OTHERS = ("torch", "hypothesis", "joblib", "rich", "matplotlib", "pytest")
HOMEWORK = """
import numpy as np
from verification import supports


@supports(activations=["tanh"], losses=["squared_error"], reductions=["sum"], batches=False, layers=1)
def gradient(network, x, y):
    a = np.tanh(network.weights[0] @ x + network.biases[0])
    dL_dz = FACTOR * (a - y) * (1 - a * a)
    return {"w1": np.outer(dL_dz, x), "b1": dL_dz}
"""


@pytest.fixture
def bare(tmp_path):
    """Return a runner of Python in which nothing but NumPy is installed; processes that it starts inherit that."""
    for name in OTHERS:
        error = f"raise ModuleNotFoundError(\"No module named '{name}'\", name='{name}')\n"
        (tmp_path / f"{name}.py").write_text(error, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(HOUSE)])

    def run(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})

    return run


@pytest.mark.parametrize(
    ("factor", "status", "said"),
    [
        ("2", 0, ["gradient: right in all 7 equations that it uses, on 300 networks and in 40 rows of calls"]),
        ("1", 1, ["gradient: WRONG; 6 of 7 equations are right", "  (4)       dL/da = 2 (a − y)"]),
    ],
)
def test_check_is_done_with_numpy_alone(bare, tmp_path, factor, status, said):
    (tmp_path / "homework.py").write_text(HOMEWORK.replace("FACTOR", factor), encoding="utf-8")
    answer = bare("-m", "verification", "check", "homework.py", "--verbose", "--json", "verdict.json")
    assert (answer.returncode, answer.stderr) == (status, "")
    assert answer.stdout.splitlines()[: len(said)] == said
    assert "\n\nReport card\n" in answer.stdout
    told = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert answer.stdout.startswith(told["story"] + "\n")
    assert told["ok"] is (status == 0)


@pytest.mark.parametrize("name", v.__all__)
def test_public_name_is_there_or_says_what_it_needs(bare, name):
    ask = f"import verification\ntry:\n    print(verification.{name})\nexcept ImportError as error:\n    print(error)"
    answer = bare("-c", ask)
    needs = " which the extra verification brings: pip install '.[verification]'"
    of_torch = {"SquaredError", "from_torch", "to_torch", "to_torch_loss", "module_submission"}
    of_torch |= {"Report", "compare", "assert_matches_autograd", "assert_contents_match_autograd"}
    if name in of_torch:
        assert answer.stdout.strip() == "verification.autograd needs torch," + needs
    elif name in {"architectures", "cases", "networks", "seeds"}:
        assert answer.stdout.strip() == "verification.random_networks.strategies needs hypothesis," + needs
    else:
        assert name in answer.stdout
        assert "needs" not in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("check", "homework.py", "--oracle", "torch"), "verification.autograd needs torch, "),
        ((), "verification.autograd needs torch, "),
        (("mistakes",), "verification.checking.scorecard needs joblib, "),
        (("benchmark", "--quick"), "verification.autograd needs torch, "),
    ],
)
def test_command_without_its_package_is_a_sentence_and_exit_2(bare, tmp_path, arguments, sentence):
    (tmp_path / "homework.py").write_text(HOMEWORK.replace("FACTOR", "2"), encoding="utf-8")
    answer = bare("-m", "verification", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    brings = "joblib" if "joblib" in sentence else "'.[verification]'"
    assert answer.stderr == f"{sentence}which the extra verification brings: pip install {brings}\n"


def test_oracle_torch_judges_as_handgrad_does():
    def made(factor):
        names = {}
        exec(HOMEWORK.replace("FACTOR", factor), names)
        return names["gradient"]

    for factor in ("2", "1"):
        by_handgrad, by_torch = (v.check(made(factor), oracle=oracle) for oracle in ("handgrad", "torch"))
        assert by_torch.ok == by_handgrad.ok == (factor == "2")
        assert by_torch.networks == by_handgrad.networks
        assert by_torch.card == by_handgrad.card
        assert str(by_torch).splitlines()[0] == str(by_handgrad).splitlines()[0]
    assert by_torch.blame.equation == by_handgrad.blame.equation == 4
    assert [fault.name for fault in by_torch.faults] == [fault.name for fault in by_handgrad.faults] == ["output-without-2"]
    with pytest.raises(ValueError, match="oracle must be one of handgrad, torch; got 'jax'"):
        v.check(made("2"), oracle="jax")


def test_oracle_torch_asks_torch(monkeypatch):
    from verification.autograd import oracles

    right, asked = oracles.autograd, []
    monkeypatch.setattr(oracles, "autograd", lambda plain: asked.append(plain) or right(plain))
    names = {}
    exec(HOMEWORK.replace("FACTOR", "2"), names)
    assert v.check(names["gradient"], oracle="torch", examples=20).ok
    assert len(asked) >= 20
    del asked[:]
    v.check(names["gradient"], examples=20)
    assert not asked


# The processor's time in place of the clock's: on a busy machine the deadline is the same, and as strict.
PROPERTY = """
import time

time.perf_counter = time.process_time

import verification as v
from hypothesis import given


@given(v.cases())
def test_gradients_match_autograd(case):
    v.assert_matches_autograd(*case)
"""


def test_property_from_a_cold_start_is_within_the_usual_deadline(tmp_path):
    (tmp_path / "test_property.py").write_text(PROPERTY, encoding="utf-8")
    # With CI set, Hypothesis takes a profile without a deadline.
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "HYPOTHESIS_PROFILE")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-show-statistics"]
    command.append("test_property.py")
    environment["PYTHONPATH"] = str(HOUSE)
    # Of one thread: the time of several would be added up.
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert answer.returncode == 0, answer.stdout
    assert "1 passed" in answer.stdout
    assert "Stopped because settings.max_examples=100" in answer.stdout
