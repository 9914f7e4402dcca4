"""A class's hand-ins: found, checked whatever they do, in a table whose order and content no number of jobs changes."""

import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import pytest

import handgrad as hg
from verification.__main__ import main
from verification.checking.check import check
from verification.classroom import marking, rows
from verification.classroom.hand_ins import find
from verification.classroom.marking import Marked, mark
from verification.classroom.rows import RIGHT, UNDONE, UNJUDGED, WRONG, Row, grade

HOUSE = str(Path(hg.__file__).parents[1])
RIGHT_TEXT = """
import numpy as np
from verification import supports


@supports(activations=["tanh"], losses=["squared_error"], reductions=["sum"], batches=False, layers=1)
def gradient(network, x, y):
    a = np.tanh(network.weights[0] @ x + network.biases[0])
    dL_dz = 2 * (a - y) * (1 - a * a)
    return {"w1": np.outer(dL_dz, x), "b1": dL_dz}
"""
WRONG_TEXT = RIGHT_TEXT.replace("2 * (a", "(a")
CALLED = "def gradient(network, x, y):\n    "
NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": RIGHT_TEXT}]})
# What each is, and how its line goes on: with its mistake, if it is not right.
CLASS = {
    "a b.py": (RIGHT_TEXT, RIGHT, ""),
    "<script>alert(1)<∕script>.py": (WRONG_TEXT, WRONG, "(4): "),
    "Ünï 漢.ipynb": (NOTEBOOK, RIGHT, ""),
    "new\nline\x1b[2J.py": (RIGHT_TEXT, RIGHT, ""),
    "binary.py": (b"\x7fELF\x00\xff" * 100, UNJUDGED, "this is not Python: "),
    "broken.ipynb": ("{", UNJUDGED, "line 1: this is no notebook: "),
    "crashes.py": (
        f"{CALLED}import ctypes; ctypes.string_at(0)\n",
        UNJUDGED,
        "line 2: its code ended the whole process (killed",
    ),
    "deep/er.py": (RIGHT_TEXT, RIGHT, ""),
    "empty.py": ("", UNDONE, "nothing is written in it"),
    "exits.py": (f"{CALLED}import os; os._exit(0)\n", UNJUDGED, "line 2: its code ended the whole process (exit status 0)"),
    "forks.py": (f"import os, time\nif not os.fork():\n    time.sleep(1000)\n{RIGHT_TEXT}", RIGHT, ""),
    "frame.py": (
        f'{CALLED}"""Write this."""\n    raise NotImplementedError\n',
        UNDONE,
        "line 3: gradient raised NotImplementedError",
    ),
    "hangs.py": (f"{CALLED}while True: pass\n", UNJUDGED, "line 2: its code was still running after 1 s"),
    "prints.py": (f"import os\nos.write(1, b'x' * 1000000)\nprint('x' * 1000000)\n{RIGHT_TEXT}", RIGHT, ""),
    "raises.py": ("raise ValueError('\x1b[31m <b>')\n", UNJUDGED, r"line 1: the file raised ValueError: \x1b[31m <b> while it"),
    "syntax.py": ("x = 1\ndef f(:\n", UNJUDGED, "line 2: this is not Python: invalid syntax"),
}


def write(folder, files):
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder called "class" in the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "class").mkdir()
    return tmp_path / "class"


# Which files are hand-ins.


def test_hand_ins_of_a_folder_is_what_a_teacher_expects(folder):
    names = ["zoe.py", "ann.py", "group/bo.ipynb", "late/gradient.py", "solves.py"]
    write(folder, dict.fromkeys(names, RIGHT_TEXT))
    write(folder, {"solves.py": f"from tools import f\n{RIGHT_TEXT}", "nothing.py": "x = 1"})
    helper, virtual = {"tools.py": "def f(): ..."}, {"env/pyvenv.cfg": "", "env/lib/x.py": RIGHT_TEXT}
    hidden = dict.fromkeys(["_key.py", ".x.py", "__init__.py", ".ipynb_checkpoints/ann.py", "_old/ann.py"], RIGHT_TEXT)
    tests = dict.fromkeys(["test_ann.py", "ann_test.py", "conftest.py"], RIGHT_TEXT)
    write(folder, helper | virtual | hidden | tests | {"data.csv": "1", "__pycache__/ann.py": RIGHT_TEXT})
    (folder / "again.py").symlink_to(folder / "ann.py")
    found = find(["class"])
    # The link and its target are one hand-in.
    assert found.files == [
        f"class/{n}" for n in ("again.py", "group/bo.ipynb", "late/gradient.py", "nothing.py", "solves.py")
    ] + ["class/zoe.py"]
    assert {why: sorted(left) for why, left in found.left_out.items()} == {
        "begin with _ or .": [".ipynb_checkpoints", ".x.py", "__init__.py", "_key.py", "_old"],
        "environments": ["env"],
        "neither .py nor .ipynb": ["data.csv"],
        "tests by their names": ["ann_test.py", "conftest.py", "test_ann.py"],
        "imported by others, without a submission": ["tools.py"],
    }
    assert str(found).startswith("left out: ")
    assert ".ipynb_checkpoints, .x.py, __init__.py and 2 more (begin with _ or .)" in str(found)
    assert "\n" not in str(found)


