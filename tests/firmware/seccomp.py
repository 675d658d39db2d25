"""The system calls that a unit lets through, as systemd would set it up, put in place by libseccomp.

As a program: `seccomp.py FILTER COMMAND…`, its filter in JSON, puts it in place and becomes the command.
It applies SystemCallFilter, SystemCallErrorNumber, SystemCallArchitectures=native, RestrictAddressFamilies,
MemoryDenyWriteExecute and RestrictNamespaces. It imports nothing of this project, for it runs inside the sandbox.
"""

import ctypes
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
"""SCMP_ACT_ALLOW and SCMP_ACT_ERRNO of seccomp.h; the number of the error goes into the lower half."""
EQUAL, MASKED = 4, 7
"""SCMP_CMP_EQ and SCMP_CMP_MASKED_EQ."""
FAMILIES_MAX = 46
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
NAMESPACES = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
"""CLONE_NEWTIME, NS, CGROUP, UTS, IPC, USER, PID and NET of sched.h."""


class _Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def allowed_calls(filters: Sequence[str]) -> list[str]:
    """The calls that a unit's lines of SystemCallFilter leave, where the first is a list of calls to let through."""
    left: set[str] = set()
    for line in filters:
        named = {call for word in line.removeprefix("~").split() for call in _calls(word)}
        left = left - named if line.startswith("~") else left | named
    return sorted(left)


def _calls(word: str) -> Iterable[str]:
    """A call's own name, or those of a set such as @system-service, and of the sets in it."""
    if not word.startswith("@"):
        return (word,)
    done = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True)
    rows = [row.strip() for row in done.stdout.splitlines()[1:]]
    return [call for row in rows if row and row[0] != "#" for call in _calls(row)]


class _Filter:
    def __init__(self, default: int) -> None:
        self._lib = ctypes.CDLL("libseccomp.so.2")
        self._lib.seccomp_init.restype = ctypes.c_void_p
        self._filter = ctypes.c_void_p(self._lib.seccomp_init(ctypes.c_uint32(default)))

    def add(self, action: int, call: str, *compare: tuple[int, int, int, int]) -> None:
        """Add a rule. A call that this machine's kernel has not is left out."""
        number = self._lib.seccomp_syscall_resolve_name(call.encode())
        rows = (_Compare * len(compare))(*(_Compare(*one) for one in compare))
        if number >= 0:
            done = self._lib.seccomp_rule_add_array(
                self._filter, ctypes.c_uint32(action), number, len(compare), rows
            )  # fmt: skip
            if done:
                raise OSError(-done, f"no rule for {call}")

    def load(self) -> None:
        """Put it in place, for this process and all that come of it."""
        if done := self._lib.seccomp_load(self._filter):
            raise OSError(-done, "the filter is refused")


def put_in_place(wanted: dict[str, Any]) -> None:
    """Let through only `calls`, sockets of `families`, and, where wanted, no new code in memory and no namespaces."""
    denied = ERRNO | errno.EPERM
    others = _Filter(ALLOW)
    if wanted["families"]:
        for family in set(range(FAMILIES_MAX)) - {getattr(socket, name).value for name in wanted["families"]}:
            others.add(ERRNO | errno.EAFNOSUPPORT, "socket", (0, EQUAL, family, 0))
    if wanted["deny_new_code"]:
        others.add(denied, "mmap", (2, MASKED, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC))
        for call in ("mprotect", "pkey_mprotect"):
            others.add(denied, call, (2, MASKED, PROT_EXEC, PROT_EXEC))
        others.add(denied, "shmat", (2, MASKED, SHM_EXEC, SHM_EXEC))
    if wanted["deny_namespaces"]:
        for flag in NAMESPACES:
            for call in ("clone", "unshare"):
                others.add(denied, call, (0, MASKED, flag, flag))
        others.add(denied, "setns")
        others.add(ERRNO | errno.ENOSYS, "clone3")
    only = _Filter(denied)
    for call in wanted["calls"]:
        only.add(ALLOW, call)
    others.load()
    only.load()


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    if wanted["listening"] is not None:  # as sd_listen_fds(3) expects it
        os.dup2(wanted["listening"], 3)
        os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
    put_in_place(wanted)
    os.execv(sys.argv[2], sys.argv[2:])
