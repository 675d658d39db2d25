"""A county whose organisations share, lend and cover, and what people decide about that, on a real ledger."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cloud.desk import Covering, Lending, Sharing, SharingPorts
from cloud.desk.bindingwords import DecisionRequest, Refusal
from cloud.desk.sharingwords import AccessEnd, AccessRequest, AccessView, DeclareRequest
from cloud.directory import Directory, InForce
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.dispatch.alarm import AccessOpened
from tests.cloud.desk.lab import HandClock
from tests.cloud.fleet.samples import COUNTY
from tests.cloud.ledger.samples import open_in
from wire.lending import Loan, LoanMessage

SHARING = """
[[unit]]
id = "kf-2"
callsign = "14P2"
organisation = "kf"
type = "ladder"
base = "stn-14"
scheme = "uk-fire-gd92"
carrier = "veh-3"
[[unit]]
id = "kf-9"
callsign = "14S9"
organisation = "kf"
type = "pump"
base = "stn-14"
scheme = "uk-fire-gd92"
carrier = "veh-4"
covert = true
[[device]]
id = "veh-3"
organisation = "kf"
enrolment = "E30"
[[device]]
id = "veh-4"
organisation = "kf"
enrolment = "E40"
[[organisation]]
id = "ka"
name = "Weald Ambulance"
service = "ambulance"
[[agreement]]
id = "fire-to-police"
owner = "kf"
partner = "kp"
purpose = "the shared board"
fields = ["availability", "status", "position"]
precision_m = 500
[[agreement]]
id = "flood-plan"
owner = "kf"
partner = "ka"
purpose = "the flood plan"
fields = ["availability"]
when = "major_incident"
incident = "river flood"
[[agreement]]
id = "last-year"
owner = "kp"
partner = "kf"
purpose = "a trial"
fields = ["status"]
valid_until = 2026-01-01T00:00:00Z
[[control_room]]
id = "north"
name = "North"
organisations = ["kp", "kf"]
[[control_room]]
id = "south"
name = "South"
organisations = ["ka"]
[[cover]]
id = "north-by-south"
room = "north"
covered_by = "south"
why = ["failure", "planned"]
[[cover]]
id = "south-by-north"
room = "south"
covered_by = "north"
why = ["overflow"]
valid_from = 2026-11-01T13:00:00Z
valid_until = 2026-11-01T14:00:00Z
[[partner]]
organisation = "kp"
token_sha256 = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"
"""
SHARING_COUNTY = COUNTY + SHARING
REQUEST = DecisionRequest(by="A. Smith", reason="under review")
LOAN = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a00001"


@cache
def sharing_county() -> Directory:
    """Police, fire and ambulance, who share by agreements of each kind."""
    directory = build({"county.toml": SHARING_COUNTY}, read_packaged(), {})
    assert isinstance(directory, Directory), directory
    return directory


class Lab:
    """What people decide about sharing, on a real ledger, and what is announced."""

    def __init__(self, folder: Path, clock: HandClock) -> None:
        """Begin, or go on with what is in the folder."""
        self.folder, self.clock, self.ledger = folder, clock, open_in(folder)
        self.in_force = InForce(sharing_county())
        self.announced: list[AccessOpened] = []
        self.changes = 0
        self.off_duty: set[str] = set()
        self.lending = Lending(self.in_force, self.ledger, clock=clock, hidden=self.off_duty.__contains__)
        ports = SharingPorts(announce=self.announced.append, loans=self.lending.agreements)
        self.sharing = Sharing(self.in_force, self.ledger, ports, clock=clock)
        self.covering = Covering(self.in_force, self.ledger, clock=clock)
        for part in (self.sharing, self.lending, self.covering):
            part.follow(self._count)

    def _count(self) -> None:
        self.changes += 1

    @property
    def decisions(self) -> list[tuple[str, str, str]]:
        """What the ledger holds: kind, subject and who."""
        return [(row.kind, row.subject, row.by) for row in self.ledger.decisions()]

    def states(self) -> dict[str, str]:
        """How each agreement stands."""
        return {one.agreement: one.state for one in self.sharing.agreements()}

    def withdraw(self, agreement: str = "fire-to-police") -> Any:
        """Withdraw an agreement."""
        return asyncio.run(self.sharing.withdraw(agreement, REQUEST))

    def restore(self, agreement: str = "fire-to-police") -> Any:
        """Restore an agreement."""
        return asyncio.run(self.sharing.restore(agreement, REQUEST))

    def declare(self, name: str = "river flood") -> Any:
        """Declare a major incident."""
        request = DeclareRequest(name=name, by="A. Smith", reason="the river")
        return asyncio.run(self.sharing.declare(request))

    def open_access(self, partner: str = "kp", **changes: Any) -> AccessView | Refusal:
        """Open emergency access to the fire service's units."""
        fields: dict[str, Any] = {"owner": "kf", "by": "B. Jones", "reason": "shots fired"}
        return asyncio.run(self.sharing.open_access(partner, AccessRequest(**fields | changes)))

    def end_access(self, access: str, organisation: str = "kf") -> AccessView | Refusal:
        """End an emergency access early."""
        request = AccessEnd(organisation=organisation, by="C. Brown", reason="not needed")
        return asyncio.run(self.sharing.end_access(access, request))

    def may_move(self, organisation: str, unit: str) -> bool:
        """Whether an organisation may move a unit, as things stand."""
        return self.lending.may_move(organisation, unit, withdrawn=self.sharing.parts().withdrawn)

    def say(self, verb: str, sender: str = "kp", expects: int = 0, **changes: Any) -> Loan | Refusal:
        """Say something about a loan between police and fire."""
        fields: dict[str, Any] = {
            "loan": LOAN,
            "message": f"{verb}-{sender}-{expects}",
            "verb": verb,
            "from": sender,
            "to": "kf" if sender == "kp" else "kp",
            "reason": "flood",
            "by": "A. Smith",
            "expects": expects,
        }
        message = msgspec.convert(fields | changes, type=LoanMessage)
        return asyncio.run(self.lending.say(message))

    def replace(self, **tables: Any) -> None:
        """Put another directory in force."""
        self.in_force.replace(msgspec.structs.replace(self.in_force.written, **tables))


@contextlib.contextmanager
def working(folder: Path, clock: HandClock | None = None) -> Iterator[Lab]:
    """The desk of sharing at work: do it again in one folder, and it goes on."""
    lab = Lab(folder, clock or HandClock())
    try:
        yield lab
    finally:
        lab.ledger.close()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Somebody else holds the ledger's file. Set `busy_timeout` low before it is opened."""
    other = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def moment(text: str) -> datetime:
    """A moment of the lab's day, as 13:00."""
    return datetime.fromisoformat(f"2026-11-01T{text}:00+00:00")
