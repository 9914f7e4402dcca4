"""`python -m handgrad`: the equations on the command line."""

import subprocess
import sys

import pytest

from handgrad.__main__ import DESCRIPTION, main
from handgrad.equations import EQUATIONS
from handgrad.formulas import FORMULAS


def test_table_is_every_equation(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(EQUATIONS)
    for line, (number, equation) in zip(lines, EQUATIONS.items(), strict=True):
        name = equation.function.__name__
        assert line == f"{f'({number})':<5}{equation.section:<7} {name:<18} {FORMULAS[number]}"
        # No LaTeX on a terminal.
        assert "\\" not in line
        assert equation.latex not in line


def test_one_equation_is_shown_with_its_code(capsys):
    assert main(["14", "7"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("(14)")
    assert out.index("def dL_da_k(") < out.index("(7)") < out.index("def dz_db(")
    assert "    return 1.0\n" in out
    assert main(["7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["(7)  IV.B    dz_db              dz/db = 1, so that dL/db = da/dz · dL/da", ""]
    assert "def dz_db() -> float:" in lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["15"], "equations are numbered from 1 to 14; got 15"), (["0"], "got 0"), (["four"], "invalid int value: 'four'")],
)
def test_bad_usage_is_exit_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("usage: python -m handgrad [-h] [NUMBER ...]\n")
    assert said in err


def test_help_is_of_the_equations(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert DESCRIPTION in out
    assert "NUMBER equations to show in full, 1 to 14" in out


def test_output_that_nobody_reads_is_no_error(monkeypatch, tmp_path):
    class Closed:
        def __init__(self, file):
            self.fileno = file.fileno

        def write(self, text):
            raise BrokenPipeError

    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", Closed(file))
        assert main([]) == 0
        monkeypatch.undo()
        # What Python still flushes to it when it ends goes nowhere.
        file.write("more")
    assert (tmp_path / "out").read_text() == ""


def test_help_is_there_without_torch():
    program = "import sys; sys.argv[1:] = ['--help']; import runpy\ntry:\n runpy.run_module('handgrad', run_name='__main__')\n"
    program += "except SystemExit as end: print(end.code, *sorted({'torch', 'hypothesis', 'matplotlib'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("usage: python -m handgrad")
    assert answer.stdout.endswith("\n0\n")
