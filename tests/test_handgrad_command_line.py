"""`python -m handgrad`: the equations on the command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import handgrad as hg
from handgrad.__main__ import COMMANDS, main
from handgrad.commands.plot import DRAWN, TRAINED
from handgrad.commands.worked import FORMATS
from handgrad.equations import EQUATIONS
from handgrad.formulas import FORMULAS
from handgrad.homework.figures import FIGURES, TRAINING
from handgrad.homework.worked import FORMS


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


@pytest.mark.parametrize("arguments", [["14", "7"], ["equations", "14", "7"]])
def test_numbers_alone_equals_the_command(arguments, capsys):
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("(14) IV.D–G")


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_is_of_the_command(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--help"])
    assert not stopped.value.code
    out = capsys.readouterr().out
    assert out.startswith("usage: python -m handgrad")
    for name in COMMANDS:
        assert command or f"\n    {name}" in out
    if command:
        assert out.splitlines()[-1] == f"example: {COMMANDS[command[0]].EXAMPLE}"


@pytest.mark.parametrize("name", COMMANDS)
def test_example_of_the_help_is_one_that_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS[name].EXAMPLE.split(" && "):
        if command.startswith("python -m handgrad "):
            assert main(command.split()[3:]) == 0
        else:  # what writes the file that the command takes
            subprocess.run(command, shell=True, check=True)
    out, err = capsys.readouterr()
    assert err == ""
    assert out or (tmp_path / "sigmoid.svg").read_text(encoding="utf-8").startswith("<?xml")


MAZUR = """
reduction = "sum"
x = [0.05, 0.10]
y = [0.01, 0.99]

[[layers]]
w = [[0.15, 0.20], [0.25, 0.30]]
b = [0.35, 0.35]
activation = "sigmoid"

[[layers]]
w = [[0.40, 0.45], [0.50, 0.55]]
b = [0.60, 0.60]
activation = "sigmoid"
"""
XOR = """
widths = [2, 3, 1]
activations = ["relu", "sigmoid"]
seed = 1
x = [[0, 0], [0, 1], [1, 0], [1, 1]]
y = [[0], [1], [1], [0]]
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mazur.toml").write_text(MAZUR, encoding="utf-8")
    (tmp_path / "xor.toml").write_text(XOR, encoding="utf-8")
    (tmp_path / "bad.toml").write_text("x = [1,", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("output", "start"),
    [
        ("a.txt", "Backprop"),
        ("a.md", "# Backprop"),
        ("a.tex", "\\documentclass"),
        ("a.html", "<!DOCTYPE html>"),
        ("a.svg", "<svg xmlns"),
    ],
)
def test_worked_writes_what_the_ending_says(output, start, files, capsys):
    assert main(["worked", "mazur.toml", "--rate", "0.5", "-o", output]) == 0
    assert capsys.readouterr() == ("", "")
    text = (files / output).read_text(encoding="utf-8")
    assert text.startswith(start)
    net = hg.Network([hg.Dense(w, b, "sigmoid") for w, b in LAYERS], reduction="sum")
    assert text == FORMS[f".{output[2:]}"](hg.worked(net, [0.05, 0.1], [0.01, 0.99], rate=0.5))
    assert sorted(os.listdir(files)) == sorted([output, "bad.toml", "mazur.toml", "xor.toml"])


LAYERS = [([[0.15, 0.2], [0.25, 0.3]], [0.35, 0.35]), ([[0.4, 0.45], [0.5, 0.55]], [0.6, 0.6])]


