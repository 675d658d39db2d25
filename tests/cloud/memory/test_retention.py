"""What goes when its time is over, what stays, and what happens when the disk, the clock or the directory is wrong."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree

import msgspec
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.errors import Retryable
from cloud.memory import replay
from cloud.memory.retention import EVERY_S, Gone, Retention
from cloud.memory.terms import longest, terms
from cloud.telemetry import DuckTelemetry, Owned
from tests.cloud.directory.shire import shire
from tests.cloud.ledger.samples import press
from tests.cloud.memory.keep import BEGIN, TODAY, Keep, with_terms
from tests.cloud.memory.lab import Turned

DAYS = (31, 30, 10, 3, 2, 0)
SHIRE = shire()
ALL = sorted(DAYS, reverse=True)
FIRE, POLICE = {"positions_days": 15, "inputs_days": 3, "board_days": 30}, {"positions_days": 10}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores with six days of two organisations in them, to be copied."""
    folder = tmp_path_factory.mktemp("lived")
    keep = Keep(folder)
    for days_ago in DAYS:
        keep.live(days_ago)
    keep.close()
    return folder


@pytest.fixture
def stores(lived: Path, tmp_path: Path) -> Path:
    """A copy of the stores for one test."""
    return Path(copytree(lived, tmp_path / "stores"))


@contextmanager
def kept(folder: Path, **retention: dict[str, int]) -> Iterator[Keep]:
    """The stores, open."""
    keep = Keep(folder, **retention)
    yield keep
    keep.close()


def sweep(keep: Keep, hours: float = 3.0) -> Gone:
    """Let go of what is due, so many hours into today. Gives how much it was."""
    gone = Gone()
    make(keep).sweep(BEGIN + timedelta(hours=hours), gone)
    return gone


def make(keep: Keep, clock: Turned | None = None) -> Retention:
    """The task on these stores."""
    return Retention(keep.in_force, keep.ledger, keep.telemetry, keep.frames, clock=clock or Turned(BEGIN))


def decided(keep: Keep) -> list[dict[str, object]]:
    """What the ledger says was decided."""
    rows = [row for row in keep.ledger.decisions() if row.kind == "retention"]
    return [json.loads(row.body) for row in rows]


def test_each_organisation_by_its_own_terms(stores: Path) -> None:
    """Of each kind what is past its organisation's days goes, on the disk too; the rest and all events stay."""
    with kept(stores, kfrs=FIRE, kp=POLICE) as keep:
        keep.ledger.commit(press(1, None))
        gone = sweep(keep)
        fire, police = keep.days_kept("14p1"), keep.days_kept("p12")
        assert ([10, 3, 2, 0], [3, 2, 0]) == (fire["positions"], fire["inputs"])
        assert ([30, 10, 3, 2, 0], [10, 3, 2, 0]) == (fire["frames"], fire["places"])
        assert ([10, 3, 2, 0], ALL) == (police["positions"], police["inputs"])
        assert (ALL, [10, 3, 2, 0]) == (police["frames"], police["places"])
        assert (ALL, ALL) == (fire["board"], police["board"])
        assert 1 == len(keep.ledger.events_of("p12", None, 9))
        assert Gone() == sweep(keep)
        assert {"gone": msgspec.structs.asdict(gone)} == decided(keep)[1]
        assert {"kfrs": {"positions": "2026-11-05", "inputs": "2026-11-17", "board": "2026-10-21"}} == {
            name: kinds
            for name, kinds in decided(keep)[0]["first_day_kept"].items()  # type: ignore[attr-defined]
            if name == "kfrs"
        }


def test_the_board_keeps_what_held_at_the_begin_of_what_is_kept(stores: Path) -> None:
    """Older rows go, but for the last before the first day that is kept: else that day would begin with nothing."""
    with kept(stores, kfrs={"board_days": 5}) as keep:
        assert 2 == sweep(keep).board
        assert [10, 3, 2, 0] == keep.days_kept("14p1")["board"]
        assert ALL == keep.days_kept("p12")["board"]
        at = BEGIN - timedelta(days=2) + timedelta(hours=12, seconds=2)
        assert "of day 10" == _base(keep, BEGIN - timedelta(days=4))
        began = msgspec.json.encode({"process": at, "owner_term": 1, "directory_version": "v"})
        row = msgspec.structs.replace(keep.ledger.board_at(at)[0], unit="", kind="started", body=began)
        keep.ledger.commit_board([msgspec.structs.replace(row, shown_at=at - timedelta(days=1))])
        assert ["14p1", "p12"] == [one.unit for one in replay(keep.ledger.board_at, keep.frames, at).units]


def _base(keep: Keep, at: object) -> str:
    rows = {row.unit: row for row in keep.ledger.board_at(at)}  # type: ignore[arg-type]
    base = json.loads(rows["14p1"].body)["record"]["base"]
    return str(base)


