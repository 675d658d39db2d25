"""Loopback ports: which are free, and who is in the way."""

import errno
import socket
import sys
from pathlib import Path

from cloud.errors import Fatal

HOST = "127.0.0.1"
"""Everything listens here and nowhere else until devices and people have identities."""


def free_port() -> int:
    """A loopback port that nothing listens on now. Another may take it first, so be ready to ask again."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether something listens on loopback `port`. Raises `Fatal` where this user may not listen there at all."""
    try:
        socket.create_server((HOST, port)).close()
    except PermissionError as error:
        raise Fatal(f"port {port} is not ours to use: choose one above 1023 with --mqtt-port") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return True
        raise Fatal(f"port {port} can't be used: {error.strerror}") from error
    return False


def listens(pid: int, port: int) -> bool:
    """Whether process `pid` is the one that listens on `port`. Where there is no /proc to ask, it is believed to be."""
    if sys.platform != "linux":
        return True
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == _LISTENING and int(row[1].split(":")[1], 16) == port}
    try:
        return any(_points_at(entry) in sockets for entry in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return False


_LISTENING = "0A"


def _points_at(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:
        return ""
