"""The modes that control sets: durable, told to the units that they are for, and over at their time."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloud.desk import Invalid, ModePorts, ModeRequest, Modes, NoSuch
from cloud.directory import InForce
from cloud.errors import CloudError
from cloud.fleet.basis import ModeSaid
from cloud.fleet.modes import Setting
from cloud.ledger import DecisionRow, opening
from tests.cloud.desk.lab import HandClock, station_county
from tests.cloud.fleet.samples import NOON
from tests.cloud.ledger.samples import open_in
from wire.feed import Mode


class Lab:
    """The modes on a real ledger, and the units that they are told to."""

    def __init__(self, folder: Path, clock: HandClock) -> None:
        """Begin, or go on with what is in the folder."""
        self.clock, self.ledger = clock, open_in(folder)
        self.said: list[tuple[str, ModeSaid | None]] = []
        self.in_force = InForce(station_county())
        ports = ModePorts(set_mode=lambda unit, said: self.said.append((unit, said)))
        self.modes = Modes(self.in_force, self.ledger, ports, clock=clock)

    def put(self, mode: Mode = "test", hours: float = 1.0, **changes: Any) -> Setting | Invalid | NoSuch:
        """Set a mode for the car, for an hour."""
        until = None if mode == "live" else self.clock.now() + timedelta(hours=hours)
        fields: dict[str, Any] = {"scope": "unit", "id": "kp-12", "mode": mode, "by": "A. Smith", "reason": "drill"}
        return asyncio.run(self.modes.put(ModeRequest(**fields | {"until": until} | changes)))

    def told(self) -> dict[str, Mode | None]:
        """What was told since the last call."""
        said, self.said = self.said, []
        return {unit: None if one is None else one.mode for unit, one in said}


@contextlib.contextmanager
def working(folder: Path, clock: HandClock | None = None) -> Iterator[Lab]:
    """The modes at work: do it again in one folder, and they go on."""
    lab = Lab(folder, clock or HandClock())
    try:
        yield lab
    finally:
        lab.ledger.close()


def test_a_mode_is_told_to_the_units_that_it_is_for(tmp_path: Path) -> None:
    """To one, to those of a base or an organisation, or to all; and each is told only what is new to it."""
    with working(tmp_path) as lab:
        units = lab.in_force.directory.units
        assert isinstance(lab.put(), Setting)
        assert {"kp-12": "test"} == lab.told()
        assert ("test", "live") == (lab.modes.mode_of("kp-12"), lab.modes.mode_of("kf-1"))
        lab.put("training", scope="base", id="stn-14")
        at_base = {unit.id for unit in units.values() if unit.base == "stn-14"}
        assert dict.fromkeys(at_base - {"kp-12"}, "training") == lab.told()
        lab.put("maintenance", scope="organisation", id="kp")
        assert {unit.id for unit in units.values() if unit.organisation == "kp"} == set(lab.told())
        lab.put("commissioning", scope="all", id="")
        assert dict.fromkeys(units, "commissioning") == lab.told()
        (last,) = lab.modes.in_force()[3:]
        assert ("all", "A. Smith", "drill") == (last.scope, last.by, last.reason)


def test_a_mode_outlives_the_process_and_ends_at_its_time(tmp_path: Path) -> None:
    """A start tells it again; it runs out by itself, at its moment, and is nothing after another start."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        lab.put()
    with working(tmp_path, clock) as lab:
        ((unit, said),) = lab.said
        assert ("kp-12", "test", NOON + timedelta(hours=1), "A. Smith") == (unit, said.mode, said.until, said.by)  # type: ignore[union-attr]
        lab.told()
        clock.moved_s += 3_599
        lab.modes.step()
        assert {} == lab.told()
        clock.moved_s += 1
        lab.modes.step()
        assert ({"kp-12": None}, ()) == (lab.told(), lab.modes.in_force())
    with working(tmp_path, clock) as lab:
        assert {} == lab.told()


def test_a_mode_is_ended_early_by_live(tmp_path: Path) -> None:
    """The unit is live again, also after a start; where nothing is set there is nothing to end, and none is kept."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        assert isinstance(lab.put("live"), Setting)
        assert [] == lab.ledger.decisions()
        lab.put()
        lab.put("live", by="B. Jones", reason="over")
        assert {"kp-12": None} == lab.told()
        kept = [(row.kind, row.subject, row.by, row.reason) for row in lab.ledger.decisions()]
        assert [("mode", "unit:kp-12", "A. Smith", "drill"), ("mode", "unit:kp-12", "B. Jones", "over")] == kept
    with working(tmp_path, clock) as lab:
        assert ({}, "live") == (lab.told(), lab.modes.mode_of("kp-12"))


def test_the_same_mode_is_set_once(tmp_path: Path) -> None:
    """The same request again is the same decision; another end, person or reason is another one."""
    with working(tmp_path) as lab:
        first = lab.put()
        lab.clock.moved_s += 60
        assert first == lab.put(until=NOON + timedelta(hours=1))
        assert 1 == len(lab.ledger.decisions())
        lab.put(hours=2)
        assert 2 == len(lab.ledger.decisions()) and 1 == len(lab.modes.in_force())


@pytest.mark.parametrize(
    ("changes", "answered", "says"),
    [
        ({"id": "kp-99"}, NoSuch, "no unit 'kp-99'"),
        ({"scope": "base"}, NoSuch, "no base 'kp-12'"),
        ({"scope": "organisation"}, NoSuch, "no organisation"),
        ({"scope": "all"}, NoSuch, "leave it empty"),
        ({"hours": 25}, Invalid, "at most 24 hours"),
        ({"until": None}, Invalid, "until: is missing"),
    ],
)
def test_what_is_no_mode_is_refused(
    tmp_path: Path, changes: dict[str, Any], answered: type[Invalid | NoSuch], says: str
) -> None:
    """It changes nothing, is not kept, and the answer says what is wrong."""
    with working(tmp_path) as lab:
        answer = lab.put(**changes)
        assert isinstance(answer, answered) and says in answer.problem
        assert ({}, []) == (lab.told(), lab.ledger.decisions())


def test_nothing_is_set_that_is_not_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger takes nothing, the request fails and no unit is told; another one may succeed later."""
    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))
    with working(tmp_path) as lab:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CloudError):
            lab.put()
        assert ({}, ()) == (lab.told(), lab.modes.in_force())
        other.execute("ROLLBACK")
        other.close()
        assert isinstance(lab.put(), Setting)


def test_a_unit_that_comes_to_a_base_takes_its_mode(tmp_path: Path) -> None:
    """When the directory is replaced, those that belong elsewhere now are told; the rest hear nothing."""
    with working(tmp_path) as lab:
        lab.put("training", scope="base", id="stn-14")
        lab.told()
        before = lab.in_force.directory
        moved = msgspec.structs.replace(before.units["kp-12"], base="elsewhere")
        lab.in_force.replace(msgspec.structs.replace(before, units=before.units | {"kp-12": moved}))
        assert {"kp-12": None} == lab.told()
        lab.in_force.replace(before)
        assert {"kp-12": "training"} == lab.told()


def test_decisions_of_other_kinds_are_no_modes(tmp_path: Path) -> None:
    """What control decides beside modes lies in the same table, and stops no start."""
    with working(tmp_path) as lab:
        row = DecisionRow(at=NOON, kind="lent", subject="unit:kp-12", by="op 7", reason="", body=b"{}")
        lab.ledger.commit_decision(row)
        lab.put()
    with working(tmp_path) as lab:
        assert {"kp-12": "test"} == lab.told()
