"""The system files of a device, laid out as on it, and what the programs that read them say of them, a line each.

A check takes the folder of a laid-out device and gives every problem. Programs run in a room of their own: a private
view of files, processes, network and shared memory, in which the device's files stand where they belong.
"""

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.programs import require_program
from wire.strict import Problem, closest

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "firmware_configs"
BOARDS = ("vehicle-a", "station-a")
DEADLINE_S = 20.0
"""Far above what any program here takes on a busy machine."""
JOURNALD = "/usr/lib/systemd/systemd-journald"
CONNECTIONS = "etc/NetworkManager/system-connections"
JOURNAL = "etc/systemd/journald.conf.d"
SYSCTL = "etc/sysctl.d"
MODPROBE = "etc/modprobe.d"
RULES = "etc/udev/rules.d"
NAMES = f"{RULES}/90-watchroom.rules"
_MODPROBE_WORDS = ("alias", "blacklist", "install", "options", "remove", "softdep")
_AT_LINE = re.compile(r"^/\S*?/(?P<file>[\w.-]+):(?P<line>\d+):? (?P<says>.*)$", re.MULTILINE)
_WARNED = re.compile(r"^# WARNING: (?P<says>.*) of file '(?P<file>[^']*)'", re.MULTILINE)


class Ran(msgspec.Struct, frozen=True):
    """What a program answered."""

    code: int
    text: str
    """Both what it printed and what it complained of."""


def laid_out(board: str, folder: Path) -> Path:
    """Lay out a board's device as `edge-agent image` does: common files, the board's, and the names of its lines."""
    for layer in ("common", board):
        shutil.copytree(FIRMWARE / "tree" / layer, folder, dirs_exist_ok=True)
    shutil.copyfile(FIRMWARE / "boards" / board / "names.rules", folder / NAMES)
    return folder


def spoil(device: Path, file: str, old: str, new: str) -> Path:
    """Put a fault into a file of a laid-out device. Gives the device."""
    text = (device / file).read_text("utf-8")
    assert old in text, f"{old!r} is not in {file}"
    (device / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return device


def run(*command: str, given: str = "") -> Ran:
    """Run a program to its end."""
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=DEADLINE_S, check=False, cwd=ROOT
    )
    return Ran(done.returncode, done.stdout + done.stderr)


def room(*, script: str) -> tuple[str, ...]:
    """The command that runs a shell script in a room of its own, with an empty /run; all in it ends with it."""
    apart = (
        "unshare",
        "--mount",
        "--propagation",
        "slave",
        "--net",
        "--ipc",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    )
    return (*apart, "sh", "-euc", f"mount -t tmpfs none /run\n{script}")


def network_problems(device: Path) -> tuple[Problem, ...]:
    """What NetworkManager does not understand of its settings and of the connections."""
    require_program("NetworkManager")
    require_program("nmcli")
    conf = "etc/NetworkManager/conf.d"
    said = run(*room(script=f"NetworkManager --print-config --config-dir '{device / conf}'"))
    found = [
        Problem(f"{conf}/{Path(each['file']).name}", each["says"], "a setting that NetworkManager has")
        for each in _WARNED.finditer(said.text)
    ]
    if said.code:
        found.append(Problem(conf, said.text.strip().splitlines()[-1], "settings that NetworkManager reads"))
    for path in sorted((device / CONNECTIONS).iterdir()):
        found += _connection_problems(path, f"{CONNECTIONS}/{path.name}")
    return tuple(found)


def _connection_problems(path: Path, file: str) -> Iterator[Problem]:
    """Send a connection through NetworkManager's own reader: what does not come back as it was, it has not read."""
    written = _keyfile(text := path.read_text("utf-8"))
    answer = run("nmcli", "--offline", "connection", "modify", "connection.id", written["connection"]["id"], given=text)
    if answer.code:
        yield Problem(file, answer.text.strip(), "a connection that NetworkManager reads")
        return
    taken = _keyfile(answer.text)
    for section in written.sections():
        for key, value in written[section].items():
            back = taken[section].get(key) if section in taken else None
            if back != value:
                read = "drops it" if back is None else f"reads it as {back!r}"
                problem = f"is {value!r}, and NetworkManager {read}"
                yield Problem(f"{file}: {section}.{key}", problem, "a setting and a value that it knows")


