"""`python -m handgrad fit`, and what is saved drawn and derived from: the walk from a table to a picture."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from programs import on_a_terminal

import handgrad as hg
from handgrad.__main__ import main
from handgrad.homework import figures
from handgrad.homework.figures import saved

XOR = "x_1,x_2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(hg.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"}
TERMINAL = ENVIRONMENT | {"TERM": "xterm", "COLUMNS": "80"}


def flowers():
    generator = np.random.default_rng(0)
    rows = ["petal length;petal width;kind"]
    for place in range(60):
        x = generator.normal(size=2) * 0.5 + [[2, 2], [5, 1], [7, 6]][place % 3]
        rows.append(f"{x[0]:.2f};{x[1]:.2f};{['setosa', 'versicolor', 'virginica'][place % 3]}")
    return "\n".join(rows)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xor.csv").write_text(XOR, encoding="utf-8")
    (tmp_path / "flowers.csv").write_text(flowers(), encoding="utf-8")
    (tmp_path / "bad.csv").write_text("a,b,c\n1,2,3\n1,,3\n", encoding="utf-8")
    (tmp_path / "net.npz").write_bytes(b"old")
    (tmp_path / "loss.svg").write_bytes(b"old")
    return tmp_path


def test_words_are_in_spanish(folder, capsys):
    assert main(["fit", "xor.csv", "--test", "0", "--epochs", "1", "--save", "net.npz", "--language", "es"]) == 0
    out = capsys.readouterr().out
    assert "La red ha aprendido poco: prueba --standardize, otro --rate o más --epochs" in out
    assert "Los objetivos grandes o lejos de 0 hay que escalarlos en la tabla" in out
    assert "archivos escritos: net.npz" in out


def test_xor_is_trained_saved_loaded_and_plotted(folder, capsys):
    typed = ["--test", "0", "--seed", "1", "--save", "net.npz", "--plot", "loss.svg"]
    assert main(["fit", "xor.csv", *typed]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == "xor.csv: 4 examples, all to train on, no test part"
    assert lines[1] == "inputs: x_1, x_2; target: y"
    assert lines[-3:-1] == ["written: net.npz, loss.svg", "to use it in Python: handgrad.load('net.npz')"]
    net = hg.load("net.npz")
    assert net([[0, 0], [0, 1], [1, 0], [1, 1]]).round(1).ravel().tolist() == [0, 1, 1, 0]
    assert (folder / "loss.svg").read_bytes().startswith(b"<?xml")
    # The last line is a command that runs.
    words = shlex.split(lines[-1].removeprefix("to plot it: "))
    assert words[:3] == ["python", "-m", "handgrad"]
    assert main(words[3:]) == 0
    expected = saved(
        figures.boundary(net, [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]], inputs=["x_1", "x_2"]), ".svg"
    )
    assert (folder / "boundary.svg").read_bytes() == expected


def test_three_classes_are_trained_saved_loaded_and_plotted(folder, capsys):
    assert main(["fit", "flowers.csv", "--standardize", "--save", "net.npz", "--plot", "loss.png", "--language", "es"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "flowers.csv: 60 ejemplos, 48 para entrenar y 12 para probar"
    assert lines[1:3] == ["entradas: petal length, petal width; objetivo: kind", "clases: setosa, versicolor, virginica"]
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    # Raw inputs, far from the origin: each class is where it was drawn.
    assert hg.load("net.npz")([[2, 2], [5, 1], [7, 6]]).argmax(axis=1).tolist() == [0, 1, 2]
    assert int(re.search(r"aciertos (\d+)/12 ", lines[5])[1]) >= 11
    assert main(shlex.split(lines[-1].partition("python -m handgrad ")[2])) == 0
    assert (folder / "boundary.svg").read_bytes().startswith(b"<?xml")
    assert main(["worked", "net.npz", "--data", "flowers.csv", "--example", "3", "--layer", "2", "--unit", "1"]) == 0
    assert "Only a part is shown: example 3, layer 2, unit 1." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "network"),
    [
        ([], "Network(2-8-1, tanh, identity; squared_error"),
        (["--hidden", "3,4", "--activation", "relu"], "Network(2-3-4-1, relu, relu, identity; squared_error"),
        (["--hidden", "none"], "Network(2-1, identity; squared_error"),
        (["--loss", "cross_entropy"], "Network(2-8-2, tanh, softmax; cross_entropy"),
        (["--loss", "binary_cross_entropy"], "Network(2-8-1, tanh, sigmoid; binary_cross_entropy"),
        (["--target", "x_2"], "Network(2-8-1, tanh, identity; squared_error"),
        (["--target", "1,y"], "Network(1-8-2, tanh, identity; squared_error"),
        (["--batch-size", "2", "--seed", "3", "--rate", "0.01"], "Network(2-8-1, tanh, identity; squared_error"),
    ],
)
def test_network_is_as_typed(typed, network, folder, capsys):
    assert main(["fit", "xor.csv", "--epochs", "2", "--test", "0", *typed]) == 0
    out, err = capsys.readouterr()
    assert f"\nnetwork: {network}" in out
    assert "in the first of 2 epochs" in out
    assert ("written" in out, err) == (False, "")


def test_hint_of_a_plot_is_given_only_if_it_works(folder, capsys):
    (folder / "three inputs.csv").write_text("1,2,3,a\n2,3,4,b\n3,4,5,b\n", encoding="utf-8")
    (folder / "three numbers.csv").write_text("1,2,3\n2,3,4\n3,4,5\n", encoding="utf-8")
    (folder / "my data.csv").write_text("1,a,3\n2,b,3\n3,b,5\n", encoding="utf-8")
    said = {}
    for name, target in (("three inputs", "4"), ("three numbers", "3"), ("my data", "2")):
        assert main(["fit", f"{name}.csv", "--epochs", "1", "--test", "0", "--save", "net.npz", "--target", target]) == 0
        said[name] = capsys.readouterr().out.splitlines()[-1]
    assert [name for name, line in said.items() if "plot" in line] == ["my data"]
    expected = "python -m handgrad plot boundary net.npz --data 'my data.csv' --target 2 --output boundary.svg"
    assert said["my data"] == f"to plot it: {expected}"
    assert main(shlex.split(expected)[3:]) == 0


def test_same_typed_equals_the_same_files(folder):
    written = []
    for seed in ("1", "1", "2"):
        assert main(["fit", "flowers.csv", "--epochs", "5", "--seed", seed, "--save", "net.npz", "--plot", "loss.svg"]) == 0
        written.append([(folder / name).read_bytes() for name in ("net.npz", "loss.svg")])
    assert written[0] == written[1]
    assert written[0][0] != written[2][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "no.csv"], "no.csv: No such file or directory"),
        (["fit", "."], "the file's ending must be one of .csv, .tsv, .txt; got ''"),
        (["fit", "net.npz"], "the file's ending must be one of .csv, .tsv, .txt; got '.npz'"),
        (["fit", "bad.csv"], "bad.csv, line 3, column 2 (b): the cell is empty; leave out the row, or fill in a number"),
        (["fit", "xor.csv", "--target", "z"], "target must be one of x_1, x_2, y; got 'z'"),
        (["fit", "xor.csv", "--save", "net.npy"], "the file's ending must be .npz; got '.npy'"),
        (["fit", "xor.csv", "--save", "-"], "the file's ending must be .npz; got ''"),
        (["fit", "xor.csv", "--save", "no/net.npz"], "no/net.npz: No such file or directory"),
        (["fit", "xor.csv", "--plot", "loss.bmp"], "the file's ending must be one of .svg, .png, .pdf; got '.bmp'"),
        (["fit", "xor.csv", "--plot", "no/loss.svg"], "no/loss.svg: No such file or directory"),
        (["fit", "xor.csv", "--language", "xx"], "language must be one of en, es; got 'xx'"),
        (["fit", "xor.csv", "--test", "1"], "test must be a share >= 0 and < 1; got 1.0"),
        (["fit", "xor.csv", "--epochs", "0"], "epochs must be an integer >= 1; got 0"),
        (["fit", "xor.csv", "--batch-size", "0"], "batch_size must be an integer >= 1; got 0"),
        (["fit", "xor.csv", "--rate", "-1"], "rate must be finite and > 0 in float64; got -1.0"),
        (["fit", "xor.csv", "--rate", "1e9"], "training diverged in epoch"),
        (["fit", "xor.csv", "--hidden", "0"], "widths[1] must be an integer >= 1; got 0"),
        (["fit", "xor.csv", "--seed", "-1"], "seed must be >= 0; got -1"),
        (["fit", "flowers.csv", "--loss", "squared_error"], "flowers.csv are 3 words, which need the loss cross_entropy"),
        (
            ["plot", "boundary", "net.npz", "--data", "xor.csv", "-o", "a.svg"],
            "net.npz is no saved network: it is no zip archive",
        ),
        (["worked", "xor.npz"], "a saved network needs data: --data FILE.csv, or --x and --y"),
        (["worked", "xor.npz", "--x", "0,1"], "the data needs x and y; y is missing"),
        (["worked", "xor.npz", "--data", "no.csv"], "no.csv: No such file or directory"),
        (["worked", "xor.npz", "--data", "bad.csv"], "bad.csv, line 3, column 2 (b): the cell is empty"),
        (["worked", "xor.npz", "--data", "xor.csv", "--x", "1,2"], "--data holds x and y; got --x, too"),
        (
            ["worked", "xor.npz", "--x", "1,2", "--y", "1", "--target", "y"],
            "--target is a column of --data FILE.csv; got y without",
        ),
        (["worked", "xor.npz", "--data", "xor.csv", "--seed", "3"], "a saved network is taken as it is; got seed beside it"),
        (["worked", "xor.npz", "--data", "xor.csv", "--loss", "squared_error"], "taken as it is; got loss beside it"),
        (["worked", "xor.npz", "--data", "xor.csv", "--target", "x_1,y"], "x must have shape (N, n_0) = (N, 2)"),
        (["worked", "xor.npz", "--data", "flowers.csv"], "flowers.csv are 3 words, which need the loss cross_entropy"),
        (["plot", "sigmoid", "--data", "xor.csv", "-o", "a.svg"], "is drawn without a network and data; got data"),
    ],
)
def test_bad_input_is_one_sentence_exit_2_and_no_file(arguments, said, folder, capsys):
    hg.Network.random([2, 1], activations=["tanh"], seed=0).save("xor.npz")
    if arguments[0] == "fit":
        arguments = [*arguments, *(["--save", "net.npz"] * ("--save" not in arguments))]
        arguments += ["--plot", "loss.svg"] * ("--plot" not in arguments)
    before = {name: Path(name).read_bytes() for name in os.listdir(folder)}
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"python -m handgrad {arguments[0]}: ")
    assert said in err
    assert len(err.splitlines()) == 1
    assert {name: Path(name).read_bytes() for name in os.listdir(folder)} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit"], "the following arguments are required: FILE.csv"),
        (["fit", "xor.csv", "--hidden", "a"], "--hidden: widths are typed like 2,3,1; got 'a'"),
        (["fit", "xor.csv", "--activation", "gelu"], "--activation: invalid choice: 'gelu'"),
        (["fit", "xor.csv", "--loss", "mse"], "--loss: invalid choice: 'mse'"),
    ],
)
def test_bad_usage_is_exit_2(arguments, said, folder, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_destination_is_refused_before_the_work(folder, monkeypatch):
    def never(*arguments, **options):
        raise AssertionError("trained before")

    monkeypatch.setattr("handgrad.homework.training.train", never)
    monkeypatch.setattr("handgrad.homework.dataset.read", never)
    assert main(["fit", "xor.csv", "--save", "no/net.npz"]) == 2
    assert main(["fit", "xor.csv", "--plot", "no/loss.svg"]) == 2
    assert main(["fit", "xor.csv", "--language", "xx"]) == 2


def test_saved_network_is_trained_further_only_if_asked(folder):
    net = hg.Network.random([2, 3, 1], activations=["tanh", "identity"], seed=2)
    net.save("net.npz")
    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    as_saved = saved(figures.boundary(net, x, y, inputs=["x_1", "x_2"]), ".svg")
    common = ["plot", "boundary", "net.npz", "--data", "xor.csv", "-o", "a.svg"]
    for typed, training in (([], None), (["--epochs", "300"], (0.1, 300)), (["--rate", "0.5"], (0.5, 100))):
        assert main([*common, *typed]) == 0
        expected = as_saved
        if training is not None:
            expected = saved(figures.trained("boundary", net, x, y, rate=training[0], epochs=training[1]), ".svg")
            assert expected != as_saved
        assert (folder / "a.svg").read_bytes() == expected
    # A network with random numbers is trained before its boundary is drawn.
    (folder / "a.toml").write_text('widths = [2, 3, 1]\nactivations = ["tanh", "identity"]\nseed = 2\n', encoding="utf-8")
    assert main(["plot", "boundary", "a.toml", "--data", "xor.csv", "-o", "a.svg"]) == 0
    expected = saved(figures.trained("boundary", net, x, y, rate=0.1, epochs=100), ".svg")
    assert (folder / "a.svg").read_bytes() == expected != as_saved
    # Whatever else is drawn is drawn of a training.
    assert main(["plot", "losses", "net.npz", "--data", "xor.csv", "-o", "a.svg"]) == 0
    assert (folder / "a.svg").read_bytes() == saved(figures.trained("losses", net, x, y, rate=0.1, epochs=100), ".svg")


def test_table_goes_before_the_data_of_the_file(folder, capsys):
    (folder / "a.toml").write_text('widths = [2, 1]\nactivations = ["tanh"]\nx = [9, 9]\ny = [9]\n', encoding="utf-8")
    assert main(["worked", "a.toml", "--data", "xor.csv", "--example", "2"]) == 0
    out = capsys.readouterr().out
    assert "mean over 4 examples." in out
    assert "x, example 2 = [0, 1]\n" in out


def test_interrupt_is_exit_130_and_leaves_no_file(folder, monkeypatch, capsys):
    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    before = sorted(os.listdir(folder))
    for where in ("handgrad.homework.training.fit", "handgrad.homework.figures.losses", "os.fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(where, stopped)
            assert main(["fit", "xor.csv", "--epochs", "2", "--save", "net.npz", "--plot", "loss.svg"]) == 130
        assert capsys.readouterr() == ("", "stopped\n")
        assert sorted(os.listdir(folder)) == before
        assert (folder / "net.npz").read_bytes() == (folder / "loss.svg").read_bytes() == b"old"


TRAINING = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import handgrad.homework.training as training
real = training.fit
def fit(*arguments, **options):
    print("begun", flush=True)
    return real(*arguments, **options)
training.fit = fit
from handgrad.__main__ import main
sys.exit(main(["fit", "xor.csv", "--epochs", "1000000000", "--save", "net.npz"]))
"""


