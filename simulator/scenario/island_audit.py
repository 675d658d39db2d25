"""The audit after a cut: the ledger, read with SQLite alone, against what was done at the station."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from simulator.scenario.station import DEVICE
from simulator.scenario.station_crew import Deed
from simulator.scenario.virtual import SLOW_COMMIT_S
from wire.feed import FeedRecord, OrderView

LATE_S = 1.5
"""How long after a deed its event may say that it was: a read, a slow disk, and a proof that was waited for."""
EARLY_S = 0.1
"""A heartbeat's round trip decides how well the cloud knows the device's clock."""
CLEARED_S = 5.0
"""An alarm is cleared once its cause has been gone for so long."""
LEVEL_S = 1.0
"""Within a second a sounder, a light, an indicator or the cooker is proved."""
STALL_S = 2 * 2 * SLOW_COMMIT_S
"""A disk of a scenario now and then takes half as long to say that it has committed; seldom, twice running."""
PATHS = (("status", "crew"), ("receipt", "acknowledge", "turnout", "alarm"))
"""What goes to the disk one after the other. Of two ways there, one may be held up for a moment."""
DOOR_S = 8.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Event(NamedTuple):
    """A row of the ledger."""

    seq: int
    kind: str
    at_s: float
    """Its corrected time, in seconds of the deeds' clock."""
    proven: bool
    body: dict[str, Any]


class Told(NamedTuple):
    """What the ledger has of the station."""

    events: list[Event]
    """Of its status queue, in the order in which they were stored."""
    refused: int
    gaps: int
    zero: datetime
    """When the deeds' clock stood at 0."""


def read_ledger(path: Path, zero: datetime) -> Told:
    """Read a ledger's file. `zero` is the wall time at which the deeds' clock stood at 0."""
    query = "SELECT seq, kind, corrected_at, proven, body FROM event WHERE device = ? AND queue = 'status' ORDER BY id"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        events = [
            Event(seq, kind, (_EPOCH - zero).total_seconds() + micros / 1e6, bool(proven), json.loads(body))
            for seq, kind, micros, proven, body in db.execute(query, (DEVICE,))
        ]
        refused, gaps = (db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("refused", "gap"))
    return Told(events, refused, gaps, zero)


