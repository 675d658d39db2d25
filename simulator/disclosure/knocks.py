"""What each organisation asks at the partners' port of a made-up world, and what of the answers it may not learn.

Beside what bodies tell it looks at what answers betray: a unit that a partner may not know of is answered to the byte
like one that is not there, and a tag is another only where something that is shown is.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec

from simulator.disclosure.doorway import Answer, Caller, Doorway
from simulator.disclosure.facts import Fact
from simulator.disclosure.pastoracle import allowed_then, places_then
from simulator.disclosure.search import Reading, leaks_of, missing_of, place_faults, records_in, words_of
from simulator.disclosure.stores import Stores
from simulator.disclosure.world import World

NOBODY = "u-zq999999"
"""A unit that is not there, with a name as long as the others'."""
NO_LOAN = "00000000-0000-4000-8000-ffffffffffff"
FILTERS = (
    ("class", "Available"),
    ("confidence", "confirmed"),
    ("service", "fire"),
    ("type", "pump"),
    ("capability", "boat"),
)
PLAIN = (
    "/v1/units?limit=0", "/v1/units?area=nowhere", "/v1/alarms", "/v1/statistics?zone=none", "/v1/replay?at=x",
    "/v1/schemes", "/v1/schemes/uk-fire-gd92", "/healthz",
)  # fmt: skip
"""What tells of no unit, whoever asks, and however badly."""
_PASSING = frozenset({"age_s", "status_s", "position_s", "link_s", "at", "as_of", "cursor"})
"""What passes with time, or counts: a tag does not tell of it."""
_OF_AGREEMENT = frozenset(
    """
    agreement role owner partner purpose types capabilities fields precision_m delay_s when incident valid_from
    valid_until state waits_for
    """.split()
)


