"""Somebody else's file: what it may be, and the one plain sentence for everything that it may not."""

import io
import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

import handgrad as hg
import verification as v
from verification.bounds.analysis import both_bounds
from verification.random_networks.plain import plain_case
from verification.submissions import frames, loading, replies, worker
from verification.submissions.answers import arrays_of, shapes
from verification.submissions.description import copied, describe
from verification.submissions.local import Local
from verification.submissions.protocol import Step, scenes, steps
from verification.submissions.remote import Remote, open_submission
from verification.submissions.support import ACTIVATIONS, Support

SIGMOIDS = hg.Network(
    [
        hg.Dense([[0.5, -1.0], [0.25, 2.0], [1.0, 1.5]], [0.5, -0.5, 0.25], "sigmoid"),
        hg.Dense([[1.0, -2.0, 0.5]], [0.125], "sigmoid"),
    ]
)
X, Y = np.array([2.0, -1.0]), np.array([1.0])

# What a student who has the notes and nothing else would hand in: (8)-(14) for one example, sigmoid, squared error.
BY_THE_LETTER = """
import numpy as np
from verification import supports

@supports(activations=["sigmoid"], losses=["squared_error"], batches=False)
def gradient(network, x, y):
    a, g = [x], {}
    for w, b in zip(network.weights, network.biases):
        a.append(1 / (1 + np.exp(-(w @ a[-1] + b))))
    dL_da = 2 * (a[-1] - y)
    for number in range(len(a) - 1, 0, -1):
        dL_dz = a[number] * (1 - a[number]) * dL_da
        g[f"w{number}"], g[f"b{number}"] = np.outer(dL_dz, a[number - 1]), dL_dz
        dL_da = network.weights[number - 1].T @ dL_dz
    return g
"""

AS_A_CLASS = """
import numpy as np

class Net:
    def __init__(self, network):
        self.w = [w.copy() for w in network.weights]
        self.b = [b.copy() for b in network.biases]

    def forward(self, x):
        self.a = [x]
        for w, b in zip(self.w, self.b):
            self.a.append(1 / (1 + np.exp(-(self.a[-1] @ w.T + b))))

    def backward(self, y):
        dL_da, self.g = 2 * (self.a[-1] - y), {}
        for number in range(len(self.w), 0, -1):
            dL_dz = dL_da * self.a[number] * (1 - self.a[number])
            self.g[f"w{number}"] = np.atleast_2d(dL_dz).T @ np.atleast_2d(self.a[number - 1])
            self.g[f"b{number}"] = np.atleast_2d(dL_dz).sum(axis=0)
            dL_da = dL_dz @ self.w[number - 1]
        return self.g
"""


def written(folder, text, name="homework.py"):
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return str(path)


def asked(path, name=None, net=SIGMOIDS, x=X, y=Y, limit=10.0):
    with Remote(path, name, limit=limit) as subject:
        return subject.gradient(describe(net), x, y)


def assert_is_gradient(arrays, net, x, y):
    # The student's form is the notes' own, handgrad's the stable one: each may err by the bound of its form.
    stable, naive = both_bounds(plain_case(net, x, y))
    expected = net.gradient(x, y).named()
    assert {name: array.shape for name, array in arrays.items()} == {name: array.shape for name, array in expected.items()}
    for name, array in arrays.items():
        assert (np.abs(array - expected[name]) <= stable[name] + naive[name]).all()


# text, kind, line, parts of the sentence
LOADED_BADLY = {
    "a syntax error": ("x = 1\ndef gradient(network, x, y)\n    return {}\n", "file", 2, ["not Python", "expected ':'"]),
    "an indentation error": ("def gradient(network, x, y):\nreturn {}\n", "file", 2, ["not Python", "indented block"]),
    "null bytes": ("x = 1\0\n", "file", None, ["not Python", "null bytes"]),
    "a missing import": ("import numpy\nimport nonesuch\n", "file", 2, ["ModuleNotFoundError: No module named 'nonesuch'"]),
    "an error while loading": (
        "def f():\n    return 1 / 0\n\nf()\n",
        "file",
        2,
        ["ZeroDivisionError: division by zero", "loaded"],
    ),
    "sys.exit while loading": ("import sys\n\nsys.exit(3)\n", "file", 3, ["sys.exit(3)"]),
    "os._exit while loading": ("import os\nos._exit(3)\n", "ended", 2, ["ended the whole process", "exit status 3"]),
    "nothing in it": ("", "file", None, ["nothing is written in it: it defines no function and no class"]),
    "nothing but a name": ("x = 1\n", "file", None, ["no function gradient(network, x, y)", "it defines nothing public"]),
    "other names": ("def f(): ...\n\nclass Net: ...\n", "file", None, ["it defines f (line 1), Net (line 3)"]),
    "gradient imported from numpy": ("from numpy import gradient\n", "file", None, ["it defines no function and no class"]),
    "an autograd.Function": (
        "class Function:\n    @staticmethod\n    def forward(c, x): ...\n    @staticmethod\n    def backward(c, g): ...\n",
        "file",
        None,
        ["no class with forward(x) and backward(y)", "Function (line 1)"],
    ),
    "two submissions": (
        "def gradient(network, x, y): ...\nclass Net:\n    def forward(self, x): ...\n    def backward(self, y): ...\n",
        "file",
        None,
        ["several submissions", "--name", "gradient (line 1), Net (line 2)"],
    ),
    "two declared": (
        "from verification import supports\n@supports()\ndef f(n, x, y): ...\n@supports()\ndef g(n, x, y): ...\n",
        "file",
        None,
        ["several submissions", "f (line 3), g (line 5)"],
    ),
    "too few arguments": ("def gradient(x, y): ...\n", "file", 1, ["gradient(network, x, y)", "defined as gradient(x, y)"]),
    "backward with too many": (
        "class Net:\n    def __init__(self, n): ...\n    def forward(self, x): ...\n    def backward(self, y, h): ...\n",
        "file",
        4,
        ["backward(self, y)", "defined as backward(self, y, h)"],
    ),
    "supports with a misspelt name": (
        "from verification import supports\n\n@supports(activations=['sigmod'])\ndef gradient(network, x, y): ...\n",
        "file",
        3,
        ["activations must be one of", "did you mean 'sigmoid'?"],
    ),
}

RIGHT = "{'w1': np.zeros((3, 2)), 'b1': np.zeros(3), 'w2': np.zeros((1, 3)), 'b2': np.zeros(1)}"


def returning(expression):
    return f"import numpy as np\n\n# one line\ndef gradient(network, x, y):\n    right = {RIGHT}\n    return {expression}\n"


