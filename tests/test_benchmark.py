"""The benchmark: whom it measures, what it refuses, its statistics and its reports. No time is asserted anywhere."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from verification.__main__ import main
from verification.benchmark import chart, jitted, peers, running, runs, timing, workers
from verification.benchmark.networks import NETWORKS, Row, network_of, row_of
from verification.benchmark.peers import (
    OWN,
    PEERS,
    SLOW,
    DisagreementError,
    MissingError,
    Subject,
    UnsuitedError,
    agree,
    bare,
    handgrad,
    products,
    subject,
)
from verification.benchmark.report import Report, cores, duration, table
from verification.benchmark.runs import WAYS, Memory, StartUp, Throughput, Training, memory, startup, training
from verification.benchmark.timing import WALL, Clock, Spread, clock_of, paired, short, spread

DTYPES = ["float64", "float32"]
ONE = timing.Effort(fewest=1, most=1, seconds=0.0)
OPTIONAL = [name for name, peer in PEERS.items() if peer.package != "torch"]


def unsuited(name, row, dtype):
    """Say why a peer cannot do a reduced row, or "" if it must."""
    if name == "sklearn" and row.output == "sigmoid":
        return "its output layer must be identity"
    if name == "micrograd" and dtype == "float32":
        return "float64"
    if name == "micrograd" and row.multiply_adds > 20_000:
        return "at most 20,000"
    return ""


@pytest.fixture
def without_cpp(monkeypatch):
    """Let torch.compile trace its graphs, forward and backward, and run them as they are: C++ would take 20 s a network."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    monkeypatch.setattr(peers, "_lacking_to_compile", lambda: "")


@pytest.mark.usefixtures("without_cpp")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PEERS)
def test_peer_matches_handgrad(name, dtype):
    rows = dict.fromkeys(replace(row.reduced(), name="") for row in NETWORKS)
    # Whoever compiles takes seconds for 50 layers: once is enough, and for torch's own interpreter of its graphs too often.
    deep = dtype == "float64" and name != "torch-compile"
    for row in (row for row in rows if deep or len(row.widths) < 50):
        net, x, y = network_of(row, dtype)
        if find_spec(PEERS[name].module) is None:
            with pytest.raises(MissingError, match=f"{PEERS[name].package} is not installed"):
                subject(name, net, x, y)
            continue
        if reason := unsuited(name, row, dtype):
            with pytest.raises(UnsuitedError, match=reason):
                subject(name, net, x, y)
            continue
        made, own = subject(name, net, x, y), handgrad(net, x, y)
        made.run()
        agree(made.read(made.run()), own.read(own.run()))


@pytest.mark.usefixtures("without_cpp")
@pytest.mark.parametrize(("hidden", "loss"), [("tanh", "squared_error"), ("sigmoid", "cross_entropy")])
@pytest.mark.parametrize("name", [name for name in PEERS if find_spec(PEERS[name].module)])
def test_peer_with_another_loss_matches_handgrad(name, hidden, loss):
    net, x, y = network_of(row_of((3, 4, 2), 5, hidden, loss), "float64")
    made, own = subject(name, net, x, y), handgrad(net, x, y)
    agree(made.read(made.run()), own.read(own.run()))


@pytest.fixture
def numba_or_python(monkeypatch):
    """Let the loops run in Python where numba, which only the extra benchmark brings, is not installed."""
    if find_spec("numba") is None:
        monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=lambda **options: lambda function: function))
        monkeypatch.setattr(jitted, "compiled", jitted.compiled.__wrapped__)
        monkeypatch.setitem(PEERS, "numba", replace(PEERS["numba"], module="numpy"))


@pytest.mark.usefixtures("numba_or_python")
@pytest.mark.parametrize("dtype", DTYPES)
def test_numba_with_products_of_blas_matches_handgrad(dtype):
    (row,) = (row for row in NETWORKS if row.name == "64-64-10")
    assert min(row.widths) * 64 * row.count >= jitted.FEW
    net, x, y = network_of(row, dtype)
    made, own = subject("numba", net, x, y), handgrad(net, x, y)
    agree(made.read(made.run()), own.read(own.run()))


