"""What every test may ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import programs

pytest_plugins = ["tests.brokers", "tests.chromium"]


FIRST = "tests/scenario/test_scenario"
"""It computes on both cores for longer than anything else."""
WAITING = ("tests/chaos/", "tests/endtoend/", "tests/scenario/", "tests/simulator/", "tests/foreign/")
"""What takes long and mostly waits: for clocks, processes and time-outs."""
COMPUTING = ("tests/browser/",)
"""What takes long and mostly computes: a browser draws without a graphics card."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, those that wait between those that compute.

    Several files run side by side on two cores: so the cores are never idle, and never shared by too many.
    """
    files = list(dict.fromkeys(item.nodeid.partition("::")[0] for item in items))
    places = {file: place for group in (WAITING, COMPUTING) for file, place in _places(files, group)}
    order = {file: -1.0 if file.startswith(FIRST) else places.get(file, 1.0) for file in files}
    items.sort(key=lambda item: order[item.nodeid.partition("::")[0]])


def _places(files: list[str], group: tuple[str, ...]) -> list[tuple[str, float]]:
    """Spread the files of a group evenly from 0 to 1."""
    found = sorted((file for file in files if file.startswith(group)), key=lambda file: _rank(file, group))
    return [(file, at / len(found)) for at, file in enumerate(found)]


def _rank(file: str, group: tuple[str, ...]) -> int:
    return next(at for at, part in enumerate(group) if file.startswith(part))


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], Path]:
    """A function: the path of a program, or a skip where it is missing, which is a failure under WATCHROOM_CI=1."""
    return programs.require_program


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of recorded data, or a skip where WATCHROOM_REAL_DATA is unset."""
    return programs.real_data_folder()