ANSWERED_BADLY = {
    "an exception": (
        "import numpy as np\ndef helper(x):\n    return x @ np.ones(5)\n\ndef gradient(network, x, y):\n    return helper(x)\n",
        "raised",
        3,
        ["gradient raised ValueError", "on the network 2-3-1, sigmoid, sigmoid; squared_error, mean; float64 with x (2,)"],
    ),
    "an exception of several lines": (
        "def gradient(network, x, y):\n    raise KeyError('one\\ntwo')\n",
        "raised",
        2,
        ["gradient raised KeyError: 'one"],
    ),
    "an exception that cannot print": (
        "class E(Exception):\n    def __str__(self):\n        return 1 / 0\ndef gradient(n, x, y):\n    raise E\n",
        "raised",
        5,
        ["gradient raised E,"],
    ),
    "endless recursion": (
        "def gradient(network, x, y):\n    return gradient(network, x, y)\n",
        "raised",
        2,
        ["RecursionError"],
    ),
    "sys.exit": (
        "import sys\ndef gradient(network, x, y):\n    sys.exit()\n",
        "raised",
        3,
        ["ended the program", "sys.exit()"],
    ),
    "input": ("def gradient(network, x, y):\n    input()\n", "raised", 2, ["EOFError"]),
    "os._exit": (
        "import os\ndef gradient(network, x, y):\n    os._exit(0)\n",
        "ended",
        3,
        ["ended the whole process", "exit status 0", "2-3-1"],
    ),
    "a crash": (
        "import ctypes\ndef gradient(network, x, y):\n    ctypes.string_at(0)\n",
        "ended",
        3,
        ["ended the whole process", "SIGSEGV"],
    ),
    "killed from outside": (
        "import os, signal\ndef gradient(network, x, y):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
        "ended",
        2,
        ["SIGKILL"],
    ),
    "None": (returning("None"), "returned", 4, ["must return a mapping", "it returned None", "is a return missing?"]),
    "a tuple": (returning("(0.0, right)"), "returned", 4, ["must return a mapping", "a value of type tuple"]),
    "an array": (returning("np.zeros(9)"), "returned", 4, ["type ndarray"]),
    "a missing key": (
        returning("{k: v for k, v in right.items() if k != 'b2'}"),
        "missing",
        4,
        ["must return 'b2', too", "its mapping has 'w1', 'b1', 'w2'"],
    ),
    "no key": (returning("{}"), "missing", 4, ["must return 'w1', too", "no names at all"]),
    "an unknown key": (returning("right | {'w3': 0}"), "unknown", 4, ["returned 'w3'", "it must name w1, b1, w2, b2"]),
    "dL_dzz1": (returning("right | {'dL_dzz1': 0}"), "unknown", 4, ["returned 'dL_dzz1'", "did you mean 'dL_dz1'?"]),
    "a number for a key": (returning("right | {1: 0}"), "unknown", 4, ["returned 1,", "it must name w1, b1, w2, b2"]),
    "alpha of a sigmoid": (returning("right | {'alpha1': 0}"), "unknown", 4, ["returned 'alpha1'"]),
    "a transpose": (
        returning("right | {'w1': np.zeros((2, 3))}"),
        "shape",
        4,
        ["w1 in shape (3, 2)", "(2, 3), which is the transpose"],
    ),
    "a wrong intermediate": (returning("right | {'z1': np.zeros((1, 3))}"), "shape", 4, ["z1 in shape (3,)", "it gave (1, 3)"]),
    "a loss for each output": (returning("right | {'loss': np.zeros(2)}"), "shape", 4, ["loss in shape ()", "it gave (2,)"]),
    "complex numbers": (returning("right | {'b1': np.zeros(3, complex)}"), "array", 4, ["b1 as real numbers", "complex"]),
    "objects": (returning("right | {'b1': np.array([None] * 3)}"), "array", 4, ["b1 as real numbers", "dtype object"]),
    "text": (returning("right | {'b1': 'zero'}"), "array", 4, ["b1 as real numbers", "text in a value of type str"]),
    "None for an array": (returning("right | {'b1': None}"), "array", 4, ["b1 as real numbers", "it gave None"]),
    "ragged rows": (
        returning("right | {'w1': [[0.0, 0.0], [0.0], [0.0]]}"),
        "array",
        4,
        ["w1 as an array", "rows of different lengths"],
    ),
    "a mapping that raises": (
        "from collections.abc import Mapping\nclass M(Mapping):\n    def __iter__(self):\n        raise OSError('no')\n"
        "    def __len__(self): return 0\n    def __getitem__(self, k): return 0\ndef gradient(n, x, y):\n    return M()\n",
        "raised",
        4,
        ["gradient raised OSError: no"],
    ),
    "a class whose constructor raises": (
        AS_A_CLASS.replace("        self.w = [", "        network.wieghts\n        self.w = ["),
        "raised",
        6,
        ["Net raised AttributeError", "'wieghts'"],
    ),
    "a class whose backward returns nothing": (
        AS_A_CLASS.replace("        return self.g", ""),
        "returned",
        14,
        ["backward must return a mapping", "is a return missing?"],
    ),
}


@pytest.mark.parametrize("row", LOADED_BADLY)
def test_file_that_cannot_be_loaded_raises_one_sentence(row, tmp_path):
    text, kind, line, parts = LOADED_BADLY[row]
    path = written(tmp_path, text)
    with pytest.raises(v.SubmissionError) as caught:
        Remote(path)
    assert_is_sentence(caught.value, path, kind, line, parts)


@pytest.mark.parametrize("row", [row for row, (_, kind, _, _) in LOADED_BADLY.items() if kind == "file"])
def test_file_that_cannot_be_loaded_raises_the_same_sentence_here(row, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, loading.MODULE, None)
    text, kind, line, parts = LOADED_BADLY[row]
    path = written(tmp_path, text)
    with pytest.raises(v.SubmissionError) as caught:
        Local(loading.find(loading.load(path)), file=path)
    assert_is_sentence(caught.value, path, kind, line, parts)


@pytest.mark.parametrize("row", ANSWERED_BADLY)
def test_bad_answer_raises_one_sentence(row, tmp_path):
    text, kind, line, parts = ANSWERED_BADLY[row]
    path = written(tmp_path, text)
    with Remote(path) as subject:
        with pytest.raises(v.SubmissionError) as caught:
            subject.gradient(describe(SIGMOIDS), X, Y)
        assert_is_sentence(caught.value, path, kind, line, parts)
        # The process, or another one, is there for the next question.
        with pytest.raises(v.SubmissionError) as again:
            subject.gradient(describe(SIGMOIDS), X, Y)
    assert str(again.value) == str(caught.value)


def assert_is_sentence(error, path, kind, line, parts):
    assert (error.kind, error.line, error.file) == (kind, line, path)
    text = str(error)
    assert text.startswith(f"{path}:{line}: " if line else f"{path}: ")
    for part in parts:
        assert part in text
    # None of our own files or tracebacks, and one line.
    assert not re.search(r"Traceback|local\.py|worker\.py|answers\.py|\n", text)
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("name", "parts"),
    [("none.py", ["no such file"]), (".", ["directory"]), ("notes.txt", ["name ends in .py"])],
)
def test_path_that_is_no_python_file_raises_one_sentence(name, parts, tmp_path):
    written(tmp_path, BY_THE_LETTER, "notes.txt")
    with pytest.raises(v.SubmissionError) as caught:
        Remote(tmp_path / name)
    assert_is_sentence(caught.value, str(tmp_path / name), "file", None, parts)


def test_unreadable_file_raises_one_sentence(tmp_path, monkeypatch):
    path = written(tmp_path, BY_THE_LETTER)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(v.SubmissionError, match="cannot be read: Permission denied"):
        loading.load(path)


def test_name_that_is_not_there_raises_one_sentence(tmp_path):
    path = written(tmp_path, BY_THE_LETTER)
    with pytest.raises(v.SubmissionError, match="no function or class named 'gradeint'; did you mean 'gradient'"):
        Remote(path, "gradeint")
    with pytest.raises(v.SubmissionError, match=r"named 'zzz'; it defines gradient \(line 6\)"):
        Remote(path, "zzz")
    path = written(tmp_path, "answer = 42\n")
    with pytest.raises(v.SubmissionError, match=r"a submission must be a function .*; got int"):
        Remote(path, "answer")