@pytest.mark.parametrize("few", [0, 10**6], ids=["BLAS", "loops"])
@pytest.mark.parametrize("row", dict.fromkeys(replace(row.reduced(), name="") for row in NETWORKS), ids=str)
def test_what_numba_compiles_matches_handgrad_in_python(monkeypatch, row, few):
    net, x, y = network_of(row, "float64")
    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=lambda **options: lambda function: function))
    monkeypatch.setattr(jitted, "FEW", few)
    monkeypatch.setattr(jitted, "compiled", jitted.compiled.__wrapped__)
    made, own = PEERS["numba"].make(net, x, y), handgrad(net, x, y)
    agree(made.read(made.run()), own.read(own.run()))


@pytest.mark.usefixtures("numba_or_python")
def test_wrong_numba_is_refused(monkeypatch):
    monkeypatch.setitem(jitted.CODES, "tanh", jitted.RELU)
    found = timing.measure(NETWORKS[1], "float64", ["numba"], 1, ONE)
    assert "must be handgrad's within" in found.refused["numba"]
    assert "numba" not in found.times


@pytest.mark.usefixtures("without_cpp")
def test_wrong_torch_compile_is_refused(monkeypatch):
    right = peers._torch_loss
    monkeypatch.setattr(peers, "_torch_loss", lambda net: lambda *arguments: 1.01 * right(net)(*arguments))
    found = timing.measure(NETWORKS[1], "float64", ["torch-compile"], 1, ONE)
    assert "w1 must be handgrad's within" in found.refused["torch-compile"]
    assert "torch-compile" not in found.times


@pytest.mark.parametrize(
    ("place", "name", "value", "lacks"),
    [
        (peers.shutil, "which", lambda name: None, r"a C\+\+ compiler \(some-c\+\+\)"),
        (peers.sysconfig, "get_path", lambda name: "/no/such/folder", r"Python's headers \(/no/such/folder.Python.h\)"),
    ],
    ids=["compiler", "headers"],
)
def test_torch_compile_without_what_it_needs_is_left_out_and_says_so(monkeypatch, place, name, value, lacks):
    monkeypatch.setenv("CXX", "some-c++")
    monkeypatch.setattr(peers.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(place, name, value)
    with pytest.raises(MissingError, match=f"^torch.compile needs {lacks}, and there is none$"):
        subject("torch-compile", *network_of(NETWORKS[0], "float64"))
    found = timing.measure(NETWORKS[0], "float64", ["torch-compile"], 1, ONE)
    assert "torch.compile needs" in found.left_out["torch-compile"]


@pytest.mark.parametrize("name", OPTIONAL)
def test_peer_that_is_missing_is_left_out_and_named(monkeypatch, name):
    monkeypatch.setitem(sys.modules, PEERS[name].module, None)
    found = timing.measure(NETWORKS[1], "float64", [name], 1, ONE)
    assert found.left_out == {name: f"{PEERS[name].package} is not installed; the extra benchmark brings it"}
    assert list(found.times) == ["handgrad", "products"]


def off(place, change):
    """Return a peer whose answer is handgrad's but for one array, and the list of its calls."""
    calls = []

    def make(name, net, x, y):
        def run():
            calls.append(name)
            loss, gradients = handgrad(net, x, y).read(net.gradient(x, y))
            if place == "loss":
                return change(loss), gradients
            gradients = [array.copy() for array in gradients]
            gradients[place] = change(gradients[place])
            return loss, gradients

        return Subject(run)

    return make, calls


@pytest.mark.parametrize(
    ("place", "change", "says"),
    [
        (0, lambda dw: dw * 1.01, "w1 must be handgrad's within"),
        (3, lambda db: db * np.nan, "b2 must be handgrad's within"),
        (2, lambda dw: dw.T, "w2 must be (3, 8) float64; got (8, 3) float64"),
        (1, lambda db: db.astype(np.float32), "b1 must be (8,) float64; got (8,) float32"),
        ("loss", lambda loss: loss / 2, "the loss must be handgrad's within"),
    ],
)
def test_wrong_peer_is_refused_before_it_is_timed(monkeypatch, place, change, says):
    make, calls = off(place, change)
    monkeypatch.setattr(timing, "subject", make)
    found = timing.measure(NETWORKS[1], "float64", ["torch"], 1, ONE)
    assert says in found.refused["torch"]
    assert calls == ["torch"]
    assert "torch" not in found.times
    assert not Report(measurements=[found]).ok
    assert f"WRONG, and not timed\n  torch        {found.refused['torch']}" in table(Report(measurements=[found]))


def test_peer_whose_relus_are_at_their_kink_for_rounding_is_right():
    """Of 10⁶ pre-activations summed from 10³ terms in float32, about 100 may fall on either side: 1 % of a norm."""
    right = np.random.default_rng(3).normal(size=(1000, 1000)).astype(np.float32)
    flipped = right.copy()
    flipped.flat[::10_000] = 0
    agree((1.0, [flipped, right[0]]), (1.0, [right, right[0]]))
    flipped.flat[::1000] = 0
    with pytest.raises(DisagreementError, match="w1 must be handgrad's within"):
        agree((1.0, [flipped, right[0]]), (1.0, [right, right[0]]))


def test_peer_with_too_few_gradients_is_refused():
    zeros = np.zeros(2)
    with pytest.raises(DisagreementError, match="must give 2 gradients; got 1"):
        agree((0.0, [zeros]), (0.0, [zeros, zeros]))


def test_peer_that_raises_is_left_out_with_its_words(monkeypatch):
    def make(name, net, x, y):
        raise AttributeError("no _backprop any more")

    monkeypatch.setattr(timing, "subject", make)
    found = timing.measure(NETWORKS[1], "float64", ["sklearn"], 1, ONE)
    assert found.left_out == {"sklearn": "AttributeError: no _backprop any more"}


def test_spread_equals_one_by_hand():
    assert spread([5.0, 1.0, 2.0, 4.0]) == Spread(1.75, 3.0, 4.25)
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0)


