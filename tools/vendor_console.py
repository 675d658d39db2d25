#!/usr/bin/env python3
"""Renews what the console carries of others, unchanged: `tools/vendor_console.py`, or `make vendor`.

Reads `cloud/console/vendor/manifest.toml`, fetches each package in the version that stands there with `npm pack`,
copies the files that it names, makes the outline of the land anew, and writes every SHA-256 into the manifest. To take
a newer version, change it there and run this. Only this needs node or the internet: nothing does at run time.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from make_land import make_land

CONSOLE = Path(__file__).resolve().parents[1] / "cloud" / "console"
VENDOR = CONSOLE / "vendor"
MANIFEST = VENDOR / "manifest.toml"

HEAD = """\
# What the console carries of others, each file unchanged. A test checks every hash; `make vendor` renews them.
# `files` are paths inside the package and their SHA-256; each is served by its last name, under its package's.
# `added` stands beside them and was not in the package: the licence of one that ships without its text. `made`, in the
# console's own folder, is made from the package by tools/make_land.py.
"""


def digest(content: bytes) -> str:
    """The SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def fetch(name: str, version: str, folder: Path) -> Path:
    """The package's archive, as the registry has it."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True, capture_output=True, text=True
    )
    return folder / packed.stdout.strip().splitlines()[-1]


def read_member(archive: Path, path: str) -> bytes:
    """One file of a package."""
    with tarfile.open(archive) as packed:
        member = packed.extractfile(f"package/{path}")
        if member is None:
            sys.exit(f"{archive.name}: no {path}")
        return member.read()


def renew(package: dict[str, Any], folder: Path) -> list[str]:
    """Copy a package's files. Returns its part of the manifest."""
    name = package["name"]
    archive = fetch(name, package["version"], folder)
    lines = ["", "[[package]]"]
    lines += [f'{key} = "{package[key]}"' for key in ("name", "version", "licence")]
    lines.append(f'archive = "{digest(archive.read_bytes())}"')
    for table, place in (("files", VENDOR / name), ("added", VENDOR / name), ("made", CONSOLE)):
        lines += ["", f"[package.{table}]"] if package.get(table) else []
        for path in package.get(table, {}):
            target = place / (Path(path).name if table == "files" else path)
            target.parent.mkdir(exist_ok=True)
            if table == "files":
                target.write_bytes(read_member(archive, path))
            elif table == "made":
                target.write_bytes(make_land(lambda wanted: read_member(archive, wanted)))
            lines.append(f'"{path}" = "{digest(target.read_bytes())}"')
    return lines


def main() -> None:
    """Renew everything that the manifest names."""
    manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        lines = [line for package in manifest["package"] for line in renew(package, Path(folder))]
    MANIFEST.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