def test_whole_days_go_when_all_let_them_go(stores: Path) -> None:
    """A day that every organisation has done with goes as files, the tracks of devices that nobody knows with it."""
    terms_of_all = {"positions_days": 30, "inputs_days": 30, "board_days": 30}
    with kept(stores, kfrs=terms_of_all, kp=terms_of_all) as keep:
        assert 2 == sweep(keep).days
        oldest = TODAY - timedelta(days=30)
        assert (oldest, oldest) == (keep.telemetry.days()[0], keep.frames.days()[0])
        assert sorted(path.name[:10] for path in (stores / "frames").glob("*.duckdb")) == [
            str(day) for day in keep.frames.days()
        ]


def test_where_nobody_says_all_is_kept(stores: Path) -> None:
    """Without terms nothing goes, and nothing is decided."""
    with kept(stores) as keep:
        assert (Gone(), []) == (sweep(keep), decided(keep))
        assert {"positions": ALL, "inputs": ALL, "frames": ALL, "places": ALL, "board": ALL} == keep.days_kept("14p1")


def test_a_spares_tracks_are_its_organisations(stores: Path) -> None:
    """What a device sent while it carried no unit goes by the terms of the device's own organisation."""
    with kept(stores, kfrs={"positions_days": 10}) as keep:
        assert 4 == sweep(keep).rows
        owned = Owned(devices=frozenset({"veh-9"}))
        left = [keep.telemetry.forget(day, owned, Owned()) for day in keep.telemetry.days()]
        assert [0, 0, 1, 1, 1, 1] == left


def test_an_organisation_left_out_of_the_directory_loses_nothing(stores: Path) -> None:
    """Somebody may have taken it out by mistake: what it had is kept, however short the terms of the others are."""
    short = {"positions_days": 2, "inputs_days": 2, "board_days": 2}
    with kept(stores, kfrs=short, kp=short) as keep:
        known = keep.in_force.directory
        of_kfrs = {name: one for name, one in known.organisations.items() if name == "kfrs"}
        units = {name: unit for name, unit in known.units.items() if unit.organisation == "kfrs"}
        devices = {name: one for name, one in known.devices.items() if one.organisation == "kfrs"}
        left = msgspec.structs.replace(known, organisations=of_kfrs, units=units, devices=devices)
        keep.in_force.replace(left)
        sweep(keep)
        assert {tuple(ALL)} == {tuple(days) for days in keep.days_kept("p12").values()}
        assert [2, 0] == keep.days_kept("14p1")["positions"]


def test_a_clock_that_was_set_costs_nothing(stores: Path) -> None:
    """A wall clock that jumps by a year deletes nothing that day; one that goes on evenly does."""
    with kept(stores, kfrs=FIRE, kp=FIRE) as keep:
        clock = Turned(BEGIN)
        task = make(keep, clock)
        clock.at, clock.mono_s = BEGIN + timedelta(days=365), EVERY_S
        assert asyncio.run(task.step())
        assert ALL == keep.days_kept("14p1")["positions"]
        clock.at, clock.mono_s = BEGIN + timedelta(days=1), 2 * EVERY_S
        assert asyncio.run(task.step())
        assert ALL == keep.days_kept("14p1")["positions"]
        clock.at, clock.mono_s = BEGIN + timedelta(days=2), 3 * EVERY_S
        assert asyncio.run(task.step())
        assert [10, 3, 2, 0] == keep.days_kept("14p1")["positions"]


class Failing(DuckTelemetry):
    """Tracks whose disk is full when a day is written anew."""

    is_full = True

    def forget(self, day: date, positions: Owned, inputs: Owned) -> int:
        """Fail, or do it."""
        if self.is_full:
            raise Retryable("no space left")
        return super().forget(day, positions, inputs)


def test_a_failing_disk_puts_it_off(stores: Path) -> None:
    """It is tried again in an hour, goes on with what is left, says in one line what went, and raises nothing."""
    with kept(stores, kfrs=FIRE, kp=FIRE) as keep:
        keep.telemetry.close()
        keep.telemetry = failing = Failing.open(stores / "telemetry")
        task = make(keep)
        with structlog.testing.capture_logs() as lines:
            assert not asyncio.run(task.step())
            failing.is_full = False
            assert asyncio.run(task.step())
        assert ["retention_put_off", "retention"] == [line["event"] for line in lines]
        assert [3, 2, 0] == keep.days_kept("14p1")["inputs"]
        assert 0 < int(lines[1]["rows"]) and 0 < int(lines[1]["frames"])


@settings(max_examples=50, deadline=None)
@given(days=st.lists(st.none() | st.integers(1, 36_500), min_size=2, max_size=2), today=st.dates(date(2020, 1, 1)))
def test_nothing_younger_is_ever_touched(days: list[int | None], today: date) -> None:
    """However terms are set, the first day that is kept is so many whole days back, and that of all is the earliest."""
    asked = {
        name: {} if kept is None else {"board_days": kept} for name, kept in zip(("kfrs", "kp"), days, strict=True)
    }
    found = terms(with_terms(SHIRE, **asked), today)
    for name, own in zip(("kfrs", "kp"), days, strict=True):
        first = found[name].board
        assert first is None if own is None else first is None or (today - first).days == own
        assert (found[name].positions, found[name].inputs) == (None, None)
    every = longest(found.values()).board
    assert every is None or all(one.board is not None and every <= one.board for one in found.values())
    assert every is not None or None in [one.board for one in found.values()]
