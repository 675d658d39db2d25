"""Bindings that control decides: durable, laid over the directory, and told to every device that they concern."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloud.desk.bindings import BindingPorts, Bindings
from cloud.desk.bindingviews import BindingView
from cloud.desk.bindingwords import DecisionRequest, LendRequest, Refusal
from cloud.desk.ports import Recorded
from cloud.directory import Directory, InForce
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.errors import CloudError
from cloud.fleet.bindings import OPEN_FOR
from cloud.fleet.clocks import Moment
from cloud.ledger import Commit, DecisionRow, opening
from tests.cloud.desk.lab import HandClock, Said
from tests.cloud.fleet.samples import COUNTY
from tests.cloud.ledger.samples import event as event_row
from tests.cloud.ledger.samples import open_in
from wire import codec
from wire.events import BindingEvent, StatusEvent

PARTS = """
[[base]]
id = "stn-9"
name = "Stn 9"
[[unit]]
id = "kf-1a"
callsign = "14P1A"
organisation = "kf"
type = "pod"
base = "stn-14"
scheme = "uk-fire-gd92"
carrier = "veh-1a"
part_of = "kf-1"
[[unit]]
id = "kf-2"
callsign = "14P2"
organisation = "kf"
type = "pump"
base = "stn-14"
scheme = "uk-fire-gd92"
carrier = "veh-3"
[[device]]
id = "veh-1a"
organisation = "kf"
enrolment = "E1a"
[[device]]
id = "veh-3"
organisation = "kf"
enrolment = "E30"
[[device]]
id = "spare"
organisation = "kf"
enrolment = "E31"
"""
BY = DecisionRequest(by="Shah", reason="in the workshop")


def directory_of(text: str) -> Directory:
    """A checked directory."""
    found = build({"county.toml": text}, read_packaged(), {})
    assert isinstance(found, Directory), found
    return found


WHOLE = directory_of(COUNTY + PARTS)


class Lab:
    """The bindings on a real ledger, and everybody who is told of them."""

    def __init__(self, folder: Path, clock: HandClock, directory: Directory = WHOLE) -> None:
        """Begin, or go on with what is in the folder."""
        self.clock, self.ledger, self.in_force = clock, open_in(folder), InForce(directory)
        self.shown: dict[str, list[str]] = {}
        self.told: list[str] = []
        self.adopted: list[tuple[str, str]] = []
        self.recalled: list[Recorded] = []
        self.bindings = Bindings(self.in_force, self.ledger, clock=clock)
        self.bindings.connect(
            BindingPorts(
                show=lambda unit, claims: self.shown.update({unit: [one.claim for one in claims]}),
                tell_state=self.told.append,
                adopt=lambda unit, device: self.adopted.append((unit, device)),
                recall=self.recalled.extend,
            )
        )

    def claim(self, device: str = "spare", unit: str = "kf-1", *, on: bool = True, **changes: Any) -> str:
        """A device's word, stored and handed on as ingest does. Gives its claim's id."""
        number = self.ledger.load().next_event_id
        callsign = self.in_force.written.units[unit].callsign
        event = BindingEvent(
            seq=number, at=self.clock.now(), clock="gnss", boot=1, mono_ms=0, mode="live", callsign=callsign, on=on,
            **changes,
        )  # fmt: skip
        now = self.clock.now()
        row = event_row(
            number, device=device, stream="E-a", unit=unit, kind="binding", body=codec.encode(event), at=now,
            received_at=now, corrected_at=now,
        )  # fmt: skip
        self.ledger.commit(Commit(events=[row]))
        self.bindings.on_events([Said(device, row, event)])
        return f"{device}.E-a.{number}"

    def do(self, act: Callable[..., Coroutine[Any, Any, BindingView | Refusal]], *asked: Any) -> BindingView:
        """Decide something, which must be done."""
        answer = asyncio.run(act(*asked))
        assert isinstance(answer, BindingView), answer
        return answer

    def refused(self, act: Callable[..., Coroutine[Any, Any, BindingView | Refusal]], *asked: Any) -> tuple[int, str]:
        """Decide something that can't be: the status, and the problem."""
        answer = asyncio.run(act(*asked))
        assert isinstance(answer, Refusal), answer
        return answer.status, answer.problem

    def outcomes(self, device: str) -> dict[str, str]:
        """What a device is told of its claims."""
        moment = Moment(self.clock.now(), self.clock.monotonic())
        return {one.unit: one.outcome for one in self.bindings.told(device, moment)}

    def carriers(self) -> dict[str, str]:
        """Who carries each unit of the fire service now."""
        return {unit.id: unit.carrier for unit in self.in_force.directory.units.values() if unit.organisation == "kf"}