class Knocks:
    """Asks in one world for one partner after the other."""

    def __init__(self, world: World, stores: Stores, doorway: Doorway) -> None:
        """Nothing was asked yet."""
        self._world, self._stores, self._doorway = world, stores, doorway
        self._tags: dict[tuple[str, str, bytes], bytes] = {}
        self._turn = world.seed
        self.bodies = self.bytes = 0
        self.paths: set[str] = set()
        """What was asked for, without its query."""

    async def knock(self, partner: str, reading: Reading) -> list[str]:
        """Ask everything once for a partner, after a tick; tell what was answered and must not be."""
        self._doorway.open()
        self._turn += 1
        caller, found = _Counted(partner, self), list[str]()
        for one in (self._lists, self._one_unit, self._unseen, self._past, self._agreed, self._cad):
            found += [f"{one.__name__[1:]}: {told}" async for told in one(caller, reading)]
        return found

    async def _lists(self, caller: "_Counted", reading: Reading) -> AsyncIterator[str]:
        whole = await caller.ask("/v1/units")
        for told in (*leaks_of(self._world, reading, whole.body), *missing_of(reading, whole.body)):
            yield told
        for told in self._tag_faults(caller.partner, "/v1/units", whole):
            yield told
        name, wanted = FILTERS[self._turn % len(FILTERS)]
        some = await caller.ask(f"/v1/units?{name}={wanted}&limit=2")
        for told in leaks_of(self._world, reading, some.body):
            yield told
        field = "capabilities" if name == "capability" else name
        for record in records_in(some.body):
            if wanted not in (shown := record.get(field, ())) and wanted != shown:
                yield f"{record['unit']} is found by its {field}, which is not opened"
        path = PLAIN[self._turn % len(PLAIN)]
        answer = await caller.ask(path)
        if answer.status not in (200, 404, 422) or words_of(answer.body):
            yield f"{path} is answered {answer.status} {answer.body!r}"

    async def _one_unit(self, caller: "_Counted", reading: Reading) -> AsyncIterator[str]:
        if not reading.now.units:
            return
        unit = _turned(reading.now.units, self._turn)
        path = f"/v1/units/{unit}"
        answer = await caller.ask(path)
        for told in leaks_of(self._world, reading, answer.body):
            yield told
        for told in self._tag_faults(caller.partner, path, answer):
            yield told
        again = await caller.ask(path, tag=answer.header(b"etag"))
        if (again.status, again.body) != (304, b""):
            yield f"{path} is answered {again.status} {again.body!r} to who has it"
        track = await caller.ask(f"{path}/track")
        for told in self._track_faults(caller.partner, unit, track):
            yield told

    async def _unseen(self, caller: "_Counted", reading: Reading) -> AsyncIterator[str]:
        """A unit that may not be known of is answered like one that is not there, to the byte."""
        unseen = sorted(self._world.directory.units.keys() - reading.now.units.keys())
        if not unseen:
            return
        unit = _turned(unseen, self._turn)
        for path in ("/v1/units/%s", "/v1/units/%s/track", "/v1/units/%s/track?since=x", "/v1/units?after=a&type=%s"):
            theirs, none = await caller.ask(path % unit), await caller.ask(path % NOBODY)
            if _lasting(theirs) != _lasting(none):
                yield f"{path % unit} is answered {theirs}, and where there is nothing {none}"
        message = {"kind": "assignment", "id": "m1", "origin": "cad", "order": "n1", "version": 0, "unit": unit}
        message["at"] = f"{self._world.now.utc:%Y-%m-%dT%H:%M:%S.%fZ}"
        theirs, none = await self._say(caller, message), await self._say(caller, message | {"unit": NOBODY})
        if theirs._replace(body=theirs.body.replace(unit.encode(), NOBODY.encode())) != none:
            yield f"a CAD's word about {unit} is answered {theirs}, and where there is nothing {none}"

    async def _past(self, caller: "_Counted", reading: Reading) -> AsyncIterator[str]:
        ticks = sorted(self._stores.boards)
        at = ticks[(self._turn * 7) % len(ticks)]
        answer = await caller.ask(f"/v1/replay?at={at:%Y-%m-%dT%H:%M:%S.%fZ}")
        then = allowed_then(self._world, self._stores, caller.partner, at)
        past = Reading(now=then, ticked=then, ever=set(), moments=reading.moments)
        for told in (*leaks_of(self._world, past, answer.body), *missing_of(past, answer.body)):
            yield f"at {at:%H:%M:%S}: {told}"
        if answer.status != 200:
            yield f"a replay is answered {answer}"

    async def _agreed(self, caller: "_Counted", reading: Reading) -> AsyncIterator[str]:
        """Each side sees its own agreements, accesses, loans and figures."""
        world, own = self._world, caller.partner
        named = {row.id for row in world.directory.agreements.values() if own in (row.owner, row.partner)}
        named |= {f"loan:{one.loan}" for one in world.lent.values() if own in (one.owner, one.borrower)}
        body = (await caller.ask("/v1/agreements")).body
        listed: list[dict[str, Any]] = msgspec.json.decode(body)["agreements"]
        if {one["agreement"] for one in listed} != named or any(one.keys() != _OF_AGREEMENT for one in listed):
            yield f"agreements are not its own, or tell more: {body!r}"
        loans = {name for name, one in world.loans_ever.items() if own in (one.owner, one.borrower)}
        said = {word for name in loans for word in world.loan_words[name]}
        for word in sorted(words_of(body) - said):
            yield f"{word} of an agreement is told"
        words = set[str]()
        for access in world.decided.access:
            words |= words_of(f"{access.id} {access.by}".encode()) if own in (access.owner, access.partner) else set()
        for told in await self._told(caller, "/v1/emergency-access", words):
            yield told
        said |= {word for name in loans for word in words_of(" ".join(world.loans_ever[name].units).encode())}
        for told in await self._told(caller, "/v1/loans", said):
            yield told
        for name in sorted(world.loans_ever.keys() - loans):
            if await caller.ask(f"/v1/loans/{name}") != await caller.ask(f"/v1/loans/{NO_LOAN}"):
                yield f"loan {name} is not answered like one that is not there"
        figures = await caller.ask(f"/v1/statistics?scope=organisation&id={_turned(world.organisations, self._turn)}")
        if f"figures of organisation {own}".encode() not in figures.body:
            yield f"figures are given of others: {figures.body!r}"

    async def _cad(self, caller: "_Counted", _reading: Reading) -> AsyncIterator[str]:
        """A command and control system sees its own units, and of another's port not even whether there is one."""
        own, others = caller.partner, [name for name in self._world.organisations if name != caller.partner]
        for route in ("units", "messages"):
            theirs = await caller.ask(f"/v1/cad/{_turned(others, self._turn)}/{route}")
            if theirs != await caller.ask(f"/v1/cad/nobody/{route}"):
                yield f"another organisation's {route} are answered {theirs}"
        body = (await caller.ask(f"/v1/cad/{own}/units")).body
        units = {one.id for one in self._world.directory.units.values() if one.organisation == own}
        known = {word for fact in self._world.facts if fact.unit in units for word in fact.words}
        for word in sorted(words_of(body) - known):
            yield f"{word} is none of its own"

    async def _told(self, caller: "_Counted", path: str, words: Collection[str]) -> list[str]:
        found = words_of((await caller.ask(path)).body)
        extra = [f"{path}: {word} is of others" for word in sorted(found - set(words))]
        return extra + [f"{path}: {word} is its own, and not told" for word in sorted(set(words) - found)]

    async def _say(self, caller: "_Counted", message: dict[str, Any]) -> Answer:
        return await caller.ask(f"/v1/cad/{caller.partner}/messages/m1", body=msgspec.json.encode(message))

    def _tag_faults(self, partner: str, path: str, answer: Answer) -> Iterable[str]:
        shown = msgspec.json.encode(_without_ages(msgspec.json.decode(answer.body)))
        tag = answer.header(b"etag")
        if self._tags.setdefault((partner, path, shown), tag) != tag:
            yield f"{path} has another tag, though nothing that is shown is another"

    def _track_faults(self, partner: str, unit: str, answer: Answer) -> Iterable[str]:
        points = msgspec.json.decode(answer.body).get("points", ())
        expected = list(places_then(self._world, self._stores, partner, unit))
        if len(points) != len(expected) or answer.status != 200:
            yield f"the track of {unit} has {len(points)} places, and {len(expected)} are opened"
            return
        for point, (row, share) in zip(points, expected, strict=True):
            assert row.lat is not None and row.lon is not None
            fact = Fact(unit=unit, grant="position", at=row.corrected_at, place=(row.lat, row.lon))
            if (_time(point["at"]), point["precision_m"]) != (row.corrected_at, share.square_m):
                yield f"the track of {unit} has {point}, and {row.corrected_at} {share} is opened"
            yield from place_faults(unit, share, point["position"], [fact])


class _Counted(Caller):
    """Counts what it is answered."""

    def __init__(self, partner: str, knocks: Knocks) -> None:
        super().__init__(partner)
        self.partner, self._knocks = partner, knocks

    async def ask(self, path: str, *, tag: bytes = b"", body: bytes | None = None) -> Answer:
        answer = await super().ask(path, tag=tag, body=body)
        self._knocks.bodies += 1
        self._knocks.paths.add(path.partition("?")[0])
        self._knocks.bytes += len(answer.body)
        return answer


def _turned(among: Iterable[str], turn: int) -> str:
    every = sorted(among)
    return every[turn % len(every)]


def _lasting(answer: Answer) -> tuple[int, tuple[tuple[bytes, bytes], ...], object]:
    return answer.status, answer.headers, _without_ages(msgspec.json.decode(answer.body))


def _without_ages(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ages(one) for name, one in value.items() if name not in _PASSING}
    return [_without_ages(one) for one in value] if isinstance(value, list) else value


def _time(text: str) -> datetime:
    return msgspec.convert(text, datetime)