def test_class_by_name_without_backward_raises_one_sentence(tmp_path):
    path = written(tmp_path, "class Net:\n    def forward(self, x): ...\n")
    with pytest.raises(v.SubmissionError, match="got the class Net without them") as caught:
        Remote(path, "Net")
    assert caught.value.line == 2


# Good ones.


def test_submission_by_the_letter_of_the_notes_matches_handgrad(tmp_path):
    answer = asked(written(tmp_path, BY_THE_LETTER))
    assert_is_gradient(answer.arrays, SIGMOIDS, X, Y)
    assert list(answer.arrays) == ["w1", "b1", "w2", "b2"]


def test_class_in_a_file_matches_handgrad(tmp_path):
    assert_is_gradient(asked(written(tmp_path, AS_A_CLASS)).arrays, SIGMOIDS, X, Y)


def test_submission_is_found_by_name_and_by_declaration(tmp_path):
    text = BY_THE_LETTER + AS_A_CLASS
    with Remote(written(tmp_path, text)) as subject:
        assert (subject.name, subject.is_class) == ("gradient", False)
        assert subject.support == Support(activations=["sigmoid"], losses=["squared_error"], batches=False)
    with Remote(written(tmp_path, text), "Net") as subject:
        assert (subject.name, subject.is_class, subject.descends, subject.has_parameters) == ("Net", True, False, False)
        assert subject.support == Support()


def test_file_may_import_its_neighbour_and_hold_a_main_part(tmp_path):
    written(tmp_path, BY_THE_LETTER, "my_backprop.py")
    text = "import my_backprop\ndef gradient(network, x, y):\n    return my_backprop.gradient(network, x, y)\n"
    path = written(tmp_path, text + "if __name__ == '__main__':\n    raise SystemExit\n")
    assert_is_gradient(asked(path).arrays, SIGMOIDS, X, Y)


def test_file_with_dataclass_and_foreign_letters_is_loaded(tmp_path):
    text = "from dataclasses import dataclass\n@dataclass\nclass Ñ:\n    número: int = 1\n" + BY_THE_LETTER
    assert_is_gradient(asked(written(tmp_path, text, "tarea_ñ.py")).arrays, SIGMOIDS, X, Y)


def test_line_of_a_hang_is_found_in_a_file_with_foreign_letters(tmp_path):
    path = written(tmp_path, "def gradient(network, x, y):\n    while True:\n        pass\n", "tarea_ñ.py")
    with pytest.raises(v.SubmissionError) as caught:
        asked(path, limit=0.5)
    assert caught.value.kind == "hang"
    assert caught.value.line in (2, 3)


def test_lists_and_numbers_take_the_dtype_of_the_network(tmp_path):
    net = hg.Network([hg.Dense(np.ones((1, 2), np.float32), np.ones(1, np.float32))])
    path = written(tmp_path, "def gradient(network, x, y):\n    return {'loss': 1.5, 'w1': [[1, 2]], 'b1': (0.1,)}\n")
    arrays = asked(path, net=net).arrays
    assert {name: array.dtype.name for name, array in arrays.items()} == {"w1": "float32", "b1": "float32", "loss": "float64"}
    np.testing.assert_array_equal(arrays["b1"], np.float32([0.1]))


def test_nan_and_infinity_pass_to_the_comparison(tmp_path):
    arrays = asked(written(tmp_path, returning("right | {'b1': np.array([np.nan, np.inf, 0])}"))).arrays
    np.testing.assert_array_equal(arrays["b1"], [np.nan, np.inf, 0])


def test_overflow_in_the_code_is_no_error(tmp_path):
    net = hg.Network([hg.Dense([[-1e4, 0.0]], [0.0], "sigmoid")])
    answer = asked(written(tmp_path, BY_THE_LETTER), net=net)
    np.testing.assert_array_equal(answer.arrays["w1"], [[0.0, 0.0]])
    assert answer.printed == ""
    with np.errstate(all="raise"):
        assert (
            Local(lambda n, x, y: {"w1": [np.exp(x * 1e4)], "b1": [0.0]}).gradient(describe(net), X, Y).arrays["w1"][0, 0]
            == np.inf
        )


# what is returned, and what is remarked
TAKEN = {
    "a column": ("right | {'b1': np.zeros((3, 1))}", {"shape": "b1 came in shape (3, 1) for (3,)"}),
    "a loss in an array": ("right | {'loss': np.zeros(1)}", {"shape": "loss came in shape (1,) for ()"}),
    "float32 for float64": ("right | {'b1': np.zeros(3, 'f4')}", {"dtype": "b1 came in float32 for float64"}),
    "integers": ("right | {'b1': np.zeros(3, int)}", {"dtype": "b1 came in int64 for float64"}),
    "a long double for the loss": ("right | {'loss': np.longdouble(1)}", {}),
    "big-endian numbers for the loss": ("right | {'loss': np.array(1, '>f4')}", {}),
}


@pytest.mark.parametrize("row", TAKEN)
def test_answer_in_a_form_of_its_own_equals_that_of_the_same_call_here(row, tmp_path):
    expression, remarks = TAKEN[row]
    path = written(tmp_path, returning(expression))
    there = asked(path)
    here = Local(loaded(returning(expression), "gradient")).gradient(describe(SIGMOIDS), X, Y)
    assert there.remarks == here.remarks == remarks
    assert list(there.arrays) == list(here.arrays)
    for name, array in there.arrays.items():
        np.testing.assert_array_equal(array, here.arrays[name])
        assert array.dtype.itemsize == here.arrays[name].dtype.itemsize <= 8


def test_what_is_printed_is_kept_and_cut(tmp_path):
    text = "import sys\nprint('loaded')\nsys.stdout.reconfigure(line_buffering=True)\n" + BY_THE_LETTER.replace(
        "    a, g =", "    print('x is', x, 'ñ'); sys.stderr.write('!'); print('z' * 20000 * int(x[0] > 2), end='')\n    a, g ="
    )
    with Remote(written(tmp_path, text)) as subject:
        assert subject.printed == "loaded\n"
        answer = subject.gradient(describe(SIGMOIDS), X, Y)
        assert_is_gradient(answer.arrays, SIGMOIDS, X, Y)
        assert answer.printed == "x is [ 2. -1.] ñ\n!"
        cut = subject.gradient(describe(SIGMOIDS), X + 1, Y).printed
        assert len(cut) < 11_000
        assert re.search(r"and \d+ bytes more$", cut)


def test_what_is_printed_before_an_error_is_kept(tmp_path):
    with pytest.raises(v.SubmissionError) as caught:
        asked(written(tmp_path, "def gradient(network, x, y):\n    print('so far')\n    raise ValueError\n"))
    assert caught.value.printed == "so far\n"


def test_output_below_python_does_not_reach_the_replies(tmp_path):
    text = "import os, sys\n" + BY_THE_LETTER.replace(
        "    a, g =", "    os.write(1, b'raw'); print('x', file=sys.__stdout__)\n    a, g ="
    )
    assert_is_gradient(asked(written(tmp_path, text)).arrays, SIGMOIDS, X, Y)


# Files that write among the replies. One attacks only where x[0] is 2, so that the next question has an answer.

