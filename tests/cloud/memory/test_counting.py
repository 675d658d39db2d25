"""Figures from real stores: whose they are, what is known, and the calls of the window."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from cloud.dispatch import Order
from cloud.dispatch.words import Reach
from cloud.figures import Statistics
from cloud.ledger import OrderCommit, OrderRow
from cloud.memory.counting import Asked, Counting, NoSuch
from tests.cloud.dispatch.samples import order
from tests.cloud.memory.keep import BEGIN, Keep, with_terms
from wire.events import Mode
from wire.feed import StatusView

WHOLE_DAY = (BEGIN, BEGIN + timedelta(days=1))


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    """Stores in which the whole day is known."""
    keep = Keep(tmp_path)
    keep.known(*WHOLE_DAY)
    yield keep
    keep.close()


def count(keep: Keep, scope: str, of: str, **asked: object) -> Statistics:
    """The figures, which there must be."""
    found = ask(keep, scope, of, **asked)
    assert isinstance(found, Statistics), found
    return found


def ask(keep: Keep, scope: str, of: str, **asked: object) -> Statistics | NoSuch:
    """What is answered."""
    fields = {"since": WHOLE_DAY[0], "until": WHOLE_DAY[1], "now": WHOLE_DAY[1]} | asked
    counting = Counting(keep.in_force, keep.ledger, keep.frames)
    return asyncio.run(counting.count(Asked(scope=scope, id=of, **fields)))  # type: ignore[arg-type]


def at(hour: float) -> datetime:
    """An hour of the day."""
    return BEGIN + timedelta(hours=hour)


def spent(found: Statistics) -> dict[str, float]:
    """Hours in each status, and left out."""
    return {one.code: one.duration_s / 3600 for one in found.statuses} | {
        one.reason: one.duration_s / 3600 for one in found.left_out
    }


def status(code: str, since: datetime) -> StatusView:
    """A status."""
    return StatusView(scheme="s", code=code, label=code, since=since, proven=True, by="panel")


def test_a_units_day(keep: Keep) -> None:
    """What stood before the day counts from its begin; a unit that went is not on the board; a drill is left out."""
    keep.show(at(-30), "p12", status=status("2", at(-30)))
    keep.show(at(6), "p12", status=status("6", at(6)))
    keep.show(at(7), "p12", status=status("2", at(7)), mode="training")
    keep.show(at(9), "p12", status=status("2", at(7)))
    keep.go(at(20), "p12")
    found = count(keep, "unit", "p12")
    assert {"2": 17.0, "6": 1.0, "training": 2.0, "not_on_board": 4.0} == spent(found)
    assert ("P12", 1, "Europe/London") == (found.name, found.units, found.zone)


def test_what_is_not_known_is_not_counted(tmp_path: Path) -> None:
    """Before the first board, in a gap and after the last the service was down, for who stood unchanged too."""
    keep = Keep(tmp_path)
    keep.known(at(2), at(5))
    keep.known(at(6), at(20))
    keep.show(at(2), "p12", status=status("2", at(1)))
    keep.show(at(6), "p12", status=status("2", at(1)))
    found = count(keep, "unit", "p12")
    assert {"2": 17.0, "service_down": 7.0} == spent(found)
    assert [(0, 2.0), (5, 1.0), (20, 4.0)] == [(one.since.hour, one.duration_s / 3600) for one in found.gaps]
    assert ["service_down"] * 3 == [one.kind for one in found.gaps]
    young = count(keep, "unit", "p12", until=at(20) + timedelta(seconds=4))
    assert (at(20), 17 * 3600) == (young.until, young.counted_s)
    keep.close()


def test_whose_units_they_are(keep: Keep) -> None:
    """A base has those at home there, an organisation all its own: those too that the directory knows no more."""
    for unit, organisation, base in (
        ("14p1", "kfrs", "Stn 14 shared"),
        ("p12", "kp", "Headquarters"),
        ("old-1", "kp", "Headquarters"),
        ("old-2", "kp", "Stn 15"),
        ("old-3", "kfrs", "Stn 15"),
    ):
        keep.show(at(0), unit, organisation=organisation, base=base)
    units = keep.in_force.directory.units.values()
    of_kp = sum(unit.organisation == "kp" for unit in units)
    assert of_kp + 2 == count(keep, "organisation", "kp").units
    assert sum(unit.base == "hq" for unit in units) + 1 == count(keep, "base", "hq").units
    assert 1 == count(keep, "unit", "old-3").units
    for scope in ("unit", "base", "organisation"):
        assert isinstance(ask(keep, scope, "nowhere"), NoSuch)


def test_what_was_let_go_of_is_not_counted_as_absence(keep: Keep) -> None:
    """Beyond what its organisation keeps a unit's time is said to be forgotten, not that it was not on the board."""
    keep.show(at(0), "p12", status=status("2", at(0)), organisation="kp")
    keep.in_force.replace(with_terms(keep.in_force.directory, kp={"board_days": 1}))
    found = count(keep, "unit", "p12", since=at(-6), until=at(12), now=at(25))
    assert {"forgotten": 6.0, "2": 12.0} == spent(found)


def place(keep: Keep, number: int, given: datetime, *, mode: Mode = "live", **took_s: float | None) -> None:
    """Keep an order of the pump and the car that its station took up after 4 s."""
    asked = order(mode=mode)
    pump = msgspec.structs.replace(
        asked.units[0], unit="14p1", **{name: _after(given, took) for name, took in took_s.items()}
    )
    deliveries = tuple(
        msgspec.structs.replace(one, alert=Reach(accepted_at=_after(given, 4.0 if one.station else 2.0)))
        for one in asked.deliveries
    )
    changed: Order = msgspec.structs.replace(
        asked, id=f"o{number}", units=(pump, asked.units[1]), deliveries=deliveries, created_at=given
    )
    row = OrderRow(
        id=changed.id,
        base="stn14",
        phase="mobile",
        active=False,
        version=1,
        created_at=given,
        owner_term=1,
        body=msgspec.json.encode(changed),
    )
    keep.ledger.commit_orders(OrderCommit(orders=[row]), 1)


def _after(given: datetime, took_s: float | None) -> datetime | None:
    return None if took_s is None else given + timedelta(seconds=took_s)


def test_turnout_from_the_orders_of_the_window(keep: Keep) -> None:
    """From when the station took an order to when the unit answered; other days, units and modes are not in it."""
    place(keep, 0, at(-1), acknowledged_at=9.0)
    for number in range(1, 11):
        place(keep, number, at(number), acknowledged_at=4.0 + number, mobile_at=64.0 + number)
    place(keep, 11, at(12), mode="training", acknowledged_at=5.0)
    place(keep, 12, at(13))
    place(keep, 13, at(24), acknowledged_at=9.0)
    found = count(keep, "organisation", "kfrs").turnout
    assert (11, 10, 10, 0) == (found.calls, found.acknowledged.n, found.mobile.n, found.unclear)
    assert (5.0, 9.0, 10.0) == (found.acknowledged.p50_s, found.acknowledged.p90_s, found.acknowledged.p95_s)
    assert 65.0 == found.mobile.p50_s
    assert [("training", 1)] == [(one.mode, one.calls) for one in found.left_out]
    assert 0 == count(keep, "organisation", "kp").turnout.calls
