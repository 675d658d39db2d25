"""Writes the tree of files that makes a fresh operating system one device."""

import configparser
import io
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from edge_agent.around import load_layout
from edge_agent.config import load
from edge_agent.config.profiles import Profile, parse_profile
from edge_agent.errors import Fatal
from edge_agent.image.device import LAYOUT, Identity, device_document, profile_problems, site_problems, unnamed
from edge_agent.image.packages import DEBIAN, add_packages
from wire.strict import Problem, in_file

SETTINGS = "etc/watchroom"
MANIFEST = f"{SETTINGS}/image.toml"
CONNECTIONS = "etc/NetworkManager/system-connections"
SITE_FOLDERS = ("schemes", "register_maps")
"""What may stand beside a site's own file, and goes along with it."""
CLOCK_FLOOR = "usr/lib/clock-epoch"
"""systemd sets no clock behind the time at which this file was changed (man 8 systemd)."""
APN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
"""An access point's name (3GPP TS 23.003, 9.1); `_` is in some that are in use.

NetworkManager drops a connection whose name has other characters.
"""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be assembled."""

    profile: str
    out: Path
    identity: Identity = Identity()
    more: Path | None = None
    """A TOML in the shape of device.toml: what this site says itself."""
    layout: Path | None = None
    """A station's layout."""
    apn: str | None = None
    """The access point name of the modem's network; without it the modem finds its own."""
    packages: Path | None = None
    """A folder of wheels and Debian packages, to be installed without a network."""


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """What was assembled."""

    out: Path
    profile: Profile
    built_at: datetime
    version: str
    files: int
    unnamed: tuple[str, ...]
    """Keys of device.toml that nobody has said yet."""
    layout: bool
    packages: int
    debian: int
    """How many of the packages are Debian's own; the others are wheels."""
    apn: str | None


class ImageRefused(Fatal):
    """Nothing was assembled. The text says why, a line for each reason."""


def profile_names() -> tuple[str, ...]:
    """Name the profiles that there are."""
    return tuple(sorted(path.stem for path in (_stock() / "profiles").glob("*.toml")))


def assemble(wanted: Wanted, now: datetime) -> Assembled:
    """Assemble the tree in a folder beside `wanted.out`, and put it there whole. Raises ImageRefused.

    `now` is the moment of the build, aware: no clock of the device is ever set behind it.
    """
    profile, board = _read_profile(wanted.profile)
    out = Path(os.path.abspath(wanted.out))
    _refuse_options(wanted, out)
    more = _read_more(wanted.more)
    if problems := tuple(site_problems(board, wanted.identity, more)):
        name = wanted.more.name if wanted.more is not None else "device.toml"
        raise ImageRefused("\n".join(str(in_file(name, each)) for each in problems))
    document = device_document(profile, board, wanted.identity, more)
    if wanted.layout is not None:
        document.setdefault("station", {})["layout"] = LAYOUT
    part = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        packages = _write(part, wanted, profile, document, now)
        if out.exists():
            out.rmdir()
        part.rename(out)
    except OSError as error:
        what, where = error.strerror or str(error), str(error.filename or out).replace(str(part), str(out))
        raise ImageRefused(f"{where}: {what}; nothing was assembled") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Assembled(
        out=out,
        profile=profile,
        built_at=now,
        version=version("watchroom"),
        files=sum(path.is_file() for path in out.rglob("*")),
        unnamed=unnamed(document),
        layout="station" in document,
        packages=packages,
        debian=len(list((out / DEBIAN).glob("*.deb"))),
        apn=wanted.apn,
    )


