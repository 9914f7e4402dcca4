"""What `import handgrad` loads and offers."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import handgrad

HOUSE = Path(handgrad.__file__).parents[1]


def test_import_is_light():
    script = (
        "import sys; before = set(sys.modules); import handgrad; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=HOUSE, env={"PYTHONPATH": str(HOUSE)}
    )
    loaded = set(answer.stdout.split())
    assert {"handgrad", "numpy"} <= loaded
    assert not loaded & {"torch", "hypothesis", "matplotlib", "rich", "pytest", "verification", "joblib", "scipy", "tqdm"}


def test_every_offered_name_is_there():
    assert len(set(handgrad.__all__)) == len(handgrad.__all__)
    for name in handgrad.__all__:
        assert getattr(handgrad, name) is not None


def test_version_equals_the_installed_one():
    assert handgrad.__version__ == version("handgrad")
