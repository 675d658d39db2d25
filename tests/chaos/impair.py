"""A bad network between pairs of interfaces: a bridge of raw packets that loses, delays, doubles and cuts.

Usage: python -m tests.chaos.impair UP:DOWN... with one pair of interfaces a link, in the namespace that holds them.
Each line on stdin is a `Shape`; each is answered by a line as soon as it is in force. It ends with its stdin.

It stands in for `tc netem`, which many kernels lack. A packet keeps its place in the queue unless `reorder` says
otherwise: a mobile network is slow, but it does not shuffle.
"""

import heapq
import select
import socket
import sys
import time
from collections.abc import Sequence
from random import Random

import msgspec

QUEUE_S = 3.0
"""What waits longer than this for a slow lane is dropped, as a modem does."""
OVERTAKEN_S = 0.15
"""How much later a packet comes that others overtake."""
DOUBLE_S = 0.002
PACKET_BYTES_MAX = 65_535
_ALL_PROTOCOLS = 3
_OUTGOING = 4
_READ_MAX = 256
"""Packets read from an interface before those that are due go out."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What one direction of a link does to its packets. Shares are from 0 to 1."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    """The delay is longer or shorter by up to this."""
    double: float = 0.0
    reorder: float = 0.0
    rate_bps: float | None = None
    cut: bool = False


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a link does from now on, in both directions."""

    link: int
    up: Profile = Profile()
    """From the first interface of the pair to the second: from the device to the cloud."""
    down: Profile = Profile()


CLEAR = Profile()
CUT = Profile(cut=True)
TWO_G = Profile(rate_bps=32_000, delay_s=0.3, jitter_s=0.1, loss=0.05)
"""Each way: 32 kbit/s, 600 ± 200 ms there and back, 5 % lost."""
LOSSY = Profile(loss=0.3)
SHUFFLED = Profile(delay_s=0.05, jitter_s=0.03, double=0.2, reorder=0.2)


class Lane:
    """One direction of a link."""

    def __init__(self, random: Random) -> None:
        """Begin clear."""
        self.profile = CLEAR
        self._random = random
        self._free_s = self._last_s = 0.0

    def plan(self, size_bytes: int, now_s: float) -> tuple[float, ...]:
        """Say when a packet that comes now is delivered: at no moment, at one, or at two."""
        profile, chance = self.profile, self._random.random
        if profile.cut or chance() < profile.loss:
            return ()
        due_s = now_s
        if profile.rate_bps is not None:
            start_s = max(self._free_s, now_s)
            if start_s - now_s > QUEUE_S:
                return ()
            self._free_s = due_s = start_s + size_bytes * 8 / profile.rate_bps
        due_s += max(0.0, profile.delay_s + self._random.uniform(-1, 1) * profile.jitter_s)
        if chance() < profile.reorder:
            due_s += OVERTAKEN_S
        else:
            due_s = self._last_s = max(due_s, self._last_s)
        return (due_s, due_s + DOUBLE_S) if chance() < profile.double else (due_s,)


class Bridge:
    """The links, by interface."""

    def __init__(self, pairs: Sequence[tuple[str, str]], random: Random) -> None:
        """Open every interface. Raises OSError where one is not there, or is not ours to open."""
        self._links = [tuple(Lane(random) for _ in pair) for pair in pairs]
        self._routes: dict[socket.socket, tuple[Lane, socket.socket]] = {}
        for (up, down), lanes in zip(pairs, self._links, strict=True):
            ends = _open(up), _open(down)
            self._routes[ends[0]], self._routes[ends[1]] = (lanes[0], ends[1]), (lanes[1], ends[0])
        self._waiting: list[tuple[float, int, socket.socket, bytes]] = []
        self._count = 0

    def shape(self, shape: Shape) -> None:
        """Change a link from now on. What is on its way arrives all the same."""
        up, down = self._links[shape.link]
        up.profile, down.profile = shape.up, shape.down

    def run(self) -> None:
        """Carry packets, and take shapes from stdin until it ends."""
        stdin = sys.stdin.buffer
        while True:
            wait_s = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
            ready, _, _ = select.select([stdin, *self._routes], [], [], wait_s)
            if stdin in ready:
                line = stdin.readline()
                if not line:
                    return
                self.shape(msgspec.json.decode(line, type=Shape))
                print("shaped", flush=True)
            for end in ready:
                if isinstance(end, socket.socket):
                    self._take(end)
            self._deliver()

    def _take(self, end: socket.socket) -> None:
        lane, other = self._routes[end]
        for _ in range(_READ_MAX):
            try:
                packet, origin = end.recvfrom(PACKET_BYTES_MAX)
            except BlockingIOError:
                return
            if origin[2] == _OUTGOING:
                continue
            for due_s in lane.plan(len(packet), time.monotonic()):
                self._count += 1
                heapq.heappush(self._waiting, (due_s, self._count, other, packet))

    def _deliver(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(self._waiting)
            try:
                end.send(packet)
            except OSError:
                pass  # the interface is going, or its queue is full: a network drops packets


def _open(interface: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    end.bind((interface, 0))
    end.setblocking(False)
    return end


def main(pairs: Sequence[str]) -> None:
    """Run the bridge until its stdin ends. The first line on stdout says that it is there."""
    bridge = Bridge([(up, down) for up, _, down in (pair.partition(":") for pair in pairs)], Random(0))
    print("ready", flush=True)
    bridge.run()


if __name__ == "__main__":
    main(sys.argv[1:])
