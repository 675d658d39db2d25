"""Searches what an organisation received for anything that it may not know: word by word, number by number."""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from simulator.disclosure.facts import IDENTITY, Fact
from simulator.disclosure.oracle import Allowed, Share, forbidden_fields
from simulator.disclosure.world import World

WORD = re.compile(rb"zq\d{6}")
NUMBER = re.compile(rb"(?<![\w.-])-?\d+\.\d+(?:e-?\d+)?(?![\w:.])")
MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
GONE = re.compile(rb'"gone":\[[^\]]*\]')
NEAR = 0.0016
"""Ages are told to the millisecond, worked out from two clocks."""
METRES = 111_320.0


class Reading(msgspec.Struct, kw_only=True):
    """What one partner may meet, now and at the last tick, and which units it has ever seen."""

    now: Allowed
    ticked: Allowed
    ever: set[str]
    moments: set[float]
    """When views were made: every record may name one."""
    clean: set[bytes] = msgspec.field(default_factory=set)
    """Bodies and records that were searched already for this reading."""
    blurred: set[float] = msgspec.field(default_factory=set)
    """Places and accuracies of this partner's view that were found to be as blurred as agreed."""


def leaks_of(world: World, reading: Reading, body: bytes) -> Iterator[str]:
    """Tell everything in a body that its reader may not know."""
    if body in reading.clean:
        return
    reading.clean.add(body)
    yield from (f"gone: {one!r} was never seen" for one in gone_in(body) if one not in reading.ever)
    yield from _alarm_leaks(reading, body)
    for record in records_in(body):
        known = msgspec.json.encode(record)
        if known not in reading.clean:
            reading.clean.add(known)
            yield from _record_leaks(world, reading, record)
    yield from _value_leaks(world, reading, GONE.sub(b"", body))


def _value_leaks(world: World, reading: Reading, body: bytes) -> Iterator[str]:
    """Tell each word, time and number that is nothing which is opened."""
    now, ticked = reading.now, reading.ticked
    for word in words_of(body) - now.words - ticked.words:
        yield f"{word}: {_whose(world, word)}"
    for told in {one.decode() for one in MOMENT.findall(body)}:
        at = datetime.fromisoformat(told).timestamp()
        if not any(_is_near(at, known) for known in (now.moments, ticked.moments, reading.moments)):
            yield f"{told} is the time of nothing that is opened"
    for number in {float(one) for one in NUMBER.findall(MOMENT.sub(b"", body))}:
        if number.is_integer():
            continue  # versions, and how long until a feed is lost: what is secret has places
        if number not in reading.blurred and not (_is_near(number, now.numbers) or _is_near(number, ticked.numbers)):
            yield f"{number} is nothing that is opened{_whose_number(world, number)}"


def _alarm_leaks(reading: Reading, body: bytes) -> Iterator[str]:
    for unit in alarmed_in(body):
        shares = (reading.now.units.get(unit), reading.ticked.units.get(unit))
        if not any(share is not None and "alarms" in share.fields for share in shares):
            yield f"{unit}: its emergency is told, and nothing opens it"


def missing_of(reading: Reading, body: bytes) -> Iterator[str]:
    """Tell which units a whole view should have and has not: each sees exactly its share."""
    shown = {record["unit"] for record in records_in(body)}
    yield from (f"{unit} is not shown, and is opened" for unit in sorted(reading.now.units.keys() - shown))


def gone_in(body: bytes) -> Iterator[str]:
    """Give the units that a body says are gone."""
    for named in GONE.findall(body):
        yield from msgspec.json.decode(named[len(b'"gone":') :], type=list[str])


def records_in(body: bytes) -> Iterator[dict[str, Any]]:
    """Give each partner record of a JSON body, or of the events of a stream."""
    return (one for one in _objects_in(body) if "grants" in one)


def alarmed_in(body: bytes) -> Iterator[str]:
    """Give the units whose emergencies a body tells."""
    return (one["unit"] for one in _objects_in(body) if "alarm" in one)


def _objects_in(body: bytes) -> Iterator[dict[str, Any]]:
    """Give each JSON object that is about a unit."""
    texts = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")] or [body]
    for text in texts:
        if text[:1] in (b"{", b"["):
            yield from _objects(msgspec.json.decode(text))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "unit" in value:
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _objects(one)


