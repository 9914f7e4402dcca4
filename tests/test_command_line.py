"""`python -m verification` as a user meets it."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import handgrad as hg
from handgrad.equations import exchanged
from verification.__main__ import main
from verification.autograd import comparison
from verification.checking.check import check
from verification.checking.notes import Note
from verification.checking.verdict import Verdict
from verification.mistakes import MISTAKES

HOUSE = str(Path(hg.__file__).parents[1])
BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
COMMAND = [sys.executable, "-m", "verification"]
# A job in the background ignores the signal, and so would its children.
LISTENING = [
    sys.executable,
    "-c",
    "import runpy, signal\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "runpy.run_module('verification', run_name='__main__', alter_sys=True)",
]


def test_main_job_in_a_pipe_is_plain_lines_and_a_table():
    done = subprocess.run([*COMMAND, "--examples", "100"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("all 100 networks agree with torch.autograd\n")
    for row in ("compared", "largest share", "seed, seconds", "activation", "loss", "dtype"):
        assert f"\n  {row} " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr.splitlines()[-1] == "100 of 100 networks agree"


def test_main_job_on_a_terminal_is_a_progress_bar():
    terminal, side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "--examples", "100"], stdout=subprocess.PIPE, stderr=side, env=os.environ | {"TERM": "xterm"}
    )
    os.close(side)
    seen = b""
    while process.poll() is None or select.select([terminal], [], [], 0)[0]:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
    os.close(terminal)
    out, _ = process.communicate()
    assert process.returncode == 0
    assert b"networks" in seen
    assert b"/100" in seen
    assert out.startswith(b"all 100 networks agree")


def test_main_job_with_a_mismatch_is_exit_1_and_a_program(monkeypatch, capsys, tmp_path):
    wrong = exchanged({4: lambda a, y: a - y})
    monkeypatch.setitem(
        comparison.TELLINGS, "literal", (lambda net, x, y: comparison.quantities(hg.literal.trace(net, x, y, wrong)), False)
    )
    file = tmp_path / "result.json"
    assert main(["--examples", "50", "--json", str(file)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("MISMATCH after ")
    assert "the first is dL_da1" in out
    program = out[out.index("import numpy") :]
    exec(program, {})
    assert "the first is dL_da1" in capsys.readouterr().out
    read = json.loads(file.read_text())
    assert read["ok"] is False
    assert read["counterexample"]["program"] == program.rstrip("\n") + "\n"


def test_main_job_with_json_is_the_result(tmp_path):
    file = tmp_path / "result.json"
    assert main(["--examples", "20", "--seed", "3", "--json", str(file)]) == 0
    read = json.loads(file.read_text())
    assert (read["ok"], read["networks"], read["seed"]) == (True, 20, 3)


def test_main_job_within_options_is_that_alone(capsys):
    options = [
        "--dtype",
        "float32",
        "--activations",
        "tanh,relu",
        "--losses",
        "squared_error",
        "--max-layers",
        "2",
        "--max-width",
        "3",
    ]
    assert main(["--examples", "30", *options]) == 0
    out = capsys.readouterr().out
    assert re.search(r"dtype +float32 30\n", out)
    assert re.search(r"loss +squared_error 30\n", out)
    assert "softmax" not in out


def test_thorough_main_job_is_literal_on_every_network(capsys):
    assert main(["--examples", "20", "--thorough"]) == 0
    assert "matrix form on 20, trace form on 20, literal form on 20" in capsys.readouterr().out


def test_main_job_stopped_by_ctrl_c_is_exit_130_and_what_was_done():
    process = subprocess.Popen(
        [*LISTENING, "--examples", "5000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert "of 5000 networks agree" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.match(r"stopped; all \d+ networks so far agree\n", out)
    assert "Traceback" not in err


def test_main_job_stopped_while_it_is_imported_ends_without_a_traceback(tmp_path):
    ready = tmp_path / "ready"
    (tmp_path / "torch.py").write_text(f"import time\nopen({str(ready)!r}, 'w')\ntime.sleep(60)\n")
    process = subprocess.Popen(
        LISTENING,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])},
    )
    while not ready.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("stopped\n", "")
    assert process.returncode == 130


def test_main_job_whose_output_nobody_reads_is_exit_0():
    process = subprocess.Popen([*COMMAND, "--examples", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    with process.stderr:
        assert "Error" not in process.stderr.read()
    assert process.wait(timeout=60) == 0


def test_help_is_the_options_and_the_exit_statuses(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    for option in (
        "--examples",
        "--seed",
        "--dtype",
        "--activations",
        "--losses",
        "--max-layers",
        "--max-width",
        "--thorough",
        "--json",
    ):
        assert option in out
    assert "130" in out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--examples", "0"], "must be an integer >= 1; got 0"),
        (["--examples", "many"], "must be an integer >= 1; got many"),
        (["--jobs", "0"], "must be an integer >= 1; got 0"),
        (["--seed", "-1"], "must be an integer >= 0; got -1"),
        (["--activations", "sigmod"], "did you mean 'sigmoid'?"),
        (["--activations", ","], "activations must name at least one of"),
        (["--losses", "cross_entropy", "--activations", "relu"], "need softmax in activations; got relu"),
        (["--dtype", "float16"], "got 'float16'"),
        (["--max-width", "0"], "must be an integer >= 1; got 0"),
        (["--json", "/no/such/folder/file"], "can't open"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_main_job_of_bad_usage_is_exit_2(capsys, arguments, text):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert text in capsys.readouterr().err.replace("\n", " ")


# check and mistakes

RIGHT = """
import numpy as np
from verification import supports

