"""What looking back costs: frames kept, the room that they take, and the time until a past board or track is there.

`python -m benchmarks.history` fills one day of a county on the move, each unit shown every `--every-s` seconds and no
two frames alike, in appends of 10,000; puts the day in order as happens when it is over; and reads. It prints one JSON
object on the last line:

- `rows_per_s`: frames appended and committed a second, from rows to durable.
- `bytes_per_row`: of the day's file once it is in order; `bytes_per_row_live` while the day lasts.
- `unit_day_ms`: one unit's frames of the whole day, as rows; the median over many units.
- `replay_ms`: a whole board at a random moment, from the stores to the bytes of the answer; the median over many
  moments. The board log holds several changes of each unit.
- `baseline`: the same minute's cost of what nobody can avoid: encoding the board's records (`encode_ms`), and reading
  as many rows from a table of DuckDB's own (`read_ms`).
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import msgspec

from cloud.ledger import BoardRow, Ledger
from cloud.memory import Began, replay
from cloud.memory.essence import take_apart
from cloud.memory.instants import decode_us, encode_us
from cloud.memory.replay import Replayed
from cloud.telemetry import DuckFrames, FrameRow, Span, dayfile
from wire.feed import Ages, FeedRecord, PositionView, Reason, SourceView, StatusView

DAY = datetime(2026, 11, 1, tzinfo=UTC)
DAY_US = encode_us(DAY)
GROUP_ROWS = 10_000
LOGGED = 4
"""How often a unit's essence has changed by the moment that is asked for."""
SECOND_US = 1_000_000
_encode = msgspec.json.Encoder().encode


