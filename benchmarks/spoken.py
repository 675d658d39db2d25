"""What devices say, as bytes, for many devices at once: each is a few numbers here, so that it weighs next to nothing.

The moment comes in with each message, and a device's monotonic clock is the cloud's.
"""

from array import array
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.processes import SCHEME, write_lines
from cloud.directory import Device, Directory
from cloud.directory.rows import Base, Organisation, Unit
from cloud.directory.schemes import load_schemes
from cloud.fleet.clocks import Moment
from wire import codec, digest, topics
from wire.events import PositionEvent, Queue, StatusEvent
from wire.messages import Birth, CurrentStatus, Echo, Envelope, Heartbeat, LastSeq, OutboxDepth

ORG = "load"
INTERVAL_S = 20.0
SCRIPT = ("heartbeat", "live", "heartbeat", "status", "heartbeat", "live", "heartbeat", "history")
"""What a device says by turns, each a message: a status carries one event, the history what went live before it."""
CODES = ("4", "1", "2")
Message = tuple[str, bytes]
"""A topic and a payload."""


def device_name(number: int) -> str:
    """Name a device."""
    return f"veh-{number:05d}"


def unit_name(number: int) -> str:
    """Name the unit that the device carries."""
    return f"unit-{number:05d}"


def enrolment(number: int) -> str:
    """Give the device's enrolment number."""
    return f"E{number:05d}"


def stream_name(number: int) -> str:
    """Name the only stream of a device."""
    return f"{enrolment(number)}-0123456789abcdef"


def number_of(topic: str) -> int:
    """Give the number of the device that a topic names."""
    return int(topic.split("/")[4].rpartition("-")[2])


def make_directory(count: int) -> Directory:
    """Make a directory in which each device carries one unit."""
    numbers = range(count)
    return Directory(
        organisations={ORG: Organisation(id=ORG, name="Load", service="fire")},
        bases={f"base-{place}": Base(id=f"base-{place}", name=f"Base {place}") for place in range(50)},
        units={unit_name(number): _unit(number) for number in numbers},
        devices={device_name(number): _device(number) for number in numbers},
        schemes=load_schemes(),
        version="0" * 12,
    )


def _unit(number: int) -> Unit:
    return Unit(
        id=unit_name(number),
        callsign=f"K{number:05d}",
        organisation=ORG,
        type="pump",
        base=f"base-{number % 50}",
        scheme=SCHEME,
        carrier=device_name(number),
        capabilities=("pump", "ladder"),
        service="fire",
    )


def _device(number: int) -> Device:
    return Device(id=device_name(number), organisation=ORG, enrolment=enrolment(number), units=(unit_name(number),))


def write_directory(folder: Path, units: int) -> None:
    """Write the organisation, its bases, and a device in each unit."""
    lines = [f'[[organisation]]\nid = "{ORG}"\nname = "Load"\nservice = "fire"']
    lines += [f'[[base]]\nid = "base-{place}"\nname = "Base {place}"' for place in range(50)]
    unit = (
        '[[unit]]\nid = "{0}"\ncallsign = "{1}"\norganisation = "{2}"\ntype = "pump"\nbase = "base-{3}"\n'
        'scheme = "{4}"\ncarrier = "{5}"\ncapabilities = ["pump", "ladder"]'
    )
    device = '[[device]]\nid = "{0}"\norganisation = "{1}"\nenrolment = "{2}"'
    for number in range(units):
        name = device_name(number)
        lines.append(unit.format(unit_name(number), f"K{number:05d}", ORG, number % 50, SCHEME, name))
        lines.append(device.format(name, ORG, enrolment(number)))
    write_lines(folder / "directory" / "all.toml", lines)