def _record_leaks(world: World, reading: Reading, record: dict[str, Any]) -> Iterator[str]:
    name, before = record["unit"], reading.ticked.units.get(record["unit"])
    share = reading.now.units.get(name)
    if share is None and (before is None or world.hidden(name)):
        yield f"{name} is shown, and nothing opens it"
        return
    shares = {one: None for one in (share, before) if one is not None}
    first: list[str] = []
    for one in shares:
        faults = list(_faults(world, reading, record, one))
        if not faults:
            return
        first = first or faults
    yield from first


def _faults(world: World, reading: Reading, record: dict[str, Any], share: Share) -> Iterator[str]:
    name = record["unit"]
    yield from (f"{name}: {field} is shown, and nothing opens it" for field in forbidden_fields(share, record))
    if set(record["grants"]) != share.fields or tuple(record["agreements"]) != share.by:
        yield f"{name}: {record['grants']} by {record['agreements']} is not what is agreed"
    if (record.get("delay_s", 0), record.get("precision_m", 0)) != (share.late_s, share.square_m):
        yield f"{name}: its position is told as later or more blurred than agreed, or less"
    theirs = set[str]().union(*(one.of_unit.get(name, set()) for one in (reading.now, reading.ticked)))
    theirs |= _kin_words(world, reading, share, name)
    text = msgspec.json.encode(record)
    yield from (f"{name}: {word} in its record: {_whose(world, word)}" for word in words_of(text) - theirs)
    place = record.get("position")
    if place is not None and place.get("lat") is not None:
        facts = [*reading.now.places.get(name, []), *reading.ticked.places.get(name, [])]
        wrong = list(place_faults(name, share, place, facts))
        if share.square_m and not wrong:
            reading.blurred.update((place["lat"], place["lon"], place["accuracy_m"]))
        yield from wrong


def place_faults(name: str, share: Share, place: dict[str, Any], facts: Iterable[Fact]) -> Iterator[str]:
    """Tell what is wrong with a place of a unit, which may be told as one of these, as blurred as agreed."""
    facts = list(facts)
    if not share.square_m:
        if not any(fact.place == (place["lat"], place["lon"]) for fact in facts):
            yield f"{name}: {place['lat']} {place['lon']} is newer than agreed, or nowhere it was"
        return
    if any(place.get(one) is not None for one in ("heading_deg", "speed_mps", "altitude_m", "gnss_time")):
        yield f"{name}: its heading, speed, height or time is told beside a blurred place"
    if not any(_is_within(fact, place, share.square_m) for fact in facts):
        yield f"{name}: {place['lat']} {place['lon']} is not within the square of any place that is opened"
    elif (
        any(fact.place == (place["lat"], place["lon"]) for fact in facts)
        or (place["accuracy_m"] or 0) < share.square_m / 2
    ):
        yield f"{name}: its place is not blurred"


def _is_within(fact: Fact, place: dict[str, Any], square_m: int) -> bool:
    assert fact.place is not None
    north_m = abs(fact.place[0] - place["lat"]) * METRES
    east_m = abs(fact.place[1] - place["lon"]) * METRES * math.cos(math.radians(place["lat"]))
    return bool(max(north_m, east_m) <= square_m * 0.53)


def words_of(text: bytes) -> set[str]:
    """Give the canaries in a text."""
    return {one.decode() for one in WORD.findall(text)}


def _kin_words(world: World, reading: Reading, share: Share, unit: str) -> set[str]:
    """The callsigns of its kin that the partner sees too, where kin is opened."""
    if "kin" not in share.fields:
        return set()
    units, row = world.directory.units, world.directory.units[unit]
    kin = {
        other.id
        for other in units.values()
        if (other.crew_group and (other.crew_group, other.organisation) == (row.crew_group, row.organisation))
        or other.part_of == unit
        or row.part_of == other.id
    }
    seen = kin & (reading.now.units.keys() | reading.ticked.units.keys())
    return set[str]().union(*(fact.words for fact in world.facts if fact.unit in seen and fact.grant == IDENTITY))


def _is_near(number: float, known: set[float]) -> bool:
    """Tell whether a number is one of these, or a millisecond from it."""
    return number in known or any(abs(number - one) <= NEAR for one in known)


def _whose(world: World, word: str) -> str:
    fact = next((one for one in world.facts if word in one.words), None)
    return "nobody may know it" if fact is None else f"{fact.grant} of {fact.unit}{', secret' if fact.secret else ''}"


def _whose_number(world: World, number: float) -> str:
    now = world.now.utc
    for fact in world.facts:
        ages = [(now - moment).total_seconds() for moment in fact.moments]
        if _is_near(number, {*fact.numbers, *ages}):
            return f": {fact.grant} of {fact.unit}"
    return ""
