"""No position of a unit that is off duty or at home is kept or shown: the real track lane, on real stores."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from cloud.clock import SystemClock
from cloud.fleet.heads import Head
from cloud.ingest.privacy import SPANS_MAX, Privacy, is_private
from tests.cloud.fleet.samples import NOON, county, echo, head, heartbeat
from tests.cloud.fleet.samples import position as position_event
from tests.cloud.ingest.samples import Vehicle
from tests.cloud.ingest.test_lanes import Lanes, stores, working
from tests.waiting import eventually
from wire import codec, topics
from wire.messages import Envelope, Settle

UNIT = "kp-12"
SCHEME = county().schemes["uk-police-state"]
PRIVATE = next(code.code for code in SCHEME.codes if code.private)
PUBLIC = next(code.code for code in SCHEME.codes if code.availability == "Available")
MINUTE = timedelta(minutes=1)


def standing(code: str, minutes: int) -> Head:
    """A status that stands since so many minutes after noon."""
    return head(code, minutes * 60.0, meaning=SCHEME.code(code))


def test_the_schemes_private_codes_are_private() -> None:
    """Off duty is, and what a crew on the road declares is not."""
    assert is_private(standing(PRIVATE, 0))
    assert not is_private(standing(PUBLIC, 0))


def test_private_times_are_remembered_from_their_begin_to_their_end() -> None:
    """A moment within one is hidden, its begin included and its end not; the last few are told apart."""
    privacy = Privacy()
    privacy.note(UNIT, None)
    for start in range(0, 10 * 2 * SPANS_MAX, 20):
        privacy.note(UNIT, standing(PRIVATE, start))
        privacy.note(UNIT, standing(PRIVATE, start + 5))
        privacy.note(UNIT, standing(PUBLIC, start + 10))
    last = NOON + (10 * 2 * SPANS_MAX - 20) * MINUTE
    hidden = [minute for minute in range(20) if privacy.hides(UNIT, last + minute * MINUTE)]
    assert list(range(10)) == hidden
    assert privacy.hides(UNIT, NOON)
    privacy.note(UNIT, standing(PRIVATE, 10_000))
    assert not privacy.hides(UNIT, NOON), "the oldest is forgotten"
    assert privacy.hides(UNIT, NOON + 20_000 * MINUTE), "the present one has no end yet"
    assert not privacy.hides("kf-1", NOON)


def live(vehicle: Vehicle) -> tuple[str, bytes]:
    """The newest record of a vehicle's track, as it travels ahead of its queue."""
    return vehicle.topic.replace("history", "live"), vehicle.envelope(len(vehicle.events))


def stored(lanes: Lanes) -> list[int]:
    """The sequences of the positions in the telemetry store."""
    return sorted({row.seq for row in lanes.telemetry.series(UNIT, NOON - 100_000 * MINUTE, FAR, 100)})


FAR = datetime(9000, 1, 1, tzinfo=NOON.tzinfo)


def prove(lanes: Lanes) -> None:
    """Let the vehicle show that its clock is right."""
    topic = topics.up("kp", "veh-2", "live")
    said = heartbeat(1, sent_at=lanes.moment().utc)
    lanes.acceptor.receive(topic, codec.encode(said), lanes.moment())
    given = [codec.decode_down(one.payload) for one in lanes.acceptor.outgoing if one.topic.endswith("settle")][-1]
    assert isinstance(given, Settle)
    said = heartbeat(2, sent_at=lanes.moment().utc, echo=echo(0, given.id))
    lanes.acceptor.receive(topic, codec.encode(said), lanes.moment())


async def declare(lanes: Lanes, vehicle: Vehicle, code: str) -> None:
    """Press, and wait until it is settled."""
    seq = vehicle.press(code, mono_ms=len(vehicle.events) * 1_000)
    lanes.receive(vehicle, seq, seq)
    await eventually(lambda: lanes.through(vehicle) == seq, what="the press is settled")


async def measure(lanes: Lanes, track: Vehicle) -> None:
    """Report a place twice: as it happens, and in the queue."""
    seq = track.measure(mono_ms=len(track.events) * 1_000)
    topic, payload = live(track)
    assert isinstance(codec.decode_up(payload), Envelope)
    lanes.acceptor.receive(topic, payload, lanes.moment())
    lanes.receive(track, seq, seq)
    await eventually(lambda: lanes.through(track) == seq, what="the place is settled")


def test_a_private_place_is_neither_stored_nor_shown(tmp_path: Path) -> None:
    """Its sequence ends and its watermark passes, so the device lets go of it; before and after, places are kept."""

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            presses, track = Vehicle(), Vehicle(queue="track")
            await declare(lanes, presses, PUBLIC)
            await measure(lanes, track)
            await declare(lanes, presses, PRIVATE)
            await measure(lanes, track)
            await measure(lanes, track)
            assert [1] == stored(lanes)
            assert 4 == lanes.acceptor.counts["positions_private"], "two places, each live and in its queue"
            record = lanes.fleet.record(UNIT, 1, lanes.moment().utc, lanes.moment())
            assert (None, False) == (record.position, record.position_fresh)
            await declare(lanes, presses, PUBLIC)
            await measure(lanes, track)
            assert [1, 4] == stored(lanes)
            (mark,) = (one for one in ledger.load().watermarks if one.queue == "track")
            assert 4 == mark.through

    with stores(tmp_path, tmp_path) as (ledger, telemetry):
        asyncio.run(scenario())


def test_a_private_place_that_comes_late_is_not_kept_either(tmp_path: Path) -> None:
    """Judged by the status that stood when it was measured: a shift later it is still nobody's to know."""

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            privacy = lanes.acceptor.privacy
            began = SystemClock().now() - timedelta(hours=12)
            privacy.note(UNIT, _since(PRIVATE, began))
            privacy.note(UNIT, _since(PUBLIC, began + timedelta(hours=8)))
            track = Vehicle(queue="track")
            corrected = {1: -1, 2: 1, 3: 7, 4: 9}
            for seq, hours in corrected.items():
                track.add(codec.encode(position_event(seq, at=began + timedelta(hours=hours), clock="gnss", boot=0)))
            prove(lanes)
            lanes.receive(track)
            await eventually(lambda: lanes.through(track) == 4, what="all are settled")
            assert [1, 4] == stored(lanes)

    with stores(tmp_path, tmp_path) as (ledger, telemetry):
        asyncio.run(scenario())


def _since(code: str, at: datetime) -> Head:
    return head(code, (at - NOON).total_seconds(), meaning=SCHEME.code(code))
