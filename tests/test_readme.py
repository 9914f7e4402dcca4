"""Every Python block of the README runs, and its sessions print what the README shows."""

import doctest
import re
from pathlib import Path

import pytest

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


def test_readme_blocks_is_not_empty():
    assert len(BLOCKS) >= 4


def test_readme_links_to_files_is_true():
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
