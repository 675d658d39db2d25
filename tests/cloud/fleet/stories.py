"""Generated histories: what devices, people and time may do to a small fleet, in any order, on the real `Fleet`."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from cloud.fleet.basis import CONTROL, CrewSaid, DefectSaid, ModeSaid, Needs
from cloud.fleet.entry import UnitEntry
from cloud.fleet.fences import Circle
from cloud.fleet.fleet import Fleet
from tests.cloud.fleet.samples import (
    NOON,
    at,
    county,
    current,
    death,
    echo,
    entry,
    head,
    heartbeat,
    place,
    position,
    vouching,
)
from wire.feed import Assignment, ClaimView, FeedRecord, Proposal
from wire.scheme import Code

UNITS = {"kp-12": "veh-2", "kp-13": "veh-3", "kp-14": "veh-4"}
"""The first has a panel beside its vehicle; the others share a crew."""
BOUND = {"kp-12": ("veh-2", "panel-1"), "kp-13": ("veh-3", "panel-1"), "kp-14": ("veh-4", "panel-1")}
SCHEME = "uk-fire-gd92"
CODES = ("4", "4", "6", "1", "2", "3", "32", "37")
"""At base and free, twice as often as free, mobile, at the scene, free there, on call, and off duty."""
FAR_S = 100_000.0
RANK = {None: -1, "Available": 0, "ConditionallyAvailable": 1, "NotAvailable": 2}
SURE = {"confirmed": 3, "unconfirmed": 2, "contradicted": 1, "never": 0}
BASE = Circle(51.27, 0.52, 100.0)
KM_DEG = 0.009
NEEDS = Needs(minimum=2, preferred=3, skills=(("ba", 1),))

Step = tuple[str, dict[str, Any]]


class Told(NamedTuple):
    """A message that was folded in: of which kind and source, and how to fold it in again."""

    source: tuple[str, ...]
    call: tuple[str, tuple[Any, ...]]


def units() -> Iterable[UnitEntry]:
    """The three units, at a base with a fence."""
    for number, (name, carrier) in enumerate(UNITS.items()):
        fields = {"id": name, "callsign": f"P{12 + number}", "carrier": carrier, "fence": BASE, "needs": NEEDS}
        group = {} if name == "kp-12" else {"crew_group": "pair", "group_place": number}
        yield UnitEntry(**{key: getattr(entry("kp-12"), key) for key in ENTRY_FIELDS} | fields | group)


ENTRY_FIELDS = ("organisation", "service", "type", "base", "capabilities")


def meaning_of(code: str) -> Code:
    """Give the scheme's row of a code."""
    found = county().schemes[SCHEME].code(code)
    assert found is not None
    return found


