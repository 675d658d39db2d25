"""How soon a restarted ingest serves again, and that it shows nothing as fresh that it has not heard.

`python -m benchmarks.restart --events 10000000 --units 5000` writes the stores of a county that has run for years: a
ledger of that many statuses by way of its own statements (not synchronised while it is built; digests are made up, for
nobody sends an envelope afterwards), twenty refusals a device, and three days of positions every 30 s. Then it starts
`watchroom up` three times: with the files in the page cache, as after a crash; with the first run killed and its logs
left behind; and with the files dropped from the page cache, as after a reboot. It prints one JSON object on the
last line:

- `ready_s`: from the start of the process to the last byte of a whole snapshot of the feed, the slowest of the three.
- `fresh_unheard`: records that were fresh, confirmed or placed as of now before any device had spoken, and records of
  silent devices that were so after twenty others had. Must be 0.
- `fresh_heard`: how many of those twenty became fresh and confirmed. Must be `spoke`.
- `import_s`: the baseline of the same minute: an interpreter that imports the application and ends.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import duckdb
import msgspec
from sqlalchemy.dialects import sqlite

from benchmarks.board import Board
from benchmarks.processes import SCHEME, free_port
from benchmarks.spoken import CODES, ORG, Speakers, device_name, number_of, stream_name, unit_name, write_directory
from cloud.clock import SystemClock
from cloud.fleet.clocks import Moment
from cloud.ledger import Ledger
from cloud.ledger.rows import EventRow, Refused, Watermark
from cloud.ledger.statements import Statements, event_cells, refused_cells, watermark_cells
from cloud.telemetry import dayfile
from wire import codec, topics
from wire.messages import Settle

ROWS_AT_ONCE = 50_000
REFUSED_A_DEVICE = 20
TRACK_DAYS = 3
TRACK_EVERY_S = 30
SPEAK = 20
START_S = 120.0
WATCH_S = 3.0
_clock = SystemClock()


def write_ledger(path: Path, events: int, units: int, end: datetime) -> None:
    """Write a ledger in which the devices press by turns, the last time at `end`."""
    Ledger.open(f"sqlite:///{path}").close()
    statements = Statements(sqlite.dialect(paramstyle="qmark"))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=OFF")
        for start in range(1, events + 1, ROWS_AT_ONCE):
            ids = range(start, min(start + ROWS_AT_ONCE, events + 1))
            _write(db, statements.event, (event_cells(_event(id, events, units, end)) for id in ids))
        last = range(max(1, events - units + 1), events + 1)
        heads = [(unit_name((id - 1) % units), device_name((id - 1) % units), id) for id in last]
        _write(db, statements.head, heads)
        _write(db, statements.tail, [(unit, id) for unit, _, id in heads])
        _write(db, statements.watermark, (watermark_cells(mark) for mark in _marks(events, units, end)))
        _write(db, statements.refused, (refused_cells(row) for row in _refused(events, units, end)))


def _write(db: sqlite3.Connection, statement: str, rows: Any) -> None:
    db.execute("BEGIN")
    db.executemany(statement, rows)
    db.execute("COMMIT")


def _event(id: int, events: int, units: int, end: datetime) -> EventRow:
    number, seq = (id - 1) % units, (id - 1) // units + 1
    at = end - timedelta(seconds=(events - id) * 0.5)
    unit, code = unit_name(number), CODES[seq % len(CODES)]
    body = (
        f'{{"kind":"status","seq":{seq},"at":"{at.isoformat()}","clock":"gnss","boot":1,"mono_ms":{seq * 60_000},'
        f'"mode":"live","unit":"{unit}","scheme":"{SCHEME}","code":"{code}","by":"panel"}}'
    )
    return EventRow(
        id=id,
        device=device_name(number),
        stream=stream_name(number),
        queue="status",
        seq=seq,
        kind="status",
        unit=unit,
        mode="live",
        at=at,
        received_at=at,
        corrected_at=at,
        proven=True,
        prev=id - units if id > units else None,
        body=body.encode(),
    )


def last_seq(number: int, events: int, units: int) -> int:
    """Give how many statuses a device has in the ledger."""
    return (events - number - 1) // units + 1


def _marks(events: int, units: int, end: datetime) -> Iterator[Watermark]:
    for number in range(units):
        device, stream, seq = device_name(number), stream_name(number), last_seq(number, events, units)
        mark = Watermark(
            device=device, stream=stream, queue="status", ordinal=1, through=seq, digest=bytes(32), corrected_at=end
        )
        yield mark
        yield msgspec.structs.replace(mark, queue="track", through=track_rows(), corrected_at=None)


def _refused(events: int, units: int, end: datetime) -> Iterator[Refused]:
    for number in range(units):
        for seq in range(1, min(REFUSED_A_DEVICE, last_seq(number, events, units)) + 1):
            yield Refused(
                received_at=end,
                topic=topics.up(ORG, device_name(number), "status"),
                reason="unknown_code",
                body=bytes(200),
                device=device_name(number),
                stream=stream_name(number),
                queue="status",
                seq=seq,
            )


def track_rows() -> int:
    """Give how many positions each device has."""
    return TRACK_DAYS * 86_400 // TRACK_EVERY_S


def write_track(folder: Path, units: int, end: datetime) -> None:
    """Write the days of positions that end with today, each device's every 30 s, as they come in."""
    folder.mkdir(parents=True)
    rows = 86_400 // TRACK_EVERY_S
    for back in range(TRACK_DAYS):
        day = (end - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        path = dayfile.path_of(folder, day.date())
        dayfile.create(path)
        with contextlib.closing(duckdb.connect(str(path))) as db:
            first = (TRACK_DAYS - 1 - back) * rows
            db.execute(f"""
                INSERT INTO position SELECT
                    format('veh-{{:05d}}', n), format('unit-{{:05d}}', n), format('E{{:05d}}-0123456789abcdef', n),
                    {first} + step + 1, 1, ({first} + step) * {TRACK_EVERY_S}000,
                    moment, moment, moment, 'live', '3d',
                    51 + random() * 0.5, 0.5 + random() * 0.5, random() * 20, random() * 359, 30, 5, 9, moment
                FROM (SELECT n, step, TIMESTAMP '{day}' + to_milliseconds(step * {TRACK_EVERY_S}000 + n) AS moment
                      FROM range({rows}) steps(step), range({units}) numbers(n) ORDER BY step)
                WHERE moment <= TIMESTAMP '{end.replace(tzinfo=None)}'
            """)


def now_shown(board: Board) -> set[str]:
    """Name the units that are shown as fresh, confirmed or placed as of now."""
    return {
        one.unit
        for one in board.records.values()
        if one.link == "fresh" or one.confidence == "confirmed" or one.position_fresh
    }


@contextlib.asynccontextmanager
async def serving(folder: Path, units: int) -> AsyncIterator[tuple[float, Board, int, asyncio.subprocess.Process]]:
    """Start the application; once its first whole snapshot has come give the seconds that took, and the board."""
    port, mqtt_port = free_port(), free_port()
    board = Board(port)
    command = [str(Path(sys.executable).parent / "watchroom"), "up", "--data", str(folder), "--port", str(port)]
    started_s = _clock.monotonic()
    running = await asyncio.create_subprocess_exec(
        *command, "--mqtt-port", str(mqtt_port), stdout=asyncio.subprocess.DEVNULL
    )
    following = asyncio.ensure_future(board.follow())
    try:
        async with asyncio.timeout(START_S):
            await board.whole.wait()
        ready_s = _clock.monotonic() - started_s
        if len(board.records) != units:
            raise SystemExit(f"the first snapshot has {len(board.records)} of {units} units")
        yield ready_s, board, mqtt_port, running
    finally:
        following.cancel()
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def let_speak(board: Board, mqtt_port: int, events: int, units: int) -> None:
    """Let some devices speak, as they would after a restart: a birth, and a heartbeat that echoes the answer."""
    speakers = Speakers(units)
    async with aiomqtt.Client("127.0.0.1", mqtt_port, identifier="restart") as client:
        await client.subscribe(f"wr/1/down/{ORG}/+/settle", qos=0)
        for number in range(SPEAK):
            speakers.go_on(number, last_seq(number, events, units), track_rows())
            await client.publish(*speakers.say("birth", number, _moment()), qos=1)
        waiting = set(range(SPEAK))
        async for message in client.messages:
            settle = codec.decode_down(bytes(message.payload))
            number = number_of(str(message.topic))
            if isinstance(settle, Settle) and number in waiting:
                waiting.discard(number)
                speakers.hear(number, settle.id, _moment())
                await client.publish(*speakers.say("heartbeat", number, _moment()), qos=1)
            if not waiting:
                break
    deadline_s = _clock.monotonic() + WATCH_S
    while _clock.monotonic() < deadline_s:
        await _clock.sleep(0.1)


def _moment() -> Moment:
    return Moment(_clock.now(), _clock.monotonic())


async def measure(folder: Path, events: int, units: int) -> dict[str, Any]:
    """Start three times."""
    took, spoke = {}, {unit_name(number) for number in range(SPEAK)}
    unheard: set[str] = set()
    for kind in ("after_crash", "after_kill", "after_reboot"):
        if kind == "after_reboot":
            drop_from_page_cache(folder)
        async with serving(folder, units) as (took[kind], board, mqtt_port, running):
            unheard |= now_shown(board)
            if kind == "after_crash":
                await let_speak(board, mqtt_port, events, units)
                shown = now_shown(board)
                unheard |= shown - spoke
            running.kill()
    return {
        "ready_s": round(max(took.values()), 2),
        "fresh_unheard": len(unheard),
        "fresh_heard": len(shown & spoke),
        "spoke": SPEAK,
        **{f"ready_{kind}_s": round(value, 2) for kind, value in took.items()},
    }


def drop_from_page_cache(folder: Path) -> None:
    """Have the stores read from the disk again."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


async def import_s() -> float:
    """Time an interpreter that imports the application and ends."""
    started_s = _clock.monotonic()
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", "import cloud.cli")
    await running.wait()
    return _clock.monotonic() - started_s


def build(folder: Path, events: int, units: int) -> None:
    """Write everything that a restart finds."""
    end = _clock.now()
    write_directory(folder, units)
    write_track(folder / "telemetry", units, end)
    write_ledger(folder / "ledger.db", events, units, end)


async def run(folder: Path, events: int, units: int) -> dict[str, Any]:
    """Build what is not there yet, then measure."""
    if not (folder / "ledger.db").exists():
        started_s = _clock.monotonic()
        build(folder, events, units)
        print(f"built in {_clock.monotonic() - started_s:.0f} s", file=sys.stderr)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    found = await measure(folder, events, units)
    stores = {"events": events, "units": units, "positions": units * track_rows(), "stores_gib": round(size / 2**30, 2)}
    return found | stores | {"import_s": round(await import_s(), 2)}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000, help="events in the ledger (default 10 million)")
    parser.add_argument("--units", type=int, default=5_000, help="units, each with its device (default 5000)")
    parser.add_argument("--folder", type=Path, help="where to build the stores, or where an earlier run left them")
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = asyncio.run(run(folder, asked.events, asked.units))
    print(json.dumps(found))
    if found["fresh_unheard"] or found["fresh_heard"] != found["spoke"]:
        raise SystemExit("what was shown as fresh is not what had spoken")


if __name__ == "__main__":
    main()
