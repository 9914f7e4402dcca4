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

import pytest

import handgrad as hg
from handgrad.equations import exchanged
from verification.__main__ import main
from verification.autograd import comparison

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
        [*COMMAND, "--examples", "400"], stdout=subprocess.PIPE, stderr=side, env=os.environ | {"TERM": "xterm"}
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
    assert b"/400" in seen
    assert out.startswith(b"all 400 networks agree")


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


@pytest.fixture
def homework(tmp_path, monkeypatch):
    """Return a function that writes a file's text and checks it from its folder, as a student would."""
    monkeypatch.chdir(tmp_path)

    def run(text, *options, name="homework.py"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return main(["check", name, "--examples", "20", *options])

    return run


def test_check_of_a_right_file_is_exit_0(homework, capsys):
    assert homework(RIGHT) == 0
    assert capsys.readouterr().out == "gradient: right on 20 networks and in 20 rows of calls\n"


def test_check_of_a_wrong_file_is_exit_1_and_the_story(homework, capsys):
    assert homework(WRONG) == 1
    out = capsys.readouterr().out
    assert out.startswith("gradient: WRONG (network ")
    assert "\n  equation  (4)  " in out
    assert "\n  mistake   output-without-2: " in out
    assert "right is" in out
    names = {}
    exec(out[out.index("import numpy") :], names)
    assert names["net"].widths == (1, 1)


def test_check_with_withhold_is_without_the_right_numbers(homework, capsys):
    assert homework(WRONG, "--seed", "3") == 1
    right = re.search(r"right is (\S+?),? ", capsys.readouterr().out)[1]
    assert homework(WRONG, "--seed", "3", "--withhold") == 1
    out = capsys.readouterr().out
    assert "right is" not in out
    assert "<- wrong" in out
    assert "  right" not in out
    got = re.search(r"got (\S+)\n", out)[1]
    assert float(right) == 2 * float(got)
    table = out[out.index("quantity") : out.index("As a program")]
    assert not re.search(rf"(?<![\d.-]){re.escape(f'{float(right):g}')}(?![\d])", table)


def test_check_with_strict_kinks_is_exit_1_for_another_convention(homework, capsys):
    assert homework(AT_KINKS, "--examples", "100") == 0
    assert "another convention than PyTorch for " in capsys.readouterr().out
    assert homework(AT_KINKS, "--examples", "100", "--strict-kinks") == 1
    assert "equation  (12)" in capsys.readouterr().out


def test_check_with_name_is_that_submission(homework, capsys):
    text = WRONG + ANOTHER + RIGHT[RIGHT.index("@supports") :].replace("def gradient", "def right")
    assert homework(text, "--name", "right") == 0
    assert capsys.readouterr().out.startswith("right: right on ")
    assert homework(text, "--name", "gradient") == 1
    assert capsys.readouterr().out.startswith("gradient: WRONG")


def test_check_with_the_same_seed_is_the_same_story(homework, capsys):
    told = []
    for seed in ("4", "4"):
        assert homework(WRONG, "--seed", seed) == 1
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("text", "options", "start"),
    [
        ("x = 1\ndef gradient(network, x, y)\n", [], "homework.py:2: this is not Python: "),
        ("def gradient(network, x, y):\n    return 1 / 0\n", [], "homework.py:2: gradient raised ZeroDivisionError"),
        ("def gradient(network, x, y):\n    while True: pass\n", ["--limit", "1"], "homework.py:2: its code was still running"),
        ("def gradient(network, x, y):\n    return 1.0\n", [], "homework.py:1: gradient must return a mapping"),
        ("def gradient(network, x, y):\n    return {}\n", [], "homework.py:1: gradient must return 'w1', too"),
        ("def gradient(network, x, y):\n    return {'dW1': 0}\n", [], "homework.py:1: gradient returned 'dW1', which is not"),
        ("import sys\ndef gradient(network, x, y):\n    sys.exit()\n", [], "homework.py:3: gradient ended the program with"),
        ("def f(): ...\n", [], "homework.py: the file has no function gradient(network, x, y)"),
        (RIGHT.replace("@supports", "#") + ANOTHER, [], "homework.py: the file has several submissions; say which with --name"),
        (RIGHT, ["--name", "gradeint"], "homework.py: the file has no function or class named 'gradeint'; did you mean"),
    ],
)
def test_check_of_a_bad_file_is_exit_1_and_one_sentence(homework, capsys, text, options, start):
    assert homework(text, *options) == 1
    shown = capsys.readouterr()
    head, sentence = shown.out.splitlines()[:2]
    judged = "raised" in sentence or "must return" in sentence or "not a name" in sentence or "ended the program" in sentence
    assert head.endswith("of those it was asked about)" if judged else ": could not be judged")
    assert sentence.startswith(f"  {start}")
    assert "Traceback" not in shown.out + shown.err
    assert not re.search(r"calling\.py|child\.py|runner\.py|checking\.py", shown.out)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("none.py", "there is no such file"), (".", "this is a directory"), ("notes.txt", "whose name ends in .py")],
)
def test_check_of_no_python_file_is_exit_1_and_one_sentence(path, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text(RIGHT, encoding="utf-8")
    assert main(["check", path]) == 1
    shown = capsys.readouterr()
    assert sentence in shown.out
    assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["check"], "the following arguments are required: file"),
        (["check", "homework.py", "--examples", "0"], "must be an integer >= 1; got 0"),
        (["check", "homework.py", "--seed", "-1"], "must be an integer >= 0; got -1"),
        (["check", "homework.py", "--limit", "0"], "must be a number of seconds > 0; got 0"),
        (["check", "homework.py", "--limit", "inf"], "must be a number of seconds > 0; got inf"),
        (["check", "homework.py", "--limit", "soon"], "must be a number of seconds > 0; got soon"),
        (["mistakes", "output-without-3"], "did you mean 'output-without-2'?"),
        (["mistakes", "--seeds", "0"], "must be an integer >= 1; got 0"),
        (["mistakes", "--jobs", "0"], "must be an integer >= 1; got 0"),
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


def test_mistakes_command_is_exit_0_and_the_scorecard(capsys):
    assert main(["mistakes", "output-without-2", "--examples", "20"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"^output-without-2 +yes +\d+ +4 +\(4\) +1/1 +1/1$", shown.out, re.MULTILINE)
    assert "caught       1 of 1" in shown.out
    assert shown.err == "1 of 1 mistakes checked\n"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("check", ["--name", "--examples", "--seed", "--strict-kinks", "--withhold", "--limit"]),
        ("mistakes", ["NAME", "--seeds", "--seed", "--examples", "--jobs"]),
    ],
)
def test_help_of_a_command_is_its_options(capsys, command, options):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert all(option in out for option in options)


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