class Story:
    """A fleet, and what a board shows of it: the record of each change that was taken."""

    def __init__(self) -> None:
        """Begin at noon."""
        self.fleet = Fleet(units(), BOUND)
        self.now_s = 0.0
        self.seqs: dict[str, int] = {}
        self.tracks: dict[str, int] = {}
        self.conns: dict[str, int] = {}
        self.told: list[Told] = []
        self.shown: dict[str, FeedRecord] = {}
        self.look()

    def look(self) -> None:
        """Show what changed."""
        now = at(self.now_s)
        for unit, as_of in self.fleet.take_changed(now).items():
            self.shown[unit] = self.fleet.record(unit, 1, as_of, now)

    def records(self) -> dict[str, FeedRecord]:
        """Every unit's record now."""
        return {unit: self.fleet.record(unit, 1, NOON, at(self.now_s)) for unit in self.fleet.units}

    def take(self, step: Step) -> None:
        """Let one thing happen."""
        what, given = step
        getattr(self, f"_{what}")(**given)

    def play(self, steps: Iterable[Step]) -> None:
        """Let things happen one after the other, and show each."""
        for step in steps:
            self.take(step)
            self.look()

    def say(self, source: tuple[str, ...], name: str, *given: Any) -> None:
        """Fold a message in, and note it."""
        getattr(self.fleet, name)(*given, at(self.now_s))
        self.told.append(Told(source, (name, given)))

    def again(self, told: Told) -> None:
        """Fold a message in once more, now."""
        name, given = told.call
        getattr(self.fleet, name)(*given, at(self.now_s))

    def press(self, unit: str, device: str, code: str, **changes: Any) -> Any:
        """Make a device's next status for a unit."""
        meaning = meaning_of(code)
        fields: dict[str, Any] = {
            "unit": unit,
            "device": device,
            "stream": f"E-{device}",
            "seq": self._next(device),
            "scheme": SCHEME,
            "code": code,
            "label": meaning.label,
            "availability": meaning.availability,
            "meaning": meaning,
            "received": at(self.now_s).utc,
        }
        return msgspec.structs.replace(head("2", self.now_s), **fields | changes)

    def _next(self, device: str) -> int:
        self.seqs[device] = self.seqs.get(device, 0) + 1
        return self.seqs[device]

    def _wait(self, seconds: float) -> None:
        self.now_s += seconds

    def _beat(self, device: str, named: bool, asleep_s: float | None) -> None:
        fields: dict[str, Any] = {"device": device, "stream": f"E-{device}", "echo": echo()}
        fields["conn"] = self.conns.get(device, 1)
        known = [self.fleet.head(unit, device) for unit in UNITS]
        if named:
            fields["current"] = [
                current(one.seq, one.code, unit=one.unit, stream=one.stream, scheme=SCHEME)
                for one in known
                if one is not None
            ]
        if device in self.tracks:
            fields["position"] = vouching(self.tracks[device])
        if asleep_s is not None:
            fields["asleep_until"] = at(self.now_s + asleep_s).utc
        said = heartbeat(int(self.now_s * 1000), **fields)
        given = (device, said, 1, at(self.now_s).mono_s)
        self.say(("beat", device), "apply_vitals", *given)

    def _end(self, device: str) -> None:
        ended = death(device=device, stream=f"E-{device}", conn=self.conns.get(device, 1))
        self.conns[device] = ended.conn + 1  # a device that speaks again has connected anew
        self.say(("end", device), "apply_death", device, ended, 1)

    def _through(self, device: str) -> None:
        self.say(("through", device), "apply_through", device, 1, self.seqs.get(device, 0))

    def _status(self, unit: str, panel: bool, code: str, ago_s: float, **said: bool) -> None:
        device = "panel-1" if panel else UNITS[unit]
        mode = "training" if said["rehearsed"] else "live"
        declared = NOON + timedelta(seconds=self.now_s - ago_s)
        made = self.press(unit, device, code, mode=mode, proven=said["proven"], at=declared)
        self.say(("status", unit, device, mode), "apply_head", made)

    def _control(self, unit: str, code: str) -> None:
        made = self.press(unit, CONTROL, code, by="radio")
        self.say(("status", unit, CONTROL, "live"), "apply_head", made)

    def _crew(self, unit: str, panel: bool, riders: int, lasts_s: float | None) -> None:
        device = "panel-1" if panel else UNITS[unit]
        until = None if lasts_s is None else at(self.now_s + lasts_s).utc
        said = CrewSaid(
            device=device,
            on=riders > 0,
            riders=riders,
            skills=(("ba", 1),),
            until=until,
            at=at(self.now_s).utc,
        )
        self.say(("crew", unit, device), "apply_crew", unit, said, (1, self._next(device)))

    def _defect(self, unit: str, what: str, off_the_run: bool, raised: bool) -> None:
        device = UNITS[unit]
        said = DefectSaid(device=device, what=what, off_the_run=off_the_run, at=at(self.now_s).utc)
        self.say(("defect", unit, device, what), "apply_defect", unit, said, raised, (1, self._next(device)))

    def _ignition(self, unit: str, value: bool | None) -> None:
        device = UNITS[unit]
        order = (1, self._track(device))
        self.say(("ignition", device), "apply_input", device, "ignition", value, at(self.now_s).utc, order)

    def _place(self, unit: str, km: float, speed_mps: float, fix: str) -> None:
        device = UNITS[unit]
        where = {"lat": None, "lon": None} if fix == "none" else {"lat": 51.27 + km * KM_DEG}
        seq = self._track(device)
        event = position(seq, int(self.now_s * 1000), fix=fix, **where, speed_mps=speed_mps, accuracy_m=5.0)
        made = place(seq, self.now_s, event=event, stream=f"E-{device}")
        self.say(("place", device), "apply_place", device, made)

    def _propose(self, unit: str, ago_s: float) -> None:
        proposal = Proposal(code="auto", text="Mobile", at=at(self.now_s - ago_s).utc)
        self.say(("auto", unit), "propose", unit, proposal)

    def _mode(self, unit: str, mode: str, lasts_s: float) -> None:
        until = at(self.now_s + lasts_s).utc
        said = ModeSaid(mode=mode, at=at(self.now_s).utc, until=until, by="A. Smith")  # type: ignore[arg-type]
        self.fleet.set_mode(unit, None if mode == "live" else said, at(self.now_s))

    def _claim(self, unit: str, count: int) -> None:
        claims = tuple(
            ClaimView(claim=f"c{number}", device=f"spare-{number}", vehicle="V9", at=at(self.now_s).utc)
            for number in range(count)
        )
        self.fleet.set_claims(unit, claims, at(self.now_s))

    def _assign(self, unit: str, called: bool) -> None:
        order = Assignment(order="o1", incident="I0417", phase="sent", since=at(self.now_s).utc, version=1)
        self.fleet.assign(unit, order if called else None, self._next("desk"), at(self.now_s))

    def _track(self, device: str) -> int:
        self.tracks[device] = self.tracks.get(device, 0) + 1
        return self.tracks[device]