def test_ctrl_c_is_stopped_in_the_middle(folder):
    before = sorted(os.listdir(folder))
    command = [sys.executable, "-c", TRAINING]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "stopped\n")
    assert sorted(os.listdir(folder)) == before
    assert (folder / "net.npz").read_bytes() == b"old"


FITTING = """
import sys
from handgrad.__main__ import main
sys.exit(main(["fit", "xor.csv", "--epochs", "3", "--test", "0"]))
"""


def test_bar_is_shown_on_a_terminal(folder):
    status, out, shown = on_a_terminal(FITTING, TERMINAL)
    assert (status, out.startswith(b"xor.csv: 4 examples")) == (0, True)
    assert b"100%" in shown
    assert re.search(rb"loss [\d.]+ ", shown)


STOPPING = """
import sys
import handgrad.homework.training as training
real = training.fit
def stop(epoch, loss):
    raise KeyboardInterrupt
training.fit = lambda *arguments, **options: real(*arguments, **options | {"callback": stop})
"""


def test_bar_is_closed_before_stopped_is_said(folder):
    status, out, shown = on_a_terminal(STOPPING + FITTING, TERMINAL)
    assert (status, out) == (130, b"")
    # The sign that brings the cursor back.
    assert 0 < shown.index(b"\x1b[?25h") < shown.index(b"stopped")


def test_training_without_rich_is_without_a_bar(folder):
    status, out, shown = on_a_terminal(f"import sys; sys.modules['rich'] = None{FITTING}", TERMINAL)
    assert (status, out.startswith(b"xor.csv: 4 examples"), shown) == (0, True, b"")


def test_plot_without_matplotlib_is_one_sentence_before_the_work(folder):
    program = "import sys; sys.modules['matplotlib'] = None\nfrom handgrad.__main__ import main\n"
    program += "sys.exit(main(['fit', 'xor.csv', '--save', 'net.npz', '--plot', 'loss.svg']))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "needs matplotlib, which the extra homework brings: pip install matplotlib" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert (folder / "net.npz").read_bytes() == b"old"


def test_disk_that_is_full_keeps_the_old_files(folder, monkeypatch, capfd):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    monkeypatch.setattr("handgrad.terminal.leave_output", lambda: None)
    assert main(["fit", "xor.csv", "--epochs", "2", "--save", "net.npz", "--plot", "loss.svg"]) == 2
    assert "No space left on device" in capfd.readouterr().err
    assert (folder / "net.npz").read_bytes() == (folder / "loss.svg").read_bytes() == b"old"