@supports(activations=["identity", "relu"], losses=["squared_error"], reductions=["sum"], layers=1, batches=False)
def gradient(network, x, y):
    z = network.weights[0] @ x + network.biases[0]
    relu = network.activations[0] == "relu"
    dL_dz = 2 * ((np.maximum(z, 0) if relu else z) - y) * (z > 0 if relu else 1)
    return {"w1": np.outer(dL_dz, x).astype(z.dtype), "b1": dL_dz.astype(z.dtype)}
"""
WRONG = RIGHT.replace("2 * ((", "1 * ((")
AT_KINKS = RIGHT.replace("z > 0", "z >= 0")
ANOTHER = "\nclass Net:\n    def __init__(self, n): ...\n    def forward(self, x): ...\n    def backward(self, y): ...\n"


OVERFLOWS = """
import numpy as np
from verification import supports

@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], layers=1, batches=False, dtypes=["float64"])
def gradient(network, x, y):
    z = network.weights[0] @ x + network.biases[0]
    a = np.exp(z) / (1 + np.exp(z))
    dL_dz = 2 * (a - y) * a * (1 - a)
    return {"w1": np.outer(dL_dz, x), "b1": dL_dz}
"""
FIRST_LINE = "gradient: right in all 7 equations that it uses, on 20 networks and in 20 rows of calls"
NOTE = (
    "dL/dw1 is nan from |z| = 709.8 on in a sigmoid layer: a power overflows. "
    "With e = e^(−|z|), which never overflows: 1/(1 + e) for z ≥ 0, and e/(1 + e) below."
)
STORY = f"""gradient: WRONG; 6 of 7 equations are right
  (4)       dL/da = 2 (a − y)
            as if: {BY_NAME["output-without-2"].thought} [output-without-2]
            or, the same on every network tried: the loss carries a 1/2, and dL/da is its derivative [half-squared-error]
  seen      dL/db1[0] came as 1, should be 2 (0.5 times that)
            on the network 1-1, identity; squared_error, sum
            with w1 = [[0.]], b1 = [1.], x = [0.], y = [0.]
  declare   losses=["half_squared_error"] in @supports(...) fits it; with that it is {FIRST_LINE.partition(": ")[2]}
