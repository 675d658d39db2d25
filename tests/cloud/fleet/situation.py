"""Situations as a watch manager writes them down, and what each one is to the fleet."""

import tomllib
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from cloud.fleet.basis import (
    CONTROL,
    Basis,
    CrewSaid,
    DefectSaid,
    InputSaid,
    Mate,
    ModeSaid,
    Needs,
    Spot,
    Vouch,
)
from cloud.fleet.heads import Head, stand
from wire.events import By, Mode
from wire.feed import Activity, Assignment, AvailabilityClass, ClaimView, Freshness, Phase
from wire.scheme import Code, Scheme, assemble

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CARRIER = "vehicle"


class _Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Part of a situation; a word that nothing reads is refused."""


class Other(_Told, frozen=True, kw_only=True):
    """What another device says."""

    device: str
    status: str
    pressed_s_ago: float
    time_known: bool = True


class Asked(_Told, frozen=True, kw_only=True):
    """What the directory asks of the crew."""

    riders: int = 0
    preferred: int = 0
    skills: dict[str, int] = {}


class Crew(_Told, frozen=True, kw_only=True):
    """Who logged on, or that they logged off."""

    on: bool = True
    riders: int = 0
    skills: dict[str, int] = {}
    until_min: float | None = None
    logged_min_ago: float = 60


class Defect(_Told, frozen=True, kw_only=True):
    """Something that is broken."""

    what: str
    off_the_run: bool
    device: str = CARRIER
    min_ago: float = 30


class Ignition(_Told, frozen=True, kw_only=True):
    """What the ignition reads, and since when."""

    on: bool
    s_ago: float


class Seen(_Told, frozen=True, kw_only=True):
    """Where the vehicle was seen, and how fast it went."""

    off_base_m: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None
    s_ago: float = 1


class Called(_Told, frozen=True, kw_only=True):
    """The order that it is on."""

    incident: str = ""
    phase: Phase = "sent"
    s_ago: float = 30


class InMode(_Told, frozen=True, kw_only=True):
    """The mode that it is in."""

    mode: Mode
    by: str = ""
    until_min: float | None = None


class Claim(_Told, frozen=True, kw_only=True):
    """A device that says that it carries the unit."""

    device: str
    vehicle: str = ""
    on: bool = True


class Sharing(_Told, frozen=True, kw_only=True):
    """Another unit of the same crew."""

    callsign: str
    availability: AvailabilityClass | None = msgspec.field(name="class", default="Available")
    activity: Activity | None = "free"
    on_order: bool = False
    first: bool = False


class Situation(_Told, frozen=True, kw_only=True):
    """What is known of a unit at noon, and what may then be believed of it."""

    name: str
    status: str | None = None
    """The code pressed; without it none was ever."""
    variant: str = ""
    """The regional reading of the scheme."""
    by: By = "panel"
    declared_by: str = CARRIER
    pressed_s_ago: float = 60
    time_known: bool = True
    others: tuple[Other, ...] = ()
    link: Freshness = "fresh"
    ended: bool = False
    heard_s_ago: float | None = 2
    vouch: Vouch = "stored"
    declarer_vouch: Vouch = "stored"
    asked: Asked = Asked()
    crew: Crew | None = None
    turn_ends_min: float | None = None
    next_turn_min: float | None = None
    off_shift: bool = False
    defects: tuple[Defect, ...] = ()
    ignition: Ignition | None = None
    seen: Seen | None = None
    order: Called | None = None
    mode: InMode | None = None
    claims: tuple[Claim, ...] = ()
    bound_s_ago: float | None = None
    same_crew: tuple[Sharing, ...] = ()
    turnout_min: int = 0
    split_into: tuple[str, ...] = ()
    part_of: str = ""
    whole_is_split: bool = True
    path_failed: bool = False
    expect: Literal[
        "Available, confirmed", "Available, unconfirmed", "Available, contradicted",
        "ConditionallyAvailable, confirmed", "ConditionallyAvailable, unconfirmed",
        "ConditionallyAvailable, contradicted",
        "NotAvailable, confirmed", "NotAvailable, unconfirmed", "NotAvailable, contradicted",
        "no class, never",
    ]  # fmt: skip
    because: tuple[str, ...]
    """The codes of its reasons, all of them, in order."""
    says: dict[str, str] = {}
    """The words of some of them."""
    turns_out_min: int | None = None
    changes_min: float | None = None
    """In how many minutes time alone changes it; 0 where it never does."""

    @property
    def told(self) -> dict[str, object]:
        """All but its name and what is expected."""
        aside = {"name", "expect", "because", "says", "turns_out_min", "changes_min"}
        return {field: getattr(self, field) for field in self.__struct_fields__ if field not in aside}


class Situations(_Told, frozen=True, kw_only=True):
    """A file: the situations of one service."""

    scheme: str
    situation: tuple[Situation, ...]


@cache
def schemes() -> dict[str, Scheme]:
    """The packaged schemes."""
    texts = {each.name: each.read_text() for each in (files("wire") / "schemes").iterdir() if "toml" in each.name}
    return assemble(texts, {})[0]


@cache
def written() -> tuple[tuple[str, str, Situation], ...]:
    """Every situation there is, with its file's name and scheme."""
    found = []
    for file in sorted((files(__package__) / "situations").iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            held = msgspec.convert(tomllib.loads(file.read_text()), Situations)
            found += [(file.name.removesuffix(".toml"), held.scheme, one) for one in held.situation]
    return tuple(found)


def code_of(scheme: str, code: str, variant: str = "") -> Code:
    """A scheme's row, as its region reads it."""
    known = schemes()[scheme]
    chosen = known.variant(variant)
    row = known.with_rows(chosen.codes if chosen is not None else ()).code(code)
    assert row is not None and row.availability is not None, code
    return row


def basis_of(told: Situation, scheme: str) -> Basis:
    """What the fleet would hand over in such a situation."""
    heads = _heads(told, scheme)
    standing = stand(heads)
    return Basis(
        now=NOW,
        standing=standing,
        meaning=standing.head.meaning if standing else None,
        link=told.link,
        ended=told.ended,
        link_at=None if told.heard_s_ago is None else _ago(told.heard_s_ago),
        carrier=CARRIER,
        vouch=told.vouch,
        declarer_vouch=told.declarer_vouch,
        needs=_needs(told.asked),
        crew=None if told.crew is None else _crew(told.crew),
        rostered_until=_in(told.turn_ends_min),
        off_shift=told.off_shift,
        roster_begins=_in(told.next_turn_min),
        defects=tuple(_defect(one) for one in told.defects),
        ignition=_ignition(told.ignition),
        spot=_spot(told.seen),
        assignment=_assignment(told.order),
        mode=_mode(told.mode),
        claims=tuple(
            ClaimView(claim=f"{one.device}.E9-a.1", device=one.device, vehicle=one.vehicle, at=_ago(30), on=one.on)
            for one in told.claims
        ),
        bound_at=None if told.bound_s_ago is None else _ago(told.bound_s_ago),
        mates=tuple(_mate(one) for one in told.same_crew),
        tier_min=told.turnout_min,
        split_into=told.split_into,
        part_of=told.part_of,
        is_apart=told.whole_is_split,
        path_failed=told.path_failed,
    )


def head_of(row: Code, scheme: str, device: str, pressed_s_ago: float, **changes: Any) -> Head:
    """A status as the fleet keeps it: pressed on a panel, of a proven time, unless `changes` say otherwise."""
    fields: dict[str, Any] = {
        "unit": "unit",
        "device": device,
        "ordinal": 1,
        "stream": f"{device}-a",
        "seq": 1,
        "scheme": scheme,
        "code": row.code,
        "label": row.label,
        "availability": row.availability,
        "meaning": row,
        "by": "panel",
        "at": _ago(pressed_s_ago),
        "proven": True,
        "received": _ago(pressed_s_ago),
    }
    return Head(**fields | changes)


def _heads(told: Situation, scheme: str) -> tuple[Head, ...]:
    if told.status is None:
        return ()
    row = code_of(scheme, told.status, told.variant)
    device = CONTROL if told.declared_by == "control" else told.declared_by
    own = head_of(row, scheme, device, told.pressed_s_ago, by=told.by, proven=told.time_known)
    others = (
        head_of(code_of(scheme, one.status), scheme, one.device, one.pressed_s_ago, proven=one.time_known)
        for one in told.others
    )
    return own, *others


def _needs(asked: Asked) -> Needs:
    return Needs(minimum=asked.riders, preferred=asked.preferred, skills=tuple(asked.skills.items()))


def _crew(crew: Crew) -> CrewSaid:
    return CrewSaid(
        device=CARRIER,
        on=crew.on,
        riders=crew.riders,
        skills=tuple(crew.skills.items()),
        until=_in(crew.until_min),
        at=_ago(60 * crew.logged_min_ago),
    )


def _defect(defect: Defect) -> DefectSaid:
    return DefectSaid(
        device=defect.device, what=defect.what, off_the_run=defect.off_the_run, at=_ago(60 * defect.min_ago)
    )


def _ignition(ignition: Ignition | None) -> InputSaid | None:
    return None if ignition is None else InputSaid(device=CARRIER, value=ignition.on, at=_ago(ignition.s_ago))


def _spot(seen: Seen | None) -> Spot | None:
    if seen is None:
        return None
    return Spot(
        device=CARRIER,
        at=_ago(seen.s_ago),
        speed_mps=seen.speed_mps,
        accuracy_m=seen.accuracy_m,
        off_base_m=seen.off_base_m,
    )


def _assignment(order: Called | None) -> Assignment | None:
    if order is None:
        return None
    return Assignment(order="o-1", incident=order.incident, phase=order.phase, since=_ago(order.s_ago), version=1)


def _mode(mode: InMode | None) -> ModeSaid | None:
    return None if mode is None else ModeSaid(mode=mode.mode, at=_ago(600), until=_in(mode.until_min), by=mode.by)


def _mate(mate: Sharing) -> Mate:
    return Mate(
        callsign=mate.callsign,
        availability=mate.availability,
        activity=mate.activity,
        assigned=mate.on_order,
        first=mate.first,
    )


def _ago(age_s: float) -> datetime:
    return NOW - timedelta(seconds=age_s)


def _in(ahead_min: float | None) -> datetime | None:
    return None if ahead_min is None else NOW + timedelta(minutes=ahead_min)
