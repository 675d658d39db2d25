"""What becomes of the events that are no statuses: stored by their kind, and handed on before they are settled."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cloud.clock import SystemClock
from cloud.directory import InForce
from cloud.ingest.ingest import Ingest
from cloud.ingest.subscriber import Messages
from cloud.ingest.work import Outgoing, Recorded
from cloud.telemetry import DuckTelemetry
from tests.cloud.fleet.samples import county, status
from tests.cloud.ingest.samples import Desk, Vehicle
from tests.cloud.ledger.samples import open_in
from tests.waiting import eventually
from wire import codec, topics
from wire.events import (
    AcknowledgeEvent,
    AlarmEvent,
    CrewEvent,
    DefectEvent,
    EmergencyEvent,
    Event,
    Origin,
    ReceiptEvent,
    TurnoutEvent,
)
from wire.messages import Settle

ORDER = "0b9f2c4e-7a11-4c55-9d0e-2f6a8c3b1d70"
LIVE = topics.up("kp", "veh-2", "live")


def common(seq: int) -> dict[str, Any]:
    """What every event of the vehicle carries."""
    one = status(seq)
    return {"seq": seq, "at": one.at, "clock": one.clock, "boot": 1, "mono_ms": 0, "mode": "live"}


def crew(seq: int, unit: str = "kp-12") -> Event:
    """A crew logs on."""
    return CrewEvent(**common(seq), unit=unit, on=True, riders=2)


def defect(seq: int, unit: str = "kp-12") -> Event:
    """Something is broken."""
    return DefectEvent(**common(seq), unit=unit, what="siren", off_the_run=False, raised=True)


def emergency(seq: int, unit: str = "kp-12", **changes: Any) -> Event:
    """The emergency button was held."""
    return EmergencyEvent(**common(seq) | changes, unit=unit)


def receipt(seq: int) -> Event:
    """A device took an order in."""
    return ReceiptEvent(**common(seq), order=ORDER, revision=1, outcome="accepted")


def acknowledge(seq: int) -> Event:
    """A person took an order in, also for a unit that this device does not speak for."""
    return AcknowledgeEvent(**common(seq), order=ORDER, revision=1, by="panel", unit="kf-1")


def alarm(seq: int) -> Event:
    """A station's alarm."""
    return AlarmEvent(**common(seq), name="bay_left_open", raised=True)


def turnout(seq: int, *units: str) -> Event:
    """A station turned units out by hand."""
    return TurnoutEvent(**common(seq), order=ORDER, units=list(units or ("kp-12",)))


KINDS: list[tuple[Callable[[int], Event], str, str | None]] = [
    (status, "status", "kp-12"),
    (crew, "crew", "kp-12"),
    (defect, "defect", "kp-12"),
    (emergency, "emergency", "kp-12"),
    (receipt, "receipt", None),
    (acknowledge, "acknowledge", None),
    (alarm, "alarm", None),
    (turnout, "turnout", None),
]


def test_each_event_is_stored_as_its_kind_and_in_its_units_history() -> None:
    """Every kind of the status queue is stored by its own name; those about one unit are links of its chain."""
    vehicle, desk = Vehicle(), Desk()
    for seq, (make, _, _) in enumerate(KINDS, 1):
        vehicle.add(codec.encode(make(seq)))
    desk.receive(vehicle.topic, vehicle.envelope())
    entry = desk.commit()
    assert [(kind, unit) for _, kind, unit in KINDS] == [(row.kind, row.unit) for row in desk.stored]
    assert [None, 1, 2, 3] == [row.prev for row in desk.stored if row.unit]
    assert [("kp-12", 4)] == list(dict(entry.commit.tails).items())
    vehicle.take(desk.answers())
    assert len(KINDS) == vehicle.settled
    assert [(row.seq, row.kind, "veh-2") for row in desk.stored] == [
        (one.event.seq, one.row.kind, one.device) for one in entry.recorded
    ]
    assert not any(one.live for one in entry.recorded)


def test_only_a_status_says_what_a_unit_is_doing() -> None:
    """A crew, a defect or an emergency that follows a status leaves it standing, vouched for by the same press."""
    vehicle, desk = Vehicle(), Desk()
    vehicle.press("8")
    for make in (crew, defect, emergency, receipt):
        vehicle.add(codec.encode(make(len(vehicle.events) + 1)))
    desk.receive(vehicle.topic, vehicle.envelope())
    entry = desk.commit()
    assert [("kp-12", "veh-2", 1)] == entry.commit.heads
    stands = desk.fleet.standing("kp-12")
    assert stands is not None and ("8", 1) == (stands.code, stands.seq)


