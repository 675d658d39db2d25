"""Runs a command as a unit of the device would, on this machine, as far as that goes without systemd as process 1.

The root is the device's assembled tree over this system, read-only, in mount and IPC namespaces of its own. What of a
unit's sandbox is put in place, and what is not, stands in `APPLIED` and `NOT_APPLIED`; a test holds both to the unit.
"""

import json
import os
import pwd
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.firmware import seccomp
from tests.firmware.units import UnitFile
from tests.programs import require_namespaces, require_program

REPOSITORY = Path(__file__).parents[2]
APPLIED = frozenset(
    (
        "ExecStart User Group SupplementaryGroups UMask Environment StateDirectory StateDirectoryMode RuntimeDirectory "
        "RuntimeDirectoryMode LimitCORE TasksMax MemoryMax ProtectSystem ProtectHome PrivateTmp PrivateMounts "
        "ProtectProc ProtectKernelTunables ProtectControlGroups NoNewPrivileges CapabilityBoundingSet "
        "AmbientCapabilities MemoryDenyWriteExecute PrivateIPC RestrictNamespaces RestrictAddressFamilies "
        "SystemCallArchitectures SystemCallErrorNumber SystemCallFilter NotifyAccess WatchdogSec Type"
    ).split()
)
"""TasksMax and MemoryMax as limits of the process: of its user's tasks, and of the memory that it can write to."""
NOT_APPLIED = {
    **dict.fromkeys(
        ("DevicePolicy", "DeviceAllow"), "needs BPF on a control group: /dev has the few nodes of `closed`"
    ),
    **dict.fromkeys(("IPAddressDeny", "IPAddressAllow"), "needs BPF on a control group"),
    **dict.fromkeys(("MemoryHigh", "OOMScoreAdjust"), "needs a memory control group that is the service's alone"),
    **dict.fromkeys(("Restart", "RestartSec", "TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec"), "is systemd's"),
    **dict.fromkeys(("KeyringMode", "RemoveIPC"), "is systemd's, at the start and the end"),
    "ProtectKernelModules": "what the empty set of capabilities and the system calls leave of it is nothing",
    "ProtectKernelLogs": "likewise",
    "ProtectHostname": "likewise, but for a host name of its own",
    "LockPersonality": "a filter of an argument that is not rebuilt here",
    "RestrictRealtime": "the calls that it limits are all refused",
    "RestrictSUIDSGID": "a filter of an argument that is not rebuilt here",
}
"""Each with why not."""

_ENTER = """
set -eu
umask 022
mount -t tmpfs tmpfs {scratch}
mkdir {scratch}/root
cp -a {device} {scratch}/device
mount -t overlay overlay -o lowerdir={scratch}/device:/ {scratch}/root
cd {scratch}/root
mount -t proc -o hidepid=invisible proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/shm dev/pts
mount --rbind /dev/pts dev/pts
for node in null zero full random urandom tty; do : > dev/$node; mount --bind /dev/$node dev/$node; done
{devices}
mount --rbind /sys sys
mount -o remount,bind,ro sys
for folder in tmp var/tmp home root run; do mount -t tmpfs -o mode=755 tmpfs $folder; done
chmod 1777 tmp var/tmp
for folder in {readable}; do
    mkdir -p ./$folder
    mount --bind $folder ./$folder
    mount -o remount,bind,ro ./$folder
done
{writable}
umask {umask}
exec chroot . {before} env -i WATCHDOG_PID=$$ {command}
"""


def require_sandbox() -> None:
    """Skip the test, or in CI fail it, where this machine lets nobody make one."""
    for name in ("setpriv", "prlimit", "systemd-analyze", "systemd-sysusers"):
        require_program(name)
    require_namespaces()


