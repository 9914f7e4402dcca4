import gc
import os

import torch
from browsing import browser, opened  # noqa: F401  # fixtures of the tests of pages
from hypothesis import Phase, settings

settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=2000)
# For mutmut: the same few examples for every mutant, and none shrunk.
UNSHRUNK = (Phase.explicit, Phase.generate)
settings.register_profile("mutants", deadline=None, max_examples=10, derandomize=True, phases=UNSHRUNK)
# With CI set, Hypothesis has chosen its own profile "ci" already.
if "CI" not in os.environ:
    settings.load_profile("dev")

# The networks are small: a second thread costs more than it gives.
torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption(
        "--thorough", action="store_true", help="every mistake of the catalogue, and Hypothesis's profile thorough"
    )


def pytest_configure(config):
    if config.getoption("--thorough"):
        settings.load_profile("thorough")


def pytest_collection_finish():
    """Thousands of collected tests stay to the end; the garbage collector need not go through them again and again."""
    gc.collect()
    gc.freeze()