class Audit:
    """Everything that must hold."""

    def __init__(self, told: Told, deeds: Sequence[Deed]) -> None:
        """`deeds` are sorted by time."""
        self._told, self._deeds = told, deeds
        self.violations: list[str] = []

    def check_stream(self) -> None:
        """Each event is there exactly once, in the order in which it happened, and nothing was refused."""
        numbers = [event.seq for event in self._told.events]
        if numbers != list(range(1, len(numbers) + 1)):
            self._fail("the ledger has events twice, not at all or out of order")
        for kinds in PATHS:
            moments = [(one.body["boot"], one.body["mono_ms"]) for one in self._told.events if one.kind in kinds]
            if moments != sorted(moments):
                self._fail(f"{kinds} are not in the order in which they happened")
        if self._told.refused or self._told.gaps:
            self._fail(f"{self._told.refused} refused, {self._told.gaps} gaps")

    def check_deeds(self) -> None:
        """The ledger has what was done, each at its own time, and nothing else."""
        begun_s = self._deeds[0].at_s
        done: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
        told: defaultdict[tuple[str, ...], list[Event]] = defaultdict(list)
        for deed in self._deeds:
            done[deed.kind, *deed.what].append(deed.at_s)
        for event in self._told.events:
            what = _what(event)
            if what is not None and event.at_s >= begun_s - EARLY_S:
                told[what].append(event)
        for what in sorted(done.keys() | told.keys()):
            self._check_deed(what, done[what], told[what])

    def _check_deed(self, what: tuple[str, ...], done_s: Sequence[float], told: Sequence[Event]) -> None:
        name = " ".join(what)
        if len(done_s) != len(told):
            self._fail(f"{name}: done {len(done_s)} times, {len(told)} times in the ledger")
            return
        late_s = LATE_S + (CLEARED_S if what[0] == "alarm" and what[-1] == "False" else 0.0)
        for at_s, event in zip(done_s, told, strict=True):
            if not -EARLY_S <= event.at_s - at_s <= late_s:
                self._fail(f"{name}: done at {at_s:.1f} s, told as of {event.at_s:.1f} s")
            if not event.proven:
                self._fail(f"{name}: the time {event.at_s:.1f} s is not proven")

    def check_orders(self, turnouts: Mapping[str, float], orders: Mapping[str, OrderView]) -> None:
        """Each turnout by hand was carried out in time, ended, and is an order of its own time at the desk."""
        receipts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in self._told.events:
            if event.kind == "receipt":
                receipts[event.body["order"]].append(event.body)
        if not turnouts.keys() <= receipts.keys():
            self._fail(f"turnouts without a receipt: {sorted(turnouts.keys() - receipts.keys())}")
        for order, told in receipts.items():
            self._check_receipts(order, told)
        for order, at_s in turnouts.items():
            view = orders.get(order)
            if view is None or view.kind != "local_turnout":
                self._fail(f"{order} is no local turnout at the desk")
            elif not -EARLY_S <= self._at_s(view.created_at) - at_s <= LATE_S:
                self._fail(f"{order} of {at_s:.1f} s is shown as of {self._at_s(view.created_at):.1f} s")
            elif view.active or not all(unit.acknowledged_at for unit in view.units):
                self._fail(f"{order} is not shown as acknowledged and over")
        if orders.keys() != turnouts.keys():
            self._fail(f"{len(orders)} orders at the desk of {len(turnouts)} turnouts")

    def _check_receipts(self, order: str, told: Sequence[dict[str, Any]]) -> None:
        whole = [one["outcome"] for one in told if not one.get("step")]
        if whole != ["accepted", "done"]:
            self._fail(f"{order}: {whole}")
        begun = {one["step"]: one.get("elapsed_ms", 0) for one in reversed(told) if one["outcome"] == "started"}
        ended = {step: one for one in told if (step := one.get("step", "")) and one["outcome"] != "started"}
        for step, one in ended.items():
            took_s = (one.get("elapsed_ms", 0) - begun.get(step, one.get("elapsed_ms", 0))) / 1000
            limit_s = STALL_S + (DOOR_S if step.startswith("door:") else LEVEL_S)
            if one["outcome"] != "done" or took_s > limit_s:
                self._fail(f"{order}: {step} {one['outcome']} {one.get('reason', '')} after {took_s:.2f} s")

    def check_board(self, records: Mapping[str, FeedRecord]) -> None:
        """Each unit's status stands as of its own press."""
        newest = {deed.what[0]: deed for deed in self._deeds if deed.kind == "status"}
        for unit, deed in newest.items():
            status = records[unit].status if unit in records else None
            if status is None or status.code != deed.what[1]:
                self._fail(f"{unit} is not shown as {deed.what[1]}")
            elif not status.proven or not -EARLY_S <= self._at_s(status.since) - deed.at_s <= LATE_S:
                self._fail(f"{unit}'s press of {deed.at_s:.1f} s is shown as of {self._at_s(status.since):.1f} s")

    def _at_s(self, at: datetime) -> float:
        return (at - self._told.zero).total_seconds()

    def _fail(self, text: str) -> None:
        self.violations.append(text)


def _what(event: Event) -> tuple[str, ...] | None:
    """What an event says in the words of a deed; None for what follows from deeds by itself."""
    body = event.body
    match event.kind:
        case "status":
            return "status", body["unit"], body["code"]
        case "crew":
            return "crew", body["unit"], str(body["on"]), str(body.get("riders", 0))
        case "turnout":
            return "turnout", *body["units"]
        case "acknowledge":
            return "acknowledge", body["order"], body["by"]
        case "alarm":
            return "alarm", body["name"], str(body["raised"])
        case "receipt":
            step = body.get("step", "")
            is_proof = body["outcome"] == "done" and step and step != "acknowledge"
            return ("step", step) if is_proof else None
        case _:
            return event.kind, "unexpected"
