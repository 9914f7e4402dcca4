"""Terminals that lack a character get a substitute, in every command of either package, and nothing ever ends in an error."""

import ast
import codecs
import contextlib
import functools
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import handgrad
from handgrad.__main__ import main as handgrad_main
from handgrad.formulas import FORMULAS
from handgrad.terminal import READABLE, SUBSTITUTES, TYPED, make_readable, substitute
from verification.__main__ import main as verification_main

HOUSE = Path(handgrad.__file__).parents[1]


# Substitutes.


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("dL/da = 2 (a − y)", "ascii", b"dL/da = 2 (a - y)"),
        ("z_j = b_j + Σ_k w_jk · a_k", "ascii", b"z_j = b_j + sum_k w_jk * a_k"),
        ("g′(z), dL/dα, ½ (a − y)²", "ascii", b"g'(z), dL/dalpha, 1/2 (a - y)^2"),
        ("1/(1 + e) for z ≥ 0, and … ±1 ≤ 1 ≠ 2 → 3", "ascii", b"1/(1 + e) for z >= 0, and ... +-1 <= 1 != 2 -> 3"),
        ("“·”", "ascii", b'"*"'),
        ("dL/dw₁₂⁽¹⁾ ≈ 1.5·10⁻⁷, w ← 0", "ascii", b"dL/dw_12^(1) ~= 1.5*10^-7, w <- 0"),
        ("z₁⁽²⁾", "latin-1", b"z_1^(\xb2)"),
        ("¿Qué pérdida? ñ", "ascii", b"?Que perdida? n"),
        # What the encoding has stays as it is.
        ("g′ · a², − é Σ", "cp1252", b"g' \xb7 a\xb2, - \xe9 sum"),
        ("g′ · a², −", "latin-1", b"g' \xb7 a\xb2, -"),
        ("g′ · Σ −", "utf-8", "g′ · Σ −".encode()),
        # What nobody foresaw is there as its number.
        ("a 漢 b ⊙", "ascii", rb"a \u6f22 b \u2299"),
        ("å 😀", "ascii", rb"\xe5 \U0001f600"),
        ("name\udcff.py", "utf-8", rb"name\udcff.py"),
        ("", "ascii", b""),
    ],
)
def test_text_in_an_encoding_equals_its_readable_form(text, encoding, expected):
    assert text.encode(encoding, READABLE) == expected


def test_substitute_is_for_what_is_missing_alone():
    error = UnicodeEncodeError("ascii", "a·′b·", 1, 3, "ordinal not in range")
    assert substitute(error) == ("*'", 3)
    assert codecs.lookup_error(READABLE) is substitute


def test_substitute_of_another_error_raises_it():
    error = UnicodeDecodeError("ascii", b"\xff", 0, 1, "ordinal not in range")
    with pytest.raises(UnicodeDecodeError) as raised:
        substitute(error)
    assert raised.value is error
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", READABLE)


@pytest.mark.parametrize("sign", SUBSTITUTES)
def test_substitute_of_a_sign_is_ascii(sign):
    assert len(sign) == 1
    assert not sign.isascii()
    assert SUBSTITUTES[sign].isascii()
    assert SUBSTITUTES[sign].isprintable()


def printed(path):
    """Return every text in a file but what documents it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.value


@pytest.mark.parametrize("room", ["handgrad", "verification", "verification/benchmark"])
def test_text_that_may_be_printed_is_of_signs_with_substitutes(room):
    of_benchmark = {*HOUSE.glob("verification/benchmark/*.py")}
    files = {*HOUSE.glob(f"{room}/**/*.py")} - (of_benchmark if room == "verification" else set())
    assert files
    lacking = {}
    for path in files:
        # `python -m handgrad 14` prints code, too.
        texts = [path.read_text(encoding="utf-8")] if path.name == "equations.py" else printed(path)
        lacking |= {sign: path for text in texts for sign in text if not is_readable(sign)}
    assert lacking == {}


def is_readable(sign):
    return sign.isascii() or sign in SUBSTITUTES or ord(sign) in TYPED


def test_words_that_may_be_printed_is_of_signs_with_substitutes():
    files = sorted(HOUSE.glob("handgrad/**/*.toml"))
    assert len(files) >= 2
    assert {sign: path for path in files for sign in path.read_text(encoding="utf-8") if not is_readable(sign)} == {}


# Streams.


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_standard_streams_is_readable_from_now_on(encoding, monkeypatch):
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    make_readable()
    for stream in streams:
        assert (stream.encoding, stream.errors) == (encoding, READABLE)
        stream.write("Σ_j (a_j − y_j)²")
        stream.flush()
        assert stream.buffer.getvalue() == "Σ_j (a_j − y_j)²".encode(encoding, READABLE)


def test_stream_that_cannot_be_reconfigured_is_left_alone(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", None)  # as in a program without a console
    make_readable()
    stream.write("Σ")
    assert stream.getvalue() == "Σ"


# Commands.

RIGHT = """
import numpy as np
from verification import supports


