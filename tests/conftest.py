"""What every test may ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import programs

pytest_plugins = ["tests.brokers", "tests.chromium"]


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], Path]:
    """A function: the path of a program, or a skip where it is missing, which is a failure under WATCHROOM_CI=1."""
    return programs.require_program


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of recorded data, or a skip where WATCHROOM_REAL_DATA is unset."""
    return programs.real_data_folder()