def frames_of_day(units: int, every_s: int, hours: float, chance: Random) -> Iterator[list[FrameRow]]:
    """Give the frames of a county on the move, second by second, by groups of `GROUP_ROWS`."""
    names = [f"unit-{number:05}" for number in range(units)]
    lats = [chance.randrange(505_000_000, 515_000_000) for _ in names]
    lons = [chance.randrange(-5_000_000, 5_000_000) for _ in names]
    noise = [chance.getrandbits(48) for _ in range(1 << 16)]
    group: list[FrameRow] = []
    for second in range(int(hours * 3600)):
        late = [noise[second * 7 + tick & 0xFFFF] % 900 for tick in range(5)]
        ticks = [DAY_US + second * SECOND_US + tick * 200_000 + late[tick] for tick in range(5)]
        for unit in range(second % every_s, units, every_s):
            bits = noise[second * 31 + unit * 17 & 0xFFFF]
            lats[unit] += bits % 18_001 - 9_000
            lons[unit] += (bits >> 8) % 18_001 - 9_000
            group.append(
                FrameRow(
                    names[unit], ticks[unit * 5 // units], (bits >> 3) % 5_000, (bits >> 5) % 6_000, bits % 200, 2,
                    lats[unit], lons[unit], (bits >> 7) % 3_600, (bits >> 9) % 3_000, (bits >> 11) % 400,
                    10 + (bits >> 13) % 140, (bits >> 15) % 400,
                )
            )  # fmt: skip
        if len(group) >= GROUP_ROWS:
            yield group
            group = []
    if group:
        yield group


def make_record(number: int, change: int, at: datetime) -> FeedRecord:
    """Give a unit's record as the feed would show it."""
    since = at - timedelta(seconds=60 + number % 3600)
    return FeedRecord(
        unit=f"unit-{number:05}",
        callsign=f"P{number}",
        organisation="kp",
        service="police",
        type="response car",
        base=f"Station {number % 80}",
        vehicle=f"KP{number:05}",
        capabilities=("taser", "method-of-entry"),
        availability="Available" if change % 2 else "NotAvailable",
        confidence="confirmed",
        reasons=(
            Reason(code="declared", text="Pressed on the panel", source="panel", age_s=_age_s(at, since)),
            Reason(code="position_current", text="Its position is current", source="gpsd", age_s=1.5),
        ),
        sources=(
            SourceView(source="panel", kind="status", device=f"veh-{number:05}", at=since),
            SourceView(source="link", kind="link", device=f"veh-{number:05}", at=at - timedelta(seconds=1)),
            SourceView(source="gpsd", kind="position", device=f"veh-{number:05}", at=at - timedelta(seconds=1.5)),
        ),
        activity="free",
        status=StatusView(
            scheme="uk-police-state", code="2", label="Available, on patrol", since=since, proven=True, by="panel"
        ),
        position=PositionView(fix="3d", lat=51.0, lon=0.5, age_s=1.5),
        position_fresh=True,
        ages=Ages(link_s=1.0, status_s=_age_s(at, since), position_s=1.5),
        link="fresh",
        assignment_version=change,
        as_of=at,
        cursor=change,
    )


def _age_s(at: datetime, since: datetime) -> float:
    return round((at - since).total_seconds(), 3)


def fill_board(ledger: Ledger, units: int) -> None:
    """Log each unit's changes, in the first minutes of the day."""
    began = Began(process=DAY, owner_term=1, directory_version="v1")
    ledger.commit_board([BoardRow(shown_at=DAY, unit="", kind="started", body=_encode(began))])
    for change in range(LOGGED):
        at = DAY + timedelta(minutes=change, seconds=1)
        made = (take_apart(make_record(number, change, at), encode_us(at))[0] for number in range(units))
        rows = [BoardRow(shown_at=at, unit=one.record.unit, kind="record", body=_encode(one)) for one in made]
        ledger.commit_board(rows)


def fill_frames(frames: DuckFrames, days_rows: Iterator[list[FrameRow]]) -> tuple[int, float]:
    """Append a day; gives how many rows, and the seconds that appending took: making them up is left out."""
    rows, took_s = 0, 0.0
    for group in days_rows:
        rows += len(group)
        started_s = time.perf_counter()
        frames.append(group, Span(DAY_US, group[-1].shown_us, DAY_US))
        took_s += time.perf_counter() - started_s
    return rows, took_s


def median_ms(work: Callable[[], object], times: int) -> float:
    """Give the median time of a piece of work."""
    took = []
    for _ in range(times):
        started_s = time.perf_counter()
        work()
        took.append(time.perf_counter() - started_s)
    return round(statistics.median(took) * 1000, 1)


def measure(folder: Path, units: int, every_s: int, hours: float) -> dict[str, Any]:
    """Fill, put in order and read."""
    chance = Random(7)
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
    fill_board(ledger, units)
    frames = DuckFrames.open(folder / "frames")
    rows, append_s = fill_frames(frames, frames_of_day(units, every_s, hours, chance))
    day = dayfile.path_of(folder / "frames", DAY.date())
    frames.close()
    live_bytes = day.stat().st_size
    frames = DuckFrames.open(folder / "frames")
    last_us = DAY_US + int(hours * 3600 - 1) * SECOND_US
    boards: list[Replayed] = []

    def ask() -> None:
        at = decode_us(chance.randrange(DAY_US + (LOGGED * 60 + 300) * SECOND_US, last_us))
        boards.append(replay(ledger.board_at, frames, at))
        _encode(boards[-1])

    def one_unit() -> None:
        unit = f"unit-{chance.randrange(units):05}"
        if not frames.of_unit(unit, DAY_US, DAY_US + 86_400 * SECOND_US):
            raise SystemExit("a unit has no frames: nothing was measured")

    replay_live_ms, unit_live_ms = median_ms(ask, 9), median_ms(one_unit, 5)
    started_s = time.perf_counter()
    frames.tidy(DAY.date() + timedelta(days=1))
    tidy_s = time.perf_counter() - started_s
    replay_ms, unit_day_ms = median_ms(ask, 21), median_ms(one_unit, 21)
    if not all(board.known and len(board.units) == units for board in boards):
        raise SystemExit("a board was not known, or not whole: nothing was measured")
    figures = {
        "rows_per_s": round(rows / append_s),
        "bytes_per_row": round(day.stat().st_size / rows, 1),
        "bytes_per_row_live": round(live_bytes / rows, 1),
        "unit_day_ms": unit_day_ms,
        "unit_day_ms_live": unit_live_ms,
        "replay_ms": replay_ms,
        "replay_ms_live": replay_live_ms,
        "tidy_s": round(tidy_s, 1),
        "rows": rows,
        "units": units,
        "hours": hours,
        "rows_of_unit": len(frames.of_unit("unit-00000", DAY_US, DAY_US + 86_400 * SECOND_US)),
        "baseline": baseline(boards[-1], len(frames.of_unit("unit-00000", DAY_US, DAY_US + 86_400 * SECOND_US))),
    }
    frames.close()
    ledger.close()
    return figures


def baseline(board: Replayed, rows: int) -> dict[str, float]:
    """Give what nobody can avoid: to encode the board, and to have DuckDB hand over as many rows."""
    with duckdb.connect(config={"threads": 1}) as connection:
        columns = ", ".join(f"(i * {number + 1})::BIGINT AS c{number}" for number in range(13))
        connection.execute(f"CREATE TABLE t AS SELECT {columns} FROM range({rows}) r(i)")
        read_ms = median_ms(lambda: connection.execute("SELECT * FROM t").fetchall(), 9)
    return {"encode_ms": median_ms(lambda: _encode(board), 9), "read_ms": read_ms}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=5_000, help="units on the board (default 5,000)")
    parser.add_argument("--every-s", type=int, default=10, help="seconds between two frames of a unit (default 10)")
    parser.add_argument("--hours", type=float, default=24.0, help="how much of the day (default 24)")
    parser.add_argument("--folder", type=Path, default=None, help="where to work (default: a temporary folder)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        print(json.dumps(measure(Path(name), asked.units, asked.every_s, asked.hours)))


if __name__ == "__main__":
    main()