def test_hand_ins_that_are_named_is_all_of_them_once(folder):
    write(folder, dict.fromkeys(["_x.py", "test_x.py", "y.py", "notes.txt"], RIGHT_TEXT))
    named = ["class/test_x.py", "class/_x.py", "class", "class/y.py", "class/../class/y.py", "class/none.py"]
    assert find(named).files == ["class/_x.py", "class/none.py", "class/test_x.py", "class/y.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_pipe_in_a_folder_is_left_out(folder):
    """Whoever reads it would wait for ever."""
    os.mkfifo(folder / "a.py")
    (folder / "b.py").symlink_to("nowhere")
    found = find(["class"])
    assert (found.files, found.left_out) == ([], {"no files to be read": ["a.py", "b.py"]})


def test_helper_that_holds_a_submission_is_a_hand_in(folder):
    write(folder, {"ann.py": RIGHT_TEXT, "bo.py": "from ann import gradient\n"})
    assert find(["class"]).files == ["class/ann.py", "class/bo.py"]


@pytest.mark.parametrize("name", ["a.py", "a.ipynb"])
@pytest.mark.parametrize(
    ("text", "undone"),
    [
        ("", True),
        ("# TODO\n'''Homework'''\nimport numpy as np\n", True),
        ("def gradient(network, x, y): ...", True),
        ("class Net:\n    def __init__(self, n): ...\n    def forward(self, x): ...\n    def backward(self, y): ...", True),
        ("class Net:\n    def __init__(self, n): ...\n    def train(self, x, y, r): ...\n    def parameters(self): ...", True),
        ("from verification import supports\n@supports(layers=1)\ndef f(n, x, y):\n    return {}\n", True),
        ("x = 1\n", False),
        ("def f():\n    return 1\n", False),
        ("def gradient(network, x, y):\n    return {'w1': 0}\n", False),
        ("def gradient(network, x, y):\n    raise ValueError\n", False),
    ],
)
def test_file_with_nothing_written_is_not_done(folder, text, undone, name):
    cells = {"cells": [{"cell_type": "code", "source": text}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    write(folder, {name: text if name == "a.py" else json.dumps(cells)})
    row = grade(f"class/{name}")
    assert row.verdict == (UNDONE if undone else UNJUDGED), row.story
    assert ("not done yet" in row.story) is undone


# Rows.


def test_row_of_a_right_hand_in_equals_its_verdict(folder):
    write(folder, {"ann.py": RIGHT_TEXT, "bo.py": WRONG_TEXT})
    verdict = check("class/ann.py", examples=20)
    row = grade("class/ann.py", examples=20)
    assert (row.file, row.verdict, row.mistake, row.name) == ("class/ann.py", RIGHT, "", "gradient")
    assert (row.right, row.asked, row.notes, row.story) == (*verdict.share, len(verdict.notes), str(verdict))
    assert row.found == verdict.to_dict()
    assert row.to_dict()["found"] == row.found
    assert json.loads(json.dumps(row.to_dict())) == row.to_dict()


def test_row_with_withhold_is_without_the_right_numbers(folder):
    write(folder, {"bo.py": WRONG_TEXT})
    told, withheld = (grade("class/bo.py", examples=20, withhold=withhold) for withhold in (False, True))
    assert "should be" in told.story
    assert "should be" not in withheld.story + withheld.details + json.dumps(withheld.to_dict())


def test_mistake_of_the_checker_is_the_row_of_that_hand_in(monkeypatch, folder):
    def fails(file, **_):
        raise RuntimeError(f"no\nluck with {file}")

    monkeypatch.setattr(rows, "check", fails)
    row = grade("class/ann.py")
    assert (row.verdict, row.mistake) == (UNJUDGED, "the checker itself failed: RuntimeError: no luck with class/ann.py")


# A class.


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a class of every kind, with its files, checked with one job and with two."""
    path = tmp_path_factory.mktemp("a class")
    files = {name: text for name, (text, _, _) in CLASS.items()}
    write(path, files)
    found = find([str(path)])
    return path, found, [mark(found.files, jobs=jobs, examples=20, limit=1.0) for jobs in (1, 2)]


def test_class_is_told_line_by_line_whatever_its_files_do(hostile):
    path, found, (marked, _) = hostile
    assert found.left_out == {}
    assert [os.path.relpath(row.file, path) for row in marked.rows] == sorted(CLASS)
    from verification.classroom.table import cells, printable

    for row in marked.rows:
        _, verdict, mistake = CLASS[os.path.relpath(row.file, path)]
        assert row.verdict == verdict, row
        assert printable(cells(row)[-1]).startswith(mistake), row
        assert (row.mistake == "") is (verdict == RIGHT)
        assert row.seconds < 10
    assert str(marked) == "16 hand-ins: 6 right, 1 wrong, 7 not judged, 2 not done"
    assert (marked.exit_status(), marked.interrupted) == (1, False)


def test_class_with_two_jobs_equals_that_with_one(hostile):
    def told(marked):
        return [{**row.to_dict(), "seconds": 0, "story": row.story, "details": row.details} for row in marked.rows]

    one, two = hostile[2]
    assert told(one) == told(two)


def test_hand_in_that_kills_its_checker_is_its_own_line(folder):
    kills = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
    write(folder, dict.fromkeys([f"{name}.py" for name in "abdef"], RIGHT_TEXT) | {"c.py": kills})
    counted = []
    marked = mark(find(["class"]).files, jobs=2, examples=5, progress=counted.append)
    assert [row.verdict for row in marked.rows] == [RIGHT, RIGHT, UNJUDGED, RIGHT, RIGHT, RIGHT]
    assert marked.rows[2].mistake.startswith("the checker itself failed: the process that checks it ended: ")
    assert counted == [1, 2, 3, 4, 5, 6]


def test_class_with_another_backend_equals_that_with_one_job(folder):
    write(folder, {"a.py": RIGHT_TEXT, "b.py": WRONG_TEXT})
    files = find(["class"]).files
    with joblib.parallel_config(backend="threading"):
        marked = mark(files, jobs=2, examples=20)
    assert [row.found for row in marked.rows] == [grade(file, examples=20).found for file in files]


def test_hand_in_whose_calls_are_slow_together_is_given_up(folder, monkeypatch):
    monkeypatch.setattr(marking, "TOTAL", 0.5)
    write(folder, {"slow.py": RIGHT_TEXT.replace("    a =", "    __import__('time').sleep(0.1)\n    a =")})
    (row,) = mark(["class/slow.py"]).rows
    assert row.verdict == UNJUDGED
    assert row.mistake == "its code had been running for 0.5 s in all and was stopped"
    assert row.seconds < 2


@pytest.mark.parametrize(("jobs", "error"), [(0, ValueError), ("two", TypeError)])
def test_class_with_bad_jobs_raises(jobs, error):
    with pytest.raises(error, match="jobs must be an integer >= 1"):
        mark([], jobs=jobs)


@pytest.mark.parametrize(
    ("verdicts", "status", "strict"),
    [
        ([RIGHT, RIGHT], 0, 0),
        ([RIGHT, "noted"], 0, 1),
        ([RIGHT, WRONG, UNJUDGED], 1, 1),
        ([RIGHT, UNJUDGED], 3, 3),
        ([UNDONE], 3, 3),
        (["noted", UNDONE], 3, 1),
    ],
)
def test_exit_status_of_a_class_is_that_of_its_worst(verdicts, status, strict):
    marked = Marked([Row("a.py", RIGHT if each == "noted" else each, notes=each == "noted") for each in verdicts])
    assert (marked.exit_status(), marked.exit_status(strict=True)) == (status, strict)


# The command.


def run(*options):
    return main(["check", *options, "--examples", "20", "--limit", "1"])


def test_command_for_a_class_is_a_table_and_files(folder, capsys):
    write(folder, {"a.py": RIGHT_TEXT, "sub/b.py": WRONG_TEXT, "_c.py": "", "d.ipynb": NOTEBOOK})
    assert run("class", "--json", "c.json", "--csv", "c.csv", "--html", "c.html", "--verbose") == 1
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0].split() == ["hand-in", "verdict", "equations", "notes", "seconds", "first", "mistake"]
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["class/a.py", RIGHT],
        ["class/d.ipynb", RIGHT],
        ["class/sub/b.py", WRONG],
    ]
    assert lines[3].split(maxsplit=6)[2:5] == ["6", "of", "7"]
    assert lines[4:7] == ["", "3 hand-ins: 2 right, 1 wrong", "left out: _c.py (begin with _ or .)"]
    assert "--- class/sub/b.py" in lines
    assert "Report card" in lines
    assert shown.err == ""
    read = json.loads(Path("c.json").read_text(encoding="utf-8"))
    assert read["counts"] == {RIGHT: 2, WRONG: 1}
    assert (read["asked"], read["interrupted"], read["left_out"]) == (3, False, {"begin with _ or .": ["_c.py"]})
    assert [each["file"] for each in read["hand_ins"]] == ["class/a.py", "class/d.ipynb", "class/sub/b.py"]
    assert read["hand_ins"][2]["found"] == check("class/sub/b.py", examples=20).to_dict()
    table = list(csv.DictReader(io.StringIO(Path("c.csv").read_text(encoding="utf-8"))))
    assert [(row["file"], row["verdict"], row["right"], row["equation"]) for row in table] == [
        ("class/a.py", RIGHT, "7", ""),
        ("class/d.ipynb", RIGHT, "7", ""),
        ("class/sub/b.py", WRONG, "6", "(4)"),
    ]
    assert Path("c.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_command_for_one_file_is_its_story_and_files(folder, capsys):
    write(folder, {"b.py": WRONG_TEXT})
    assert run("class/b.py") == 1
    alone = capsys.readouterr().out
    assert run("class/b.py", "--csv", "c.csv", "--html", "c.html", "--gradescope", "results.json") == 1
    assert capsys.readouterr().out == alone
    assert len(Path("c.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert alone.splitlines()[0] in Path("c.html").read_text(encoding="utf-8")
    assert len(json.loads(Path("results.json").read_text(encoding="utf-8"))["tests"]) == 7
    write(folder, {"frame.py": f"{CALLED}pass\n"})
    assert run("class/frame.py", "--csv", "-") == 3
    assert capsys.readouterr().out.splitlines()[1].startswith('class/frame.py,gradient,not done,0,0,,"line 1: gradient must')


def test_command_whose_file_goes_to_standard_output_stands_there_alone(folder, capsys):
    write(folder, {"a.py": RIGHT_TEXT, "b.py": RIGHT_TEXT})
    assert run("class", "--csv", "-") == 0
    assert [row[0] for row in csv.reader(io.StringIO(capsys.readouterr().out))] == ["file", "class/a.py", "class/b.py"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["class", "--gradescope", "r.json"], "--gradescope is for a single hand-in; these are 2"),
        (["none"], ""),
        (["empty"], "there is no hand-in in empty (left out: notes.txt (neither .py nor .ipynb))"),
        (["class", "--jobs", "0"], "must be an integer >= 1; got 0"),
        (["class", "--memory", "0"], "must be a number of GiB > 0; got 0"),
        (["class", "--json", "-", "--csv", "-"], "only one of --json, --csv can go to standard output"),
        (["class", "--html", "no/such/folder"], "can't open 'no/such/folder'"),
    ],
)
def test_command_for_a_class_of_bad_usage_is_exit_2(options, says, folder, capsys):
    write(folder, {"a.py": RIGHT_TEXT, "b.py": RIGHT_TEXT, "../empty/notes.txt": ""})
    if not says:  # a file that is not there is told as before
        assert run(*options) == 3
        return
    with pytest.raises(SystemExit) as left:
        run(*options)
    assert left.value.code == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert sorted(os.listdir()) == ["class", "empty"]


def test_command_whose_first_file_cannot_be_written_writes_the_others(folder, monkeypatch, capfd):
    write(folder, {"a.py": RIGHT_TEXT, "b.py": RIGHT_TEXT})
    monkeypatch.setattr("handgrad.terminal.leave_output", lambda: None)
    Path("c.json").write_text("as it was", encoding="utf-8")
    room = iter([OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))])

    def once_full(descriptor):
        for error in room:
            raise error

    monkeypatch.setattr(os, "fsync", once_full)
    assert run("class", "--json", "c.json", "--csv", "c.csv") == 2
    assert capfd.readouterr().err == f"the output cannot be written: {os.strerror(errno.ENOSPC)}\n"
    assert Path("c.json").read_text(encoding="utf-8") == "as it was"
    assert len(Path("c.csv").read_text(encoding="utf-8").splitlines()) == 3
    assert sorted(os.listdir()) == ["c.csv", "c.json", "class"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_command_for_a_class_stopped_by_ctrl_c_is_exit_130_and_what_is_finished(jobs, folder):
    write(folder, {"a.py": RIGHT_TEXT, "b.py": f"{CALLED}open('ready', 'w'); __import__('time').sleep(60)\n"})
    # A job in the background ignores the signal, and so would its children.
    program = "import runpy, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "runpy.run_module('verification', run_name='__main__', alter_sys=True)"
    options = ["check", "class", "--examples", "5", "--limit", "60", "--jobs", jobs, "--csv", "c.csv"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": HOUSE},
    )
    end = time.monotonic() + 60
    while not Path("ready").exists() and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(1.5)  # the other worker's answer comes
    stopped = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - stopped < 5
    assert (process.returncode, err) == (130, "")
    assert out.splitlines()[-1] == "stopped: 1 of 2 hand-ins: 1 right"
    assert Path("c.csv").read_text(encoding="utf-8").splitlines()[1].startswith("class/a.py,gradient,RIGHT,7,7,")