class Speakers:
    """All the devices of a directory, as they speak."""

    def __init__(self, count: int) -> None:
        """Nobody has said anything yet."""
        self.count = count
        self._status, self._track = array("q", bytes(8 * count)), array("q", bytes(8 * count))
        self._sent = array("q", bytes(8 * count))
        """How far each track has been sent as history: the status queue is sent as it grows."""
        self._tips: dict[Queue, bytearray] = {"status": bytearray(32 * count), "track": bytearray(32 * count)}
        self._answers, self._answered_s = array("q", bytes(8 * count)), array("d", bytes(8 * count))
        self._term = ""

    def go_on(self, number: int, status: int, track: int) -> None:
        """Go on where a device's queues stand: in the same stream, with everything settled."""
        self._status[number], self._track[number], self._sent[number] = status, track, track

    def hear(self, number: int, answer: str, now: Moment) -> None:
        """Take an answer's id in: the next heartbeat echoes it."""
        self._term, _, given = answer.rpartition("-")
        self._answers[number], self._answered_s[number] = int(given), now.mono_s

    def say(self, what: str, number: int, now: Moment) -> Message:
        """Give a device's next message of that kind: `birth`, or one of `SCRIPT`'s."""
        if what == "birth":
            return self._to(number, "link"), codec.encode(
                Birth(**self._vitals(number, now), software="b", config_hash="b")
            )
        if what == "heartbeat":
            return self._to(number, "live"), codec.encode(Heartbeat(**self._vitals(number, now)))
        if what == "status":
            self._status[number] += 1
            return self._to(number, "status"), self._queued(number, "status", [self._pressed(number, now)], now)
        if what == "live":
            self._track[number] += 1
            seq = self._track[number]
            raw = _measured(number, seq, now)
            return self._to(number, "live"), _envelope(number, "track", (seq, bytes(32)), [raw], now)
        first, self._sent[number] = self._sent[number] + 1, self._track[number]
        events = [_measured(number, seq, now) for seq in range(first, self._track[number] + 1)]
        return self._to(number, "history"), self._queued(number, "track", events, now)

    def _pressed(self, number: int, now: Moment) -> bytes:
        seq = self._status[number]
        unit, code = unit_name(number), CODES[seq % len(CODES)]
        return codec.encode(StatusEvent(**_stamp(seq, now), unit=unit, scheme=SCHEME, code=code, by="panel"))

    def _queued(self, number: int, queue: Queue, events: list[bytes], now: Moment) -> bytes:
        """Chain the newest events of a queue on to those before them."""
        tips, place = self._tips[queue], slice(32 * number, 32 * number + 32)
        first = (self._status if queue == "status" else self._track)[number] - len(events) + 1
        base = bytes(tips[place]) if first > 1 else digest.genesis(stream_name(number), queue)
        tip = base
        for raw in events:
            tip = digest.extend(tip, raw)
        tips[place] = tip
        return _envelope(number, queue, (first, base), events, now)

    def _vitals(self, number: int, now: Moment) -> dict[str, Any]:
        given, seq = self._answers[number], self._status[number]
        held_ms = int((now.mono_s - self._answered_s[number]) * 1000)
        current = [CurrentStatus(unit_name(number), stream_name(number), seq, SCHEME, CODES[seq % len(CODES)])]
        return {
            **_sent(number, now),
            "echo": Echo(f"{self._term}-{given}", held_ms) if given else None,
            "interval_s": INTERVAL_S,
            "current": current if seq else [],
            "last_seq": LastSeq(seq, self._track[number]),
            "outbox": OutboxDepth(0, 0),
        }

    def _to(self, number: int, channel: topics.UpChannel) -> str:
        return topics.up(ORG, device_name(number), channel)


def _sent(number: int, now: Moment) -> dict[str, Any]:
    return {
        "v": 1,
        "device": device_name(number),
        "boot": 1,
        "conn": 1,
        "sent_mono_ms": int(now.mono_s * 1000),
        "sent_at": now.utc,
        "clock": "gnss",
        "stream": stream_name(number),
    }


def _envelope(number: int, queue: Queue, after: tuple[int, bytes], events: list[bytes], now: Moment) -> bytes:
    """Write an envelope whose first event has a sequence and the digest before it."""
    first, base = after
    sent, raws = _sent(number, now), [msgspec.Raw(raw) for raw in events]
    return codec.encode(Envelope(**sent, queue=queue, first_held=first, base_digest=base.hex(), events=raws))


def _measured(number: int, seq: int, now: Moment) -> bytes:
    event = PositionEvent(
        **_stamp(seq, now),
        fix="3d",
        lat=51.2 + number % 1000 * 0.001,
        lon=0.5 + seq * 0.0001,
        speed_mps=13.0,
        heading_deg=90.0,
        altitude_m=30.0,
        accuracy_m=5.0,
        satellites=9,
        gnss_time=now.utc,
    )
    return codec.encode(event)


def _stamp(seq: int, now: Moment) -> dict[str, Any]:
    mono_ms = int(now.mono_s * 1000)
    return {"seq": seq, "at": now.utc, "clock": "gnss", "boot": 1, "mono_ms": mono_ms, "mode": "live"}
