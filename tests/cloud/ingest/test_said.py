"""A person's word at control: an event in the unit's chain, a durable head, and nothing where the ledger fails."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud.clock import SystemClock
from cloud.errors import Retryable
from cloud.fleet.heads import CONTROL
from cloud.ingest import lanes
from cloud.ingest.ingest import Ingest
from cloud.ledger import opening
from tests.cloud.fleet.samples import echo, heartbeat
from tests.cloud.ingest.samples import Vehicle
from tests.cloud.ingest.test_in_force import press, states
from tests.cloud.ingest.test_recorded import Line, ingesting, settles
from tests.cloud.ledger.samples import open_in
from tests.waiting import eventually
from wire import codec, topics
from wire.events import StatusEvent
from wire.messages import Settle

UNIT = "kp-12"


def word(code: str = "8", **changes: Any) -> StatusEvent:
    """What a person at control says."""
    fields: dict[str, Any] = {"seq": 1, "clock": "ntp", "boot": 0, "mono_ms": 0, "mode": "live", "unit": UNIT}
    fields |= {"at": SystemClock().now(), "scheme": "uk-police-state", "by": "radio", "operator": "op 7"}
    return StatusEvent(**fields | {"code": code} | changes)


def prove(line: Line) -> None:
    """Let the vehicle show that its clock, which is 0 just now, is read right."""
    for sent_ms in (0, 1):
        given = [codec.decode_down(one.payload) for one in line.heard if one.topic.endswith("veh-2/settle")]
        newest = given[-1] if given else None
        known = echo(0, newest.id) if isinstance(newest, Settle) else None
        said = heartbeat(sent_ms, echo=known, sent_at=SystemClock().now())
        line.receive([(topics.up("kp", "veh-2", "live"), codec.encode(said))])


def stands(ingest: Ingest) -> tuple[str, str] | None:
    """Whose word stands, and which."""
    head = ingest.fleet.standing(UNIT)
    return None if head is None else (head.device, head.code)


def test_a_word_is_an_event_of_the_units_chain_and_stands(tmp_path: Path) -> None:
    """Stored once before it is answered, linked to the event before it, shown, told to each of the unit's devices."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            await press(ingest, line, Vehicle(), "2")
            recorded: list[str] = []
            ingest.on_events = lambda rows: recorded.extend(one.row.device for one in rows)
            said = word()
            row = await ingest.say(UNIT, said)
            assert (CONTROL, "control-1", None, 1, said.at) == (
                row.device,
                row.stream,
                row.queue,
                row.seq,
                row.corrected_at,
            )
            newest, before = ingest._ledger.events_of(UNIT, None, 10)
            assert (newest, newest.prev) == (row, before.id)
            event = codec.decode_event(newest.body)
            assert isinstance(event, StatusEvent) and ("op 7", "radio", 1) == (event.operator, event.by, event.seq)
            assert (CONTROL, "8") == stands(ingest)
            assert [CONTROL] == recorded
            for device in ("veh-2", "panel-1"):
                (shown,) = states(line, device)[-1].units
                assert ("8", "radio", CONTROL, row.seq) == (shown.code, shown.by, shown.device, shown.seq)

    asyncio.run(scenario())


def test_a_word_survives_a_restart_and_a_later_press_stands_over_it(tmp_path: Path) -> None:
    """Also where the next process says something else; what the crew presses after that is newer than both."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, _):
            await ingest.say(UNIT, word("8"))
        async with ingesting(tmp_path, owner_term=2) as (ingest, line):
            assert (CONTROL, "8") == stands(ingest)
            row = await ingest.say(UNIT, word("2"))
            assert ("control-2", 1, 2) == (row.stream, row.seq, row.id)
            assert (CONTROL, "2") == stands(ingest)
        async with ingesting(tmp_path, owner_term=3) as (ingest, line):
            assert (CONTROL, "2") == stands(ingest)
            prove(line)
            await press(ingest, line, Vehicle(), "8")
            await eventually(lambda: stands(ingest) == ("veh-2", "8"), what="the press")

    asyncio.run(scenario())


def test_words_at_once_are_each_stored_in_order(tmp_path: Path) -> None:
    """Many people speak at the same moment: as many events, one chain, the last stands."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, _):
            codes = ["2", "3", "8"] * 10
            rows = await asyncio.gather(*(ingest.say(UNIT, word(code)) for code in codes))
            assert list(range(1, len(codes) + 1)) == [row.seq for row in rows] == [row.id for row in rows]
            assert [None, *(row.id for row in rows[:-1])] == [row.prev for row in rows]
            assert (CONTROL, codes[-1]) == stands(ingest)

    asyncio.run(scenario())


def test_where_the_ledger_fails_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked is told at once, and is not waited for; once it is back the next word goes in without a gap."""
    monkeypatch.setattr(opening, "_SETTINGS", opening._SETTINGS | {"busy_timeout": (50, 50)})
    monkeypatch.setattr(lanes, "RETRY_S", 2.0)

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            await ingest.say(UNIT, word("2"))
            with contextlib.closing(open_in(tmp_path)) as other, other._writing() as connection:
                connection.exec_driver_sql("UPDATE counter SET value = value")
                with pytest.raises(Retryable):
                    await ingest.say(UNIT, word("8"))
                assert not ingest.status_committer.failing, "nothing is tried again"
                assert (CONTROL, "2") == stands(ingest)
                behind = asyncio.ensure_future(_behind_a_press(ingest, line))
                with pytest.raises(Retryable):
                    await behind
                with pytest.raises(Retryable):
                    await asyncio.wait_for(ingest.say(UNIT, word("8")), 1.0)
                assert 0 == len(ingest._asked), "nobody is left waiting"
            await eventually(lambda: settles(line), what="the press is stored", deadline_s=20)
            row = await ingest.say(UNIT, word("3"))
            chain = ingest._ledger.events_of(UNIT, None, 10)
            assert ["3", "2", "2"] == [codec.decode_event(one.body).code for one in chain]  # type: ignore[union-attr]
            assert [3, 2, 1] == [one.id for one in chain]
            assert row == chain[0]

    async def _behind_a_press(ingest: Ingest, line: Line) -> object:
        """Ask while a press's commit is under way that will fail: the word waits behind it."""
        vehicle = Vehicle()
        vehicle.press("2")
        line.receive([(vehicle.topic, vehicle.envelope())])
        await eventually(lambda: not ingest.acceptor.status, what="the press's commit has begun")
        return await ingest.say(UNIT, word("8"))

    asyncio.run(scenario())


def test_a_word_of_an_earlier_moment_says_since_when(tmp_path: Path) -> None:
    """It stands as of the moment that was said, over what was received before it came."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            await press(ingest, line, Vehicle(), "2")
            since = SystemClock().now() - timedelta(minutes=10)
            row = await ingest.say(UNIT, word("8", at=since))
            assert (since, True) == (row.corrected_at, row.proven)
            assert (CONTROL, "8") == stands(ingest)

    asyncio.run(scenario())
