"""Becomes another program, tied to its parent: a script that runs `PROGRAM` so that it can't outlive who started it.

Usage: python tether.py PARENT_PID PROGRAM ARGUMENT...

The kernel sends the signal when the *thread* that started this script ends, so start it from a thread that lives as
long as the program should. It is a script, not a function run between fork and exec: that is not safe beside other
threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <sys/prctl.h>. It survives the exec of an ordinary program, not of a set-user-id one."""


def become(parent_pid: int, argv: list[str]) -> None:
    """Replace this process by `argv`, killed with its parent. Exits with 1 where the parent is already gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit(1)
    os.execv(argv[0], argv)


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