ATTACK = """
import io, os, pickle, threading, time
from pathlib import Path
import numpy as np
from verification.submissions import frames

class Touch:
    def __reduce__(self):
        return Path.touch, (Path(__file__).with_name("marker"),)

def frame(token=None):
    out = io.BytesIO()
    arrays = {"answer/w1": np.zeros((3, 2)), "answer/b1": np.zeros(3), "answer/w2": np.zeros((1, 3)), "answer/b2": np.zeros(1)}
    head = {"reply": "answer", "printed": "", "remarks": {}}
    frames.write(out, token or os.urandom(frames.TOKEN), head, arrays)
    return out.getvalue()

def write(data):
    for fd in range(3, 21):
        try:
            os.write(fd, data)
        except OSError:
            pass

def attack(x):
    if x[0] == 2.0:
        ...
"""


def attacking(code):
    return ATTACK.replace("...", code) + BY_THE_LETTER.replace("    a, g =", "    attack(x)\n    a, g =")


# what it does, the kind of error, and a part of its sentence
ATTACKS = {
    "a pickle": ("write(pickle.dumps(Touch()))", "reply", "no answer: it does not begin as an answer does"),
    "a pickle of some length": ("write(pickle.dumps([bytes(100), Touch()]))", "reply", "does not begin as an answer does"),
    "a frame that looks right": ("write(frame())", "reply", "no answer: it is not an answer to what was asked"),
    "two frames": ("write(2 * frame())", "reply", "it is not an answer to what was asked"),
    "half a frame": ("write(frame()[:100]); time.sleep(60)", "reply", "it is not an answer to what was asked"),
    "a few bytes of a frame": ("write(frame()[:20]); time.sleep(60)", "hang", "still running after 0.5 s"),
    "a few bytes, and an answer": ("write(frame()[:20])", "reply", "it is not an answer to what was asked"),
    "a few bytes, and the end": ("write(frame()[:20]); os._exit(3)", "ended", "exit status 3"),
    "a byte": ("write(b'.')", "reply", "it does not begin as an answer does"),
    "megabytes of zeros": ("write(bytes(4_000_000))", "reply", "it does not begin as an answer does"),
    "megabytes behind a frame": ("write(frame() + bytes(4_000_000))", "reply", "it is not an answer to what was asked"),
    "no pipes any more": ("os.closerange(3, 21)", "ended", "left the process that runs it unable to answer"),
    "a line of many digits": (
        "os.write(2, ('File \"%s\", line %s in' % (__file__, '9' * 5000)).encode()); os.kill(os.getpid(), 9)",
        "ended",
        "killed by SIGKILL",
    ),
}


@pytest.mark.parametrize("row", ATTACKS)
def test_file_that_writes_among_the_replies_raises_one_sentence(row, tmp_path):
    code, kind, part = ATTACKS[row]
    path = written(tmp_path, attacking(code))
    with Remote(path, limit=0.5) as subject:
        with pytest.raises(v.SubmissionError, match=part) as caught:
            subject.gradient(describe(SIGMOIDS), X, Y)
        assert_is_sentence(caught.value, path, kind, caught.value.line, [part])
        assert subject._process is None
        assert_is_gradient(subject.gradient(describe(SIGMOIDS), X + 1, Y).arrays, SIGMOIDS, X + 1, Y)
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["homework.py"]


def test_token_of_a_request_is_never_used_again(tmp_path, monkeypatch):
    with Remote(written(tmp_path, BY_THE_LETTER)) as subject:
        tokens, ask = [], subject._conversation.ask

        def asked_with(request, token, patience):
            tokens.append(token)
            return ask(request, token, patience)

        monkeypatch.setattr(subject._conversation, "ask", asked_with)
        for _ in range(5):
            subject.gradient(describe(SIGMOIDS), X, Y)
    assert len(set(tokens)) == 5
    assert {len(token) for token in tokens} == {16}


def test_file_that_writes_while_it_is_loaded_raises_one_sentence(tmp_path):
    path = written(tmp_path, attacking("...") + "write(pickle.dumps(Touch()))\n")
    with pytest.raises(v.SubmissionError) as caught:
        Remote(path)
    assert_is_sentence(caught.value, path, "reply", None, ["does not begin as an answer does", "while it was loaded"])
    assert not (tmp_path / "marker").exists()


def test_file_that_writes_between_questions_raises_one_sentence(tmp_path):
    path = written(tmp_path, attacking("threading.Timer(0.2, write, [frame()]).start()"))
    with Remote(path) as subject:
        assert_is_gradient(subject.gradient(describe(SIGMOIDS), X, Y).arrays, SIGMOIDS, X, Y)
        time.sleep(0.6)
        with pytest.raises(v.SubmissionError) as caught:
            subject.gradient(describe(SIGMOIDS), X + 1, Y)
        assert_is_sentence(caught.value, path, "reply", 33, ["it is not an answer to what was asked"])
        assert_is_gradient(subject.gradient(describe(SIGMOIDS), X + 1, Y).arrays, SIGMOIDS, X + 1, Y)


def test_reply_in_a_row_of_calls_is_refused_like_any_other(tmp_path):
    path = written(tmp_path, attacking("write(frame())"))
    net = describe(SIGMOIDS)
    with Remote(path) as subject, pytest.raises(v.SubmissionError, match="in a row of calls on the network 2-3-1") as caught:
        subject.perform(steps(False), scenes(net, X, Y, seed=0, batches=False))
    assert caught.value.kind == "reply"


def test_file_that_forges_a_failure_of_ours_raises_one_sentence(tmp_path):
    # By the function that ends a process, and not by the one that says where it was.
    code = "os.write(2, b'Traceback (most recent call last)'); os._exit.__closure__[0].cell_contents(70)"
    path = written(tmp_path, attacking(code))
    with pytest.raises(v.SubmissionError) as caught:
        asked(path)
    assert_is_sentence(caught.value, path, "ended", 33, ["exit status 70"])


@pytest.mark.parametrize("can_poll", [True, False])
def test_process_that_takes_no_requests_is_ended_from_here(can_poll, tmp_path, monkeypatch):
    monkeypatch.setattr("verification.submissions.conversation.CAN_POLL", can_poll)  # not on Windows
    monkeypatch.setattr("verification.submissions.remote.GRACE", 0.2)
    text = (
        BY_THE_LETTER + "import os, signal, threading\nthreading.Timer(0.3, os.kill, [os.getpid(), signal.SIGSTOP]).start()\n"
    )
    net = hg.Network.random([300, 300, 1], activations=["sigmoid", "sigmoid"], seed=0)
    with Remote(written(tmp_path, text), limit=0.1) as subject:
        time.sleep(0.6)
        process = subject._process
        start = time.monotonic()
        with pytest.raises(v.SubmissionError) as caught:
            subject.gradient(describe(net), np.ones(300), Y)
        assert 0.4 < time.monotonic() - start < 5
        assert caught.value.kind == "hang"
        assert_is_gone(process.pid)


def test_gradient_of_a_large_network_matches_handgrad(tmp_path):
    net = hg.Network.random([300, 700, 1], activations=["sigmoid", "sigmoid"], seed=0)
    x = np.linspace(-1, 1, 300)
    with Remote(written(tmp_path, BY_THE_LETTER)) as subject:
        for _ in range(2):
            arrays = subject.gradient(describe(net), x, Y).arrays
            expected = net.gradient(x, Y).named()
            for name, array in arrays.items():
                np.testing.assert_allclose(array, expected[name], rtol=1e-9, atol=1e-15)
                assert array.flags.writeable