"""


@pytest.fixture
def homework(tmp_path, monkeypatch):
    """Return a function that writes a file's text and checks it from its folder, as a student would."""
    monkeypatch.chdir(tmp_path)
    # What is wrong is explained on fewer networks: the same code, sooner done.
    monkeypatch.setattr("verification.checking.telling.EVIDENCE", 20)
    monkeypatch.setattr("verification.checking.telling.FRESH", 9)
    monkeypatch.setattr("verification.checking.telling.SQUARES", 10)

    def run(text, *options, name="homework.py"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return main(["check", name, "--examples", "20", *options])

    return run


def test_check_of_a_right_file_is_exit_0(homework, capsys):
    assert homework(RIGHT) == 0
    assert capsys.readouterr().out == f"{FIRST_LINE}\n"


def test_check_of_a_right_file_with_a_note_is_exit_0_or_1_with_strict(homework, capsys):
    for options, status in (([], 0), (["--strict"], 1), (["--strict", "--verbose"], 1)):
        assert homework(OVERFLOWS, *options) == status
        assert capsys.readouterr().out.startswith(f"{FIRST_LINE}, with 1 note\n  note      {NOTE}\n")
    # Without a note there is nothing to be strict about.
    assert homework(RIGHT, "--strict") == 0


def test_check_of_a_wrong_file_is_exit_1_and_the_story(homework, capsys):
    for options in ([], ["--strict"]):
        assert homework(WRONG, *options) == 1
        assert capsys.readouterr().out == STORY


@pytest.mark.parametrize(("status", "expected", "strict"), [("right", 0, 1), ("wrong", 1, 1), ("unjudged", 3, 3)])
def test_check_of_what_has_notes_is_its_exit_status(status, expected, strict, monkeypatch, capsys):
    # What a crash has left unjudged is that, whatever was noted before.
    verdict = Verdict("f", status=status, error="what happened", notes=(Note("numbers", "a note"),))
    monkeypatch.setattr("verification.checking.check.check", lambda file, **options: verdict)
    for options, exit_status in ([], expected), (["--strict"], strict):
        assert main(["check", "homework.py", *options]) == exit_status
        assert capsys.readouterr().out == f"{verdict}\n"


def test_check_with_verbose_is_the_story_and_card_and_network_and_program(homework, capsys):
    assert homework(WRONG, "--verbose") == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{STORY}\nReport card\n  (8)                right\n")
    assert re.search(r"^  \(4\)                WRONG           the 2 comes from the square", out, re.MULTILINE)
    assert "\n  loss               not used        it returns no loss\n" in out
    assert "\nThe smallest network that shows it: Network(1-1, identity; squared_error, sum; float64; 2 parameters)\n" in out
    assert "\n  b1        (11), (7)  [2.]                         [1.]   <- wrong\n" in out
    names = {}
    exec(out[out.index("import numpy") :], names)
    assert names["net"].widths == (1, 1)
    assert homework(RIGHT, "--verbose") == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{FIRST_LINE}\n\nReport card\n  (8)                right\n")
    assert "WRONG" not in shown


def test_check_with_withhold_is_without_the_right_numbers(homework, capsys):
    assert homework(WRONG, "--withhold") == 1
    assert capsys.readouterr().out == STORY.replace(", should be 2 (0.5 times that)", "")
    assert homework(WRONG, "--withhold", "--verbose") == 1
    out = capsys.readouterr().out
    assert out.startswith(STORY.replace(", should be 2 (0.5 times that)", ""))
    assert "\n  quantity  equation   came\n" in out
    assert "\n  b1        (11), (7)  [1.]   <- wrong\n" in out
    # The right dL/db is 2, and nothing else in this network is.
    table = out[out.index("quantity") : out.index("As a program")]
    assert not re.search(r"(?<![\d.(-])2\b", table)


def test_check_with_strict_kinks_is_exit_1_for_another_convention(homework, capsys):
    assert homework(AT_KINKS, "--examples", "100") == 0
    assert capsys.readouterr().out == (
        FIRST_LINE.replace("20 networks", "100 networks").replace("20 rows", "40 rows")
        + ", with 1 note\n  note      at a kink hit exactly another convention is taken than PyTorch's for w, b.\n"
    )
    assert homework(AT_KINKS, "--examples", "100", "--strict-kinks") == 1
    assert capsys.readouterr().out.startswith("gradient: WRONG where z is exactly 0 in a layer with relu; ")


def test_check_with_strict_kinks_is_of_the_derivative(homework, capsys):
    assert homework(AT_KINKS, "--examples", "100", "--strict-kinks") == 1
    assert "\n  (12)      " in capsys.readouterr().out


def test_check_with_name_is_that_submission(homework, capsys):
    text = WRONG + ANOTHER + RIGHT[RIGHT.index("@supports") :].replace("def gradient", "def right")
    assert homework(text, "--name", "right") == 0
    assert capsys.readouterr().out.startswith("right: right in all 7 ")
    assert homework(text, "--name", "gradient") == 1
    assert capsys.readouterr().out == STORY


def test_check_with_the_same_seed_is_the_same_story(homework, capsys):
    told = []
    for seed in ("4", "4"):
        assert homework(WRONG, "--seed", seed, "--verbose") == 1
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("text", "options", "expected", "status"),
    [
        (RIGHT, [], 0, "right"),
        (OVERFLOWS, ["--strict"], 1, "right"),
        (WRONG, [], 1, "wrong"),
        ("def gradient(network, x, y):\n    return 1 / 0\n", [], 3, "unjudged"),
        ("def :", [], 3, "unjudged"),
    ],
)
def test_json_of_a_check_equals_the_verdict(homework, capsys, tmp_path, text, options, expected, status):
    assert homework(text, *options, "--json", "verdict.json") == expected
    out = capsys.readouterr().out
    written = (tmp_path / "verdict.json").read_text(encoding="utf-8")
    read = json.loads(written)
    assert written == json.dumps(read, indent=2) + "\n"
    assert read == check("homework.py", examples=20).to_dict()
    assert (read["status"], read["ok"]) == (status, status == "right")
    assert out == read["story"] + "\n"
    assert [row["equation"] for row in read["card"] if row["state"] == "wrong"] == (["(4)"] if status == "wrong" else [])