def sigmoid(z):
    return np.exp(z) / (1 + np.exp(z))


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], layers=1, batches=False, dtypes=["float64"])
def gradient(network, x, y):
    a = sigmoid(network.weights[0] @ x + network.biases[0])
    dL_dz = 2 * (a - y) * a * (1 - a)
    return {"w1": np.outer(dL_dz, x), "b1": dL_dz}
"""
FILES = {
    "right.py": RIGHT,
    "wrong.py": RIGHT.replace("2 * (a", "(a"),
    "raises.py": "def gradient(network, x, y):\n    raise ValueError('Σ ⊙ é')\n",
}
COMMANDS = {
    "handgrad": (0, "Σ_j (a_j − y_j)²"),
    "handgrad 14": (0, "Σ_j dz_j/da_k · da_j/dz_j"),
    "handgrad --help": (0, ""),
    "handgrad examples": (0, "24 of 25 agree"),
    "handgrad examples mazur": (0, "0.291027924"),
    "handgrad examples ′": (2, ""),
    "handgrad ′": (2, ""),
    "verification --help": (0, ""),
    "verification check --help": (0, ""),
    "verification check right.py --examples 20": (0, "e^(−|z|)"),
    "verification check wrong.py --examples 20 --verbose": (1, "2 (a − y)"),
    "verification check raises.py --examples 20": (3, "Σ ⊙ é"),
    "verification check ∇.py": (3, "∇.py: could not be judged"),
    "verification mistakes output-sign --examples 20": (0, ""),
    "verification mistakes output−sign": (2, ""),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("homework")
    for name, text in FILES.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


@functools.cache
def told(command, folder):
    """Return a command's exit status and what it says here, where every character can be printed."""
    package, *arguments = command.split()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = {"handgrad": handgrad_main, "verification": verification_main}[package](arguments)
        except SystemExit as left:
            status = left.code
    return status, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", COMMANDS)
def test_command_in_an_encoding_equals_what_it_says_in_any(command, encoding, folder, monkeypatch):
    # The same width for the help.
    monkeypatch.setenv("COLUMNS", "100")
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(HOUSE), "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-m", *command.split()], capture_output=True, cwd=folder, env=environment)
    status, contains = COMMANDS[command]
    expected, out, err = told(command, folder)
    assert contains in out
    assert (done.returncode, expected) == (status, status)
    assert done.stdout == out.encode(encoding, READABLE)
    assert done.stderr == err.encode(encoding, READABLE)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("encoding", "dash", "dot"), [("ascii", b"-", b"*"), ("cp1252", b"\x96", b"\xb7")])
def test_equations_in_an_encoding_is_without_escapes(encoding, dash, dot):
    environment = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict", "PYTHONPATH": str(HOUSE)}
    command = [sys.executable, "-m", "handgrad", *map(str, FORMULAS)]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    for escape in (rb"\u", rb"\x", rb"\U"):
        assert escape not in done.stdout
    line = b"(14) IV.D%bG  dL_da_k            dL/da_k of the layer before = sum_j dz_j/da_k %b da_j/dz_j %b dL/da_j"
    assert line % (dash, dot, dot) in done.stdout.splitlines()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk without room")
def test_equations_that_cannot_be_written_is_exit_2_and_one_sentence():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "handgrad"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "the output cannot be written: No space left on device\n")


def test_equations_without_their_source_raises_what_python_says(monkeypatch):
    """No full disk is made up for another error of the system."""

    def lost(function):
        raise OSError("could not get source code")

    monkeypatch.setattr("inspect.getsource", lost)
    with pytest.raises(OSError, match="could not get source code"):
        handgrad_main(["14"])
