"""What a process takes of its machine before it serves: its data folder, its port, its open files."""

import contextlib
import errno
import fcntl
import math
import resource
import socket
from collections.abc import Iterator

from cloud.config import LOOPBACK, Settings
from cloud.errors import Fatal

CLIENT_STALLED_MS = 10_000
"""How long a client may take nothing of what was written to it before the kernel ends its connection."""


def next_slot(slot_s: float, tick_s: float, now_s: float) -> float:
    """The first slot of the grid through `slot_s` that is after both that one and now: what was missed is left out."""
    return slot_s + tick_s * max(1, math.floor((now_s - slot_s) / tick_s) + 1)


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: each board and each device of a broker takes one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextlib.contextmanager
def claim_folder(settings: Settings) -> Iterator[None]:
    """Make the data folder and hold its lock. Raises `Fatal`."""
    data = settings.data
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data / "lock").open("wb")
    except OSError as error:
        raise Fatal(
            f"{data} can't be the data folder: {error.strerror}. Name a folder that can be written to with --data"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Fatal(f"another watchroom is using {data}. Stop it, or name another folder with --data") from None
        yield


@contextlib.contextmanager
def listen_on(port: int, option: str = "--port") -> Iterator[socket.socket]:
    """Listen on a loopback port, which is chosen with `option`. Raises `Fatal`."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, CLIENT_STALLED_MS)
        try:
            listening.bind((LOOPBACK, port))
            listening.listen()
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise Fatal(
                f"port {port} cannot be used: {error.strerror}. Stop what uses it, or choose another with {option}"
            ) from None
        yield listening
