"""What people decide about sharing: durable before it counts, told to who goes by it, over at its time."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloud.desk.bindingwords import Refusal
from cloud.desk.sharing import OPEN_MAX
from cloud.desk.sharingwords import AccessRequest, AccessView, AgreementView, MajorIncident
from cloud.errors import CloudError
from cloud.ledger import opening
from cloud.sharing.grants import grants_of
from cloud.sharing.terms import SharedUnit, Situation
from tests.cloud.desk.lab import HandClock
from tests.cloud.desk.sharing_lab import REQUEST, Lab, locked, moment, sharing_county, working
from tests.cloud.fleet.samples import NOON


def test_an_agreement_is_withdrawn_and_restored(tmp_path: Path) -> None:
    """Each outlives the process, is kept with who and why, and is told once; the same again decides nothing."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        assert {"fire-to-police": "in_force", "flood-plan": "waiting", "last-year": "over"} == lab.states()
        clock.moved_s = 60
        found = lab.withdraw()
        assert isinstance(found, AgreementView)
        assert ("withdrawn", "A. Smith", "under review") == (found.state, found.withdrawn_by, found.reason)
        assert found == lab.withdraw()
        assert (frozenset({"fire-to-police"}), 1) == (lab.sharing.parts().withdrawn, lab.changes)
        assert [("agreement", "fire-to-police", "A. Smith")] == lab.decisions
    with working(tmp_path, clock) as lab:
        assert frozenset({"fire-to-police"}) == lab.sharing.parts().withdrawn
        (shown,) = [one for one in lab.sharing.agreements() if one.agreement == "fire-to-police"]
        assert found == shown
        assert "in_force" == lab.restore().state == lab.restore().state
        assert (frozenset(), 1, 2) == (lab.sharing.parts().withdrawn, lab.changes, len(lab.decisions))
    with working(tmp_path, clock) as lab:
        assert frozenset() == lab.sharing.parts().withdrawn


def test_a_withdrawal_only_ends_an_agreement_sooner(tmp_path: Path) -> None:
    """What the directory has let run out is over, whatever anybody restores; an unknown one is told."""
    with working(tmp_path) as lab:
        assert "over" == lab.withdraw("last-year").state == lab.restore("last-year").state
        for answer in (lab.withdraw("no-such"), lab.restore("no-such")):
            assert isinstance(answer, Refusal) and 404 == answer.status


def test_an_agreement_that_comes_back_is_still_withdrawn(tmp_path: Path) -> None:
    """A row that the directory lost for a while opens nothing by that: only its owner's word does."""
    with working(tmp_path) as lab:
        lab.withdraw()
        rows = lab.in_force.written.agreements
        lab.replace(agreements={})
        assert {} == lab.states()
        lab.replace(agreements=rows)
        assert "withdrawn" == lab.states()["fire-to-police"]


def test_a_major_incident_switches_on_what_names_it(tmp_path: Path) -> None:
    """Declared it stands until it is ended, over a start too, and says which agreements it opens: none misspelt."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        found = lab.declare()
        assert isinstance(found, MajorIncident) and ("flood-plan",) == found.agreements
        assert found == lab.declare() and 1 == len(lab.decisions)
        assert "in_force" == lab.states()["flood-plan"]
        assert () == lab.declare("river flod").agreements
    with working(tmp_path, clock) as lab:
        assert frozenset({"river flood", "river flod"}) == lab.sharing.parts().declared
        assert ["river flood", "river flod"] == [one.name for one in lab.sharing.major_incidents()]
        assert found == end(lab, "river flood")
        assert ["river flod"] == [one.name for one in lab.sharing.major_incidents()]
        assert "waiting" == lab.states()["flood-plan"]
        again = end(lab, "river flood")
        assert isinstance(again, Refusal) and 404 == again.status
    clock.moved_s = 60
    with working(tmp_path, clock) as lab:
        assert frozenset({"river flod"}) == lab.sharing.parts().declared
        lab.declare()
    with working(tmp_path, clock) as lab:
        names = [one.name for one in lab.sharing.major_incidents()]
        assert ["river flod", "river flood"] == names, "in the order in which they were declared"


def end(lab: Lab, name: str) -> MajorIncident | Refusal:
    """End a major incident."""
    return asyncio.run(lab.sharing.end_incident(name, REQUEST))


def test_emergency_access_is_announced_and_runs_out(tmp_path: Path) -> None:
    """The announcement says who opened what to whom until when and why, and that it is over; a start knows both."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        found = lab.open_access()
        assert isinstance(found, AccessView) and (True, moment("13:00")) == (found.active, found.until)
        (said,) = lab.announced
        expected = "Weald Police opened emergency access to all units of Weald Fire and Rescue until 13:00 UTC"
        assert (f"{expected}: shots fired (B. Jones)", NOON, None) == (said.text, said.since, said.over_at)
        assert [found.access] == [one.id for one in lab.sharing.parts().access]
    clock.moved_s = 3_599
    with working(tmp_path, clock) as lab:
        assert [said] == lab.announced and found == lab.sharing.accesses()[0]
        clock.moved_s = 3_600
        lab.sharing.step()
        assert moment("13:00") == lab.announced[-1].over_at
        assert ((), False) == (lab.sharing.parts().access, lab.sharing.accesses()[0].active)
        lab.sharing.step()
        assert 2 == len(lab.announced)
    with working(tmp_path, clock) as lab:
        assert [moment("13:00")] == [one.over_at for one in lab.announced]
    clock.moved_s = 8 * 86_400
    with working(tmp_path, clock) as lab:
        assert [] == lab.announced and 1 == len(lab.sharing.accesses())