@pytest.mark.parametrize("what", ["network.weights.clear()", "network.biases.pop()", "network.weights.reverse()"])
def test_file_that_changes_the_lists_it_is_given_is_asked_about_what_it_was_given(what, tmp_path):
    text = BY_THE_LETTER.replace("    return g\n", f"    {what}\n    return g\n")
    assert_is_gradient(asked(written(tmp_path, text)).arrays, SIGMOIDS, X, Y)
    path = written(tmp_path, text.replace("    return g\n", "    raise ValueError('no')\n"))
    with pytest.raises(v.SubmissionError) as caught:
        asked(path)
    assert_is_sentence(caught.value, path, "raised", 16, ["gradient raised ValueError: no"])


def test_file_that_closes_its_output_is_asked_on(tmp_path):
    text = BY_THE_LETTER.replace("    a, g =", "    print('so far')\n    sys.stdout.close()\n    a, g =")
    answer = asked(written(tmp_path, "import sys\n" + text))
    assert_is_gradient(answer.arrays, SIGMOIDS, X, Y)
    assert answer.printed == "so far\n"


# What a class's forward returns.

PREDICTED = {
    "an array": ("self.a[-1]", True),
    "integers": ("np.ones(self.a[-1].shape, int)", [1.0]),
    "float32": ("np.ones(self.a[-1].shape, 'f4')", [1.0]),
    "a list": ("[0.5]", [0.5]),
    "an array that backward writes into": ("np.full(1, 0.25)", [0.25]),
    "NaN": ("np.full(1, np.nan)", [np.nan]),
    "nothing": ("None", None),
    "a number": ("0.5", None),
    "another shape": ("np.ones((1, 1))", None),
    "text": ("['a']", None),
    "complex numbers": ("np.ones(1, complex)", None),
    "truth values": ("np.ones(1, bool)", None),
    "ragged rows": ("[[1.0], [1.0, 2.0]]", None),
    "an object that cannot be read": ("Unreadable()", None),
    "an object that ends the program": ("Ends()", None),
}


@pytest.mark.parametrize("row", PREDICTED)
def test_predictions_of_a_class_equal_what_its_forward_returned(row, tmp_path):
    expression, expected = PREDICTED[row]
    returned = f"        self.given = {expression}\n        return self.given\n\n    def backward(self, y):\n"
    spoilt = (
        "        if isinstance(self.given, np.ndarray) and self.given is not self.a[-1]:\n            self.given[...] = 7\n"
    )
    text = AS_A_CLASS.replace("\n    def backward(self, y):\n", returned + spoilt)
    text += "class Unreadable:\n    def __array__(self, *a, **k):\n        raise OSError\n\n"
    text += "class Ends:\n    def __array__(self, *a, **k):\n        raise SystemExit\n"
    there = asked(written(tmp_path, text), "Net")
    here = Local(loaded(text, "Net")).gradient(describe(SIGMOIDS), X, Y)
    for answer in (here, there):
        assert_is_gradient(answer.arrays, SIGMOIDS, X, Y)
        if expected is None:
            assert answer.predictions is None
        else:
            right = SIGMOIDS.trace(X, Y).named()["a2"] if expected is True else expected
            np.testing.assert_allclose(answer.predictions, right, rtol=1e-15)
            assert answer.predictions.dtype == np.float64


def test_predictions_of_a_batch_and_of_a_tensor_are_read():
    class Net(loaded(AS_A_CLASS, "Net")):
        def forward(self, x):
            super().forward(x)
            return torch.tensor(self.a[-1], requires_grad=True)

    x = np.stack([X, X + 1, X])
    predictions = Local(Net).gradient(describe(SIGMOIDS), x, np.stack([Y, Y, Y])).predictions
    np.testing.assert_allclose(predictions, SIGMOIDS.trace(x, np.stack([Y, Y, Y])).named()["a2"], rtol=1e-15)


def test_predictions_of_a_function_is_none(tmp_path):
    assert asked(written(tmp_path, BY_THE_LETTER)).predictions is None


@pytest.mark.parametrize("layout", ["C", "F", "gaps"])
def test_memory_layout_of_the_data_reaches_the_process(layout, tmp_path):
    x = np.arange(6.0).reshape(3, 2)
    x = {"C": x, "F": np.asfortranarray(x), "gaps": np.repeat(x, 2, axis=1)[:, ::2]}[layout]
    text = """
        def gradient(network, x, y):
            print(x.flags.c_contiguous, x.flags.f_contiguous, y.dtype)
            return {"w1": [[0.0, 0.0]], "b1": [0.0]}
    """
    net = hg.Network([hg.Dense([[1.0, 1.0]], [0.0])])
    printed = asked(written(tmp_path, text), net=net, x=x, y=np.ones((3, 1), np.uint8)).printed
    assert printed == f"{layout == 'C'} {layout == 'F'} uint8\n"
    assert copied(x).flags.c_contiguous == (layout == "C")
    np.testing.assert_array_equal(copied(x), x)


# Hangs, ends and Ctrl-C.

HANG_AT_TWO = BY_THE_LETTER.replace("    a, g =", "    while x[0] == 2.0:\n        pass\n    a, g =")


@pytest.mark.parametrize(
    "text", [HANG_AT_TWO, HANG_AT_TWO.replace("        pass\n", "        import time; time.sleep(1000)\n")]
)
def test_process_is_started_again_after_a_hang(text, tmp_path):
    path = written(tmp_path, text)
    with Remote(path, limit=0.5) as subject:
        first = subject._process.pid
        with pytest.raises(v.SubmissionError) as caught:
            subject.gradient(describe(SIGMOIDS), X, Y)
        assert_is_sentence(caught.value, path, "hang", caught.value.line, ["still running after 0.5 s", "stopped", "2-3-1"])
        assert caught.value.line in (7, 8)
        assert_is_gone(first)
        assert_is_gradient(subject.gradient(describe(SIGMOIDS), X + 1, Y).arrays, SIGMOIDS, X + 1, Y)
        second = subject._process.pid
    assert second != first
    assert_is_gone(second)


def test_hang_while_loading_raises_one_sentence(tmp_path):
    path = written(tmp_path, "x = 1\nwhile x:\n    x += 1\n")
    with pytest.raises(v.SubmissionError) as caught:
        Remote(path, load_limit=0.5)
    assert_is_sentence(caught.value, path, "hang", caught.value.line, ["still running after 0.5 s", "while it was loaded"])
    assert caught.value.line in (2, 3)


@pytest.mark.parametrize("can_poll", [True, False])
def test_process_that_does_not_end_itself_is_ended_from_here(can_poll, tmp_path, monkeypatch):
    monkeypatch.setattr("verification.submissions.conversation.CAN_POLL", can_poll)  # not on Windows
    monkeypatch.setattr("verification.submissions.remote.GRACE", 0.2)
    text = "import signal\n" + HANG_AT_TWO.replace("    while", "    signal.setitimer(signal.ITIMER_REAL, 0)\n    while")
    with Remote(written(tmp_path, text), limit=0.1) as subject:
        process = subject._process
        with pytest.raises(v.SubmissionError, match=r"still running after 0\.1 s") as caught:
            subject.gradient(describe(SIGMOIDS), X, Y)
        assert caught.value.line == 7
        assert_is_gone(process.pid)


def assert_is_gone(pid):
    """Not even as a zombie, which would still take a signal."""
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_process_that_ended_between_questions_raises_one_sentence(tmp_path):
    with Remote(written(tmp_path, BY_THE_LETTER)) as subject:
        subject._process.kill()
        subject._process.wait()
        with pytest.raises(v.SubmissionError, match="ended the whole process"):
            subject.gradient(describe(SIGMOIDS), X, Y)
        assert_is_gradient(subject.gradient(describe(SIGMOIDS), X, Y).arrays, SIGMOIDS, X, Y)