@contextlib.contextmanager
def working(folder: Path, clock: HandClock | None = None, directory: Directory = WHOLE) -> Iterator[Lab]:
    """The bindings at work: do it again in one folder, and they go on."""
    lab = Lab(folder, clock or HandClock(), directory)
    try:
        yield lab
    finally:
        lab.ledger.close()


OWN = {"kf-1": "veh-1", "kf-1a": "veh-1a", "kf-2": "veh-3"}


def test_a_confirmed_claim_is_in_force_and_told_to_both_vehicles(tmp_path: Path) -> None:
    """Before a start and after it: the directory has the spare carry the unit, and what each page shows follows."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        claim = lab.claim()
        assert [claim] == lab.shown["kf-1"] and ["spare"] == lab.told
        assert {"kf-1": "waiting"} == lab.outcomes("spare") and OWN == lab.carriers()
        assert ["kf-1"] == [unit.id for unit in lab.bindings.claimed("spare")], "it may press from now on"
        clock.moved_s += 60
        view = lab.do(lab.bindings.confirm, claim, BY)
        assert ("spare", "veh-1", "Shah") == (view.device, view.directory_device, view.by)
        assert [("kf-1", "spare")] == lab.adopted and [] == lab.shown["kf-1"]
        assert {"spare", "veh-1"} <= set(lab.told)
    with working(tmp_path, clock) as lab:
        assert OWN | {"kf-1": "spare"} == lab.carriers()
        assert ({"kf-1": "confirmed"}, {"kf-1": "ended"}) == (lab.outcomes("spare"), lab.outcomes("veh-1"))
        assert ["kf-1"] == [unit.id for unit in lab.bindings.claimed("veh-1")], "its presses are history, not refused"
        assert not lab.in_force.directory.device_units("veh-1")
        unit = lab.in_force.directory.units["kf-1"]
        assert unit.bound_at is not None and timedelta() < clock.now() - unit.bound_at < timedelta(seconds=70)
        assert ["kf-1"] == [one.unit for one in lab.bindings.in_force()]
        again = lab.do(lab.bindings.confirm, claim, BY)
        assert again == view and 1 == len(lab.ledger.decisions()), "the same word again is no other one"
        assert (409, "confirmed by Shah") == (
            (found := lab.refused(lab.bindings.refuse, claim, BY))[0],
            "confirmed by Shah" if "confirmed by Shah" in found[1] else found[1],
        )


def press(lab: Lab, device: str, code: str) -> None:
    """A status of the claimed unit, stored as ingest does."""
    loaded, now = lab.ledger.load(), lab.clock.now()
    number = loaded.next_event_id
    event = StatusEvent(
        seq=number, at=now, clock="gnss", boot=1, mono_ms=0, mode="live", unit="kf-1", scheme="uk-fire-gd92",
        code=code, by="panel",
    )  # fmt: skip
    row = event_row(
        number, device=device, unit="kf-1", body=codec.encode(event), at=now, received_at=now, corrected_at=now,
        prev=dict(loaded.tails).get("kf-1"),
    )  # fmt: skip
    lab.ledger.commit(Commit(events=[row], tails=[("kf-1", number)]))


def test_the_order_hears_what_was_declared_since_the_claim(tmp_path: Path) -> None:
    """It was history until control confirmed; what the old vehicle said, or was said long before, stays so."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        press(lab, "spare", "4")
        clock.moved_s += 60
        claim = lab.claim()
        for device, code in (("spare", "1"), ("veh-1", "4"), ("spare", "2")):
            press(lab, device, code)
        lab.do(lab.bindings.confirm, claim, BY)
        said = [(one.device, one.event.code) for one in lab.recalled if isinstance(one.event, StatusEvent)]
        assert [("spare", "1"), ("spare", "2")] == said


