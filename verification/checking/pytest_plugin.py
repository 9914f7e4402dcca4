"""pytest's options for the conformance suite: `pytest --pyargs verification.conformance --submission homework.py`.

pytest loads this in every run where handgrad is installed (it knows no other way to give an installed suite options), so it
loads nothing else until a submission is given.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from verification.submissions.remote import Remote

SUITE = "verification.conformance"
SUBMISSION: pytest.StashKey[Remote] = pytest.StashKey()
STRICT: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    group = parser.getgroup("submission", f"somebody else's backpropagation (pytest --pyargs {SUITE})")
    group.addoption("--submission", metavar="FILE", help="the Python file that holds it")
    group.addoption("--submission-strict", action="store_true", help="fail for notes, too")
    group.addoption("--submission-name", metavar="NAME", help="the function or class in it, if it holds several")


def pytest_configure(config: pytest.Config) -> None:
    """Start the submission, so that what it supports is known when the tests are collected."""
    path = config.getoption("--submission")
    if path is None:
        return
    from verification.submissions.answers import SubmissionError
    from verification.submissions.remote import Remote

    try:
        remote = Remote(path, config.getoption("--submission-name"))
    except SubmissionError as error:
        raise pytest.UsageError(str(error).replace("with --name", "with --submission-name")) from None
    config.stash[SUBMISSION] = remote
    config.stash[STRICT] = bool(config.getoption("--submission-strict"))
    config.add_cleanup(remote.close)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say whose backpropagation is tested."""
    remote = config.stash.get(SUBMISSION, None)
    return [] if remote is None else [f"submission: {remote.file}, {'class' if remote.is_class else 'function'} {remote.name}"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave the first line of a story for pytest's summary, which on CI would tell the whole story once more."""
    report = yield
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None and SUBMISSION in item.config.stash and _is_of_suite(item):
        crash.message = crash.message.partition("\n")[0]
    return report


def _is_of_suite(item: pytest.Item) -> bool:
    return getattr(getattr(item, "module", None), "__name__", None) == SUITE


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say what is missing if the suite is to be run without a submission."""
    if SUBMISSION in config.stash:
        return
    if any(map(_is_of_suite, items)):
        raise pytest.UsageError(f"{SUITE} checks somebody's file: say which with --submission FILE")