def test_paired_ratio_equals_one_by_hand():
    # Ratios 2, 3, 4, 1, 10; of the medians it would be 8 / 2.
    found = paired([2.0, 30.0, 8.0, 1.0, 20.0], [1.0, 10.0, 2.0, 1.0, 2.0])
    assert found == Spread(2.0, 3.0, 4.0)
    assert str(found) == "3.00 (2.00-4.00)"


def test_short_numbers_and_durations_equal_those_by_hand():
    assert [short(number) for number in (0.034, 1.25, 12.34, 1234.5)] == ["0.034", "1.25", "12.3", "1234"]
    assert [duration(seconds) for seconds in (4.1e-6, 0.0213, 1.5)] == ["4.10 µs", "21.3 ms", "1.50 s"]


def test_turns_are_begun_by_another_each_round(monkeypatch):
    monkeypatch.setattr(timing, "_calls_in_a_block", lambda timer: 1)
    called = []
    timing.in_turns({name: partial(called.append, name) for name in "abc"}, timing.Effort(3, 3, 0.0))
    assert "".join(called) == "abcbcacab"


def test_time_of_a_turn_equals_its_clocks(monkeypatch):
    now, took = [0.0], {"a": 2.0, "b": 6.0}

    def call(name):
        now[0] += took[name]

    runs = {name: partial(call, name) for name in took}
    found = timing.in_turns(runs, timing.Effort(3, 3, 0.0), Clock("some time", lambda: now[0]))
    assert found == {"a": [2.0] * 3, "b": [6.0] * 3}


@pytest.mark.parametrize(
    ("took", "calls"),
    [
        # Seconds of blocks of 1, 1, 2, 2, … calls, after the warming of each block of more than one.
        ([0.3, 0.005, 0.01, 0.01], 4),
        ([0.005, 0.3, 0.01, 0.01], 4),
        ([0.3, 0.2], 1),
    ],
)
def test_calls_in_a_block_are_not_fewer_for_one_that_was_held_up(took, calls):
    rest = iter(took)
    asked = []

    def timeit(count):
        # The second time of one and the same number of calls, or the only one of one call, is what counts.
        asked.append(count)
        return next(rest) if len(asked) <= 2 or count > 1 else 0.0

    assert timing._calls_in_a_block(SimpleNamespace(timeit=timeit)) == calls


