"""Jupyter notebooks as hand-ins: the Python in them, and errors that name the cell."""

import ast
import json
import time

import numpy as np
import pytest

import handgrad as hg
import verification as v
from verification.submissions import notebooks
from verification.submissions.description import describe
from verification.submissions.loading import definitions
from verification.submissions.notebooks import read, without_magics
from verification.submissions.remote import Remote

NET = describe(hg.Network([hg.Dense([[1.0, 0.5]], [-0.5])]))
X, Y = np.array([2.0, 1.0]), np.array([1.0])
DEFINITION = """from verification import supports

@supports(activations=["identity"], losses=["squared_error"], reductions=["sum"], batches=False, layers=1)
def gradient(network, x, y):
    dL_dz = 2 * (network.weights[0] @ x + network.biases[0] - y)
    return {"w1": np.outer(dL_dz, x), "b1": dL_dz}
"""


def notebook(folder, *cells, metadata=None, name="home work.ipynb"):
    made = [{"cell_type": "markdown", "source": ["# Homework\n"], "metadata": {}}]
    made += [{"cell_type": "code", "source": text.splitlines(keepends=True), "outputs": [], "metadata": {}} for text in cells]
    path = folder / name
    path.write_text(json.dumps({"cells": made, "metadata": metadata or {}, "nbformat": 4}), encoding="utf-8")
    return str(path)


# What only IPython understands.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1\n"),
        ("!pip install numpy\n!!ls\n?print\nprint?\nnp.dot??\n%time?", "pass\n" * 6),
        ("files = !ls\na, b = %who_ls", "pass\npass\n"),
        ("if True:\n    %time f()\n\t!ls", "if True:\n    pass\n\tpass\n"),
        ("!pip install \\\n  numpy\nx = 1", "pass\n  pass\nx = 1\n"),
        ('s = """\n%not a magic\n!nor this\nwhy?\n"""\n%magic', 's = """\n%not a magic\n!nor this\nwhy?\n"""\npass\n'),
        ("'''\n%%no\n'''", "'''\n%%no\n'''\n"),
        ("x = (7\n%3)\ny = 7 \\\n% 3", "x = (7\n%3)\ny = 7 \\\n% 3\n"),
        ("x = 5 % 3 != 2  # why?\ny = x == 1", "x = 5 % 3 != 2  # why?\ny = x == 1\n"),
        ("# a comment \\\n%magic", "# a comment \\\npass\n"),
        ("%%time\nx = 1", "pass\nx = 1\n"),
        ("if x:\n        y = 1\n    %unindented\nz = (\n%3)", "if x:\n        y = 1\n    pass\nz = (\n%3)\n"),
        ("%a\nx = (\n%3)\n%b", "pass\nx = (\n%3)\npass\n"),
        ("\n%%capture out\nx = 1", "\npass\nx = 1\n"),
        ("x = 1\r\n%a\r\n", "x = 1\npass\n"),
        ("", ""),
        ("%%bash\nls", None),
        ("\n\n%%html\n<b>", None),
        ("%%timeit\nf()", None),
    ],
)
def test_cell_without_magics_is_python_of_as_many_lines(text, expected):
    assert without_magics(text) == expected


MANY = ["%a\n" * 30_000, "x = 1\n" * 20_000 + "'''\n" + "%a\n" * 10_000 + "'''"]


@pytest.mark.parametrize("text", MANY, ids=["magics", "string"])
def test_cell_of_many_lines_is_soon_read(text):
    begun = time.monotonic()
    assert without_magics(text).count("\n") >= 30_000
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "text", ["if x:\n    %a\nelse:\n    !b\n", "def f():\n    '''\n    !doc\n    '''\n    %a\n    return 1"]
)
def test_cell_without_magics_is_still_parsed(text):
    ast.parse(without_magics(text))


# Notebooks.


def test_notebook_matches_handgrad(tmp_path):
    path = notebook(tmp_path, "%matplotlib inline\nimport numpy as np", "%%bash\nls", "", DEFINITION, "display(np.e)\nnp.e")
    with Remote(path) as subject:
        assert subject.name == "gradient"
        right = hg.Network([hg.Dense([[1.0, 0.5]], [-0.5])], reduction="sum").gradient(X, Y)
        found = subject.gradient(NET, X, Y).arrays
    np.testing.assert_array_equal(found["w1"], right[1].w)
    np.testing.assert_array_equal(found["b1"], right[1].b)
    assert v.check(path, examples=10).ok