class Sandbox:
    """A unit's way of running things. `state` and `runtime` are its folders, seen from outside."""

    def __init__(self, unit: UnitFile, *, device: Path, folder: Path, devices: Mapping[str, str] | None = None) -> None:
        """Take a device's assembled tree, which gets this system's users and the unit's own, and a folder to use.

        `devices` stand in /dev beside the few that every service has: by name, what each leads to.
        """
        self._unit, self._device, self._devices = unit, device, devices or {}
        if not (device / "etc/passwd").exists():
            for name in ("passwd", "group"):
                shutil.copyfile(Path("/etc") / name, device / "etc" / name)
            subprocess.run(["systemd-sysusers", f"--root={device}"], check=True, capture_output=True)
        self.state, self.runtime = folder / "state", folder / "run"
        self._scratch = folder / "scratch"
        self._scratch.mkdir()
        for path, mode in ((self.state, "StateDirectoryMode"), (self.runtime, "RuntimeDirectoryMode")):
            path.mkdir()
            os.chown(path, *self.ids)
            path.chmod(int(unit.one(mode) or "0755", 8))

    @property
    def ids(self) -> tuple[int, int]:
        """The numbers of the unit's user and group."""
        user = self._unit.one("User") or "root"
        rows = [line.split(":") for line in (self._device / "etc/passwd").read_text("utf-8").splitlines()]
        return next((int(row[2]), int(row[3])) for row in rows if row[0] == user)

    def command(self, *words: str, environ: Mapping[str, str] | None = None, listening: int | None = None) -> list[str]:
        """The whole command that runs `words` as the unit would. It stays one process, of one number.

        `listening` is handed over as systemd hands over the socket of a unit that it starts for its first client.
        """
        unit = self._unit
        enter = _ENTER.format(
            scratch=shlex.quote(str(self._scratch)),
            device=shlex.quote(str(self._device)),
            readable=" ".join(shlex.quote(str(path)) for path in (REPOSITORY, sys.prefix, sys.base_prefix)),
            writable=self._writable(),
            devices="\n".join(
                f"mkdir -p $(dirname dev/{name}); ln -s {to} dev/{name}" for name, to in self._devices.items()
            ),
            umask=unit.one("UMask") or "022",
            before=shlex.join([*self._limits(), *self._rights()]),
            command=shlex.join([*self._environ(environ or {}), *self._calls(listening), *words]),
        )
        # Slave: what others unmount meanwhile goes from in here too, or their disks could not be given back.
        return ["unshare", "--mount", "--ipc", "--propagation", "slave", "sh", "-c", enter]

    def _writable(self) -> str:
        lines = []
        for setting, place, path in (
            ("RuntimeDirectory", "run", self.runtime),
            ("StateDirectory", "var/lib", self.state),
        ):
            if name := self._unit.one(setting):
                inside = f"{place}/{name}"
                lines.append(f"[ -d {inside} ] || mkdir {inside}\nmount --bind {shlex.quote(str(path))} {inside}")
        return "\n".join(lines)

    def _limits(self) -> list[str]:
        limits = {"--core": self._unit.one("LimitCORE"), "--nproc": self._unit.one("TasksMax")}
        if memory := self._unit.one("MemoryMax"):
            limits["--data"] = str(int(memory.removesuffix("M")) * 2**20)
        return ["prlimit", *(f"{option}={value}" for option, value in limits.items() if value)]

    def _rights(self) -> list[str]:
        unit = self._unit
        kept = ["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in _words(unit, "CapabilityBoundingSet"))]
        rights = [f"--bounding-set={','.join(kept)}", "--inh-caps=-all", "--ambient-caps=-all"]
        if unit.one("NoNewPrivileges") == "yes":
            rights.append("--no-new-privs")
        if user := unit.one("User"):
            groups = [unit.one("Group"), *_words(unit, "SupplementaryGroups")]
            rights += [f"--reuid={user}", f"--regid={unit.one('Group')}", f"--groups={','.join(groups)}"]
        return ["setpriv", *rights]

    def _environ(self, more: Mapping[str, str]) -> list[str]:
        own = dict(word.split("=", 1) for word in _words(self._unit, "Environment"))
        folders = (("STATE_DIRECTORY", "StateDirectory", "/var/lib"), ("RUNTIME_DIRECTORY", "RuntimeDirectory", "/run"))
        told = {name: f"{place}/{self._unit.one(key)}" for name, key, place in folders if self._unit.one(key)}
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
        user = self._unit.one("User") or pwd.getpwuid(0).pw_name
        every = {"PATH": path, "LANG": "C.UTF-8", "USER": user, **own, **told, **more}
        return [f"{name}={value}" for name, value in every.items()]

    def _calls(self, listening: int | None) -> list[str]:
        calls = seccomp.allowed_calls(self._unit.all("SystemCallFilter"))
        wanted = {
            "calls": calls,
            "families": _words(self._unit, "RestrictAddressFamilies"),
            "deny_new_code": self._unit.one("MemoryDenyWriteExecute") == "yes",
            "deny_namespaces": self._unit.one("RestrictNamespaces") == "yes",
            "listening": listening,
        }
        return [sys.executable, "-I", str(Path(seccomp.__file__)), json.dumps(wanted)]


def _words(unit: UnitFile, key: str) -> Sequence[str]:
    return [word for value in unit.all(key) for word in value.split()]
