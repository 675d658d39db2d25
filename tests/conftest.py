"""What every test may ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import programs

pytest_plugins = ["tests.brokers", "tests.chromium"]


LONG = (
    "tests/scenario/test_scenario", "tests/chaos/", "tests/scenario/test_island", "tests/endtoend/", "tests/scenario/",
    "tests/simulator/", "tests/browser/",
)  # fmt: skip
"""What takes longest, in the order in which it is begun: nobody waits at the end for the last of it. What computes is
parted by what mostly waits, for several files run side by side on two cores."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: next((at for at, part in enumerate(LONG) if item.nodeid.startswith(part)), len(LONG)))


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], Path]:
    """A function: the path of a program, or a skip where it is missing, which is a failure under WATCHROOM_CI=1."""
    return programs.require_program


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of recorded data, or a skip where WATCHROOM_REAL_DATA is unset."""
    return programs.real_data_folder()