@pytest.mark.parametrize(
    "bad",
    [
        lambda seq: crew(seq, "kf-1"),
        lambda seq: defect(seq, "kp-99"),
        lambda seq: turnout(seq, "kp-12", "kf-1"),
    ],
    ids=["crew", "defect", "turnout"],
)
def test_a_device_speaks_for_its_own_units_alone(bad: Callable[[int], Event]) -> None:
    """A crew, defect or turnout of a unit not this device's is refused; its neighbours are stored."""
    vehicle, desk = Vehicle(), Desk()
    vehicle.press()
    vehicle.add(codec.encode(bad(2)))
    vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope())
    entry = desk.commit()
    assert [(2, "foreign_unit")] == [(row.seq, row.reason) for row in entry.commit.refused]
    assert [1, 3] == [one.row.seq for one in entry.recorded]


def test_what_is_known_already_is_not_handed_on_again() -> None:
    """An envelope that comes twice is recorded once; what was carried to a new stream comes with its origin."""
    vehicle, desk = Vehicle(), Desk()
    vehicle.add(codec.encode(receipt(1)))
    desk.receive(vehicle.topic, vehicle.envelope())
    desk.receive(vehicle.topic, vehicle.envelope())
    assert [1] == [one.row.seq for one in desk.commit().recorded]
    desk.receive(vehicle.topic, vehicle.envelope())
    assert [] == desk.commit().recorded


def tell(desk: Desk, event: Event, now_s: float = 0.0, stream: str = "E2-a") -> list[Recorded]:
    """Tell an event of the status queue live; what was handed on of it."""
    lone = Vehicle(stream)
    lone.add(codec.encode(event))
    desk.receive(LIVE, lone.envelope(first_held=event.seq), now_s)
    told, desk.acceptor.recorded = desk.acceptor.recorded, []
    return told


def test_an_emergency_is_handed_on_ahead_of_500_statuses() -> None:
    """It is handed on as it comes, unstored and marked live; the statuses before it, and it, follow by the queue."""
    vehicle, desk = Vehicle(), Desk()
    for _ in range(500):
        vehicle.press()
    vehicle.add(codec.encode(emergency(501)))
    (told,) = tell(desk, emergency(501), 1.0)
    assert (True, "veh-2", "kp-12", 501) == (told.live, told.device, told.row.unit, told.row.seq)
    assert (0, None, "emergency") == (told.row.id, told.row.queue, told.row.kind)
    assert not desk.acceptor.status and not desk.acceptor.track and not desk.acceptor.committed
    seen = []
    for first in range(1, 502, 20):
        desk.receive(vehicle.topic, vehicle.envelope(first, min(first + 19, 501)), 2.0)
        seen += desk.commit(2.0).recorded
    vehicle.take(desk.answers())
    assert (501, 501, False) == (len(seen), vehicle.settled, seen[-1].live)
    assert isinstance(seen[-1].event, EmergencyEvent) and seen[-1].event == told.event


def test_a_repeated_emergency_is_known() -> None:
    """By stream and sequence: repeated it is not news, nor once its queue has brought it; another one is."""
    desk = Desk()
    assert 1 == len(tell(desk, emergency(5)))
    assert [] == tell(desk, emergency(5))
    assert 1 == len(tell(desk, emergency(6)))
    assert 1 == len(tell(desk, emergency(5), stream="E2-b"))
    assert 1 == desk.acceptor.counts["emergencies_repeated"]


def test_an_emergency_that_its_queue_has_brought_is_known() -> None:
    """A broker that delivers it live, late, after it was stored, raises no second alarm; across a restart neither."""
    vehicle, desk = Vehicle(), Desk()
    vehicle.add(codec.encode(emergency(1)))
    desk.receive(vehicle.topic, vehicle.envelope())
    entry = desk.begin_commit()
    assert 1 == len(tell(desk, emergency(1))), "what is not durable yet may never be"
    desk.end_commit(entry)
    assert [] == tell(desk, emergency(1))
    again = Desk(marks=entry.marks)
    assert [] == tell(again, emergency(1))
    assert [] == tell(again, emergency(1, origin=Origin("E2-a", 1)), stream="E2-b"), "carried to a new stream"


