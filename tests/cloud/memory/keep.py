"""A ledger, frames and tracks with days in them, for what reckons over them and for what lets go of them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from cloud.directory import Directory, InForce
from cloud.directory.rows import Retention as RetentionRow
from cloud.ledger import BoardRow, Ledger
from cloud.memory.essence import take_apart
from cloud.memory.instants import encode_us
from cloud.telemetry import DuckFrames, DuckTelemetry, FrameRow, Span
from tests.cloud.directory.shire import shire
from tests.cloud.memory.samples import record
from tests.cloud.telemetry.samples import position, reading

TODAY = date(2026, 11, 20)
BEGIN = datetime(2026, 11, 20, tzinfo=UTC)


class Keep:
    """The stores of one process in a folder, and the directory in force."""

    def __init__(self, folder: Path, **retention: dict[str, int]) -> None:
        """Open them; `retention` gives organisations their terms, in days of each kind."""
        self.folder = folder
        self.ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
        self.frames = DuckFrames.open(folder / "frames")
        self.telemetry = DuckTelemetry.open(folder / "telemetry")
        self.in_force = InForce(with_terms(shire(), **retention))

    def close(self) -> None:
        """Let go of them."""
        self.telemetry.close()
        self.frames.close()
        self.ledger.close()

    def show(self, at: datetime, unit: str, **changes: Any) -> None:
        """Keep that the board showed a unit so from a moment on."""
        body = msgspec.json.encode(take_apart(record(unit, **changes), encode_us(at))[0])
        self.ledger.commit_board([BoardRow(shown_at=at, unit=unit, kind="record", body=body)])

    def go(self, at: datetime, unit: str) -> None:
        """Keep that a unit went from the board."""
        self.ledger.commit_board([BoardRow(shown_at=at, unit=unit, kind="gone", body=b"")])

    def known(self, since: datetime, until: datetime, frames: Iterable[FrameRow] = ()) -> None:
        """Keep that the board was shown all the time from a moment to another."""
        self.frames.append(list(frames), Span(encode_us(since), encode_us(until)))

    def live(self, days_ago: int) -> None:
        """Keep one day of a fire unit, a police unit, a spare's device and a unit that nobody knows."""
        at = BEGIN - timedelta(days=days_ago) + timedelta(hours=12)
        units = {"14p1": "kfrs", "p12": "kp"}
        seq = 1000 - days_ago
        times = {"at": at, "received_at": at, "corrected_at": at}
        positions = [position(seq, 0, unit=unit, device=f"of-{unit}", **times) for unit in units]
        readings = [reading(seq, 0, unit=unit, device=f"of-{unit}", **times) for unit in units]
        self.telemetry.append([*positions, position(seq, 0, unit=None, device="veh-9", **times)], readings)
        for unit, organisation in units.items():
            self.show(at, unit, organisation=organisation, base=f"of day {days_ago}")
        self.known(at, at + timedelta(seconds=5), [take_apart(record(unit), encode_us(at))[1] for unit in units])

    def days_kept(self, unit: str) -> dict[str, list[int]]:
        """How many days ago each thing is of that is still kept of a unit."""
        ever = (BEGIN - timedelta(days=999), BEGIN + timedelta(days=1))
        frames = self.frames.of_unit(unit, encode_us(ever[0]), encode_us(ever[1]))
        board = [line for line in self.ledger.board_lines([unit], *ever) if line[2] == "record"]
        moments = {
            "positions": [encode_us(row.corrected_at) for row in self.telemetry.series(unit, *ever, 99)],
            "inputs": [
                encode_us(row.corrected_at) for row in self.telemetry.inputs_of_unit(unit, "ignition", *ever, 99)
            ],
            "frames": [row.shown_us for row in frames],
            "places": [row.shown_us for row in frames if row.lat_e7 is not None],
            "board": [line[1] for line in board],
        }
        return {kind: [_days_ago(moment_us) for moment_us in found] for kind, found in moments.items()}


def with_terms(directory: Directory, **retention: dict[str, int]) -> Directory:
    """The directory with these terms, and no others."""
    organisations = {
        one.id: msgspec.structs.replace(one, retention=RetentionRow(**retention.get(one.id, {})))
        for one in directory.organisations.values()
    }
    return msgspec.structs.replace(directory, organisations=organisations)


def _days_ago(moment_us: int) -> int:
    return (TODAY - datetime.fromtimestamp(moment_us / 1_000_000, UTC).date()).days
