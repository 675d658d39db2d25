"""A county whose partners are told over MQTT, and what a broker would hold of it."""

from datetime import timedelta

import msgspec

from cloud.directory import Directory
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.feeds.mqttout import GAP_S, MqttOut
from cloud.feeds.partnerfeeds import PartnerFeeds
from cloud.feeds.views import Decided, Views
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.ingest.entries import entries, speakers
from tests.cloud.fleet.samples import COUNTY, NOON, at
from wire import topics
from wire.feed import Assignment
from wire.partner import PartnerRecord

TICK_S = 0.2
HIDDEN = "canary-covert"
"""Of a unit that nobody but its owner may know of."""
SHARED = f"""
[[organisation]]
id = "ka"
name = "Weald Ambulance"
service = "ambulance"
[[unit]]
id = "kp-13"
callsign = "P13"
organisation = "kp"
type = "canary-van"
base = "stn-14"
scheme = "uk-police-state"
carrier = "veh-3"
capabilities = ["canary-dog"]
[[unit]]
id = "kp-99"
callsign = "{HIDDEN}"
organisation = "kp"
type = "response car"
base = "stn-14"
scheme = "uk-police-state"
carrier = "veh-4"
covert = true
[[device]]
id = "veh-3"
organisation = "kp"
enrolment = "E33"
[[device]]
id = "veh-4"
organisation = "kp"
enrolment = "E34"
[[agreement]]
id = "police"
owner = "kp"
partner = "ka"
purpose = "boundaries"
fields = ["availability", "assignment"]
[[agreement]]
id = "fire"
owner = "kf"
partner = "ka"
purpose = "boundaries"
fields = ["assignment", "base"]
"""
PARTNER = """
[[partner]]
organisation = "{name}"
token_sha256 = "{digest}"
mqtt = {mqtt}
"""
DEFAULT = {"ka": True, "kf": False}


def directory(named: dict[str, bool] | None = None, text: str = COUNTY + SHARED) -> Directory:
    """The county with its agreements, and its partners: whether each is named for MQTT."""
    for number, (name, mqtt) in enumerate((DEFAULT if named is None else named).items()):
        text += PARTNER.format(name=name, digest=f"{number:064x}", mqtt=str(mqtt).lower())
    made = build({"county.toml": text}, read_packaged(), {})
    assert isinstance(made, Directory), made
    return made


class County:
    """Its fleet, its partners' views, and what is to be published of them, at a moment that only `tick` moves."""

    def __init__(self, first: Directory | None = None) -> None:
        """Nobody was heard, and no broker is there."""
        self.now: Moment = at(0)
        self.directory = directory() if first is None else first
        self.fleet = Fleet(entries(self.directory), speakers(self.directory))
        self.views = Views(self.fleet, self.directory, self.now)
        self.feeds = PartnerFeeds(self.views, epoch="e", tick_ms=200, now=self.now)
        self.out = MqttOut(self.feeds, self.directory)
        self.feeds.on_update.append(self.out.on_update)
        self._version = 0

    def tick(self, after_s: float = TICK_S) -> None:
        """Let time pass, and tell what changed."""
        self.now = Moment(self.now.utc + timedelta(seconds=after_s), self.now.mono_s + after_s)
        changed = self.fleet.take_changed(self.now)
        self.feeds.tick(self.now, [self.fleet.record(unit, 0, at, self.now) for unit, at in changed.items()])

    def turn_out(self, unit: str) -> None:
        """Send a unit to an incident of its own."""
        self._version += 1
        order = Assignment(
            order="o1", incident=f"I{self._version}", phase="sent", since=self.now.utc, version=self._version
        )
        self.fleet.assign(unit, order, self._version, self.now)

    def withdraw(self, *agreements: str) -> None:
        """Withdraw these agreements and no others."""
        self.views.decide(Decided(withdrawn=frozenset(agreements)))

    def follow(self, after: Directory) -> None:
        """Go by another directory."""
        before, self.directory = self.directory, after
        self.fleet.rebind(entries(after), speakers(after), self.now)
        self.views.follow(before, after)
        self.out.follow(before, after)

    def wanted(self) -> dict[str, PartnerRecord]:
        """What a broker should hold, but for ages and for until when it is valid."""
        found = {}
        for partner in self.out.named:
            for shown in self.views.records(partner, self.now):
                record = shown.record
                found[topics.feed(partner, record.organisation, record.unit)] = lasting(record)
        return found


class Held:
    """What a broker holds that takes whatever it is told, and forgets or keeps it as it likes."""

    def __init__(self, county: County) -> None:
        """It holds nothing."""
        self._county = county
        self.kept: dict[str, PartnerRecord] = {}
        self.told: list[tuple[float, str]] = []
        """When each message that was not empty came, and on which topic."""

    def take(self, count: int = 10_000) -> None:
        """Take what is due, and insist that no unit is told twice within `GAP_S`."""
        now_s = self._county.now.mono_s
        batch = self._county.out.take(count)
        assert len({one.topic for one in batch}) == len(batch)
        for one in batch:
            if not one.payload:
                self.kept.pop(one.topic, None)
                continue
            assert not [at_s for at_s, topic in self.told if topic == one.topic and at_s + GAP_S > now_s]
            self.told.append((now_s, one.topic))
            self.kept[one.topic] = msgspec.json.decode(one.payload, type=PartnerRecord)
        self._county.out.settle(batch)

    def look(self) -> None:
        """Tell all that it holds, where it is asked."""
        if self._county.out.look_s <= self._county.now.mono_s:
            self._county.out.begin_look(self._county.now.mono_s)
            for topic in list(self.kept):
                self._county.out.find(topic)
            self._county.out.end_look()


def lasting(record: PartnerRecord) -> PartnerRecord:
    """All of a record but its ages, when it was made, and until when it is valid."""
    absent = dict.fromkeys(("status_s", "position_s", "link_s", "valid_until"), msgspec.UNSET)
    reasons = record.reasons
    if reasons is not msgspec.UNSET:
        reasons = tuple(msgspec.structs.replace(reason, age_s=None) for reason in reasons)
    return msgspec.structs.replace(record, reasons=reasons, **absent)


def left_behind() -> PartnerRecord:
    """A record that some process published once, of a unit that nobody may know of."""
    return PartnerRecord(
        unit="kp-99",
        callsign="left",
        organisation="kp",
        service="police",
        type="t",
        grants=(),
        agreements=(),
        as_of=NOON,
    )