@pytest.mark.parametrize("make", [status, crew, receipt])
def test_nothing_else_goes_ahead_of_its_queue(make: Callable[[int], Event]) -> None:
    """A status, or whatever else but an emergency, on `live` has no effect."""
    desk = Desk()
    assert [] == tell(desk, make(1))
    assert not desk.acceptor.committed and not desk.commit().recorded
    assert "aside_wrong_channel" in desk.acceptor.counts


class Line:
    """A way to a broker that a test speaks through: what it says arrives at once, and what it hears it keeps."""

    def __init__(self, receive: Callable[[Messages], None]) -> None:
        """Take what takes in the messages."""
        self.connected, self.connections, self.dropped = True, 1, 0
        self.receive = receive
        self.heard: list[Outgoing] = []

    async def run(self, on_connected: Callable[[], None]) -> None:
        """Stay."""
        on_connected()
        await asyncio.Event().wait()

    def publish(self, message: Outgoing) -> None:
        """Keep what ingest says."""
        self.heard.append(message)

    def pause(self) -> None:
        """Nothing to hold back."""

    def resume(self) -> None:
        """Nothing was held back."""


@contextlib.asynccontextmanager
async def ingesting(folder: Path, *, owner_term: int = 1) -> AsyncIterator[tuple[Ingest, Line]]:
    """Ingest at work on real stores, and its line."""
    lines: list[Line] = []

    def connect(receive: Callable[[Messages], None]) -> Line:
        lines.append(Line(receive))
        return lines[0]

    with contextlib.closing(open_in(folder)) as ledger:
        with contextlib.closing(DuckTelemetry.open(folder / "telemetry")) as telemetry:
            ingest = Ingest(InForce(county()), ledger, telemetry, clock=SystemClock(), owner_term=owner_term)
            task = asyncio.create_task(ingest.run(connect, lambda: None))
            await eventually(lambda: lines and lines[0].heard, what="a greeting")
            try:
                yield ingest, lines[0]
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


def settles(line: Line) -> list[Settle]:
    """The settles of a queue that were published."""
    said = [codec.decode_down(one.payload) for one in line.heard]
    return [one for one in said if isinstance(one, Settle) and one.queues]


def test_what_was_stored_is_acted_on_before_the_device_hears_of_it(tmp_path: Path) -> None:
    """Whoever acts on events has them once they are durable, and is heard by the devices before their settle is."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            acted: list[tuple[list[str], int, int]] = []

            def act(recorded: Sequence[Recorded]) -> None:
                stored = len(ingest._ledger.events_of("kp-12", None, 100))
                acted.append(([one.row.kind for one in recorded], stored, len(settles(line))))
                ingest.publish(topics.down("kp", "veh-2", "command"), b"at once")

            ingest.on_events = act
            vehicle = Vehicle()
            vehicle.press()
            vehicle.add(codec.encode(crew(2)))
            line.receive([(vehicle.topic, vehicle.envelope())])
            await eventually(lambda: settles(line), what="a settle")
            assert [(["status", "crew"], 2, 0)] == acted
            payloads = [one.payload for one in line.heard]
            assert payloads.index(b"at once") < len(payloads) - 1
            line.receive([(vehicle.topic, vehicle.envelope())])
            await eventually(lambda: len(settles(line)) == 2, what="the settle again")
            assert 1 == len(acted)

    asyncio.run(scenario())


def test_an_emergency_is_acted_on_as_it_comes(tmp_path: Path) -> None:
    """Without waiting for a commit: before the call that brought it has ended."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            acted: list[Recorded] = []
            ingest.on_events = acted.extend
            lone = Vehicle()
            lone.add(codec.encode(emergency(1)))
            line.receive([(LIVE, lone.envelope())])
            assert [(True, 1)] == [(one.live, one.row.seq) for one in acted]
            line.receive([(lone.topic, lone.envelope())])
            await eventually(lambda: settles(line), what="a settle")
            assert [(True, 0), (False, 1)] == [(one.live, one.row.id) for one in acted]

    asyncio.run(scenario())


def test_without_a_broker_nothing_is_published_and_nothing_fails(tmp_path: Path) -> None:
    """An order that is sent before ingest has connected is dropped: who sent it asks again."""
    with contextlib.closing(open_in(tmp_path)) as ledger:
        with contextlib.closing(DuckTelemetry.open(tmp_path / "telemetry")) as telemetry:
            ingest = Ingest(InForce(county()), ledger, telemetry, clock=SystemClock(), owner_term=1)
            ingest.publish("wr/1/down/kp/veh-2/command", b"")
            assert {} == ingest.nonces
            ingest.status_committer.close()
            ingest.track_committer.close()
