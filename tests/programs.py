"""Finds the programs and data that tests need, and says what becomes of a test where they are missing."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Where Debian puts servers; often not on a user's PATH."""
_CLONE_NEWNS, _MS_REC, _MS_SLAVE = 0x20000, 0x4000, 0x80000
"""From the kernel's linux/sched.h and linux/mount.h."""


def in_ci() -> bool:
    """Whether a missing program must fail the test that needs it."""
    return os.environ.get("WATCHROOM_CI") == "1"


def give_up(reason: str) -> NoReturn:
    """Skip the test for what this machine lacks or does not permit, and say it; under WATCHROOM_CI=1 it fails."""
    if in_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require_namespaces() -> None:
    """Give up where this machine lets nobody make namespaces and mount in them: root alone may, and not everywhere."""
    asked = [str(require_program("unshare")), "--mount", "--net", "--ipc", "--pid", "--fork", "true"]
    tried = subprocess.run(asked, capture_output=True, text=True, check=False)
    if tried.returncode:
        give_up(f"no namespaces can be made here (it needs root, with CAP_SYS_ADMIN): {tried.stderr.strip()}")


def mount_apart() -> None:
    """Give this process's mounts to nobody else, as far as this machine permits it.

    Tests run side by side, and some make mount namespaces: each would hold a copy of what another test has mounted just
    then. Where that test goes on to write over the block device, the kernel tries for ever to write that copy back.
    """
    libc = ctypes.CDLL(None)
    if libc.unshare(_CLONE_NEWNS) == 0:
        libc.mount(None, b"/", None, _MS_REC | _MS_SLAVE, None)


def require_program(name: str) -> Path:
    """The path of a program. Where it is missing the test is skipped; under WATCHROOM_CI=1 it fails."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", ""), *SYSTEM_FOLDERS]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is not None:
        return Path(found)
    give_up(f"{name} is not installed: run `make setup-test`")


def require_node_packages() -> Path:
    """The folder of the scripts that tests run on node, its packages installed. Skips or fails as `require_program`."""
    require_program("node")
    folder = Path(__file__).parent / "node"
    if not (folder / "node_modules" / ".package-lock.json").is_file():
        give_up("the packages of tests/node are not installed: run `make setup-test`")
    return folder


def real_data_folder() -> Path:
    """The folder of recorded data that WATCHROOM_REAL_DATA names. Where it is unset the test is skipped, even in CI."""
    named = os.environ.get("WATCHROOM_REAL_DATA")
    if not named:
        pytest.skip("WATCHROOM_REAL_DATA is unset: no recorded data to test with")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"WATCHROOM_REAL_DATA names no folder: {folder}", pytrace=False)
    return folder
