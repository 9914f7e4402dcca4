"""`python -m verification` as a user meets it."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys

import pytest

import handgrad as hg
from handgrad.equations import exchanged
from verification import comparison
from verification.__main__ import main

COMMAND = [sys.executable, "-m", "verification"]


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
        [*COMMAND, "--examples", "5000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A job in the background ignores the signal, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert "of 5000 networks agree" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.match(r"stopped; all \d+ networks so far agree\n", out)
    assert "Traceback" not in err


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