@pytest.mark.parametrize("organisation", ["kf", "kp"])
def test_emergency_access_is_ended_by_either_side(tmp_path: Path, organisation: str) -> None:
    """By the owner or the partner, durably and once; by a third, whom nobody tells that there is one, never."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        opened = lab.open_access()
        assert isinstance(opened, AccessView)
        third = lab.end_access(opened.access, "ka")
        assert isinstance(third, Refusal) and 404 == third.status and 1 == len(lab.sharing.parts().access)
        clock.moved_s = 60
        ended = lab.end_access(opened.access, organisation)
        assert isinstance(ended, AccessView)
        assert (False, moment("12:01"), "C. Brown", organisation) == (
            ended.active, ended.until, ended.ended_by, ended.ended_for,
        )  # fmt: skip
        assert ended == lab.end_access(opened.access, organisation) and 2 == len(lab.decisions)
        assert "ended at 12:01 UTC by C. Brown" in lab.announced[-1].text
    with working(tmp_path, clock) as lab:
        assert () == lab.sharing.parts().access and (ended,) == lab.sharing.accesses()


def test_emergency_access_opens_all_but_what_is_hidden(tmp_path: Path) -> None:
    """By the rules of sharing: of the owner's units everything but its workings, from then on until it ends."""
    with working(tmp_path) as lab:
        opened = lab.open_access(minutes=1)
        assert isinstance(opened, AccessView) and "workings" not in opened.fields and "position" in opened.fields
        access = lab.sharing.parts().access
        shown = SharedUnit(id="kf-1", organisation="kf", type="pump", base="stn-14")
        for minutes, unit, expected in (
            ("12:00", shown, True),
            ("12:01", shown, False),
            ("12:00", msgspec.structs.replace(shown, hidden=True), False),
        ):
            found = grants_of(unit, "kp", (), Situation(now=moment(minutes), access=access))
            assert expected is (found is not None)


def test_the_same_request_opens_one_access(tmp_path: Path) -> None:
    """Sent again by the same person it is the same; for another reason it is another, up to a bound."""
    with working(tmp_path) as lab:
        assert lab.open_access() == lab.open_access(minutes=240)
        assert 1 == len(lab.announced)
        for number in range(OPEN_MAX - 1):
            assert isinstance(lab.open_access(reason=f"reason {number}"), AccessView)
        answer = lab.open_access(reason="one more")
        assert isinstance(answer, Refusal) and 409 == answer.status
        assert isinstance(lab.open_access("ka"), AccessView)


@pytest.mark.parametrize(("partner", "owner", "status"), [("kp", "kx", 404), ("kx", "kf", 404), ("kp", "kp", 422)])
def test_emergency_access_is_between_two_known_organisations(
    tmp_path: Path, partner: str, owner: str, status: int
) -> None:
    """What it would open to whom has to be there; nothing is kept otherwise."""
    with working(tmp_path) as lab:
        answer = lab.open_access(partner, owner=owner)
        assert isinstance(answer, Refusal) and status == answer.status
        assert [] == lab.decisions and [] == lab.announced


@pytest.mark.parametrize("changes", [{"minutes": 0}, {"minutes": 241}, {"reason": "  "}, {"by": " "}, {"colour": 1}])
def test_emergency_access_needs_a_reason_and_an_end(changes: dict[str, Any]) -> None:
    """Without a word why, without a name, or for longer than four hours there is none."""
    fields: dict[str, Any] = {"owner": "kf", "by": "B. Jones", "reason": "shots fired"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields | changes, type=AccessRequest)


def test_an_organisation_that_is_none_any_more_has_no_access(tmp_path: Path) -> None:
    """When the directory loses it nothing stays open to it, and who goes by that is told."""
    with working(tmp_path) as lab:
        lab.open_access()
        lab.replace(organisations={name: row for name, row in sharing_county().organisations.items() if name != "kp"})
        assert ((), 2) == (lab.sharing.parts().access, lab.changes)


def test_nothing_is_decided_that_is_not_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger takes nothing each request fails, and nothing counts, is told or is announced."""
    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))
    with working(tmp_path) as lab:
        with locked(tmp_path):
            for act in (lab.withdraw, lab.declare, lab.open_access):
                with pytest.raises(CloudError):
                    act()
        parts = lab.sharing.parts()
        assert (frozenset(), frozenset(), ()) == (parts.withdrawn, parts.declared, parts.access)
        assert ([], 0, []) == (lab.announced, lab.changes, lab.decisions)
        assert isinstance(lab.withdraw(), AgreementView)
