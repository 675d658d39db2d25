"""A device's chrony in a room of its own, with a receiver that says what time it is: what it reads, and what it does.

chronyd runs with -x: it decides as on a device, tells what it would do, and leaves the clock of this machine alone.
"""

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.firmware.system_files import ROOT, room, run
from tests.programs import require_program
from tests.waiting import wait_until
from wire.strict import Problem

CONF = "etc/chrony"
RECEIVER = f"{CONF}/conf.d/receiver.conf"
WEEKS_1024_S = 1024 * 7 * 86400
"""After so many weeks a receiver's count of weeks begins anew, and its date with it."""
QUICK = ("poll 3", "poll -2 dpoll -4 filter 8")
"""A reading each quarter of a second instead of eight: the same decisions, sooner."""
DECIDES_S = 15.0
_NUMBER = re.compile(r"^-?\d+(?:\.\d+)?(?:e-?\d+)?$")
_WHERE = re.compile(r"(?P<says>.*?)(?: at| in) line (?P<line>\d+) in file (?P<file>\S+)")


def clock_problems(device: Path) -> tuple[Problem, ...]:
    """What chrony does not read of its settings and sources."""
    require_program("chronyd")
    found: list[Problem] = []
    script = f"mount --bind '{device / CONF}' /etc/chrony\nchronyd -p -f /etc/chrony/chrony.conf >/dev/null"
    said = run(*room(script=script))
    found += _problems(said.text)
    for path in sorted(each for each in (device / CONF).rglob("*") if each.is_file()):
        found += _word_problems(path.read_text("utf-8"), path.relative_to(device).as_posix(), device)
    for path in sorted((device / CONF / "sources.d").glob("*")):
        if path.suffix != ".sources":
            found.append(Problem(f"{CONF}/sources.d/{path.name}", "is not read", "a name that ends with .sources"))
        found += _problems(run("chronyd", "-p", "-f", str(path)).text.replace(str(device), ""))
    return tuple(found)


def _word_problems(text: str, file: str, device: Path) -> Iterator[Problem]:
    """Where a number goes on as something else, or a folder is not there: chrony takes what it can and says nothing."""
    for number, line in enumerate(text.splitlines(), 1):
        words = [] if line.startswith("#") else line.split()
        if words[:1] in (["confdir"], ["sourcedir"]) and words[1].startswith("/etc"):
            if not (device / words[1].lstrip("/")).is_dir():
                yield Problem(f"{file}: line {number}", f"there is no {words[1]}", "a folder of the device")
        for word in words[2:] if words[:1] in (["pool"], ["server"]) else words[1:]:
            if word.lstrip("-")[:1].isdigit() and not _NUMBER.match(word):
                yield Problem(f"{file}: line {number}", f"{word!r} is no number", "a number")


def _problems(text: str) -> Iterator[Problem]:
    for line in text.splitlines():
        if line.startswith(("#", "pool ", "server ")):
            continue
        found = _WHERE.search(line)
        place = f"{found['file'].lstrip('/')}: line {found['line']}" if found else CONF
        yield Problem(place, found["says"].strip() if found else line, "a directive that chrony has")


class ClockRoom:
    """A chronyd, and what it has said so far."""

    def __init__(self, log: Path) -> None:
        """Read what it says from `log`."""
        self._log = log

    def said(self) -> str:
        """Everything that it has said."""
        return self._log.read_text("utf-8")

    def says(self, text: str) -> None:
        """Wait until it says so."""
        wait_until(lambda: text in self.said(), what=f"chronyd says {text!r}", deadline_s=DECIDES_S)


@contextlib.contextmanager
def clock_room(device: Path, folder: Path, *, off_s: float, pulse: bool = True) -> Iterator[ClockRoom]:
    """A chronyd of a device whose receiver is `off_s` seconds off, with or without its pulse; until the block ends."""
    require_program("chronyd")
    conf, log = folder / "chrony", folder / "said"
    shutil.copytree(device / CONF, conf)
    shutil.rmtree(conf / "sources.d")  # no network: nobody is asked
    receiver = conf / "conf.d" / "receiver.conf"
    receiver.write_text(receiver.read_text("utf-8").replace(*QUICK), encoding="utf-8")
    speak = f"'{sys.executable}' -m tests.firmware.receiver_memory"
    script = f"""
mount --bind '{conf}' /etc/chrony
mount -t tmpfs none /var/lib
install -d -o _chrony /var/lib/chrony
chronyd -x -d -f /etc/chrony/chrony.conf &
{speak} {off_s} {2 if pulse else ""}
"""
    with log.open("wb") as out:
        process = subprocess.Popen(room(script=script), stdout=out, stderr=out, cwd=ROOT)
    try:
        yield ClockRoom(log)
    finally:
        process.kill()
        process.wait()
