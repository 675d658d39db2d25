"""A device's gpsd in a room of its own: started as its service starts it, with a receiver that is a pseudo terminal.

Inside, /dev holds what a device has there; from outside the receiver is plugged in, and speaks.
"""

import contextlib
import itertools
import json
import os
import re
import socket
import subprocess
import tty
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.namespaces import find_ip, inside
from tests.firmware.system_files import ROOT, room, run
from tests.gpsd_logs import drive
from tests.programs import require_program
from tests.waiting import wait_until
from wire.strict import Problem, closest

SETTINGS = "etc/default/gpsd"
KNOWN = ("DEVICES", "GPSD_OPTIONS", "START_DAEMON", "USBAUTO")
PORT = 2947
RECEIVER = "watchroom/receiver"
FIX_S = 10.0
SOCKETS = f"-l /run/gpsd.sock -l 127.0.0.1:{PORT}"
"""What systemd opens for gpsd.service, by gpsd.socket."""
_SETTING = re.compile(r'^(?P<key>\w+)="(?P<value>[^"$`]*)"$')
_numbers = itertools.count()


def settings_problems(device: Path) -> Iterator[Problem]:
    """Tell what its service would not find in the settings: keys that nothing reads, and devices not under /dev."""
    found: dict[str, str] = {}
    for number, line in enumerate((device / SETTINGS).read_text("utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        place, said = f"{SETTINGS}: line {number}", _SETTING.match(line)
        if said is None:
            yield Problem(place, f"{line!r} sets nothing", 'KEY="value"')
        elif said["key"] not in KNOWN:
            yield Problem(place, f"{said['key']!r} is read by nobody{closest(said['key'], KNOWN)}", ", ".join(KNOWN))
        else:
            found[said["key"]] = said["value"]
    for key in KNOWN:
        if key not in found:
            yield Problem(SETTINGS, f"{key} is missing", f'{key}="..."')
    for path in found.get("DEVICES", "").split():
        if not path.startswith("/dev/"):
            yield Problem(SETTINGS, f"DEVICES names {path!r}", "devices under /dev")


def gpsd_problems(device: Path, folder: Path) -> tuple[Problem, ...]:
    """Tell what is wrong with the settings, then start gpsd with them: whether a receiver's fix comes out of it."""
    found = list(settings_problems(device))
    with gpsd_room(device, folder) as made:
        made.plug()
        try:
            made.brings_fix()
        except AssertionError:
            said = " ".join(made.said()) or "it says nothing"
            found.append(Problem(SETTINGS, f"gpsd gives no fix: {said}", "options and devices that gpsd takes"))
    return tuple(found)


class GpsdRoom:
    """A gpsd and its receiver. Make it with `gpsd_room`."""

    def __init__(self, host: str, log: Path) -> None:
        """Know where it runs and what it says."""
        self._host, self._log = host, log
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        os.chmod(os.ttyname(self._slave), 0o666)  # what is plugged in later is opened as user gpsd
        self._sentences = itertools.cycle(drive(datetime(2026, 5, 1, tzinfo=UTC), count=50))
        self._process: subprocess.Popen[bytes] | None = None
        self._devices: Path | None = None

    def start(self, device: Path) -> None:
        """Start it as its service does; return once it has begun, or has ended."""
        script = f"""
mkdir /run/dev
mount -t tmpfs none /run/dev
for each in null zero urandom; do touch /run/dev/$each; mount --bind /dev/$each /run/dev/$each; done
mkdir /run/dev/pts /run/dev/watchroom
mount --bind /dev/pts /run/dev/pts
mount --rbind /run/dev /dev
. '{device / SETTINGS}'
echo started
exec systemd-socket-activate {SOCKETS} /usr/sbin/gpsd -N $GPSD_OPTIONS ${{OPTIONS:-}} $DEVICES
"""
        apart = [part for part in room(script=script) if part != "--net"]
        enter = (find_ip() or "ip", "netns", "exec", self._host)
        with self._log.open("wb") as out:
            self._process = subprocess.Popen((*enter, *apart), stdout=out, stderr=out, cwd=ROOT)
        wait_until(lambda: "started" in self._log.read_text("utf-8"), what="the room is made")
        self._devices = next((Path("/proc", str(child), "root", "dev") for child in _children(self._process.pid)), None)

    def plug(self) -> None:
        """Plug the receiver in: its name appears, as udev makes it."""
        with contextlib.suppress(FileNotFoundError):  # where gpsd has ended there is nothing to plug it into
            ((self._devices or Path("/nowhere")) / RECEIVER).symlink_to(os.ttyname(self._slave))

    def brings_fix(self, *, deadline_s: float = FIX_S) -> None:
        """Let the receiver speak until a client is told of a fix. Raises AssertionError where none comes."""
        wait_until(self._listens, what="gpsd listens")
        with self._connected() as client:
            with _ended_where_reset():
                client.sendall(b'?WATCH={"enable":true,"json":true};\n')
            client.settimeout(0.05)
            heard = [b""]
            wait_until(lambda: self._speak(client, heard), what="a fix", deadline_s=deadline_s)

    def _connected(self) -> socket.socket:
        with _ended_where_reset():
            return inside(self._host, lambda: socket.create_connection(("127.0.0.1", PORT)))

    def _speak(self, client: socket.socket, heard: list[bytes]) -> bool:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, next(self._sentences))
        try:
            with _ended_where_reset():
                heard[0] += client.recv(65536)
        except TimeoutError:
            return False
        return any(_is_fix(line) for line in heard[0].splitlines())

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "gpsd has ended"
        with inside(self._host, socket.socket) as probe:
            return probe.connect_ex(("127.0.0.1", PORT)) == 0

    def tell(self, action: str) -> None:
        """Tell gpsd of the receiver, as its service for udev does."""
        assert self._process is not None
        (inner,) = _children(self._process.pid)
        enter = ("nsenter", "-m", "-n", "-t", str(inner), "env", "GPSD_SOCKET=/run/gpsd.sock")
        assert run(*enter, "gpsdctl", action, f"/dev/{RECEIVER}").code == 0

    def said(self) -> list[str]:
        """What gpsd has complained of."""
        return [line for line in self._log.read_text("utf-8").splitlines() if "gpsd:" in line and "DBUS" not in line]

    def end(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        os.close(self._slave)
        os.close(self._master)


def _is_fix(line: bytes) -> bool:
    with contextlib.suppress(ValueError):  # the line is not whole yet
        said = json.loads(line)
        return (said.get("class"), said.get("device")) == ("TPV", f"/dev/{RECEIVER}") and said.get("mode", 0) in (2, 3)
    return False


@contextlib.contextmanager
def _ended_where_reset() -> Iterator[None]:
    """What gpsd closes while it is spoken to, it closes because it ends."""
    try:
        yield
    except ConnectionError as error:
        raise AssertionError("gpsd has ended") from error


def _children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    return []


@contextlib.contextmanager
def gpsd_room(device: Path, folder: Path) -> Iterator[GpsdRoom]:
    """A gpsd with the settings of a device, and no receiver yet; until the block ends."""
    require_program("gpsd")
    require_program("ip")
    host = f"wg{os.getpid()}-{next(_numbers)}"
    for words in (("netns", "add", host), ("-n", host, "link", "set", "lo", "up")):
        assert run(find_ip() or "ip", *words).code == 0
    made = GpsdRoom(host, folder / "said")
    try:
        made.start(device)
        yield made
    finally:
        made.end()
        run("ip", "netns", "del", host)