def test_mistake_of_the_serving_module_raises_runtime_error(tmp_path):
    with (
        Remote(written(tmp_path, BY_THE_LETTER)) as subject,
        pytest.raises(RuntimeError, match="a step must do one of the things that Step names; got 'dance'"),
    ):
        subject.perform([Step("dance")], scenes(describe(SIGMOIDS), X, Y, seed=0))


def test_closed_submission_leaves_no_thread_and_closes_twice(tmp_path):
    before = set(threading.enumerate())
    subject = Remote(written(tmp_path, BY_THE_LETTER))
    subject.close()
    subject.close()
    assert not set(threading.enumerate()) - before
    assert_is_gradient(subject.gradient(describe(SIGMOIDS), X, Y).arrays, SIGMOIDS, X, Y)
    subject.close()


def test_interrupt_in_the_parent_ends_the_process(tmp_path):
    path = written(tmp_path, "import os\nprint(os.getpid())\n" + HANG_AT_TWO)
    # A job in the background ignores the signal, and so would its children.
    program = f"""
        import signal
        import numpy as np
        import handgrad as hg
        from verification.submissions.remote import Remote
        from verification.submissions.description import describe
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with Remote({path!r}, limit=1000) as subject:
            print(subject.printed, flush=True)
            net = hg.Network([hg.Dense([[1.0, 1.0]], [0.0], "sigmoid")])
            subject.gradient(describe(net), np.array([2.0, 1.0]), np.array([1.0]))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        try:
            pid = int(parent.stdout.readline())
            parent.send_signal(signal.SIGINT)
            _, errors = parent.communicate(timeout=60)
        finally:
            parent.kill()
    assert "KeyboardInterrupt" in errors
    assert_is_gone(pid)


def test_interrupt_in_a_callable_is_let_through():
    def gradient(network, x, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Local(gradient).gradient(describe(SIGMOIDS), X, Y)


# In this process.


def loaded(text, name, filename="homework.py"):
    module = types.ModuleType("homework")
    exec(compile(textwrap.dedent(text), filename, "exec"), vars(module))
    return getattr(module, name)


IN_PROCESS = sorted(
    row
    for row, (text, kind, _, _) in ANSWERED_BADLY.items()
    if kind != "ended" and "def gradient" in text and row not in ("input", "an exception that cannot print")
)


@pytest.mark.parametrize("row", IN_PROCESS)
def test_callable_raises_the_same_sentence(row, tmp_path):
    text, kind, line, parts = ANSWERED_BADLY[row]
    path = written(tmp_path, text)
    with open_submission(loaded(text, "gradient", path)) as subject, pytest.raises(v.SubmissionError) as caught:
        subject.gradient(describe(SIGMOIDS), X, Y)
    assert_is_sentence(caught.value, path, kind, line, parts)


@pytest.mark.parametrize(("text", "name"), [(BY_THE_LETTER, "gradient"), (AS_A_CLASS, "Net")])
def test_callable_matches_handgrad(text, name):
    with open_submission(loaded(text, name)) as subject:
        assert_is_gradient(subject.gradient(describe(SIGMOIDS), X, Y).arrays, SIGMOIDS, X, Y)


def test_callable_that_damages_its_data_leaves_the_caller_alone():
    def gradient(network, x, y):
        x *= 0
        y *= 0
        return {"w1": [[0.0, 0.0]], "b1": [0.0]}

    x, y = X.copy(), Y.copy()
    Local(gradient).gradient(describe(hg.Network([hg.Dense([[1.0, 1.0]], [0.0])])), x, y)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


def test_answer_is_kept_when_the_submission_reuses_its_memory():
    kept = np.zeros((1, 2))

    def gradient(network, x, y):
        kept[...] = x
        return {"w1": kept, "b1": [0.0]}

    subject, network = Local(gradient), describe(hg.Network([hg.Dense([[1.0, 1.0]], [0.0])]))
    first = subject.gradient(network, X, Y)
    subject.gradient(network, X + 1, Y)
    np.testing.assert_array_equal(first.arrays["w1"], [X])


def three(one, network, x, y):
    return one


def test_bound_method_partial_and_callable_object_are_functions():
    class Gradient:
        def __call__(self, network, x, y):
            return 1

        def method(self, network, x, y):
            return 1

    for submission in (Gradient(), Gradient().method):
        with pytest.raises(v.SubmissionError, match="must return a mapping") as caught:
            Local(submission).gradient(describe(SIGMOIDS), X, Y)
        assert caught.value.file == __file__
        assert "def " in Path(__file__).read_text(encoding="utf-8").splitlines()[caught.value.line - 1]
    with pytest.raises(v.SubmissionError, match="must return a mapping") as caught:
        Local(partial(three, 1)).gradient(describe(SIGMOIDS), X, Y)
    assert (caught.value.file, caught.value.line) == (__file__, three.__code__.co_firstlineno)
    with pytest.raises(v.SubmissionError, match="add raised UFuncTypeError") as caught:
        Local(np.add).gradient(describe(SIGMOIDS), X, Y)
    assert (caught.value.file, caught.value.line) == (None, None)


@pytest.mark.parametrize("value", [3, int, "gradient.py"[:0] or None])
def test_what_is_no_submission_raises(value):
    with pytest.raises(v.SubmissionError, match="a submission must be a function"):
        Local(value)


# The process's own code, in this one.


def test_serve_answers_in_order_and_ends_with_its_requests(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = written(tmp_path, BY_THE_LETTER)
    scene = worker.Scene(describe(SIGMOIDS), X, Y)
    requests = [worker.Load(path, None, 10.0, 10.0), worker.Gradient(scene), worker.Load(path, "none", 10.0, 10.0)]
    tokens = [bytes([number] * frames.TOKEN) for number in range(3)]
    answered = io.BytesIO()
    worker.serve(io.BytesIO(b"".join(map(pickle.dumps, zip(tokens, requests, strict=True)))), answered, lambda: "printed")
    answered.seek(0)
    info, answer, error = (
        replies.receive(answered, token, request.expected(), path) for token, request in zip(tokens, requests, strict=True)
    )
    assert (info.name, info.line, info.printed) == ("gradient", 6, "printed")
    assert_is_gradient(answer.arrays, SIGMOIDS, X, Y)
    assert isinstance(error, v.SubmissionError)
    assert error.printed == "printed"
    with pytest.raises(RuntimeError, match="first request must be to load") as caught:
        worker.serve(io.BytesIO(pickle.dumps((tokens[1], worker.Gradient(scene)))), answered, str)
    assert caught.value.__notes__ == [tokens[1].hex()]


def test_printed_keeps_the_first_part():
    printed = worker.Printed()
    assert printed.writable()
    assert printed.write(b"a" * (worker.PRINTED_AT_MOST + 5)) == worker.PRINTED_AT_MOST + 5
    assert printed.take() == "a" * worker.PRINTED_AT_MOST + "\n... and 5 bytes more"
    assert printed.take() == ""


# Descriptions, support, shapes.


def test_description_shares_no_memory_with_the_network():
    net = hg.Network(
        [
            hg.Dense([[1.0]], [0.5], hg.Activation("prelu", alpha=0.5)),
            hg.Dense([[1.0]], [0.5], hg.Activation("leaky_relu", slope=2.0)),
        ],
        reduction="sum",
    )
    network = describe(net)
    assert (network.activations, network.loss, network.reduction) == (["prelu", "leaky_relu"], "squared_error", "sum")
    assert network.slopes[1] == 2.0
    assert network.slopes[0].shape == ()
    assert list(network.named()) == list(net.named())
    for array in network.named().values():
        array[...] = 7.0
    assert [float(array.ravel()[0]) for array in net.named().values()] == [1.0, 0.5, 0.5, 1.0, 0.5]
    with pytest.raises(TypeError, match="net must be a handgrad Network"):
        describe("net")


def test_shapes_equal_those_of_the_trace():
    net = hg.Network.random([2, 3, 4], activations=["softmax", hg.Activation("prelu", alpha=(0.5,) * 4)], seed=0)
    for x in (np.ones(2), np.ones((5, 2))):
        y = np.ones((*x.shape[:-1], 4))
        needed, allowed = shapes(describe(net), x)
        trace = net.trace(x, y)
        g = trace.gradient
        assert needed == {name: array.shape for name, array in g.named().items()}
        assert allowed == {"loss": (), "x": x.shape} | {name: array.shape for name, array in trace.named().items()}


@pytest.mark.parametrize(
    ("declared", "losses", "outputs"),
    [
        ({}, ("squared_error", "cross_entropy"), ACTIVATIONS),
        ({"activations": ["relu", "sigmoid"]}, ("squared_error",), ("sigmoid", "relu")),
        ({"losses": ["cross_entropy"], "activations": ["relu"]}, ("cross_entropy",), ("softmax",)),
        ({"losses": ["binary_cross_entropy"], "activations": ["relu"]}, ("binary_cross_entropy",), ("sigmoid",)),
        (
            {"losses": ["binary_cross_entropy", "cross_entropy"], "activations": ["relu"]},
            ("cross_entropy", "binary_cross_entropy"),
            ("sigmoid", "softmax"),
        ),
        (
            {"losses": ["squared_error", "binary_cross_entropy"], "activations": ["relu", "sigmoid"]},
            ("squared_error", "binary_cross_entropy"),
            ("sigmoid", "relu"),
        ),
        ({"losses": ["binary_cross_entropy"], "outputs": ["sigmoid"]}, ("binary_cross_entropy",), ("sigmoid",)),
    ],
)
def test_losses_of_a_declaration_is_the_notes_own_or_what_it_says(declared, losses, outputs):
    support = Support(**declared)
    assert (support.losses, support.outputs) == (losses, outputs)


@pytest.mark.parametrize(
    ("declared", "error", "match"),
    [
        ({"activation": ["relu"]}, ValueError, "did you mean 'activations'"),
        ({"activations": "relu"}, TypeError, "activations must be a sequence of names; got 'relu'"),
        ({"activations": []}, ValueError, "activations must name at least one of identity, sigmoid"),
        ({"activations": ["relu", "Softmaks"]}, ValueError, "did you mean 'softmax'"),
        ({"losses": ["mse"]}, ValueError, "losses must be one of squared_error, .*, mean_squared_error; got 'mse'"),
        (
            {"losses": ["squared_error", "half_squared_error"]},
            ValueError,
            "losses must have at most one of squared_error, half_squared_error, mean_squared_error; got squared_error, half_sq",
        ),
        ({"losses": ["mean_squared_eror"]}, ValueError, "did you mean 'mean_squared_error'"),
        ({"weights": "in_out"}, ValueError, r"weights must be one of out-in, in-out; got 'in_out' \(did you mean 'in-out'\?\)"),
        ({"weights": True}, TypeError, "weights must be one of out-in, in-out; got True"),
        ({"examples": "cols"}, ValueError, "examples must be one of rows, columns; got 'cols'"),
        ({"biases": 0}, TypeError, "biases must be True or False; got int"),
        ({"l2": -0.1}, ValueError, "l2 must be finite and >= 0; got -0.1"),
        ({"l2": float("nan")}, ValueError, "l2 must be finite and >= 0; got nan"),
        ({"l2": "0.1"}, TypeError, "l2 must be a real number >= 0; got '0.1'"),
        ({"l2": 0.1, "l2_form": "full"}, ValueError, "l2_form must be one of half, whole, half/N, whole/N; got 'full'"),
        ({"least_width": 0}, ValueError, "least_width must be an integer >= 1; got 0"),
        ({"least_classes": 2.0}, TypeError, "least_classes must be an integer >= 1; got 2.0"),
        ({"widths": 1, "least_width": 2}, ValueError, "widths must be >= least_width, which is 2; got 1"),
        ({"widths": [3, 1], "least_classes": 2}, ValueError, r"widths must be >= least_classes, which is 2; got \(3, 1\)"),
        (
            {"losses": ["cross_entropy"], "outputs": ["relu"]},
            ValueError,
            "cross_entropy needs softmax among the outputs; got relu",
        ),
        (
            {"losses": ["squared_error", "cross_entropy"], "activations": ["relu"]},
            ValueError,
            "cross_entropy needs softmax among the outputs; got relu",
        ),
        (
            {"losses": ["binary_cross_entropy"], "outputs": ["softmax"]},
            ValueError,
            "binary_cross_entropy needs sigmoid among the outputs; got softmax",
        ),
        (
            {"losses": ["squared_error", "binary_cross_entropy"], "activations": ["relu", "tanh"]},
            ValueError,
            "binary_cross_entropy needs sigmoid among the outputs; got tanh, relu",
        ),
        ({"reductions": ["men"]}, ValueError, "did you mean 'mean'"),
        ({"dtypes": ["float16"]}, ValueError, "dtypes must be one of float64, float32"),
        ({"targets": ["index"]}, ValueError, "targets must be one of indices, one_hot, distribution"),
        ({"batches": 0}, TypeError, "batches must be True or False; got int"),
        ({"batches": False, "single": False}, ValueError, "must not both be False"),
        ({"layers": 0}, ValueError, "layers must be an integer >= 1; got 0"),
        ({"layers": "2"}, TypeError, "layers must be an integer >= 1; got '2'"),
        ({"layers": (2, 1)}, ValueError, "the least and the greatest L"),
        ({"layers": (1, 2, 3)}, ValueError, "the least and the greatest L"),
        ({"widths": [3]}, ValueError, r"widths must be n_0, \.\.\., n_L, at least 2 numbers"),
        ({"widths": [3, 0]}, ValueError, r"widths\[1\] must be an integer >= 1; got 0"),
        ({"widths": "3-1"}, TypeError, "widths must be an integer >= 1; got '3-1'"),
        ({"widths": [2, 3, 1], "layers": 3}, ValueError, r"widths must name n_0 to n_L for layers, which is \(3, 3\)"),
    ],
)
def test_declaration_of_what_cannot_be_raises(declared, error, match):
    with pytest.raises(error, match=match):
        v.supports(**declared)


def test_declaration_before_no_function_raises():
    with pytest.raises(TypeError, match="must stand before a function or a class; got int"):
        v.supports()(3)


ONE = np.ones(2)
BATCH = np.ones((3, 2))


def net_of(activations, loss="squared_error", dtype=np.float64, widths=None, reduction="mean"):
    widths = widths or [2] * (len(activations) + 1)
    return hg.Network.random(widths, activations=activations, loss=loss, seed=0, dtype=dtype, reduction=reduction)


@pytest.mark.parametrize(
    ("declared", "net", "x", "y", "covered"),
    [
        ({}, net_of(["softmax", "relu"]), BATCH, BATCH, True),
        ({"activations": ["relu"]}, net_of(["relu", "tanh"]), ONE, ONE, False),
        ({"activations": ["relu"], "outputs": ["tanh"]}, net_of(["relu", "tanh"]), ONE, ONE, True),
        ({"activations": ["relu"], "outputs": ["tanh"]}, net_of(["relu", "relu"]), ONE, ONE, False),
        ({"losses": ["squared_error"]}, net_of(["softmax"], "cross_entropy"), ONE, np.array(1), False),
        ({"activations": ["relu", "softmax"]}, net_of(["softmax"], "cross_entropy"), ONE, np.array(1), True),
        ({"targets": ["indices"]}, net_of(["softmax"], "cross_entropy"), ONE, np.array([1, 0]), False),
        ({"targets": ["distribution"]}, net_of(["softmax"], "cross_entropy"), ONE, np.array([1, 0]), True),
        ({"targets": ["one_hot"]}, net_of(["softmax"], "cross_entropy"), ONE, np.array([1, 0]), True),
        ({"targets": ["one_hot"]}, net_of(["softmax"], "cross_entropy"), ONE, np.array([0.5, 0.5]), False),
        ({"batches": False}, net_of(["relu"]), BATCH, BATCH, False),
        ({"single": False}, net_of(["relu"]), BATCH, BATCH, True),
        ({"single": False}, net_of(["relu"]), ONE, ONE, False),
        ({"dtypes": ["float64"]}, net_of(["relu"], dtype=np.float32), ONE, ONE, False),
        ({"reductions": ["sum"]}, net_of(["relu"]), ONE, ONE, False),
        ({"layers": 2}, net_of(["relu"]), ONE, ONE, False),
        ({"layers": 2}, net_of(["relu"] * 2), ONE, ONE, True),
        ({"layers": (1, 2)}, net_of(["relu"] * 3), ONE, ONE, False),
        ({"widths": 2}, net_of(["relu"] * 3), ONE, ONE, True),
        ({"widths": 1}, net_of(["relu"] * 3), ONE, ONE, False),
        ({"widths": [2, 3, 1]}, net_of(["relu"] * 2, widths=[2, 3, 1]), ONE, np.ones(1), True),
        ({"widths": [2, 3, 1]}, net_of(["relu"] * 2), ONE, ONE, False),
    ],
)
def test_support_covers_equals_the_declaration(declared, net, x, y, covered):
    assert Support(**declared).covers(describe(net), x, y) is covered


def test_arrays_of_keeps_the_order_of_shapes_and_reads_tensors():
    net = hg.Network([hg.Dense([[1.0, 1.0]], [0.0])])
    returned = {"b1": torch.ones(1, dtype=torch.float64, requires_grad=True), "w1": np.ones((1, 2))}
    arrays = arrays_of(returned, describe(net), X, "gradient")
    assert list(arrays) == ["w1", "b1"]
    np.testing.assert_array_equal(arrays["b1"], [1.0])


# torch

TORCH = """
import torch
from torch import nn
from verification import module_submission, supports

