"""Modules that a submission must do without."""

import numpy as np
import pytest

import handgrad as hg
import verification as v
from verification.__main__ import main
from verification.submissions.description import describe
from verification.submissions.remote import Remote, open_submission

NET = describe(hg.Network([hg.Dense([[1.0, 0.5]], [-0.5])]))
X, Y = np.array([2.0, 1.0]), np.array([1.0])
RIGHT = """
import numpy as np
from verification import supports


@supports(activations=["identity"], losses=["squared_error"], reductions=["sum"], batches=False, layers=1)
def gradient(network, x, y):
    dL_dz = 2 * (network.weights[0] @ x + network.biases[0] - y)
    return {"w1": np.outer(dL_dz, x), "b1": dL_dz}
"""


def written(folder, text, name="homework.py"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "imports",
    [
        "import torch",
        "import torch.nn as nn",
        "from torch import nn",
        "import handgrad",
        "import handgrad.losses",
        "from handgrad import Network",
        "__import__('handgrad')",
        "import importlib; importlib.import_module('handgrad.network')",
        "exec('import handgrad')",
        "from verification.checking.check import check",
        "from verification import compare",
        "def f():\n    import handgrad\nf()",
        "import neighbour",
    ],
)
def test_forbidden_import_raises_one_sentence_with_its_line(imports, tmp_path):
    written(tmp_path, "import handgrad", "neighbour.py")
    name = "torch" if "torch" in imports or "compare" in imports else "handgrad"
    forbid = ["torch"] if name == "torch" else ["torch", "handgrad"]
    path = written(tmp_path, f"{RIGHT}{imports}\n")
    Remote(path).close()
    with pytest.raises(v.SubmissionError) as caught:
        Remote(path, forbid=forbid)
    line = len(RIGHT.splitlines()) + (2 if "def f" in imports else 1)
    assert str(caught.value) == f"{path}:{line}: the file imports {name}, which is forbidden here"


def test_forbidden_import_in_a_call_is_told_with_its_line(tmp_path):
    path = written(tmp_path, RIGHT.replace("    dL_dz", "    import handgrad\n    dL_dz"))
    with Remote(path, forbid=["handgrad"]) as subject, pytest.raises(v.SubmissionError) as caught:
        subject.gradient(NET, X, Y)
    assert str(caught.value).startswith(f"{path}:8: gradient imports handgrad, which is forbidden here, on the network")


def test_forbidden_import_that_it_can_do_without_is_told_too(tmp_path):
    path = written(tmp_path, f"try:\n    import torch\nexcept ImportError:\n    torch = None\n{RIGHT}")
    with pytest.raises(v.SubmissionError, match=":2: the file imports torch, which is forbidden here"):
        Remote(path, forbid=["torch"])


def test_forbidden_import_of_a_package_is_as_if_it_were_not_there(tmp_path):
    """What others do if they find it is not for the hand-in to answer for."""
    written(tmp_path, "try:\n    import torch\nexcept ImportError:\n    torch = None\n", "library.py")
    path = written(tmp_path, f"import library\nassert library.torch is None\n{RIGHT}")
    Remote(path, forbid=["torch"]).close()


def test_file_that_imports_nothing_forbidden_is_right(tmp_path):
    path = written(tmp_path, f"import sys\nassert 'handgrad' not in sys.modules\n{RIGHT}")
    assert v.check(path, examples=20, forbid=["handgrad", "torch", "jax", "autograd"]).ok


@pytest.mark.parametrize(
    ("forbid", "error", "match"),
    [
        ("torch", TypeError, "forbid must be a sequence of names of modules; got 'torch'"),
        ([1], TypeError, "forbid must be a sequence of names"),
        (["torch.nn"], ValueError, r"forbid must name modules that stand in no other, as torch does; got 'torch\.nn'"),
        (["numpy"], ValueError, "can do without; it needs numpy"),
        (["os"], ValueError, "can do without; it needs os"),
        (["verification"], ValueError, "can do without; it needs verification"),
    ],
)
def test_bad_forbid_raises(forbid, error, match, tmp_path):
    path = written(tmp_path, RIGHT)
    with pytest.raises(error, match=match):
        v.check(path, forbid=forbid)


def test_forbid_for_a_function_raises():
    with pytest.raises(ValueError, match=r"forbid must be empty for what has been imported already; got \['torch'\]"):
        open_submission(lambda network, x, y: {}, forbid=["torch"])


def test_command_with_forbid_is_exit_3_and_the_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, f"import torch\n{RIGHT}")
    assert main(["check", "homework.py", "--forbid", "torch,handgrad"]) == 3
    assert capsys.readouterr().out.splitlines()[1] == "  homework.py:1: the file imports torch, which is forbidden here"
    with pytest.raises(SystemExit) as left:
        main(["check", "homework.py", "--forbid", "numpy"])
    assert left.value.code == 2
    assert "can do without; it needs numpy" in " ".join(capsys.readouterr().err.split())