def test_json_of_a_check_with_withhold_is_without_the_right_numbers(homework, capsys, tmp_path):
    assert homework(WRONG, "--withhold", "--json", "verdict.json") == 1
    read = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert read == check("homework.py", examples=20).to_dict(withhold=True)
    assert read["story"] + "\n" == capsys.readouterr().out
    # The right dL/db is 2, and 1 came.
    assert read["counterexample"]["came"] == {"w1": [[0.0]], "b1": [1.0]}
    assert "right" not in read["counterexample"]
    assert "2.0" not in json.dumps(read)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk without room")
@pytest.mark.parametrize("options", [[], ["--json", "/dev/full"]])
def test_check_that_cannot_be_written_is_exit_2_and_one_sentence(tmp_path, options):
    (tmp_path / "homework.py").write_text(RIGHT, encoding="utf-8")
    command = [*COMMAND, "check", "homework.py", "--examples", "20", *options]
    environment = os.environ | {"PYTHONPATH": HOUSE}
    with open("/dev/full" if not options else os.devnull, "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (2, "the output cannot be written: No space left on device\n")


def test_json_to_standard_output_stands_there_alone(homework, capsys):
    assert homework(WRONG, "--json", "-") == 1
    assert json.loads(capsys.readouterr().out) == check("homework.py", examples=20).to_dict()


@pytest.mark.parametrize("options", [[], ["--json", "-"]])
def test_check_whose_reader_has_gone_is_its_exit_status_alone(tmp_path, options):
    (tmp_path / "homework.py").write_text(RIGHT, encoding="utf-8")
    command = [*COMMAND, "check", "homework.py", "--examples", "20", *options]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, cwd=tmp_path, env=os.environ | {"PYTHONPATH": HOUSE})
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk without room")
def test_check_that_can_write_nowhere_is_exit_2(tmp_path):
    command = [*COMMAND, "check", "none.py"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=full, cwd=tmp_path, env=os.environ | {"PYTHONPATH": HOUSE})
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("text", "options", "start"),
    [
        ("x = 1\ndef gradient(network, x, y)\n", [], "homework.py:2: this is not Python: "),
        ("import nosuch\n", [], "homework.py:1: the file raised ModuleNotFoundError: No module named 'nosuch' while"),
        ("def gradient(network, x, y):\n    return 1 / 0\n", [], "homework.py:2: gradient raised ZeroDivisionError"),
        ("def gradient(network, x, y):\n    while True: pass\n", ["--limit", "1"], "homework.py:2: its code was still running"),
        ("def gradient(network, x, y):\n    return 1.0\n", [], "homework.py:1: gradient must return a mapping"),
        ("def gradient(network, x, y):\n    return {'dQ1': 0}\n", [], "homework.py:1: gradient returned 'dQ1', which is not"),
        ("import sys\ndef gradient(network, x, y):\n    sys.exit()\n", [], "homework.py:3: gradient ended the program with"),
        ("import os\ndef gradient(network, x, y):\n    os._exit(0)\n", [], "homework.py:3: its code ended the whole process"),
        ("def f(): ...\n", [], "homework.py: the file has no function gradient(network, x, y)"),
        (RIGHT.replace("@supports", "#") + ANOTHER, [], "homework.py: the file has several submissions; say which with --name"),
        (RIGHT, ["--name", "gradeint"], "homework.py: the file has no function or class named 'gradeint'; did you mean"),
    ],
)
def test_check_of_a_bad_file_is_exit_3_and_one_sentence(homework, capsys, text, options, start):
    # Where nothing could be judged, --strict and --verbose have nothing to add.
    assert homework(text, *options) == 3
    shown = capsys.readouterr()
    head, sentence, *rest = shown.out.splitlines()
    assert head.endswith(": could not be judged")
    assert sentence.startswith(f"  {start}")
    assert [line[: len("  note      It has no @supports")] for line in rest] in ([], ["  note      It has no @supports"])
    assert "Traceback" not in shown.out + shown.err
    assert not re.search(r"(local|worker|remote|answers|performing|check|telling)\.py", shown.out)