def test_clock_of_one_thread_is_the_processors_and_of_several_the_walls(monkeypatch):
    assert (WALL.name, WALL.read) == ("wall-clock time", timing.time.perf_counter)
    for resolution, chosen in ((1e-9, "processor time"), (1e-6, "processor time"), (1 / 64, "wall-clock time")):
        monkeypatch.setattr(timing.time, "get_clock_info", lambda name, known=resolution: SimpleNamespace(resolution=known))
        assert clock_of(1).name == chosen
        assert clock_of(2) == WALL
    monkeypatch.setattr(timing.time, "get_clock_info", lambda name: SimpleNamespace(resolution=1e-9))
    assert clock_of(1).read is timing.time.process_time


def test_turns_are_as_many_as_asked():
    found = timing.in_turns({"a": lambda: None, "b": lambda: sum(range(100))}, timing.Effort(2, 3, 3600.0))
    assert {name: len(row) for name, row in found.items()} == {"a": 3, "b": 3}
    found = timing.in_turns({"a": lambda: None}, timing.Effort(2, 3, 0.0))
    assert len(found["a"]) == 2


@pytest.mark.parametrize("row", [row.reduced() for row in NETWORKS], ids=lambda row: row.name)
def test_bare_products_are_those_of_one_gradient(row):
    net, x, _ = network_of(row, "float32")
    found = products(net, x)
    assert len(found) == 3 * len(net.layers) - 1
    assert sum(left.shape[0] * left.shape[1] * right.shape[1] for left, right, _ in found) == row.multiply_adds
    bare(net, x).run()
    assert [out.shape for _, _, out in found[: len(net.layers)]] == [(len(x), n) for n in row.widths[1:]]
    assert found[len(net.layers)][2].shape == net.layers[-1].w.shape
    assert found[-1][2].shape == net.layers[0].w.shape


def test_bare_products_equal_numpys():
    net, x, _ = network_of(Row("", (3, 4, 2), 5, "identity", "identity", "squared_error"), "float64")
    w = [layer.w.copy() for layer in net.layers]
    found = products(net, x)
    bare(net, x).run()
    for left, right, out in found:
        np.dot(left, right, out)
    a_1 = x @ w[0].T
    a_2 = a_1 @ w[1].T
    np.testing.assert_allclose(found[2][2], a_2.T @ a_1)
    np.testing.assert_allclose(found[4][2], (a_2 @ w[1]).T @ x)


def test_multiply_adds_and_minimum_equal_those_by_hand():
    row = Row("", (3, 4, 2), 5, "relu", "identity", "squared_error")
    # Forward 12 + 8 and dL/dw 12 + 8, and dL/da of layer 2 alone, 8; each for 5 examples.
    assert row.multiply_adds == 5 * 48
    assert row.parameters == 12 + 4 + 8 + 2
    # Parameters and gradients, and 5 examples of 3 inputs, 4 and 2 units.
    assert row.minimum_bytes("float32") == 4 * (26 + 26 + 5 * (3 + 4 + 2))
    assert row.minimum_bytes(np.float64) == 2 * row.minimum_bytes("float32")


def test_memory_is_measured_and_noted():
    row = Row("some", (64, 64, 64), 16, "relu", "identity", "squared_error")
    found = memory(row, "float64", "handgrad")
    assert (found.network, found.dtype, found.peer, found.minimum) == ("some", "float64", "handgrad", row.minimum_bytes("f8"))
    assert Memory("", "", "", 10, 15).multiple == 1.5


