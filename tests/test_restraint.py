"""A submission's process: limited in memory, ended with its children, and ended with whoever started it, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import handgrad as hg
import verification as v
from verification.submissions.description import describe
from verification.submissions.remote import Remote

HOUSE = str(Path(hg.__file__).parents[1])
NET = describe(hg.Network([hg.Dense([[1.0, 0.5]], [-0.5])]))
X, Y = np.array([2.0, 1.0]), np.array([1.0])
RIGHT = "import numpy as np\ndef gradient(network, x, y):\n    return {'w1': np.zeros((1, 2)), 'b1': np.zeros(1)}\n"
needs_limit = pytest.mark.skipif(sys.platform != "linux", reason="the system limits no memory")


def written(folder, text):
    path = folder / "homework.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


def is_alive(pid):
    """Say whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def assert_ends(*pids):
    end = time.monotonic() + 20
    while any(map(is_alive, pids)):
        assert time.monotonic() < end, f"still there: {list(filter(is_alive, pids))}"
        time.sleep(0.02)


# Memory.


@needs_limit
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import numpy as np\nx = np.ones(1 << 28)\n", "homework.py:2: the file needed more than 0.5 GiB while it was loaded"),
        (
            RIGHT.replace("    return", "    bytearray(1 << 30)\n    return"),
            ":3: gradient needed more than 0.5 GiB, on the net",
        ),
        (
            RIGHT.replace("    return", "    b = [0]\n    while True: b += b\n    return"),
            ":4: gradient needed more than 0.5 GiB",
        ),
    ],
)
def test_memory_beyond_its_limit_is_told_with_its_line(text, says, tmp_path):
    with pytest.raises(v.SubmissionError) as caught, Remote(written(tmp_path, text), memory=0.5) as subject:
        subject.gradient(NET, X, Y)
    assert says in str(caught.value)


@needs_limit
def test_memory_that_is_kept_until_nothing_is_left_is_told(tmp_path):
    text = RIGHT + "kept = []\nsize = 1 << 26\nwhile size:\n    try:\n        kept.append(bytearray(size))\n"
    text += "    except MemoryError:\n        size //= 2\n"
    with (
        pytest.raises(v.SubmissionError, match=r"needed more than 0\.3 GiB"),
        Remote(written(tmp_path, text), memory=0.3) as one,
    ):
        one.gradient(NET, X, Y)


@needs_limit
def test_memory_within_its_limit_is_enough_for_numpy_with_threads(tmp_path, monkeypatch):
    text = RIGHT.replace("def g", "big = np.ones((1000, 1000))\nbig @ big\ndef g")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "16")
    with Remote(written(tmp_path, text)) as subject:
        assert subject.gradient(NET, X, Y).arrays.keys() == {"w1", "b1"}


@needs_limit
def test_memory_limit_is_for_what_it_starts_too(tmp_path):
    text = "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'bytearray(1 << 30)']).returncode)\n" + RIGHT
    with Remote(written(tmp_path, text), memory=0.5) as subject:
        assert subject.printed == "1\n"


def test_matrix_products_of_a_process_is_by_one_thread_unless_chosen(tmp_path, monkeypatch):
    text = "import os\nprint(os.environ['OMP_NUM_THREADS'])\n" + RIGHT
    for chosen in ("1", "3"):
        monkeypatch.delenv("OMP_NUM_THREADS") if chosen == "1" else monkeypatch.setenv("OMP_NUM_THREADS", chosen)
        with Remote(written(tmp_path, text)) as subject:
            assert subject.printed == f"{chosen}\n"


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


# Ends.

STARTS_ANOTHER = """
import os, subprocess, sys
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
forked = os.fork()
if not forked:
    import time
    time.sleep(1000)
print(os.getpid(), other.pid, forked, flush=True)
"""


def test_process_that_is_closed_ends_with_its_children(tmp_path):
    with Remote(written(tmp_path, STARTS_ANOTHER + RIGHT)) as subject:
        pids = list(map(int, subject.printed.split()))
        assert len(pids) == 3
        assert all(map(is_alive, pids))
    assert_ends(*pids)


