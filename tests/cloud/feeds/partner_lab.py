"""A small world that shares: a real fleet and directory, the partners' feeds on it, and clients that follow them."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from functools import cache
from typing import Any

import msgspec

from cloud.directory import Directory
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.feeds import Decided, Feed, PartnerFeeds, Views
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.ingest.entries import entries, speakers
from cloud.sharing.view import essence
from tests.cloud.api.partner.lab import FIRE, MORE_UNITS, POLICE, agreement, partner_row
from tests.cloud.fleet.samples import COUNTY, NOON, at, head, place
from wire.feed import AlarmView, Assignment
from wire.partner import PartnerAlarm, PartnerAlarms, PartnerChanges, PartnerRecord, PartnerSnapshot

COUNTY_ROWS = COUNTY + MORE_UNITS
BOTH = partner_row(FIRE) + partner_row(POLICE)
END = b"end"
"""What the lab sends behind everything else, to know that there is no more."""
SHARED = agreement("a1", fields=["status", "position", "availability", "kin", "alarms"])


@cache
def made(text: str) -> Directory:
    """A directory of a text."""
    directory = build({"county.toml": text}, read_packaged(), {})
    assert isinstance(directory, Directory), directory
    return directory


class Client:
    """A partner's client: it does what `wire.partner` says, and no more."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.records: dict[str, PartnerRecord] = {}
        self.alarms: dict[str, PartnerAlarm] = {}
        self.last_id = ""
        self.kinds: list[str] = []
        self.stream: AsyncGenerator[bytes, None] | None = None

    def drain(self) -> bool:
        """Take in what waits on its stream; False where that has ended."""
        assert self.stream is not None
        while True:
            try:
                self.stream.__anext__().send(None)  # something always waits: nobody has to wait for it
            except StopIteration as given:
                if given.value == END:
                    return True
                self.take(given.value)
            except StopAsyncIteration:
                return False

    def take(self, data: bytes) -> None:
        """Take in a run of events. Only the last has an id: who is cut off before it gets all of the run again."""
        events = data.removesuffix(b"\n\n").split(b"\n\n")
        assert [False] * (len(events) - 1) + [True] == [event.startswith(b"id: ") for event in events]
        for event in events:
            fields = dict(line.split(b": ", 1) for line in event.split(b"\n"))
            self.last_id = fields.get(b"id", self.last_id.encode()).decode()
            self._take(fields[b"event"].decode(), fields[b"data"])

    def _take(self, kind: str, data: bytes) -> None:
        self.kinds.append(kind)
        match kind:
            case "snapshot":
                snapshot = msgspec.json.decode(data, type=PartnerSnapshot)
                if snapshot.part == 1:
                    self.records, self.alarms = {}, {}
                self.records |= {one.unit: one for one in snapshot.records}
            case "changes":
                changes = msgspec.json.decode(data, type=PartnerChanges)
                self.records |= {one.unit: one for one in changes.records}
                for unit in changes.gone:
                    self.records.pop(unit, None)
            case "alarms":
                self.alarms |= {one.alarm: one for one in msgspec.json.decode(data, type=PartnerAlarms).alarms}
        seen = {unit for unit, record in self.records.items() if "alarms" in record.grants}
        self.alarms = {name: one for name, one in self.alarms.items() if one.unit in seen and one.active}

    def shown(self) -> tuple[dict[str, PartnerRecord], dict[str, PartnerAlarm]]:
        """What it holds, but for ages."""
        return {unit: essence(record) for unit, record in self.records.items()}, self.alarms


class World:
    """Everything between what devices say and what partners are told, under a clock that is told the time."""

    def __init__(self, text: str = COUNTY_ROWS + BOTH + SHARED) -> None:
        """Begin at noon, with nobody heard."""
        self.directory = made(text)
        self.fleet = Fleet(entries(self.directory), speakers(self.directory))
        self.now_s = 0.0
        self.feed = Feed(self.fleet, epoch="e0", owner_term=1, tick_ms=200, now=self.now)
        self.views = Views(self.fleet, self.directory, self.now)
        self.partners = PartnerFeeds(self.views, epoch="e0", tick_ms=200, now=self.now)
        self.feed.on_shown.append(self.partners.tick)
        self.clients: list[Client] = []
        self._seq = 0
        self._versions: dict[str, int] = {}

    @property
    def now(self) -> Moment:
        """The time."""
        return at(self.now_s)

    def tick(self, ahead_s: float = 0.2) -> None:
        """Let time pass, and tell what is to be told."""
        self.now_s = round(self.now_s + ahead_s, 6)
        self.feed.tick(self.now)
        self._hear()

    def alarm(self, unit: str, *, number: int = 1, active: bool = True) -> None:
        """Raise a unit's emergency, or cancel it."""
        self.partners.show_alarms((alarm_view(unit, number=number, active=active),), self.now)
        self._hear()

    def connect(self, partner: str = FIRE, client: Client | None = None) -> Client:
        """A client that begins to follow, or comes back with the last id that it saw."""
        client = client or Client()
        feed = self.partners.feed(partner)
        assert feed is not None
        first = feed.since(client.last_id, self.now) if client.last_id else feed.snapshot(self.now)
        listeners = self.partners.listeners(partner)
        client.stream = listeners.listen([b"".join(first)])
        self.clients.append(client)
        self._hear()
        return client

    def part(self, client: Client) -> None:
        """A client that is cut off."""
        self.clients.remove(client)

    def _hear(self) -> None:
        """Let every client take in what was sent to it."""
        for partner in (FIRE, POLICE):
            if self.partners.feed(partner) is not None:
                self.partners.listeners(partner).send(END)
        for client in [one for one in self.clients if not one.drain()]:
            self.clients.remove(client)  # it was cut off

    def press(self, code: str, unit: str = "kp-12", device: str = "veh-2") -> None:
        """A committed press."""
        self._seq += 1
        self.fleet.apply_head(head(code, self.now_s, unit=unit, device=device, seq=self._seq), self.now)

    def place(self, **changes: Any) -> None:
        """The police car measures where it is."""
        self._seq += 1
        self.fleet.apply_place("veh-2", place(self._seq, self.now_s, **changes), self.now)

    def assign(self, unit: str, incident: str, phase: str = "mobile") -> None:
        """Put a unit on an incident; on none where it is empty."""
        version = self._versions[unit] = self._versions.get(unit, 0) + 1
        order = Assignment(
            order=f"o-{incident}", incident=incident, phase=phase, since=NOON, version=version,  # type: ignore[arg-type]
        )  # fmt: skip
        self.fleet.assign(unit, order if incident else None, version, self.now)

    def reload(self, text: str) -> None:
        """Put another directory in force, as the reloader does."""
        before, self.directory = self.directory, made(text)
        self.fleet.rebind(entries(self.directory), speakers(self.directory), self.now)
        self.views.follow(before, self.directory)

    def decide(self, **decided: Any) -> None:
        """Decide about sharing."""
        self.views.decide(Decided(**decided))


def alarm_view(unit: str, *, number: int, active: bool) -> AlarmView:
    """An emergency as control knows it."""
    return AlarmView(
        alarm=f"veh-2.E2-a.{unit}.{number}", kind="emergency", name="emergency", unit=unit, callsign=unit.upper(),
        base=None, base_name="", device="veh-2", part="", text="EMERGENCY on veh-2", mode="live",
        raised_at=NOON + timedelta(seconds=number), proven=True, active=active,
    )  # fmt: skip
