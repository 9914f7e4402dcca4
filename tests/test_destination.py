"""A result's file: whole or not at all, refused before the work begins, and what it was in all other respects."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import handgrad
from handgrad.destination import Destination, UnwrittenError
from verification.__main__ import main

HOUSE = str(Path(handgrad.__file__).parents[1])
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("content", ["Σ\r\n", b"\x00\xff", "name\udcff"])
def test_new_file_equals_its_content(content, tmp_path):
    file = tmp_path / "a b ⊙.json"
    Destination(str(file)).write(content)
    expected = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    assert file.read_bytes() == expected
    assert os.listdir(tmp_path) == [file.name]


def test_new_file_is_as_open_as_any_other(tmp_path):
    Destination(str(tmp_path / "ours")).write("1")
    (tmp_path / "any").write_text("1", encoding="utf-8")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "any").stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_old_file_is_kept_until_the_new_one_is_whole(mode, tmp_path):
    file = tmp_path / "old"
    file.write_text("old", encoding="utf-8")
    file.chmod(mode)
    destination = Destination(str(file))
    assert file.read_text(encoding="utf-8") == "old"
    destination.write("new")
    assert (file.read_text(encoding="utf-8"), stat.S_IMODE(file.stat().st_mode)) == ("new", mode)


@pytest.mark.parametrize("where", ["os.fsync", "pathlib.Path.replace"])
def test_old_file_is_there_when_the_disk_is_full(where, tmp_path, monkeypatch):
    file = tmp_path / "old"
    file.write_text("old", encoding="utf-8")
    destination = Destination(str(file))

    def fail(*_):
        raise FULL

    monkeypatch.setattr(where, fail)
    with pytest.raises(UnwrittenError) as raised:
        destination.write("new")
    assert (raised.value.errno, raised.value.strerror) == (FULL.errno, FULL.strerror)
    assert file.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["old"]


@pytest.mark.parametrize("there", [True, False])
def test_symbolic_link_is_still_one_and_its_target_is_written(there, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    link.symlink_to(target)
    if there:
        target.write_text("old", encoding="utf-8")
    Destination(str(link)).write("new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


def test_pipe_is_written_as_it_is(tmp_path):
    read, write = os.pipe()
    Destination(f"/dev/fd/{write}").write("through")
    os.close(write)
    with open(read, encoding="utf-8") as pipe:
        assert pipe.read() == "through"


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_standard_output_is_written_after_what_stands_there(name, into, tmp_path):
    program = f"from handgrad.destination import Destination\nprint('before')\nDestination({name!r}).write('data')"
    environment = os.environ | {"PYTHONPATH": HOUSE}
    file = tmp_path / "out"
    with file.open("wb") as out:
        where = out if into == "file" else subprocess.PIPE
        done = subprocess.run([sys.executable, "-c", program], stdout=where, env=environment, check=True)
    assert (done.stdout if into == "pipe" else file.read_bytes()) == b"before\ndata"


@pytest.mark.parametrize(
    ("path", "why"), [("no/folder/file", "No such file or directory"), (".", "Is a directory"), ("old/file", "Not a directory")]
)
def test_bad_destination_raises_before_the_work(path, why, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match=why):
        Destination(path)
    with pytest.raises(SystemExit) as left:
        main(["--json", path])
    assert left.value.code == 2
    assert f"argument --json: can't open '{path}': {why}" in " ".join(capsys.readouterr().err.split())
    assert os.listdir(tmp_path) == ["old"]


@pytest.mark.parametrize("command", [["--examples", "1"], ["check", "homework.py"]])
def test_command_whose_disk_fills_is_exit_2_and_keeps_the_old_file(command, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    Path("result").write_text("old", encoding="utf-8")

    def fail(*_):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.fsync", fail)
    # Otherwise the rest of this process would print nowhere.
    monkeypatch.setattr("handgrad.terminal.leave_output", lambda: None)
    assert main([*command, "--json", "result"]) == 2
    assert "the output cannot be written: Permission denied\n" in capfd.readouterr().err
    assert Path("result").read_text(encoding="utf-8") == "old"