def test_confirming_one_of_two_refuses_the_other(tmp_path: Path) -> None:
    """Both are shown until then; afterwards nothing waits, each is told, and a start changes none of it."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        first, second = lab.claim("spare"), lab.claim("veh-3")
        assert [first, second] == lab.shown["kf-1"] == [one.claim for one in lab.bindings.waiting()]
        lab.do(lab.bindings.confirm, second, BY)
        assert OWN | {"kf-1": "veh-3", "kf-2": ""} == lab.carriers()
    with working(tmp_path, clock) as lab:
        assert {"kf-1": "refused"} == lab.outcomes("spare") and not lab.bindings.waiting()
        assert 409 == lab.refused(lab.bindings.confirm, first, BY)[0]
        assert OWN | {"kf-1": "veh-3", "kf-2": ""} == lab.carriers()


def test_a_refused_claim_changes_nothing(tmp_path: Path) -> None:
    """The unit stays with its vehicle; refused again it is the same answer, confirmed it is a conflict."""
    with working(tmp_path) as lab:
        claim = lab.claim()
        lab.do(lab.bindings.refuse, claim, BY)
        assert OWN == lab.carriers() and {"kf-1": "refused"} == lab.outcomes("spare")
        lab.do(lab.bindings.refuse, claim, BY)
        assert 409 == lab.refused(lab.bindings.confirm, claim, BY)[0]
        assert ["binding_refused"] == [row.kind for row in lab.ledger.decisions()]


def test_a_claim_runs_out_after_eight_hours(tmp_path: Path) -> None:
    """Its device is told, the board shows it no longer, and control is told that it is too late."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        claim = lab.claim()
        lab.told.clear()
        clock.moved_s += OPEN_FOR.total_seconds() - 1
        lab.bindings.step()
        assert [claim] == lab.shown["kf-1"] and not lab.told
        clock.moved_s += 2
        lab.bindings.step()
        assert ([], ["spare"]) == (lab.shown["kf-1"], lab.told)
        assert (409, True) == (
            (found := lab.refused(lab.bindings.confirm, claim, BY))[0],
            "ran out" in found[1],
        )
    with working(tmp_path, clock) as lab:
        assert not lab.bindings.waiting()


def test_control_gives_a_unit_back(tmp_path: Path) -> None:
    """Unbound, the directory's vehicle has it again, and only what that says from then on counts."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        lab.do(lab.bindings.confirm, lab.claim(), BY)
        clock.moved_s += 3_600
        view = lab.do(lab.bindings.unbind, "kf-1", BY)
        assert ("veh-1", OWN) == (view.device, lab.carriers())
        since = lab.in_force.directory.units["kf-1"].bound_at
        assert since is not None and clock.now() - since <= timedelta(seconds=5)
        assert {"kf-1": "ended"} == lab.outcomes("spare") and {} == lab.outcomes("veh-1")
        assert () == lab.bindings.in_force()
        lab.do(lab.bindings.unbind, "kf-1", BY)
        assert 2 == len(lab.ledger.decisions()), "what is so is not decided again"
        assert ["unbound", "binding_confirmed"] == [one.kind for one in lab.bindings.history("kf-1")]


def test_a_unit_is_lent_and_returned(tmp_path: Path) -> None:
    """It is at the host's base and belongs to its own, over a start; its own base and one there is not are refused."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        lend = LendRequest(by="Shah", reason="cover", base="stn-9")
        view = lab.do(lab.bindings.lend, "kf-2", lend)
        assert ("stn-9", "stn-14", "veh-3") == (view.base, view.home, view.device)
        lab.do(lab.bindings.lend, "kf-2", lend)
        assert 1 == len(lab.ledger.decisions())
        for base, status in (("stn-14", 409), ("stn-77", 422)):
            assert status == lab.refused(lab.bindings.lend, "kf-2", msgspec.structs.replace(lend, base=base))[0]
    with working(tmp_path, clock) as lab:
        unit = lab.in_force.directory.units["kf-2"]
        assert ("stn-9", "stn-14") == (unit.base, unit.home)
        view = lab.do(lab.bindings.take_back, "kf-2", BY)
        assert ("stn-14", "stn-14") == (view.base, view.home)