def test_check_of_a_file_that_raises_now_and_then_is_exit_1_and_when(homework, capsys):
    text = RIGHT.replace("    relu =", "    if len(y) > 1: raise ValueError('one output alone')\n    relu =")
    assert homework(text) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "gradient: WRONG with several outputs"
    assert second.startswith("  homework.py:8: gradient raised ValueError: one output alone, on the network 1-2, identity; ")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("none.py", "there is no such file"), ("notes.txt", "whose name ends in .py")],
)
def test_check_of_no_python_file_is_exit_3_and_one_sentence(path, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text(RIGHT, encoding="utf-8")
    assert main(["check", path, "--strict"]) == 3
    shown = capsys.readouterr()
    first, second = shown.out.splitlines()
    assert first == f"{path}: could not be judged"
    assert sentence in second
    assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("text", "options", "status", "out"),
    [
        (RIGHT, [], 0, f"{FIRST_LINE}\n"),
        (RIGHT, ["--strict"], 0, f"{FIRST_LINE}\n"),
        (OVERFLOWS, [], 0, f"{FIRST_LINE}, with 1 note\n  note      {NOTE}\n"),
        (OVERFLOWS, ["--strict"], 1, f"{FIRST_LINE}, with 1 note\n  note      {NOTE}\n"),
        (WRONG, [], 1, STORY),
        (WRONG, ["--name"], 2, ""),
        (WRONG, ["--limit", "0"], 2, ""),
        ("def gradient(network, x, y):\n    raise KeyError\n", [], 3, "gradient: could not be judged\n  homework.py:2: "),
        ("def gradient(network, x, y):\n    while True: pass\n", ["--limit", "1"], 3, "gradient: could not be judged\n"),
        ("import os\nos._exit(0)\n", ["--strict"], 3, "homework.py: could not be judged\n"),
        (None, [], 3, "homework.py: could not be judged\n  homework.py: there is no such file\n"),
    ],
)
def test_exit_status_of_the_process_is_that_of_the_verdict(tmp_path, text, options, status, out):
    if text is not None:
        (tmp_path / "homework.py").write_text(text, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": HOUSE, "PYTHONIOENCODING": "utf-8"}
    command = [*COMMAND, "check", "homework.py", "--examples", "20", *options]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path, env=environment)
    assert done.returncode == status
    assert done.stdout.startswith(out)
    if status in (0, 1):
        assert done.stdout == out
    # In a pipe there is no progress to be seen.
    assert (done.stderr == "") is (status != 2)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["check"], "the following arguments are required: file"),
        (["check", "homework.py", "--examples", "0"], "must be an integer >= 1; got 0"),
        (["check", "homework.py", "--seed", "-1"], "must be an integer >= 0; got -1"),
        (["check", "homework.py", "--limit", "0"], "must be a number of seconds > 0; got 0"),
        (["check", "homework.py", "--limit", "inf"], "must be a number of seconds > 0; got inf"),
        (["check", "homework.py", "--limit", "soon"], "must be a number of seconds > 0; got soon"),
        (["check", "homework.py", "--json", "/no/such/folder/file"], "can't open '/no/such/folder/file'"),
        (["check", "homework.py", "--oracle", "jax"], "argument --oracle: invalid choice: 'jax'"),
        (["mistakes", "output-without-3"], "did you mean 'output-without-2'?"),
        (["mistakes", "--seeds", "0"], "must be an integer >= 1; got 0"),
        (["mistakes", "--jobs", "0"], "must be an integer >= 1; got 0"),
        (["mistakes", "--pairs", "0"], "must be an integer >= 1; got 0"),
        (["mistakes", "--pairs", "two"], "must be an integer >= 1; got two"),
        (["mistakes", "--benign", "0"], "must be an integer >= 1; got 0"),
        (["chek", "homework.py"], "invalid choice: 'chek'"),
    ],
)
def test_command_of_bad_usage_is_exit_2(capsys, arguments, text):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert text in re.sub(r"\s+", " ", capsys.readouterr().err)