def test_old_notebook_equals_a_new_one(tmp_path):
    new = read(notebook(tmp_path, "x = 1\ny = 2", "%%bash\nls", "z = 3"))
    cells = [{"cell_type": "code", "input": text, "language": "python"} for text in ("x = 1\ny = 2", "%%bash\nls", "z = 3")]
    old = tmp_path / "old.ipynb"
    old.write_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}), encoding="utf-8-sig")
    assert read(str(old)) == new
    assert new.source == "x = 1\ny = 2\nz = 3\n"
    assert [new.place(line) for line in (1, 2, 3)] == ["cell 1, line 1", "cell 1, line 2", "cell 3, line 1"]


RAISES = "def gradient(network, x, y):\n    %magic\n    return 1 / 0"
DECORATOR = "from verification import supports\n@supports(\n    layers=1)\n"


@pytest.mark.parametrize(
    ("cells", "place", "says"),
    [
        (["x = 1", "%%bash\nls", "y = 2\ny = = 3"], "cell 3, line 2", "this is not Python: invalid syntax"),
        (["x = (1", "y = 2)"], "cell 1, line 1", "this is not Python"),
        (["", "x = 1\nx / 0"], "cell 2, line 2", "the file raised ZeroDivisionError: division by zero while it was loaded"),
        (["x = 1", "\n\nimport torch"], "cell 2, line 3", "the file imports torch, which is forbidden here"),
        (["x = 1\n", RAISES], "cell 2, line 3", "gradient raised ZeroDivisionError"),
        (["x = 1\n", RAISES.replace("1 / 0", "x")], "cell 2, line 1", "gradient must return a mapping"),
        (["", f"{DECORATOR}def gradient(network, x, y):\n    return 1"], "cell 2, line 4", "gradient must return a mapping"),
        (["x = 1", "import os\n" + RAISES.replace("1 / 0", "os._exit(3)")], "cell 2, line 4", "its code ended the whole"),
        (["x = 1", RAISES.replace("%magic", "while True:\n        pass")], "cell 2, line ", "its code was still running after"),
    ],
)
def test_error_in_a_notebook_is_told_with_its_cell(cells, place, says, tmp_path):
    path = notebook(tmp_path, *cells)
    with pytest.raises(v.SubmissionError) as caught, Remote(path, forbid=["torch"], limit=0.5) as subject:
        subject.gradient(NET, X, Y)
    assert str(caught.value).startswith(f"{path}: {place}")
    assert says in str(caught.value)


def test_several_submissions_of_a_notebook_is_told_with_their_cells(tmp_path):
    path = notebook(
        tmp_path, "x = 1", "def f(n, x, y): ...\nclass C:\n    def forward(self, x): ...\n    def backward(self, y): ..."
    )
    assert definitions(path) == {"x": "cell 1, line 1", "f": "cell 2, line 1", "C": "cell 2, line 2"}
    with pytest.raises(v.SubmissionError, match=r"named 'g'.*f .cell 2, line 1"):
        Remote(path, "g")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "this is no notebook: Expecting value"),
        ('{"cells": [\n}', ":2: this is no notebook: Expecting value"),
        ("[" * 100_000, "this is no notebook"),
        (b"\xff\xfe\x00", "this is no notebook: it is not JSON in UTF-8"),
        ("[1, 2]", "nothing is written in it: the notebook has no code"),
        ('{"cells": {"cell_type": "code"}}', "nothing is written in it: the notebook has no code"),
        (
            '{"cells": [null, 3, {"cell_type": "code", "source": [1, null]}]}',
            "nothing is written in it: the notebook has no code",
        ),
        ('{"cells": [{"cell_type": "code", "source": " \\n"}]}', "nothing is written in it: the notebook has no code"),
        ('{"cells": [{"cell_type": "code", "source": "%%bash\\nls"}]}', "each begins with a magic"),
        ('{"metadata": {"kernelspec": {"name": "python2"}}}', "for Python 2; a submission is one for Python 3"),
        ('{"metadata": {"language_info": {"name": "python", "version": "2.7.1"}}}', "for Python 2"),
        ('{"metadata": {"language_info": {"name": "R"}}}', "a notebook for R"),
    ],
)
def test_what_is_no_notebook_for_python_raises_one_sentence(content, says, tmp_path):
    path = tmp_path / "homework.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(v.SubmissionError) as caught:
        Remote(path)
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)
    assert caught.value.kind == "file"


def test_unreadable_notebook_raises_one_sentence(tmp_path, monkeypatch):
    path = notebook(tmp_path, "x = 1")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(notebooks, "open", refuse, raising=False)
    with pytest.raises(v.SubmissionError, match="the file cannot be read: Permission denied"):
        read(path)