def test_a_unit_is_split_and_rejoined(tmp_path: Path) -> None:
    """Its parts are apart, over a start; a unit without parts can't be split."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        assert lab.do(lab.bindings.split, "kf-1", BY).split
        assert 422 == lab.refused(lab.bindings.split, "kf-2", BY)[0]
    with working(tmp_path, clock) as lab:
        assert lab.in_force.directory.units["kf-1a"].is_apart
        lab.do(lab.bindings.rejoin, "kf-1", BY)
        assert not lab.in_force.directory.units["kf-1a"].is_apart


def test_what_there_is_not_is_refused(tmp_path: Path) -> None:
    """A claim or a unit that nobody knows is told as that."""
    with working(tmp_path) as lab:
        assert 404 == lab.refused(lab.bindings.confirm, "spare.E-a.99", BY)[0]
        assert 404 == lab.refused(lab.bindings.unbind, "kf-99", BY)[0]


def test_a_binding_that_a_reload_makes_meaningless_is_set_aside(tmp_path: Path) -> None:
    """The device is gone from the directory: its unit has its own vehicle, control sees why, and it comes back."""
    without = directory_of((COUNTY + PARTS).replace('id = "spare"', 'id = "spare-b"'))
    with working(tmp_path) as lab:
        claim = lab.claim("veh-3", "kf-1a")
        lab.do(lab.bindings.confirm, lab.claim(), BY)
        lab.in_force.replace(without)
        assert OWN == lab.carriers()
        assert [("kf-1", "there is no device 'spare'")] == [(one.unit, one.why) for one in lab.bindings.set_aside()]
        assert [claim] == [one.claim for one in lab.bindings.waiting()]
        lab.in_force.replace(directory_of(COUNTY + PARTS))
        assert OWN | {"kf-1": "spare"} == lab.carriers() and () == lab.bindings.set_aside()
        gone = lab.claim("spare", "kf-2")
        lab.in_force.replace(without)
        assert 409 == lab.refused(lab.bindings.confirm, gone, BY)[0]


def test_nothing_changes_while_the_ledger_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request fails, the claim waits on, and nobody is told; later it can be confirmed."""
    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))
    with working(tmp_path) as lab:
        claim = lab.claim()
        lab.told.clear()
        hold = sqlite3.connect(tmp_path / "ledger.db")
        hold.execute("BEGIN IMMEDIATE")
        with pytest.raises(CloudError):
            asyncio.run(lab.bindings.confirm(claim, BY))
        assert OWN == lab.carriers() and [claim] == [one.claim for one in lab.bindings.waiting()] and not lab.told
        hold.rollback()
        hold.close()
        lab.do(lab.bindings.confirm, claim, BY)
        assert OWN | {"kf-1": "spare"} == lab.carriers()


def test_what_others_decided_is_none_of_it(tmp_path: Path) -> None:
    """Decisions of other kinds in the ledger, such as modes, are left alone."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        row = DecisionRow(at=clock.now(), kind="mode", subject="kf-1", by="Shah", reason="drill", body=b"{}")
        lab.ledger.commit_decision(row)
    with working(tmp_path, clock) as lab:
        assert OWN == lab.carriers() and () == lab.bindings.history("kf-1")