def _step(what: str, /, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(what), st.fixed_dictionaries(given))


def stories_of(step: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    """Make histories of such steps, long enough to say something of every unit."""
    return st.lists(step, min_size=12, max_size=30)


_unit = st.sampled_from(sorted(UNITS))
_device = st.sampled_from(["veh-2", "veh-3", "veh-4", "panel-1"])
_rarely = st.sampled_from([False, False, False, True])
_mostly = st.sampled_from([True, True, True, False])
waits = _step("wait", seconds=st.sampled_from([0.5, 3.0, 6.0, 12.0, 20.0, 61.0]))
beats = _step("beat", device=_device, named=_mostly, asleep_s=st.sampled_from([None, None, None, 30.0]))
statuses = _step(
    "status",
    unit=_unit,
    panel=_rarely,
    code=st.sampled_from(CODES),
    ago_s=st.sampled_from([0.0, 0.0, 2.0, 30.0]),
    rehearsed=_rarely,
    proven=_mostly,
)
quarrels = st.one_of(
    _step("wait", seconds=st.sampled_from([0.5, 3.0, 6.0])),
    *2
    * [
        _step(
            "status",
            unit=st.just("kp-12"),
            panel=st.booleans(),
            code=st.sampled_from(CODES),
            ago_s=st.sampled_from([0.0, 2.0]),
            rehearsed=st.just(False),
            proven=_mostly,
        )
    ],
    _step("control", unit=st.just("kp-12"), code=st.sampled_from(CODES)),
)
"""A vehicle, its station's panel and control, who do not agree."""
places = _step(
    "place",
    unit=_unit,
    km=st.sampled_from([0.0, 0.0, 3.0]),
    speed_mps=st.sampled_from([0.0, 12.0]),
    fix=st.sampled_from(["3d", "3d", "dead_reckoning", "none"]),
)
automatic = st.one_of(
    _step("propose", unit=_unit, ago_s=st.sampled_from([0.0, 10.0])),
    places,
    _step("ignition", unit=_unit, value=st.sampled_from([True, False, False, None])),
)
lasting = st.one_of(
    waits,
    beats,
    beats,
    statuses,
    statuses,
    automatic,
    _step("control", unit=_unit, code=st.sampled_from(CODES)),
    _step("crew", unit=_unit, panel=_rarely, riders=st.integers(0, 3), lasts_s=st.sampled_from([None, 5.0, 90.0])),
    _step("defect", unit=_unit, what=st.sampled_from(["pump", "radio"]), off_the_run=_mostly, raised=_mostly),
    _step("claim", unit=_unit, count=st.integers(0, 2)),
    _step("assign", unit=_unit, called=st.booleans()),
    _step("mode", unit=_unit, mode=st.sampled_from(["live", "test", "training"]), lasts_s=st.just(FAR_S)),
    _step("end", device=_device),
    _step("through", device=_device),
)
"""Steps of which nothing but silence and a shift's end makes anything of itself."""
steps = st.one_of(
    lasting,
    lasting,
    lasting,
    _step("mode", unit=_unit, mode=st.sampled_from(["live", "test", "training"]), lasts_s=st.sampled_from([5.0, 40.0])),
)