class Linear(torch.autograd.Function):
    @staticmethod
    def forward(context, x, w, b):
        context.save_for_backward(x, w)
        return x @ w.T + b

    @staticmethod
    def backward(context, dL_dz):
        x, w = context.saved_tensors
        return dL_dz @ w, dL_dz.T @ x, dL_dz.sum(dim=0)

class Net(nn.Module):
    def __init__(self, network):
        super().__init__()
        for number, (w, b) in enumerate(zip(network.weights, network.biases), start=1):
            self.register_parameter(f"w{number}", nn.Parameter(torch.tensor(w)))
            self.register_parameter(f"b{number}", nn.Parameter(torch.tensor(b)))
        self.number = len(network.weights)

    def forward(self, x):
        for number in range(1, self.number + 1):
            x = torch.tanh(Linear.apply(x, getattr(self, f"w{number}"), getattr(self, f"b{number}")))
        return x

@supports(activations=["tanh"], single=False)
@module_submission
def gradient(network):
    return Net(network)
"""


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_autograd_function_written_by_hand_matches_handgrad(reduction, tmp_path):
    net = hg.Network.random([2, 3, 1], activations=["tanh", "tanh"], seed=0, reduction=reduction)
    x, y = np.random.default_rng(1).normal(size=(4, 2)), np.random.default_rng(2).normal(size=(4, 1))
    arrays = asked(written(tmp_path, TORCH), net=net, x=x, y=y).arrays
    g = net.gradient(x, y)
    # tanh's 1 - a² loses a few digits in torch, and values of either sign cancel in the sums over four examples.
    assert list(arrays) == ["w1", "b1", "w2", "b2", "loss", "x"]
    for name, expected in (g.named() | {"loss": g.loss, "x": g.x}).items():
        np.testing.assert_allclose(arrays[name], expected, rtol=0, atol=100 * np.finfo(float).eps)


def test_autograd_function_with_an_error_raises_one_sentence(tmp_path):
    path = written(tmp_path, TORCH.replace("return dL_dz @ w, dL_dz.T @ x", "return dL_dz @ w, dL_dz.T @ x.T"))
    net = hg.Network.random([2, 3, 1], activations=["tanh", "tanh"], seed=0)
    with pytest.raises(v.SubmissionError) as caught:
        asked(path, net=net, x=np.ones((4, 2)), y=np.ones((4, 1)))
    assert_is_sentence(caught.value, path, "raised", 15, ["gradient raised RuntimeError"])


@pytest.mark.parametrize("target", [np.array([0, 2, 1, 1]), np.full((4, 3), 1 / 3)])
def test_module_with_names_of_its_own_matches_handgrad(target):
    net = hg.Network.random([2, 2, 3], activations=[hg.Activation("prelu", alpha=0.5), "softmax"], loss="cross_entropy", seed=0)
    names = {"0.weight": "w1", "0.bias": "b1", "1.weight": "alpha1", "2.weight": "w2", "2.bias": "b2"}
    gradient = v.module_submission(lambda network: v.to_torch(net), names)
    x = np.random.default_rng(1).normal(size=(4, 2))
    arrays = Local(gradient).gradient(describe(net), x, target).arrays
    for name, expected in net.gradient(x, target).named().items():
        assert arrays[name].shape == expected.shape
        np.testing.assert_allclose(arrays[name], expected, rtol=0, atol=100 * np.finfo(float).eps)


def test_module_with_unknown_names_and_without_gradients_raises():
    net = hg.Network.random([2, 2], activations=["identity"], seed=0)
    with pytest.raises(v.SubmissionError, match=r"returned '0\.weight', which is not a name"):
        Local(v.module_submission(lambda network: v.to_torch(net))).gradient(describe(net), ONE, ONE)

    class Cut(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w1, self.b1 = (torch.nn.Parameter(torch.tensor(p)) for p in net.named().values())

        def forward(self, x):
            return self.w1.detach() @ x.detach() + self.b1

    with pytest.raises(v.SubmissionError, match="must give w1 as real numbers; it gave None"):
        Local(v.module_submission(lambda network: Cut())).gradient(describe(net), ONE, ONE)


def test_every_public_name_of_verification_is_there():
    assert [name for name in v.__all__ if not hasattr(v, name)] == []
    assert dir(v) == v.__all__
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        v.nonesuch  # noqa: B018


def test_process_of_a_submission_loads_no_torch(tmp_path):
    text = "import sys\n" + BY_THE_LETTER + "print('torch' in sys.modules, 'hypothesis' in sys.modules)\n"
    with Remote(written(tmp_path, text)) as subject:
        assert subject.printed == "False False\n"
