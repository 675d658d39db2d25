"""What every test may ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import programs

pytest_plugins = ["tests.brokers", "tests.chromium"]


LONG = (
    "tests/scenario/test_scenario", "tests/chaos/", "tests/scenario/test_island", "tests/endtoend/", "tests/scenario/",
    "tests/simulator/",
)  # fmt: skip
"""What takes longest, in the order in which it is begun: nobody waits at the end for the last of it."""
BROWSER = "tests/browser/"
"""It computes, for a browser draws without a graphics card: its files are spread over the rest, which mostly waits."""
SPREAD = 0.8
"""Over so much of it: no long one is begun at the end."""


def pytest_configure() -> None:
    """Let no test see what another has mounted."""
    programs.mount_apart()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; several run side by side on two cores, which are never idle so."""
    files = list(dict.fromkeys(item.nodeid.partition("::")[0] for item in items))
    browser = [file for file in files if file.startswith(BROWSER)]
    rest = [file for file in files if not file.startswith((*LONG, BROWSER))]
    order = {file: float(at) for at, part in reversed(list(enumerate(LONG))) for file in files if file.startswith(part)}
    order |= {file: len(LONG) + at / len(rest) for at, file in enumerate(rest)}
    order |= {file: len(LONG) + SPREAD * at / len(browser) for at, file in enumerate(browser)}
    items.sort(key=lambda item: order[item.nodeid.partition("::")[0]])


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], Path]:
    """A function: the path of a program, or a skip where it is missing, which is a failure under WATCHROOM_CI=1."""
    return programs.require_program


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of recorded data, or a skip where WATCHROOM_REAL_DATA is unset."""
    return programs.real_data_folder()