@pytest.mark.parametrize("ends", ["while True: pass", "import os; os._exit(0)", "import ctypes; ctypes.string_at(0)"])
def test_process_that_fails_ends_with_its_children(ends, tmp_path):
    text = STARTS_ANOTHER + RIGHT.replace("    return", f"    {ends}\n    return")
    subject = Remote(written(tmp_path, text), limit=0.3)
    pids = list(map(int, subject.printed.split()))
    begun = time.monotonic()
    with pytest.raises(v.SubmissionError):
        subject.gradient(NET, X, Y)
    # Its children hold the other end of its pipes: nobody waits for them.
    assert time.monotonic() - begun < 5
    assert_ends(*pids)


# The last holds the interpreter, so that no thread of its own can end it.
SPINS = ["while True: pass", "__import__('time').sleep(1000)", "__import__('re').match('(a+)+b', 'a' * 60)"]


@pytest.mark.skipif(not os.path.exists("/proc"), reason="processes are looked for there")
@pytest.mark.parametrize("spins", SPINS)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_process_whose_starter_is_killed_ends_with_its_children(how, spins, tmp_path):
    ready = tmp_path / "ready"
    tell = f"open({str(ready)!r}, 'w').write(' '.join(map(str, (os.getpid(), other.pid, forked)))); "
    path = written(tmp_path, STARTS_ANOTHER + RIGHT.replace("    return", f"    {tell}\n    {spins}\n    return"))
    command = [sys.executable, "-m", "verification", "check", path, "--limit", "1000"]
    checker = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": HOUSE})
    end = time.monotonic() + 60
    while not ready.exists() or len(ready.read_text(encoding="utf-8").split()) < 3:
        assert checker.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    pids = list(map(int, ready.read_text(encoding="utf-8").split()))
    checker.send_signal(how)
    assert checker.wait(20) == -how
    assert_ends(*pids)


def test_process_without_that_help_of_the_system_ends_too(tmp_path):
    """A thread does it where the system cannot."""
    (tmp_path / "fcntl.py").write_text("F_SETOWN = 8\ndef fcntl(*_):\n    raise OSError\n", encoding="utf-8")
    program = "import os, sys; print(os.getpid(), flush=True); from verification.submissions.restraint import end_with\n"
    program += "end_with(int(sys.argv[1]))\nwhile True: pass"
    mine, theirs = os.pipe()
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{HOUSE}"}
    command = [sys.executable, "-c", program, str(mine)]
    with subprocess.Popen(command, pass_fds=[mine], start_new_session=True, env=environment, stdout=subprocess.PIPE) as process:
        os.close(mine)
        process.stdout.readline()
        time.sleep(0.5)
        assert process.poll() is None
        os.close(theirs)
        assert process.wait(20) == -signal.SIGKILL


# All the calls together.


def test_calls_that_take_too_long_together_raise_one_sentence(tmp_path):
    text = RIGHT.replace("    return", "    __import__('time').sleep(0.2)\n    return")
    with Remote(written(tmp_path, text), total=1.5) as subject:
        begun = time.monotonic()

        def ask(times):
            for _ in range(times):
                subject.gradient(NET, X, Y)

        with pytest.raises(v.SubmissionError, match=r"its code had been running for 1\.5 s in all and was stopped") as caught:
            ask(20)
        assert time.monotonic() - begun < 3
        assert caught.value.kind == "hang"


def test_process_starts_in_its_folder(tmp_path):
    written(tmp_path, "import os\nprint(os.getcwd())\n" + RIGHT)
    with Remote("homework.py", folder=str(tmp_path)) as subject:
        assert subject.printed == f"{os.path.realpath(tmp_path)}\n"
    with pytest.raises(v.SubmissionError, match=r"^homework\.py: there is no such file"):
        Remote("homework.py", folder=str(tmp_path / "none"))
