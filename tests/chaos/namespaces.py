"""Hosts of our own: a cloud and some devices, each in a network namespace, with a bad network between them.

Every device has a link of its own to the cloud, through the bridge of `impair`. In each of these namespaces 127/8 is
an ordinary network, so that what listens on 127.0.0.1 in the cloud's is reached from a device's by that very address:
the programs run as they are delivered, and a TCP connection goes from end to end with nothing in between.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import itertools
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from tests.chaos.impair import CLEAR, Profile, Shape
from tests.programs import SYSTEM_FOLDERS

Result = TypeVar("Result")
ROOT = Path(__file__).parents[2]
READY_S = 20.0
NAMES = Path("/run/netns")
_PREFIX = "wr"
_numbers = itertools.count()
_CLONE_NEWNET = 0x40000000
_SIOCETHTOOL = 0x8946
_OFFLOADS = (0x17, 0x19, 0x1F, 0x24, 0x2C)
"""ETHTOOL_STXCSUM, SSG, STSO, SGSO, SGRO of <linux/ethtool.h>: with these on, what a raw socket reads is no packet."""


def find_ip() -> str | None:
    """The program `ip` of iproute2."""
    return shutil.which("ip", path=os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_FOLDERS]))


def what_is_missing() -> str | None:
    """Say why no namespaces can be made here; None where they can."""
    ip = find_ip()
    if ip is None:
        return "ip is not installed: run `make setup-test`"
    try:
        with _made(Hosts(ip, 1)) as hosts:
            inside(hosts.cloud, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close())
    except OSError as error:
        return f"no network of our own can be made here (root can, with CAP_SYS_ADMIN and CAP_NET_ADMIN): {error}"
    return None


def inside(namespace: str | None, act: Callable[[], Result]) -> Result:
    """Do something in a namespace, in a thread that ends with it. A socket that it opens stays in there."""
    if namespace is None:
        return act()
    with ThreadPoolExecutor(1, initializer=_enter, initargs=(namespace,)) as pool:
        return pool.submit(act).result()


def _enter(namespace: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with (NAMES / namespace).open("rb") as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"can't enter the namespace {namespace}")


class Hosts:
    """The namespaces, and the network between them. Make it with `hosts`."""

    def __init__(self, ip: str, devices: int) -> None:
        """Name them; nothing is made yet."""
        self._ip = ip
        stem = f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        self.cloud, self._middle = f"{stem}c", f"{stem}m"
        self.devices = [f"{stem}d{place}" for place in range(devices)]
        self._bridge: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()

    async def shape(self, device: int, up: Profile = CLEAR, down: Profile = CLEAR) -> None:
        """Change a device's link, and return once that is in force."""
        async with self._asking:
            await self._ask(msgspec.json.encode(Shape(link=device, up=up, down=down)) + b"\n")

    async def _ask(self, line: bytes) -> None:
        assert self._bridge is not None and self._bridge.stdin is not None and self._bridge.stdout is not None
        self._bridge.stdin.write(line)
        answer = await asyncio.wait_for(self._bridge.stdout.readline(), READY_S)
        assert answer, "the bridge has ended"

    async def start_bridge(self) -> None:
        """Let packets through."""
        pairs = [f"u{place}:v{place}" for place in range(len(self.devices))]
        self._bridge = await asyncio.create_subprocess_exec(
            *(self._ip, "netns", "exec", self._middle, sys.executable, "-m", "tests.chaos.impair", *pairs),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        await self._ask(b"")

    async def stop_bridge(self) -> None:
        """Let go of it: it ends with its stdin."""
        if self._bridge is not None and self._bridge.stdin is not None:
            self._bridge.stdin.close()
            await self._bridge.wait()

    def make(self) -> None:
        """Make the namespaces and their links."""
        for name in (self.cloud, self._middle, *self.devices):
            self._run("netns", "add", name)
            inside(name, _allow_loopback_addresses)
        self._run("-n", self.cloud, "link", "set", "lo", "up")
        self._run("-n", self.cloud, "addr", "flush", "dev", "lo")
        self._run("-n", self.cloud, "addr", "add", "127.0.0.1/32", "dev", "lo")
        for place, device in enumerate(self.devices):
            self._join(place, device)

    def _join(self, place: int, device: str) -> None:
        """Lay a link: `e` at the device, `u` and `v` at the bridge, `c` at the cloud."""
        ends = [(device, "e", f"127.77.{place}.1", 1), (self.cloud, f"c{place}", f"127.77.{place}.2", 2)]
        for (host, end, address, last), middle in zip(ends, (f"u{place}", f"v{place}"), strict=True):
            peer = ("peer", "name", middle, "netns", self._middle)
            self._run("link", "add", end, "netns", host, "address", _mac(place, last), "type", "veth", *peer)
            self._run("-n", self._middle, "link", "set", middle, "up")
            self._run("-n", host, "addr", "add", f"{address}/24", "scope", "global", "dev", end)
            self._run("-n", host, "link", "set", end, "up")
            other = f"127.77.{place}.{3 - last}"
            known = ("lladdr", _mac(place, 3 - last), "nud", "permanent")
            self._run("-n", host, "neigh", "add", other, *known, "dev", end)
            inside(host, lambda end=end: _switch_offloads_off(end))  # type: ignore[misc]
        way = ("127.0.0.1/32", "via", f"127.77.{place}.2", "dev", "e", "src", f"127.77.{place}.1")
        self._run("-n", device, "route", "add", *way)

    def remove_left_over(self) -> None:
        """Take away what a process that was killed has left."""
        for path in NAMES.glob(f"{_PREFIX}[0-9]*-*"):
            owner = path.name.removeprefix(_PREFIX).partition("-")[0]
            if not Path("/proc", owner).exists():
                subprocess.run([self._ip, "netns", "del", path.name], capture_output=True, check=False)

    def remove(self) -> None:
        """Take everything away again."""
        for name in (*self.devices, self.cloud, self._middle):
            subprocess.run([self._ip, "netns", "del", name], capture_output=True, check=False)

    def _run(self, *words: str) -> None:
        done = subprocess.run([self._ip, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


@contextlib.contextmanager
def _made(hosts: Hosts) -> Iterator[Hosts]:
    hosts.remove_left_over()
    try:
        hosts.make()
        yield hosts
    finally:
        hosts.remove()


@contextlib.asynccontextmanager
async def made_hosts(devices: int) -> AsyncIterator[Hosts]:
    """A cloud and as many devices, with clear links, until the block ends. Raises OSError where that can't be."""
    ip = find_ip()
    if ip is None:
        raise FileNotFoundError("ip is not installed: run `make setup-test`")
    hosts = Hosts(ip, devices)
    with _made(hosts):
        try:
            await hosts.start_bridge()
            yield hosts
        finally:
            await hosts.stop_bridge()


def _mac(place: int, last: int) -> str:
    return f"02:00:00:00:{place:02x}:{last:02x}"


def _allow_loopback_addresses() -> None:
    """Let 127/8 be on a wire, in the namespace of this thread."""
    for setting, value in (("route_localnet", "1"), ("rp_filter", "0")):
        for scope in ("all", "default"):
            Path(f"/proc/sys/net/ipv4/conf/{scope}/{setting}").write_text(value, encoding="ascii")


def _switch_offloads_off(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for command in _OFFLOADS:
            wanted = ctypes.create_string_buffer(struct.pack("II", command, 0), 8)
            request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(wanted))
            with contextlib.suppress(OSError):  # one that this kernel does not have is off
                fcntl.ioctl(any_socket, _SIOCETHTOOL, request)
