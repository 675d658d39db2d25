"""What the page carries of others is what its manifest says, whole and unchanged."""

import hashlib
import json
import tomllib
from importlib.resources.abc import Traversable
from typing import Any

import pytest

from cloud import console

VENDOR = console.FILES / "vendor"
MANIFEST: list[dict[str, Any]] = tomllib.loads((VENDOR / "manifest.toml").read_text(encoding="utf-8"))["package"]
LAND_BYTES_MAX = 400_000


def shipped(folder: Traversable = VENDOR, prefix: str = "") -> set[str]:
    """Paths of everything in the folder, the manifest left out."""
    inside = {path for entry in folder.iterdir() if entry.is_dir() for path in shipped(entry, f"{prefix}{entry.name}/")}
    return inside | {f"{prefix}{entry.name}" for entry in folder.iterdir() if entry.is_file()} - {"manifest.toml"}


def named() -> dict[str, str]:
    """Path below the vendor folder to SHA-256, of everything that the manifest names."""
    files = {f"{one['name']}/{path.rpartition('/')[2]}": sha for one in MANIFEST for path, sha in one["files"].items()}
    added = {f"{one['name']}/{path}": sha for one in MANIFEST for path, sha in one.get("added", {}).items()}
    return files | added


def digest(file: Traversable) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(autouse=True, scope="module")
def _tables() -> None:
    for package in MANIFEST:
        package.setdefault("files", {})


def test_every_file_is_named_and_unchanged() -> None:
    """Each vendored file is the one whose hash the manifest holds, and none lies there unnamed."""
    assert {path: digest(VENDOR.joinpath(*path.split("/"))) for path in shipped()} == named()


def test_each_package_has_its_version_and_licence() -> None:
    """Each package says which version it is, under which licence, and which archive it came from."""
    assert MANIFEST
    for package in MANIFEST:
        assert package["version"].replace(".", "").isdigit() and package["licence"] and len(package["archive"]) == 64


def test_each_package_that_is_shipped_brings_its_licence() -> None:
    """The text of the licence stands beside every vendored package's files."""
    folders = {path.split("/")[0] for path in shipped()}
    assert {path.split("/")[0] for path in shipped() if "LICENSE" in path} == folders


def test_the_land_is_the_one_that_was_made() -> None:
    """The outline of the land is the one whose hash the manifest holds, small, and has Great Britain's shape in it."""
    (made,) = [table for package in MANIFEST for table in [package.get("made")] if table]
    ((path, sha),) = made.items()
    file = console.FILES.joinpath(*path.split("/"))
    assert digest(file) == sha
    assert len(file.read_bytes()) < LAND_BYTES_MAX
    land = json.loads(file.read_bytes())
    longest = max(len(ring) for polygon in land["polygons"] for ring in polygon)
    assert longest > 1000 and all(len(ring) % 2 == 0 for polygon in land["polygons"] for ring in polygon)


def test_nothing_vendored_is_served_but_what_a_page_loads() -> None:
    """Manifest and licences are shipped, not served."""
    assert [path for path in console.read_parts() if path.endswith((".toml", "LICENSE", ".txt", ".py"))] == []
