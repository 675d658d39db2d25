"""A device's firewall, loaded by nft in a network of its own and tried from outside: what it lets through, a line each.

    outside ── eth0 of device, eth1 of device ── beyond

`device` has the rules; `outside` knocks, and tries to get through to `beyond`.
"""

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos.namespaces import find_ip, inside
from tests.firmware.system_files import run
from tests.programs import require_program
from wire.strict import Problem

RULES = "etc/nftables.conf"
SSH, MQTT, PAGE = 22, 1883, 8480
QUIET_S = 0.5
"""How long a packet that comes through at all may take between two namespaces: it takes some 50 µs."""
ANSWER_S = 1.5
_numbers = itertools.count()
_DEVICE, _OUTSIDE = "192.0.2.1", "192.0.2.2"
_DEVICE6, _OUTSIDE6 = "2001:db8::1", "2001:db8::2"
_LAN, _BEYOND = "198.51.100.1", "198.51.100.2"


class Room:
    """Three hosts and two cables. Make it with `room_of`."""

    def __init__(self) -> None:
        """Name them; nothing is made yet."""
        stem = f"wf{os.getpid()}-{next(_numbers)}"
        self.device, self.outside, self.beyond = f"{stem}d", f"{stem}o", f"{stem}b"

    def make(self) -> None:
        """Make the hosts and lay the cables."""
        for name in (self.device, self.outside, self.beyond):
            self.ip("netns", "add", name)
            inside(name, _use_addresses_at_once)
            self.ip("-n", name, "link", "set", "lo", "up")
        self._join("eth0", self.outside, (f"{_DEVICE}/24", f"{_DEVICE6}/64"), (f"{_OUTSIDE}/24", f"{_OUTSIDE6}/64"))
        self._join("eth1", self.beyond, (f"{_LAN}/24",), (f"{_BEYOND}/24",))
        inside(self.device, lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1", "ascii"))
        self.ip("-n", self.outside, "route", "add", "198.51.100.0/24", "via", _DEVICE)
        self.ip("-n", self.beyond, "route", "add", "192.0.2.0/24", "via", _LAN)

    def _join(self, end: str, other: str, near: tuple[str, ...], far: tuple[str, ...]) -> None:
        self.ip("link", "add", end, "netns", self.device, "type", "veth", "peer", "name", "wire", "netns", other)
        for host, link, addresses in ((self.device, end, near), (other, "wire", far)):
            for address in addresses:
                self.ip("-n", host, "addr", "add", address, "dev", link, *(("nodad",) if ":" in address else ()))
            self.ip("-n", host, "link", "set", link, "up")

    def remove(self) -> None:
        """Take everything away again."""
        for name in (self.device, self.outside, self.beyond):
            run("ip", "netns", "del", name)

    def ip(self, *words: str) -> None:
        """Run `ip`. Raises OSError with what it said."""
        done = run(find_ip() or "ip", *words)
        if done.code:
            raise OSError(f"ip {' '.join(words)}: {done.text.strip()}")

    def listener(self, host: str, address: str, port: int) -> socket.socket:
        """A server on `host`, which takes one connection after the other."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return inside(host, lambda: socket.create_server((address, port), family=family))

    def reaches(self, host: str, address: str, port: int, *, wait_s: float = QUIET_S) -> bool:
        """Whether a TCP connection from `host` comes about. A refusal counts: the packet was let in."""
        try:
            inside(host, lambda: socket.create_connection((address, port), timeout=wait_s)).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return True

    def is_refused(self, host: str, address: str, port: int) -> bool:
        """Whether it is told so at once, instead of waiting."""
        try:
            inside(host, lambda: socket.create_connection((address, port), timeout=ANSWER_S)).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return False

    def gets_answer(self, host: str, other: str, address: str, port: int) -> bool:
        """Whether what `host` asks of `other` is answered to it."""
        with self.listener(other, address, port) as server:
            server.settimeout(ANSWER_S)
            with ThreadPoolExecutor(1) as pool:  # which waits for the other host to have given up too
                pool.submit(_answer, server)
                try:
                    with inside(host, lambda: socket.create_connection((address, port), timeout=ANSWER_S)) as asking:
                        return asking.recv(2) == b"ok"
                except OSError:
                    return False

    def pings(self, host: str, address: str) -> bool:
        """Whether an echo request is answered."""
        sixth = ":" in address
        family, kind = (socket.AF_INET6, 58) if sixth else (socket.AF_INET, 1)
        request = bytes((128 if sixth else 8, 0, *_checksum_of_echo(sixth), 0, 1, 0, 1))
        with inside(host, lambda: socket.socket(family, socket.SOCK_RAW, kind)) as knocking:
            knocking.settimeout(ANSWER_S)
            try:
                knocking.sendto(request, (address, 0))
                return any(_is_reply(knocking.recv(200), sixth) for _ in range(8))
            except OSError:
                return False


def _use_addresses_at_once() -> None:
    """Not asking for a second first whether another host has them (RFC 4862)."""
    for scope in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{scope}/accept_dad").write_text("0", encoding="ascii")


def _checksum_of_echo(sixth: bool) -> tuple[int, int]:
    """Of an echo request with identifier 1 and number 1; for IPv6 the kernel writes its own."""
    return (0, 0) if sixth else divmod(0xFFFF - 0x0800 - 2, 256)


def _is_reply(packet: bytes, sixth: bool) -> bool:
    return packet[0] == 129 if sixth else packet[20] == 0


def _answer(server: socket.socket) -> None:
    with contextlib.suppress(OSError), server.accept()[0] as asked:
        asked.sendall(b"ok")


@contextlib.contextmanager
def room_of(rules: Path) -> Iterator[Room]:
    """A room in which the device has `rules`, until the end of the block. Raises OSError where nft refuses them."""
    require_program("ip")
    require_program("nft")
    made = Room()
    try:
        made.make()
        loaded = run("ip", "netns", "exec", made.device, "nft", "-f", str(rules))
        if loaded.code:
            raise OSError(loaded.text.strip())
        yield made
    finally:
        made.remove()


def firewall_problems(device: Path) -> tuple[Problem, ...]:
    """Tell what nft does not read of the rules, and what they let through or hold up against what is promised."""
    require_program("nft")
    checked = run("nft", "-c", "-f", str(device / RULES))
    if checked.code or checked.text:
        said = [line for line in checked.text.splitlines() if "Error" in line or "rror:" in line] or ["is refused"]
        lines = (line.replace(f"{device}/", "") for line in said)
        return tuple(Problem(RULES, line, "rules that nft reads") for line in lines)
    with room_of(device / RULES) as made:
        return tuple(Problem(RULES, problem, right) for problem, right in _broken_promises(made))


def _broken_promises(made: Room) -> Iterator[tuple[str, str]]:
    # First: a host that has knocked is known as a neighbour without being asked for.
    yield from _answers(made)
    yield from _knocks(made)
    for address in (_DEVICE, _DEVICE6):
        if not made.pings(made.outside, address):
            yield f"a technician gets no echo from {address}", "echo-request accepted"
    with made.listener(made.outside, _OUTSIDE, MQTT):
        if not made.is_refused(made.device, _OUTSIDE, MQTT):
            yield "MQTT leaves the device in the clear", "tcp dport 1883 rejected in chain output, but for the tunnel"


def _answers(made: Room) -> Iterator[tuple[str, str]]:
    if not made.gets_answer(made.device, made.outside, _OUTSIDE6, PAGE):
        yield "the device gets no answer by IPv6: neighbours can't be found", "nd-neighbor-solicit and -advert accepted"
    if not made.gets_answer(made.device, made.outside, _OUTSIDE, PAGE):
        yield "the device gets no answer to what it asks", "ct state established,related accept"
    if not made.gets_answer(made.device, made.device, "127.0.0.1", MQTT):
        yield "the broker at 127.0.0.1:1883 is not reached on the device itself", 'iif "lo" accept'


def _knocks(made: Room) -> Iterator[tuple[str, str]]:
    """Knock everywhere at once, for what is dropped is only known by waiting."""
    closed = "policy drop: no service is for the outside"
    doors = [
        (_DEVICE, port, f"port {port} of the device is reached from outside", closed) for port in (SSH, MQTT, PAGE)
    ]
    doors.append((_DEVICE6, SSH, "the device is reached from outside by IPv6", closed))
    routed = "the device passes on from one network to the other"
    doors.append((_BEYOND, PAGE, routed, "policy drop in chain forward"))
    with (
        made.listener(made.device, "0.0.0.0", SSH),
        made.listener(made.device, "0.0.0.0", MQTT),
        made.listener(made.beyond, _BEYOND, PAGE),
        ThreadPoolExecutor(len(doors)) as pool,
    ):
        opened = pool.map(lambda door: made.reaches(made.outside, door[0], door[1]), doors)
        yield from ((problem, right) for (_, _, problem, right), is_open in zip(doors, opened, strict=True) if is_open)
