"""A hand-in's row as Gradescope's autograder reads it: its `results.json`, a test for each equation.

Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
"""

from __future__ import annotations

from typing import Any

from verification.checking.card import RIGHT, UNUSED
from verification.classroom.rows import RIGHT as RIGHT_ROW
from verification.classroom.rows import WRONG as WRONG_ROW
from verification.classroom.rows import Row


def results(row: Row) -> dict[str, Any]:
    """Return what `results.json` holds: one point for each equation that the hand-in uses, and the story above them.

    Parameters
    ----------
    row : Row
        Of one hand-in.

    Returns
    -------
    dict
        For JSON. Gradescope adds the scores of the tests up. What is undeclared is scored as if it were declared, which the
        story says. Where nothing could be judged there is one test, without points;
        what is no equation's fault is a test of its own.
    """
    tests = [
        _test(each["equation"], each["state"] == RIGHT, f"{each['state']}: {each['why']}" if each["why"] else each["state"])
        for each in row.found.get("card") or (row.found.get("with_it") or {}).get("card", [])
        if each["state"] != UNUSED
    ]
    ok = row.verdict == RIGHT_ROW
    if not tests or (row.verdict == WRONG_ROW and all(test["status"] == "passed" for test in tests)):
        tests.append(_test("backpropagation", ok, row.story))
    return {"output": row.story, "output_format": "text", "execution_time": round(row.seconds, 3), "tests": tests}


def _test(name: str, passed: bool, output: str) -> dict[str, Any]:
    return {
        "name": name,
        "score": float(passed),
        "max_score": 1.0,
        "status": "passed" if passed else "failed",
        "output": output,
        "output_format": "text",
    }