def _keyfile(text: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read_string(text)
    return parsed


def udev_problems(device: Path) -> tuple[Problem, ...]:
    """What udev does not understand of the rules."""
    said = udev_answer(device, "tty0")
    return tuple(
        Problem(f"{RULES}/{each['file']}: line {each['line']}", each["says"], "a rule that udev reads as it is meant")
        for each in _AT_LINE.finditer(said.text)
    )


def udev_answer(device: Path, line: str) -> Ran:
    """What udev does with the serial line `line` of this machine, in a room with a /dev and groups of its own."""
    require_program("udevadm")
    require_program("systemd-sysusers")
    script = f"""
mkdir -p /run/udev/rules.d /run/own/etc /run/own/usr/lib
cp '{device}'/{RULES}/* /run/udev/rules.d
cp /etc/group /etc/passwd /run/own/etc
cp -r '{device}/usr/lib/sysusers.d' /run/own/usr/lib
systemd-sysusers --root=/run/own >/dev/null 2>&1
mount --bind /run/own/etc/group /etc/group
mount -t tmpfs none /dev
udevadm test --action=add /sys/class/tty/{line}
"""
    return run(*room(script=script))


def journal_problems(device: Path) -> tuple[Problem, ...]:
    """What journald does not understand of its settings. It is started, and ended as soon as it has read them."""
    require_program("timeout")
    script = f"""
mkdir -p /run/systemd/journald.conf.d
cp '{device}'/{JOURNAL}/* /run/systemd/journald.conf.d
SYSTEMD_LOG_TARGET=console timeout 0.3 {JOURNALD} || true
"""
    said = run(*room(script=script))
    return tuple(
        Problem(f"{JOURNAL}/{each['file']}: line {each['line']}", each["says"], "a setting that journald has")
        for each in _AT_LINE.finditer(said.text)
    )


def kernel_problems(device: Path) -> tuple[Problem, ...]:
    """What this machine's kernel has not of the settings, and lines that modprobe would not read.

    Those of the network are truly set, in a room of their own; the others would be set for this whole machine, so that
    only their names are looked for. No program reads modprobe's files here.
    """
    require_program("sysctl")
    found: list[Problem] = []
    for path in sorted((device / SYSCTL).iterdir()):
        own = "\n".join(line for line in path.read_text("utf-8").splitlines() if line.startswith("net."))
        answers = (
            run(*room(script=f"sysctl --dry-run -p '{path}'")),
            run(*room(script="mkdir /run/own\ncat >/run/own/net.conf\nsysctl -p /run/own/net.conf"), given=own),
        )
        for line in (line for each in answers for line in each.text.splitlines() if line.startswith("sysctl: ")):
            problem = line.removeprefix("sysctl: ")
            if not any(name in problem for name in _may_be_missing(path)):
                found.append(Problem(f"{SYSCTL}/{path.name}", problem, "a setting and a value that the kernel has"))
    for path in sorted((device / MODPROBE).iterdir()):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            word = line.partition(" ")[0]
            if word and not word.startswith("#") and word not in _MODPROBE_WORDS:
                problem = f"{word!r} is nothing that modprobe knows{closest(word, _MODPROBE_WORDS)}"
                place = f"{MODPROBE}/{path.name}: line {number}"
                found.append(Problem(place, problem, f"one of {', '.join(_MODPROBE_WORDS)}"))
    return tuple(dict.fromkeys(found))


def _may_be_missing(path: Path) -> list[str]:
    marked = re.findall(r"^-\s*([\w.]+)", path.read_text("utf-8"), re.MULTILINE)
    return [name.replace(".", "/") for name in marked]