def test_check_stopped_by_ctrl_c_is_exit_130(tmp_path):
    file = tmp_path / "homework.py"
    ready = tmp_path / "ready"
    file.write_text(f"import time\ndef gradient(network, x, y):\n    open({str(ready)!r}, 'w')\n    time.sleep(60)\n")
    process = subprocess.Popen(
        [*LISTENING, "check", str(file), "--limit", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not ready.exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "stopped\n")
    assert "Traceback" not in err


def test_mistakes_command_is_exit_0_and_the_scorecard(capsys, monkeypatch):
    monkeypatch.setattr("verification.checking.telling.EVIDENCE", 20)
    assert main(["mistakes", "output-without-2", "--examples", "20"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"^output-without-2 +yes +\d+ +4 +\(4\) +1/1 +1/1$", shown.out, re.MULTILINE)
    assert "caught       1 of 1" in shown.out
    assert shown.err == "1 of 1 mistakes checked\n"


@pytest.mark.parametrize(
    ("command", "options", "statuses"),
    [
        (
            "check",
            [
                "--name",
                "--examples",
                "--seed",
                "--strict-kinks",
                "--oracle",
                "--strict",
                "--verbose",
                "--withhold",
                "--json",
                "--limit",
            ],
            "Exit status: 0 if it is right, with or without notes (with --strict: without); 1 if it is wrong; 2 for bad usage; "
            "3 if it is not done, or could not be judged, since the file, a crash, a hang or what it does not declare left "
            "nothing to judge; 130 if stopped by Ctrl-C.",
        ),
        (
            "mistakes",
            ["NAME", "--benign", "--pairs", "--seeds", "--seed", "--examples", "--jobs"],
            "Exit status 1 if any survives.",
        ),
    ],
)
def test_help_of_a_command_is_its_options_and_exit_statuses(capsys, command, options, statuses):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    listed = out[out.index("\npositional arguments:") :]
    assert all(re.search(rf"^  {option}\b", listed, re.MULTILINE) for option in options)
    assert statuses in " ".join(out.split())


@pytest.mark.parametrize("command", [["handgrad"], ["verification", "--examples", "2"]])
def test_output_that_nobody_reads_any_more_is_no_error(command):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() in (0, 1)
    assert "BrokenPipe" not in err
    assert "Traceback" not in err


def test_unknown_mistake_is_exit_2_with_a_suggestion(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["mistakes", "output-without-3"])
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert "NAME must be a mistake of the catalogue; got 'output-without-3' (did you mean 'output-without-2'?)" in err
    assert "usage: python -m verification mistakes" in err