def test_worked_prints_text_and_takes_options_before_the_file(files, capsys):
    typed = ["--x", "-1,2;0,0", "--y", "0,0;1,1", "--layer", "2", "--unit", "1", "--example", "2", "--digits", "3"]
    assert main(["worked", "mazur.toml", *typed, "--language", "es"]) == 0
    out = capsys.readouterr().out
    assert "Solo se muestra una parte: ejemplo 2, capa 2, neurona 1." in out
    assert "  y₁ = 1\n" in out
    assert main(["worked", "mazur.toml", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("# Backpropagation, worked out")


def test_class_of_one_example_is_typed_as_a_number(capsys):
    typed = ["--widths", "2,3", "--activations", "softmax", "--loss", "cross_entropy", "--x", "-1,2", "--y", "2"]
    assert main(["worked", *typed]) == 0
    assert "y = [0, 0, 1]" in capsys.readouterr().out


def test_classes_are_typed_as_numbers(capsys):
    network = [
        "worked",
        "--widths",
        "2-3",
        "--activations",
        "softmax",
        "--loss",
        "cross_entropy",
        "--layer",
        "1",
        "--unit",
        "1",
    ]
    assert main([*network, "--x", "0.5,1", "--y", "1"]) == 0
    assert "L = −log(a₂⁽¹⁾)" in capsys.readouterr().out
    assert main([*network, "--x", "0.5,1;1,1", "--y", "1;0"]) == 0
    out = capsys.readouterr().out
    assert "L₁ = −log(a₂⁽¹⁾)" in out
    assert "L₂ = −log(a₁⁽¹⁾)" in out
    assert main([*network, "--x", "0.5,1", "--y", "3"]) == 2
    assert "y must hold class indices from 0 to C - 1 = 2; y is 3" in capsys.readouterr().err


def test_rate_of_the_file_is_taken_unless_one_is_typed(files, capsys):
    (files / "mazur.toml").write_text(f"rate = 0.5\n{MAZUR}", encoding="utf-8")
    main(["worked", "mazur.toml"])
    assert "with the learning rate 0.5" in capsys.readouterr().out
    main(["worked", "mazur.toml", "--rate", "0.25"])
    assert "with the learning rate 0.25" in capsys.readouterr().out


@pytest.mark.parametrize("figure", [*DRAWN, *TRAINED])
def test_plot_is_of_every_figure(figure, files):
    data = ["xor.toml", "--rate", "0.5", "--epochs", "5"] if figure in TRAINED else []
    for output in ("a.png", "b.svg"):
        assert main(["plot", figure, *data, "-o", output, "--language", "es"]) == 0
    assert (files / "a.png").read_bytes().startswith(b"\x89PNG")
    first = (files / "b.svg").read_bytes()
    assert main(["plot", figure, *data, "-o", "b.svg", "--language", "es"]) == 0
    assert (files / "b.svg").read_bytes() == first


def test_rate_of_a_plot_is_a_tenth_unless_said(files):
    drawn = []
    for typed in ([], ["--rate", "0.1"], ["--rate", "0.2"]):
        assert main(["plot", "losses", "xor.toml", "--epochs", "5", "-o", "a.svg", *typed]) == 0
        drawn.append((files / "a.svg").read_bytes())
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("arguments", "start"),
    [(["worked", "mazur.toml"], b"Backprop"), (["plot", "sigmoid"], b"<?xml"), (["examples", "rai"], b"# Rahul")],
    ids=["worked", "plot", "examples"],
)
def test_standard_output_by_its_name_equals_the_dash(arguments, start, files):
    environment = os.environ | {"PYTHONPATH": str(Path(hg.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"}
    said = []
    for output in ("-", "/dev/stdout"):
        command = [sys.executable, "-m", "handgrad", *arguments, "-o", output]
        said.append(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    assert said[0].startswith(start)
    assert said[0].rstrip() == said[1].rstrip()


def test_figures_of_the_command_equals_those_there_are():
    assert list(DRAWN) == list(FIGURES)
    assert list(TRAINED) == list(TRAINING)
    assert list(FORMATS.values()) == list(FORMS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["equations", "15"], "equations are numbered from 1 to 14; got 15"),
        (["0"], "equations are numbered from 1 to 14; got 0"),
        (["worked"], "a network needs layers, with their numbers, or widths and activations; widths is missing"),
        (["worked", "mazur.toml", "--widths", "2,1"], "a network has either layers, with their numbers, or widths and"),
        (["worked", "mazur.toml", "--y", "1"], "y must have shape"),
        (
            ["worked", "mazur.toml", "--x", "1,a"],
            "x is typed as numbers with commas between them and ; between examples; got 'a'",
        ),
        (["worked", "mazur.toml", "--x", "1;1,2"], "x must be an array of real numbers; got list"),
        (["worked", "mazur.toml", "--layer", "3"], "layer must be an integer from 1 to L = 2; got 3"),
        (["worked", "mazur.toml", "--rate", "-1"], "rate must be finite and > 0 in float64; got -1.0"),
        (["worked", "mazur.toml", "--language", "xx"], "language must be one of en, es; got 'xx'"),
        (["worked", "--widths", "1000000000,100000", "--activations", "relu", "--x", "1", "--y", "1"], "Unable to allocate"),
        (["worked", "nosuch.toml"], "nosuch.toml: No such file or directory"),
        (["worked", "mazur.txt"], "the file's ending must be one of .toml, .json, .npz; got '.txt'"),
        (["worked", "bad.toml"], "bad.toml is no TOML: Invalid value (at end of document)"),
        (["worked", "mazur.toml", "-o", "a.doc"], "the file's ending must be one of .txt, .md, .tex, .html, .svg; got '.doc'"),
        (["worked", "mazur.toml", "-o", "nosuch/a.md"], "nosuch/a.md: No such file or directory"),
        (["worked", "mazur.toml", "-o", "."], ".: Is a directory"),
        (["plot", "sigmoid"], "plot needs a file to draw in: --output sigmoid.svg, or .png or .pdf; - is standard output"),
        (
            ["worked", "mazur.toml", "--format", "picture", "-o", "a.html"],
            "--format picture is written to a file that ends in .svg",
        ),
        (
            ["plot", "sigmoid", "mazur.toml", "--rate", "3", "-o", "a.svg"],
            "is drawn without a network and data; got file, rate",
        ),
        (["plot", "sigmoid", "-o", "a.bmp"], "the file's ending must be one of .svg, .png, .pdf; got '.bmp'"),
        (["plot", "sigmoid", "-o", "a.svg", "--language", "xx"], "language must be one of en, es; got 'xx'"),
        (["examples", "mazr"], "udacity; got 'mazr' (did you mean 'mazur'?)"),
        (["examples", "mazur.toml"], "an example must be one of figure-7, figure-11, figure-12, table-1, "),
        (["examples", "nothing like it", "-o", "a.toml"], "an example must be one of figure-7, "),
        (["examples", "-o", "a.toml"], "--output needs the name of an example, whose network and data are written; got none"),
        (["examples", "mazur", "-o", "a.json"], "the file's ending must be .toml; got '.json'"),
        (["examples", "mazur", "-o", "nosuch/a.toml"], "nosuch/a.toml: No such file or directory"),
        (["examples", "mazur", "-o", "."], ".: Is a directory"),
        (["plot", "boundary", "-o", "a.svg"], "a network needs layers, with their numbers, or widths and activations"),
        (["plot", "losses", "xor.toml", "--epochs", "0", "-o", "a.svg"], "epochs must be an integer >= 1; got 0"),
        (
            ["plot", "losses", "xor.toml", "--activations", "tanh,identity", "--rate", "1e300", "-o", "a.svg"],
            "diverged in epoch",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(arguments, said, files, capsys):
    before = sorted(os.listdir(files))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    command = arguments[0] if arguments[0].isalpha() else "equations"
    assert err.startswith(f"python -m handgrad {command}: ")
    assert said in err
    assert len(err.splitlines()) == 1
    assert sorted(os.listdir(files)) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["four"], "COMMAND must be one of equations, worked, plot, examples, exercise, grade, fit; got 'four'\n"),
        (["fti", "data.csv"], "got 'fti' (did you mean 'fit'?)\n"),
        (["--four"], "the following arguments are required: COMMAND"),
        (["equations", "four"], "invalid int value: 'four'"),
        (["plot", "sigmod"], "invalid choice: 'sigmod'"),
        (["worked", "--widths", "2,x"], "--widths: widths are typed like 2,3,1; got '2,x'"),
        (["worked", "--loss", "mse"], "--loss: invalid choice: 'mse'"),
        (["examples", "mazur", "rai"], "unrecognized arguments: rai"),
    ],
)
def test_bad_usage_is_exit_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("usage: python -m handgrad")
    assert said in err


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"handgrad {hg.__version__}\n"


def test_interrupt_is_exit_130_and_leaves_no_file(files, monkeypatch, capsys):
    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("handgrad.homework.page.page", stopped)
    assert main(["worked", "mazur.toml", "-o", "a.html"]) == 130
    assert capsys.readouterr() == ("", "stopped\n")
    assert sorted(os.listdir(files)) == ["bad.toml", "mazur.toml", "xor.toml"]


@pytest.mark.parametrize(
    ("package", "arguments"),
    [("jinja2", ["worked", "mazur.toml", "-o", "a.html"]), ("matplotlib", ["plot", "sigmoid", "-o", "a.svg"])],
)
def test_package_that_is_missing_is_one_sentence(package, arguments, files):
    program = f"import sys; sys.modules[{package!r}] = None\nfrom handgrad.__main__ import main\nsys.exit(main({arguments!r}))"
    environment = os.environ | {"PYTHONPATH": str(Path(hg.__file__).parents[1])}
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert answer.returncode == 2
    assert f"needs {package}, which the extra homework brings: pip install" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


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
    heavy = ["torch", "hypothesis", "matplotlib", "jinja2", "rich", "handgrad.homework"]
    program += f"except SystemExit as end: print(end.code, *sorted({set(heavy)} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("usage: python -m handgrad")
    assert answer.stdout.endswith("\n0\n")