def _refuse_options(wanted: Wanted, out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ImageRefused(f"{wanted.out}: is there already; give a folder that is empty or not there")
    if out == Path.cwd():
        raise ImageRefused(f"{wanted.out}: is the folder that you are in; give one that is not there, such as device")
    if wanted.apn is not None and not APN.fullmatch(wanted.apn):
        raise ImageRefused(
            f"--apn: is {wanted.apn!r}; expected 1 to 63 letters, digits, ., - and _, as internet.example"
        )


def _write(part: Path, wanted: Wanted, profile: Profile, document: Mapping[str, Any], now: datetime) -> int:
    """Write everything, and give the number of packages."""
    board = profile.profile.board
    for name in ("common", board):
        _lay(_stock() / "tree" / name, part)
    _put(part / "etc/hostname", f"{document['device']['id']}\n")
    _put(
        part / "etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {document['device']['id']}\n::1 localhost ip6-localhost\n"
    )
    _put(part / "etc/udev/rules.d/90-watchroom.rules", (_stock() / "boards" / board / "names.rules").read_text("utf-8"))
    _put(part / CLOCK_FLOOR, f"{now:%Y-%m-%dT%H:%M:%SZ}\n")
    os.utime(part / CLOCK_FLOOR, (now.timestamp(), now.timestamp()))
    _compile_overlay(board, part / "boot/firmware/overlays" / f"watchroom-{board}.dtbo")
    _put_settings(part / SETTINGS, wanted, document)
    told = {"profile": profile.profile.name, "board": board, "version": version("watchroom"), "built_at": now}
    _put(part / MANIFEST, tomli_w.dumps(told))
    if wanted.apn is not None:
        _set_apn(part, wanted.apn)
    packages = add_packages(wanted.packages, part) if wanted.packages else 0
    for path in (part, *part.rglob("*")):  # rsync gives the card's root the mode of the whole
        path.chmod(_mode(path, path.relative_to(part).as_posix()))
    return packages


def _put_settings(folder: Path, wanted: Wanted, document: Mapping[str, Any]) -> None:
    """Write what the agent reads, then load it as the agent will: with a fault in it no device leaves the bench."""
    head = f"# Assembled from profile {wanted.profile}: docs/device.example.toml tells what each key means.\n\n"
    _put(folder / "device.toml", head + tomli_w.dumps(document))
    if wanted.layout is not None:
        shutil.copyfile(wanted.layout, folder / LAYOUT)
    for name in SITE_FOLDERS:
        if wanted.more is not None and (wanted.more.parent / name).is_dir():
            _lay(wanted.more.parent / name, folder / name)
    try:
        load_layout(load(folder / "device.toml", {}))
    except Fatal as error:
        text = str(error).replace(f"{folder}{os.sep}", "")
        raise ImageRefused(f"the device's configuration would be refused; nothing was assembled:\n{text}") from error


def _read_profile(name: str) -> tuple[Profile, dict[str, Any]]:
    path = _stock() / "profiles" / f"{name}.toml"
    if name not in profile_names():
        raise ImageRefused(f"there is no profile {name!r}; give one of {', '.join(profile_names())}")
    found = parse_profile(path.read_text("utf-8"))
    if isinstance(found, tuple):
        raise _refusal(path, found)
    sections = _stock() / "boards" / found.profile.board / "agent.toml"
    if not sections.is_file():
        boards = ", ".join(sorted(each.name for each in (_stock() / "boards").iterdir()))
        problem = Problem("profile.board", f"there is no board {found.profile.board!r}", f"one of {boards}")
        raise _refusal(path, (problem,))
    board = tomllib.loads(sections.read_text("utf-8"))
    problems = tuple(profile_problems(found, board))
    if found.profile.name != name:
        problems += (Problem("profile.name", f"is {found.profile.name!r}, and the file {name}.toml", f"{name!r}"),)
    if problems:
        raise _refusal(path, problems)
    return found, board


def _refusal(path: Path, problems: tuple[Problem, ...]) -> ImageRefused:
    return ImageRefused("\n".join(str(in_file(f"{path.parent.name}/{path.name}", each)) for each in problems))


def _read_more(path: Path | None) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8")) if path is not None else {}
    except OSError as error:
        raise ImageRefused(f"{path}: {error.strerror}; name a TOML in the shape of device.toml") from error
    except ValueError as error:  # no UTF-8, or no TOML
        raise ImageRefused(f"{path}: is not TOML: {error}") from None


def _compile_overlay(board: str, target: Path) -> None:
    source = _stock() / "boards" / board / "overlay.dts"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["dtc", "-@", "-I", "dts", "-O", "dtb", "-o", str(target), str(source)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        do = "install the Debian package device-tree-compiler, then do this again"
        raise ImageRefused(f"the program dtc is missing, which compiles the board's overlay; {do}") from None
    if ran.returncode or ran.stderr:
        raise ImageRefused(f"{source.name} of board {board} does not compile:\n{ran.stderr.strip()}")


def _set_apn(part: Path, apn: str) -> None:
    modems = [
        path for path in sorted((part / CONNECTIONS).glob("*.nmconnection")) if "[gsm]" in path.read_text("utf-8")
    ]
    if not modems:
        raise ImageRefused("--apn: this board has no modem; leave it out")
    for path in modems:
        written = configparser.ConfigParser(interpolation=None)
        written.optionxform = str  # type: ignore[assignment, method-assign]  # its documented way to keep capitals
        written.read_string(path.read_text("utf-8"))
        written["gsm"].pop("auto-config", None)
        written["gsm"]["apn"] = apn
        text = io.StringIO()
        written.write(text, space_around_delimiters=False)
        _put(path, text.getvalue())


def _lay(source: Path, target: Path) -> None:
    """Copy the files of one folder over another's; with the first that fails it ends."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _mode(path: Path, place: str) -> int:
    """Give the mode that a file must have: NetworkManager reads no connection that others may read."""
    if path.is_dir():
        return 0o755
    if place.startswith(CONNECTIONS):
        return 0o600
    return 0o755 if _is_script(path) else 0o644


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def _stock() -> Path:
    return Path(__file__).parents[2] / "firmware_configs"
