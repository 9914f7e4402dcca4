"""Every Python block of the README runs, and its sessions print what the README shows."""

import doctest
import re
from pathlib import Path

import pytest

from verification.__main__ import main
from verification.mistakes import MISTAKES

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_readme_block_is_true(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if ">>>" in block:
        test = doctest.DocTestParser().get_doctest(block, {}, "README.md", str(README), 0)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        written = []
        runner.run(test, out=written.append)
        assert not runner.failures, "".join(written)
        return
    names = {}
    exec(block, names)
    for name, function in names.items():
        if name.startswith("test_"):
            function()


def test_readme_check_output_equals_what_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (homework,) = [block for block in BLOCKS if "def gradient(network, x, y):" in block]
    Path("homework.py").write_text(homework, encoding="utf-8")
    assert main(["check", "homework.py"]) == 1
    shown = re.search(
        r"<!-- check homework.py -->\n```text\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert capsys.readouterr().out.rstrip() == shown[1].rstrip()


def test_readme_number_of_mistakes_equals_the_catalogues():
    assert f"a catalogue of {len(MISTAKES)} wrong backpropagations" in " ".join(README.read_text(encoding="utf-8").split())


def test_readme_map_is_of_every_module():
    text = README.read_text(encoding="utf-8")
    house = text[text.index("## The house") : text.index("Imports point one way")]
    for package in ("handgrad", "verification"):
        for path in (README.parent / package).iterdir():
            if path.suffix == ".py" and path.stem != "__init__":
                assert path.stem in house, path
            elif path.is_dir() and (path / "__init__.py").exists():
                assert f"{path.name}/" in house, path


def test_readme_placeholders_is_none():
    assert re.findall(r"\b[A-Z]+_[A-Z_]+\b", re.sub(r"[A-Z]+_NUM_THREADS", "", README.read_text(encoding="utf-8"))) == []


def test_readme_blocks_is_not_empty():
    assert len(BLOCKS) >= 4


def test_readme_links_to_files_is_true():
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
