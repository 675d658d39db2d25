"""Covers: taken over by an agreement alone, on its grounds and in its time; handed back; over with its time."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from cloud.desk.bindingwords import Refusal
from cloud.desk.covering import CoverView, TakeOverRequest, Why
from cloud.errors import CloudError
from cloud.ledger import opening
from tests.cloud.desk.lab import HandClock
from tests.cloud.desk.sharing_lab import REQUEST, Lab, locked, moment, working

NORTH, SOUTH = "north-by-south", "south-by-north"


def take(lab: Lab, cover: str = NORTH, why: Why = "failure") -> CoverView | Refusal:
    """Take an area over."""
    request = TakeOverRequest(why=why, by="A. Smith", reason="the building is dark")
    return asyncio.run(lab.covering.take_over(cover, request))


def hand_back(lab: Lab, cover: str = NORTH) -> CoverView | Refusal:
    """Hand an area back."""
    return asyncio.run(lab.covering.hand_back(cover, REQUEST))


def covering(lab: Lab, room: str) -> list[str]:
    """Whose areas a room covers."""
    return [word.room for word in lab.covering.covering(room)]


def test_an_area_is_taken_over_and_handed_back(tmp_path: Path) -> None:
    """Each is kept once with who, why and on which grounds, outlives the process, and is told."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        found = take(lab)
        assert isinstance(found, CoverView) and "taken_over" == found.state
        assert found == take(lab)
        assert ([("cover", NORTH, "A. Smith")], 1) == (lab.decisions, lab.changes)
        assert (["north"], []) == (covering(lab, "south"), covering(lab, "north"))
        assert ["south"] == [word.covered_by for word in lab.covering.covered("north")]
    with working(tmp_path, clock) as lab:
        assert ["north"] == covering(lab, "south")
        back = hand_back(lab)
        assert isinstance(back, CoverView) and "ready" == back.state
        assert [(False, None), (True, "failure")] == [(word.taken, word.why) for word in back.history]
        assert back == hand_back(lab) and 2 == len(lab.decisions)
    with working(tmp_path, clock) as lab:
        assert [] == covering(lab, "south")


def test_a_cover_has_its_time(tmp_path: Path) -> None:
    """Before it and after it nobody takes over; what is taken ends with it, and does not come back by a longer row."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        for at_s, expected in ((0, "not yet"), (7_200, "over")):
            clock.moved_s = at_s
            answer = take(lab, SOUTH, "overflow")
            assert isinstance(answer, Refusal) and (409, True) == (answer.status, expected in answer.problem)
        clock.moved_s = 3_600
        assert isinstance(take(lab, SOUTH, "overflow"), CoverView) and ["south"] == covering(lab, "north")
        clock.moved_s = 7_200
        assert [] == covering(lab, "north")
        rows = lab.in_force.written.covers
        longer = msgspec.structs.replace(rows[SOUTH], valid_until=moment("20:00"))
        lab.replace(covers=rows | {SOUTH: longer})
        assert [] == covering(lab, "north")
        assert isinstance(take(lab, SOUTH, "overflow"), CoverView) and ["south"] == covering(lab, "north")


def test_nobody_takes_over_without_an_agreement(tmp_path: Path) -> None:
    """On grounds that it does not name, or where there is none, nothing is taken; a row that goes takes it away."""
    with working(tmp_path) as lab:
        answer = take(lab, why="overflow")
        assert isinstance(answer, Refusal) and (422, True) == (answer.status, "failure or planned" in answer.problem)
        for none in (take(lab, "no-such"), hand_back(lab, "no-such")):
            assert isinstance(none, Refusal) and 404 == none.status
        take(lab)
        rows = lab.in_force.written.covers
        lab.replace(covers={SOUTH: rows[SOUTH]})
        assert [] == covering(lab, "south") and [SOUTH] == [one.cover for one in lab.covering.covers()]
        turned = msgspec.structs.replace(rows[NORTH], room="south", covered_by="north")
        lab.replace(covers=rows | {NORTH: turned})
        assert [] == covering(lab, "north") and [] == covering(lab, "south")


def test_nothing_is_taken_over_that_is_not_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger takes nothing the request fails, and nobody covers anybody."""
    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))
    with working(tmp_path) as lab:
        with locked(tmp_path), pytest.raises(CloudError):
            take(lab)
        assert [] == covering(lab, "south")