def test_networks_are_eleven_and_the_same_every_time():
    assert len(NETWORKS) == len({row.name for row in NETWORKS}) == 11
    for row in NETWORKS:
        small = row.reduced()
        assert len(small.widths) == len(row.widths)
        assert max(small.widths) <= 12
        assert small.count <= 8
        (net, x, y), (again, x_again, y_again) = network_of(small, "float32"), network_of(small, "float32")
        assert net.dtype == x.dtype == np.float32
        assert y.dtype == (np.int64 if row.loss == "cross_entropy" else np.float32)
        np.testing.assert_array_equal(x, x_again)
        np.testing.assert_array_equal(y, y_again)
        for mine, theirs in zip(net.named().values(), again.named().values(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_training_matches_torch(monkeypatch, dtype):
    monkeypatch.setattr(runs, "in_turns", lambda calls, effort, clock: {name: [1.0] for name in calls})
    assert training(dtype, 1, 1).difference <= 100 * np.finfo(dtype).eps


@pytest.mark.parametrize("threads", [1, 2])
def test_training_ratio_equals_one_by_hand(monkeypatch, threads):
    times, asked = {"torch": [6.0, 9.0, 6.0], "handgrad": [2.0, 2.0, 3.0]}, []

    def in_turns(calls, effort, clock):
        asked.append((effort, clock))
        return {name: times[name] for name in calls}

    monkeypatch.setattr(runs, "in_turns", in_turns)
    found = training("float32", threads, 3)
    assert asked == [(timing.Effort(3, 3, 0.0), clock_of(threads))]
    assert (found.seconds, found.torch_seconds, found.ratio.median) == (2.0, 6.0, 3.0)
    assert (found.threads, found.clock) == (threads, clock_of(threads).name)


def test_startup_ratio_equals_one_by_hand(monkeypatch):
    times = {"handgrad": [3.0, 6.0, 3.0], "numpy": [2.0, 2.0, 2.0]}
    monkeypatch.setattr(runs, "in_turns", lambda calls, effort, clock: {name: times[name] for name in calls})
    found = startup(3)
    assert (found.seconds, found.numpy_seconds, found.ratio.median) == (3.0, 2.0, 1.5)


def test_clock_of_children_is_the_processors_where_there_is_one(monkeypatch):
    pytest.importorskip("resource")
    clock = runs._clock_of_children()
    before = clock.read()
    subprocess.run([sys.executable, "-c", ""], check=True)
    assert clock.read() > before
    assert clock.name == "processor time"
    monkeypatch.setitem(sys.modules, "resource", None)
    assert runs._clock_of_children() == WALL


@pytest.mark.parametrize("way", WAYS)
def test_throughput_is_of_as_many_networks_as_asked(way):
    assert WAYS[way](6) >= 6
    assert Throughput(way, 30, 2.0).per_second == 15


def some_report():
    """Return a report with something of everything."""
    measurements = [
        timing.Measurement(
            network=row.name,
            dtype=dtype,
            threads=1,
            clock="some time",
            multiply_adds=row.multiply_adds,
            rounds=7,
            times={
                name: timing.Time(factor * 1e-6 * row.multiply_adds**0.5, Spread(0.9 * factor, factor, 1.1 * factor))
                for name, factor in (("handgrad", 1.0), ("torch", 4.0), ("jax", 2.0), ("products", 0.25))
            },
            left_out={"micrograd": "it cannot"},
            refused={},
            pools=["openmp of libgomp has 2 threads"] if dtype == "float32" else [],
        )
        for dtype in DTYPES
        for row in NETWORKS
    ]
    return Report(
        measurements=measurements,
        trainings=[Training("float32", 2, "another time", 0.1, 0.2, Spread(1.9, 2.0, 2.1), 1e-7)],
        memories=[Memory("4x2048", "float32", "handgrad", 2**20, 3 * 2**19)],
        throughputs=[Throughput("campaign", 100, 2.0)],
        startups=[StartUp("a third", 0.2, 0.1, Spread(1.8, 2.0, 2.2))],
    )


def test_report_in_json_equals_itself():
    report = some_report()
    written = json.dumps(report.to_dict(), allow_nan=False)
    assert json.loads(written) == report.to_dict()
    assert set(report.to_dict()) == {"ok", *vars(report)}
    assert {"date", "cpu", "cores", "python", "numpy", "blas", "torch"} <= set(report.machine)


def test_table_is_every_row_and_every_section():
    lines = table(some_report()).splitlines()
    for row in NETWORKS:
        assert len([line for line in lines if line.startswith(f"{row.name} ")]) == 2
    assert max(map(len, lines[2:])) <= 140
    text = "\n".join(lines)
    for part in (
        "float32, 1 thread, some time: handgrad's of a call",
        "\n  not as asked: openmp of libgomp has 2 threads\n",
        "4.00       2.00",
        "3.60-4.40",
        "micrograd    it cannot\n",
        "minimum    1 MiB  handgrad 1.50",
        "float32, 2 threads, another time: fit 100 ms, torch 200 ms, ratio 2.00 (1.90-2.10); "
        "largest relative difference of the weights 1.0e-07",
        "50 networks a second of processor time",
        "a third: python -m handgrad --help 200 ms",
    ):
        assert part in text
    assert "25%" in text
    assert "22%-28%" in text


def test_plot_is_a_picture(tmp_path):
    file = tmp_path / "plot.png"
    with file.open("wb") as stream:
        chart.plot(some_report(), stream)
    assert file.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_plot_in_svg_is_everybody_and_the_limit():
    stream = io.BytesIO()
    chart.plot(some_report(), stream, "svg")
    text = stream.getvalue().decode()
    parts = ["handgrad", "torch", "jax", *chart.APART, "limit: the bare products"]
    for part in [*parts, "float32, 1 thread, some time", "time of one call, in seconds"]:
        assert f"<!-- {part} -->" in text
    assert chart.HIDDEN not in text


@pytest.mark.parametrize("name", ["2-2-2", chart.APART[0], chart.HIDDEN])
def test_plot_of_a_network_alone_is_a_picture_whichever_it_is(name):
    report = some_report()
    report.measurements = [each for each in report.measurements if each.network == name]
    stream = io.BytesIO()
    chart.plot(report, stream, "svg")
    assert "<!-- handgrad -->" in stream.getvalue().decode()


def test_styles_are_everybodys_and_differ():
    assert set(chart.STYLES) == {OWN, *PEERS}
    for seen in zip(*chart.STYLES.values(), strict=True):
        assert len(set(seen)) == len(PEERS) + 1
    assert {row.name for row in NETWORKS} > {*chart.APART, chart.HIDDEN}


@pytest.mark.parametrize("old", [None, "of last year"], ids=["no file", "a file"])
@pytest.mark.parametrize("order", [1, -1])
def test_json_beside_a_plot_that_cannot_be_is_untouched_and_nothing_is_measured(monkeypatch, capsys, tmp_path, order, old):
    def replies(*arguments):
        raise AssertionError("nothing may be measured")

    monkeypatch.setattr(running, "replies", replies)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    file = tmp_path / "b.json"
    if old is not None:
        file.write_text(old)
    pairs = [("--json", str(file)), ("--plot", str(tmp_path / "plot.png"))][::order]
    with pytest.raises(SystemExit) as left:
        main(["benchmark", *pairs[0], *pairs[1]])
    assert left.value.code == 2
    assert "pip install '.[benchmark]'" in capsys.readouterr().err
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == ([] if old is None else [("b.json", old)])


def test_plot_without_matplotlib_is_exit_2_and_names_the_extra(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit) as left:
        main(["benchmark", "--plot", str(tmp_path / "plot.png")])
    assert left.value.code == 2
    assert "pip install '.[benchmark]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_import_of_the_benchmark_is_light():
    script = "import sys; from verification.benchmark import chart, networks, peers, report, running; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split())
    assert "verification.benchmark.workers" in loaded
    assert not loaded & {"matplotlib", "torch", "hypothesis", "rich", "joblib", *(peer.module for peer in PEERS.values())}


def test_quick_benchmark_of_one_network_is_a_table_json_and_a_plot(capsys, tmp_path):
    files = tmp_path / "b.json", tmp_path / "b.png"
    options = ["--widths", "2-2-2", "--batch", "1", "--quick", "--peers", "torch,torch-hand", "--dtype", "float64"]
    assert main(["benchmark", *options, "--json", str(files[0]), "--plot", str(files[1])]) == 0
    out, err = capsys.readouterr()
    assert "\n2-2-2 " in out
    assert err == "1 of 1 measurements\n"
    read = json.loads(files[0].read_text())
    (found,) = read["measurements"]
    assert read["ok"] is True
    assert list(found["times"]) == ["handgrad", "torch", "torch-hand", "products"]
    assert (found["network"], found["multiply_adds"], found["threads"]) == ("2-2-2", 20, 1)
    assert (found["left_out"], found["refused"], found["pools"]) == ({}, {}, [])
    assert files[1].read_bytes().startswith(b"\x89PNG")


def test_benchmark_stopped_is_exit_130_and_what_was_done(monkeypatch, capsys):
    done = some_report().measurements[0]

    def replies(task, calls, threads):
        yield done
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "replies", replies)
    assert main(["benchmark", "--networks", "2-2-2,4-8-3"]) == 130
    out = capsys.readouterr().out
    assert "stopped; this is what was measured so far" in out
    assert "\n2-2-2 " in out


def test_benchmark_whose_process_fails_is_exit_1_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(workers, "START", "import sys; sys.exit('no such luck')")
    assert main(["benchmark", "--networks", "2-2-2", "--threads", "1"]) == 1
    assert "FAILED\n  the process for timing failed (exit status 1): no such luck" in capsys.readouterr().out


def test_process_that_fails_raises():
    with pytest.raises(workers.WorkerError, match=r"the process for nothing failed \(exit status 1\): KeyError: 'nothing'"):
        list(workers.replies("nothing", [{}], 1))


def test_worker_that_fails_is_noted_and_the_next_one_goes_on(monkeypatch):
    measured = some_report()
    found = {"training": measured.trainings[0], "memory": measured.memories[0], "startup": measured.startups[0]}

    def replies(task, calls, threads):
        if task not in found:
            raise workers.WorkerError(f"the process for {task} failed")
        yield from [found[task]] * len(calls)

    monkeypatch.setattr(running, "replies", replies)
    asked, done = running.plan(quick=True, peers=[]), []
    report = running.run(asked, done.append)
    assert report.failures == ["the process for timing failed", "the process for throughput failed"]
    assert (report.trainings, report.startups) == (measured.trainings * 2, measured.startups)
    assert done[-1] == sum(len(step.calls) for step in running.steps(asked))


def test_what_a_library_prints_in_a_worker_is_neither_an_answer_nor_ours(monkeypatch, capfd):
    noisy = (
        "from verification.benchmark.workers import TASKS; TASKS['noisy'] = lambda: print('noise', flush=True) or 7; serve()"
    )
    monkeypatch.setattr(workers, "START", workers.START.removesuffix("serve()") + noisy)
    assert list(workers.replies("noisy", [{}, {}], 1)) == [7, 7]
    assert capfd.readouterr() == ("", "")


def test_process_that_is_silent_raises(monkeypatch):
    monkeypatch.setattr(workers, "START", "import time; time.sleep(60)")
    with pytest.raises(workers.WorkerError, match=r"said nothing for 0.1 s and was ended"):
        list(workers.replies("timing", [], 1, patience=0.1))


def test_process_that_is_not_listened_to_any_more_is_ended(monkeypatch):
    script = (
        "import os, pickle, sys, time; sys.stdout.buffer.write(pickle.dumps(os.getpid())); sys.stdout.flush(); time.sleep(60)"
    )
    monkeypatch.setattr(workers, "START", script)
    row = workers.replies("timing", [], 1)
    pid = next(row)
    row.close()
    found = subprocess.run(["ps", "-p", str(pid)], capture_output=True)
    assert found.returncode == 1


def test_environment_is_threads_for_everybody(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_of_the_user=1")
    chosen = workers.environment(1)
    assert {chosen[name] for name in (*workers.THREADS, "NPROC")} == {"1"}
    assert chosen["XLA_FLAGS"] == "--xla_of_the_user=1 --xla_cpu_multi_thread_eigen=false"
    assert workers.environment(3)["OMP_NUM_THREADS"] == "3"


def test_whole_plan_is_everything():
    asked = running.plan(threads="1")
    assert asked.rows == NETWORKS
    found = running.steps(asked)
    assert [step.task for step in found if step.task != "memory"] == ["timing", "training", "throughput", "startup"]
    held = {(step.calls[0]["row"].name, step.calls[0]["dtype"]) for step in found if step.task == "memory"}
    assert held == {(row.name, dtype) for row in NETWORKS for dtype in DTYPES if row.minimum_bytes(dtype) > 10 * 2**20}
    assert {name for name, _ in held} == {"64-64-10/65536", "784-1024-1024-10/256", "784-1024-1024-10/512", "4x2048"}
    assert len(found[0].calls) == 22


def test_plan_of_threads_is_one_and_all(monkeypatch):
    monkeypatch.setattr(running, "cores", lambda: 8)
    assert [running.plan(threads=name).threads for name in ("1", "all", "both", None)] == [(1,), (8,), (1, 8), (1, 8)]
    assert running.plan(quick=True).threads == (1,)
    assert cores() >= 1


def test_quick_plan_is_without_the_largest():
    rows = running.plan(quick=True).rows
    assert [row.name for row in NETWORKS if row not in rows] == ["784-1024-1024-10/512", "4x2048"]


def test_quick_plan_is_without_who_compiles_for_long_unless_asked_by_name():
    assert running.plan().peers == tuple(PEERS)
    assert set(SLOW) == {"torch-compile"}
    assert running.plan(quick=True).peers == tuple(name for name in PEERS if name != "torch-compile")
    assert running.plan(quick=True, peers=["torch-compile", "jax"]).peers == ("torch-compile", "jax")


def test_plan_of_chosen_networks_is_these_alone():
    asked = running.plan(networks=["4-8-3"], widths=[5, 6, 7], hidden="tanh", loss="squared_error")
    assert [row.name for row in asked.rows] == ["4-8-3", "5-6-7"]
    assert asked.rows[1] == Row("5-6-7", (5, 6, 7), 64, "tanh", "identity", "squared_error")
    assert {step.task for step in running.steps(asked)} == {"timing"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--networks", "4-8-4"], "networks must be one of 2-2-2, 4-8-3,"),
        (["--widths", "64-x"], "must be an integer >= 1; got x"),
        (["--widths", "64-0"], "must be an integer >= 1; got 0"),
        (["--widths", "64"], "widths must name at least 2 layers"),
        (["--widths", "4-1", "--hidden", "softplus"], "hidden must be one of relu, tanh, sigmoid, identity; got 'softplus'"),
        (["--widths", "4-1", "--loss", "squared"], "loss must be one of cross_entropy, squared_error; got 'squared'"),
        (["--widths", "4-1", "--batch", "0"], "must be an integer >= 1; got 0"),
        (["--batch", "8"], "batch belongs to a network of one's own, and needs widths; got batch 8 alone"),
        (["--dtype", "float16"], "dtype must be one of float64, float32; got 'float16'"),
        (["--dtype", ","], "dtype must name at least one of"),
        (["--peers", "pytorch"], "peers must be one of torch, torch-module,"),
        (["--networks", "64-64-10 tanh"], "networks must be one of 2-2-2, 4-8-3, 64-64-10, 64-64-10-tanh, 64-64-10/4096,"),
        (["--threads", "2"], "threads must be one of 1, all, both; got '2'"),
        (["--plot", "plot.gif"], "plot must be a file whose name ends in .png, .svg, .pdf; got plot.gif"),
        (["--plot", "/no/such/folder/plot.png"], "can't open"),
        (["--json", "/no/such/folder/file"], "can't open"),
    ],
)
def test_benchmark_of_bad_usage_is_exit_2(capsys, arguments, text):
    with pytest.raises(SystemExit) as left:
        main(["benchmark", *arguments])
    assert left.value.code == 2
    assert text in capsys.readouterr().err.replace("\n", " ")
