"""How the house is laid out: arrows between rooms point one way, and no room takes what another keeps to itself."""

import ast
import tomllib
from pathlib import Path

import pytest

import handgrad

HOUSE = Path(handgrad.__file__).parents[1]
# Each room with those that it may use; `verification/__init__` only hands names on.
ROOMS = {
    "handgrad": (),
    "verification.random_networks": ("handgrad",),
    "verification.bounds": ("handgrad", "verification.random_networks"),
    "verification.submissions": ("handgrad",),
    "verification.mistakes": ("handgrad", "verification.submissions"),
    "verification.autograd": (
        "handgrad",
        "verification.random_networks",
        "verification.bounds",
        "verification.submissions",
    ),
    "verification.checking": (
        "handgrad",
        "verification.random_networks",
        "verification.bounds",
        "verification.submissions",
        "verification.mistakes",
        "verification.autograd",  # for --oracle torch alone, and only when asked
    ),
    "verification.classroom": (
        "handgrad",
        "verification.submissions",
        "verification.checking",
        "verification.autograd",  # for --oracle torch alone
    ),
    "verification.conformance": ("verification.random_networks", "verification.submissions", "verification.checking"),
    "verification.benchmark": ("handgrad", "verification.random_networks", "verification.autograd"),
}
FLOORS = [
    "extras",
    "foreign",
    "checks",
    "formulas",
    "terminal",
    "destination",
    "equations",
    "scalars",
    "activations",
    "losses",
    "tables",
    "gradient",
    "fast",
    "dense",
    "network",
    "literal",
    "descent",
    "homework",
    "commands",
]
# Rooms of several files, whose own imports are of no floor.
FOLDERS = {"fast", "homework", "commands"}
# Asked for when they are called, and not before: methods that the user looks for where the network is.
DEFERRED = {("network", "homework.advice"), ("network", "homework.saving")}
FILES = sorted([*HOUSE.glob("handgrad/**/*.py"), *HOUSE.glob("verification/**/*.py")])


def imported(path):
    """Return every module that a file imports from the house, wherever in it, and the names that it takes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("handgrad", "verification"):
            for alias in node.names:
                yield node.module, alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in ("handgrad", "verification"):
                    yield alias.name, ""


def room_of(module):
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_of_a_file_is_from_rooms_that_it_may_use(path):
    module = ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__")
    room = room_of(module)
    if room is None:  # verification itself and its __main__ may use them all
        assert module in ("verification", "verification.__main__")
        return
    for target, name in imported(path):
        other = room_of(target) or room_of(f"{target}.{name}")
        assert other == room or other in ROOMS[room], f"{module} must not use {target}"
        assert not name.startswith("_"), f"{module} takes {name}, which {target} keeps to itself"


@pytest.mark.parametrize("path", sorted(HOUSE.glob("handgrad/**/*.py")), ids=lambda path: path.stem)
def test_imports_within_handgrad_is_one_way(path):
    inside = path.relative_to(HOUSE / "handgrad").parts
    own = inside[0] if inside[0] in FOLDERS else path.stem
    if own not in FLOORS:  # __init__ and __main__
        return
    for target, name in imported(path):
        parts = target.split(".")
        other = parts[1] if len(parts) > 1 else name
        assert other in FLOORS, other
        if (own, ".".join(parts[1:])) in DEFERRED:
            assert target not in top_level(path), f"{own} must not load {target} before it is needed"
            continue
        assert other == own in FOLDERS or FLOORS.index(other) < FLOORS.index(own), f"{own} must not use {other}"


def top_level(path):
    """Return the modules that a file loads as soon as it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}


def test_torch_is_loaded_in_one_room():
    for path in FILES:
        inside = path.relative_to(HOUSE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
        if any(name.split(".")[0] == "torch" for name in names):
            assert inside.startswith("verification/autograd/"), inside


def test_mutation_testing_is_by_tests_that_are_there():
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    selected = project["tool"]["mutmut"]["pytest_add_cli_args_test_selection"]
    assert [name for name in selected if not (HOUSE / name).exists()] == []


def test_top_floor_of_handgrad_is_the_subject():
    there = {path.stem for path in (HOUSE / "handgrad").glob("*.py")} - {"__init__", "__main__"}
    assert there == set(FLOORS) - FOLDERS
    assert len((HOUSE / "handgrad" / "network.py").read_text(encoding="utf-8").splitlines()) <= 350


def test_benchmark_is_ten_files():
    assert len(list((HOUSE / "verification" / "benchmark").glob("*.py"))) <= 10
