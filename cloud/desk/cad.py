"""Takes what an organisation's command and control system (CAD) says: judged, durable, and answered, each message once.

What the directory makes the CAD the master of it may say, of its own units, and of assignments also of units that are
lent to it. A status or a crew goes the way of control's word; an assignment goes to the desk, which sends nobody
anything. What is so already changes nothing, so that nothing that two systems repeat to each other goes on for ever.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import structlog

from cloud.desk.cadanswers import Answers
from cloud.desk.outside import Assigned, AssignRequest, Moved
from cloud.directory import InForce, Unit
from cloud.errors import Retryable
from cloud.fleet.heads import CONFLICT_WITHIN, Head
from cloud.ledger import EventRow, Ledger
from wire import cad
from wire.cad import CadAnswer, CadAssignment, CadCrew, CadStatus, CadUnit, Outcome, SaidToUs, Unread, Why
from wire.events import CrewEvent, StatusEvent

SAID_WITHIN = timedelta(days=1)
"""What was so longer ago than this is not taken any more."""
AHEAD_MAX = timedelta(seconds=5)
"""How far a CAD's clock may be ahead of ours."""

_log = structlog.get_logger("cad")


class Speech(NamedTuple):
    """What a CAD is saying of a unit."""

    organisation: str
    unit: str
    field: cad.Changed
    value: tuple[object, ...]
    origin: str


@dataclass(frozen=True, kw_only=True)
class CadPorts:
    """The ways out, and what else is known."""

    say: Callable[[str, StatusEvent | CrewEvent], Awaitable[EventRow]]
    """Stores a word about a unit, and shows it."""
    assign: Callable[[AssignRequest], Awaitable[Assigned | Moved]]
    standing: Callable[[str], Head | None]
    """The status that stands for a unit."""
    word: Callable[[str], Head | None]
    """Control's own newest word, or a CAD's, of a unit's status."""
    look: Callable[[str, str], CadUnit | None]
    """An organisation's own unit as its CAD may know it by now."""
    saying: Callable[[Speech], AbstractContextManager[None]]
    """Held while a CAD says something: that it stands then is no news to it."""
    may_move: Callable[[str, str], bool]
    """Tells whether an organisation may move a unit that is not its own: one that is lent to it."""


class _Judged(NamedTuple):
    """What becomes of a message."""

    outcome: Outcome
    why: Why
    text: str = ""
    version: int | None = None


_ECHO = _Judged("known", "echo", "Watchroom said this: it is no news to it")


class CadInbox:
    """Takes messages in, those of one organisation one after the other. One event loop."""

    def __init__(self, in_force: InForce, ledger: Ledger, ports: CadPorts, *, now: Callable[[], datetime]) -> None:
        """Nothing was said yet but what the ledger holds."""
        self._in_force, self._ports, self._now = in_force, ports, now
        self._turns: dict[str, asyncio.Lock] = {}
        self._answers = Answers(ledger, now=now)
        self._working: set[asyncio.Task[CadAnswer]] = set()
        self.counts: Counter[tuple[str, Outcome, Why]] = Counter()
        """What became of messages, by organisation, outcome and why."""

    async def take(self, organisation: str, raw: bytes, name: str | None = None) -> CadAnswer:
        """Take a message of an organisation's CAD in, and answer it. `name` is the id that it was sent under.

        It goes on to its end although whoever sent it may go away meanwhile. Raises nothing of what is wrong with it.
        """
        task = asyncio.ensure_future(self._take(organisation, raw, name))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)

    async def _take(self, organisation: str, raw: bytes, name: str | None) -> CadAnswer:
        message = cad.decode(raw)
        if isinstance(message, Unread):
            return self._answer(organisation, ("", message.id), _refuse(message.why, message.text))
        if not isinstance(message, SaidToUs):
            about = getattr(message, "unit", ""), getattr(message, "id", "")
            return self._answer(organisation, about, _ECHO)
        about = message.unit, message.id
        if name is not None and name != message.id:
            text = f"id: {message.id!r} was sent under {name!r}: give both the same"
            return self._answer(organisation, about, _refuse("not_understood", text))
        if cad.is_ours(message):
            return self._answer(organisation, about, _ECHO)
        try:
            async with self._turns.setdefault(organisation, asyncio.Lock()):
                answer = await self._take_once(organisation, message)
        except Retryable as error:
            text = f"nothing can be stored now, and nothing was changed: send it again ({error})"
            return self._answer(organisation, about, _Judged("again", "away", text))
        await self._answers.keep()
        return answer

    async def _take_once(self, organisation: str, message: SaidToUs) -> CadAnswer:
        digest = hashlib.sha256(msgspec.json.encode(message, order="sorted")).digest()
        about = message.unit, message.id
        said = await self._answers.find(organisation, message.id)
        if said is not None:
            if said.digest != digest:
                text = f"another message was sent as {message.id!r}: give this one an id of its own"
                return self._answer(organisation, about, _refuse("differs", text))
            first = msgspec.json.decode(said.answer, type=CadAnswer)
            self.counts[(organisation, "known", "repeated")] += 1
            return msgspec.structs.replace(first, outcome="known", why="repeated")
        judged = await self._judge(organisation, message)
        answer = self._answer(organisation, about, judged)
        if judged.outcome != "refused":
            self._answers.note(organisation, digest, answer)
        return answer

    async def _judge(self, organisation: str, message: SaidToUs) -> _Judged:
        unit = self._in_force.directory.units.get(message.unit)
        own = unit is not None and unit.organisation == organisation
        lent = isinstance(message, CadAssignment) and self._ports.may_move(organisation, message.unit)
        if unit is None or not (own or lent):
            return _refuse("no_such_unit", f"unit: {message.unit!r} is none that you may speak for")
        return self._object(organisation, message) or await self._act(organisation, unit, message)

    def _object(self, organisation: str, message: SaidToUs) -> _Judged | None:
        """Say why its CAD may not say this, or not as of that time; None where it may."""
        masters, now = self._in_force.directory.organisations[organisation].masters, self._now()
        field, master = {
            CadStatus: ("status", masters.status),
            CadAssignment: ("assignment", masters.assignment),
            CadCrew: ("crew", masters.crew),
        }[type(message)]
        if master != "cad":
            text = f"{organisation!r} has Watchroom as the master of this: enter it there, or change masters.{field}"
            return _refuse("not_master", text)
        if message.at > now + AHEAD_MAX:
            return _refuse("bad_time", f"at: is in the future; it is {now.isoformat()} here")
        if message.at < now - SAID_WITHIN:
            return _refuse("bad_time", "at: is more than a day ago: what was so then is no news now")
        return None

    async def _act(self, organisation: str, unit: Unit, message: SaidToUs) -> _Judged:
        match message:
            case CadStatus():
                return await self._say_status(organisation, unit, message)
            case CadAssignment():
                return await self._assign(organisation, message)
            case CadCrew():
                return await self._say_crew(organisation, message)

    async def _say_status(self, organisation: str, unit: Unit, said: CadStatus) -> _Judged:
        scheme = self._in_force.directory.schemes[unit.scheme]
        code = scheme.code(said.code)
        if code is None or code.availability is None:
            known = ", ".join(row.code for row in scheme.codes if row.availability is not None)
            return _refuse("unknown_code", f"code: {said.code!r} can't stand in {scheme.name}; one of {known}")
        seen, standing = self._ports.look(organisation, unit.id), self._ports.standing(unit.id)
        version = None if seen is None else seen.versions.status
        if standing is not None and (standing.scheme, standing.code, standing.mode) == (
            scheme.name,
            code.code,
            said.mode,
        ):
            return _stands(version)
        if said.version is not None and said.version != version:
            return _moved(version, "another status stands by now" if standing is None else f"{standing.label!r} stands")
        at = cad.time_of(said, self._now())
        if _is_late(said, standing, self._ports.word(unit.id)):
            return _refuse("late", "at: what stands now was said later", version)
        event = StatusEvent(
            seq=1, at=at, clock="ntp", boot=0, mono_ms=0, mode=said.mode, unit=unit.id, scheme=scheme.name,
            code=code.code, by="radio", remarks=said.remarks, operator=_person(said),
        )  # fmt: skip
        with self._ports.saying(Speech(organisation, unit.id, "status", (code.code, at), said.origin)):
            await self._ports.say(unit.id, event)
        return _taken(self._version(organisation, unit.id, "status"))

    async def _say_crew(self, organisation: str, said: CadCrew) -> _Judged:
        riders, until = (said.riders, said.until) if said.on else (0, None)
        skills = tuple(sorted({skill for person in said.persons for skill in person.skills})) if said.on else ()
        seen = self._ports.look(organisation, said.unit)
        crew = None if seen is None else seen.crew
        version = None if seen is None else seen.versions.crew
        if crew is not None and (crew.riders, crew.until, crew.skills) == (riders, until, skills):
            return _stands(version)
        if said.version is not None and said.version != version:
            return _moved(version, "another crew is on it by now")
        event = CrewEvent(
            seq=1, at=cad.time_of(said, self._now()), clock="ntp", boot=0, mono_ms=0, mode="live",
            unit=said.unit, on=said.on, riders=said.riders, persons=said.persons, until=said.until,
        )  # fmt: skip
        with self._ports.saying(Speech(organisation, said.unit, "crew", (riders, until), said.origin)):
            await self._ports.say(said.unit, event)
        return _taken(self._version(organisation, said.unit, "crew"))

    async def _assign(self, organisation: str, said: CadAssignment) -> _Judged:
        asked = AssignRequest(
            organisation=organisation,
            origin=said.origin,
            message=said.id,
            unit=said.unit,
            order=said.order,
            incident=said.incident,
            address=said.address,
            text=said.text,
            by=_person(said),
            version=said.version,
        )
        self._ports.look(organisation, said.unit)
        with self._ports.saying(Speech(organisation, said.unit, "assignment", (said.order,), said.origin)):
            answer = await self._ports.assign(asked)
        if isinstance(answer, Moved):
            return _moved(answer.version, "the unit is on another order" if answer.order else "the unit is on no order")
        return _taken(answer.version) if answer.new else _stands(answer.version)

    def _version(self, organisation: str, unit: str, field: str) -> int | None:
        seen = self._ports.look(organisation, unit)
        return None if seen is None else getattr(seen.versions, field)

    def _answer(self, organisation: str, about: tuple[str, str], judged: _Judged) -> CadAnswer:
        """Count what became of a message about a unit, by its id, and write the answer."""
        key = (organisation, judged.outcome, judged.why)
        self.counts[key] += 1
        if judged.outcome == "refused" and self.counts[key] == 1:
            _log.warning("cad_refused", organisation=organisation, why=judged.why)
        unit, name = about
        return CadAnswer(id=name, unit=unit, at=self._now(), **judged._asdict())


def _refuse(why: Why, text: str, version: int | None = None) -> _Judged:
    return _Judged("refused", why, text, version)


def _stands(version: int | None) -> _Judged:
    return _Judged("known", "stands", "it is so already", version)


def _taken(version: int | None) -> _Judged:
    return _Judged("taken", "", "", version)


def _moved(version: int | None, what: str) -> _Judged:
    return _refuse("moved", f"version: {what}: look again, and decide on that", version)


def _is_late(said: CadStatus, standing: Head | None, word: Head | None) -> bool:
    """Tell whether what stands was certainly said after this. A CAD that names what stands has seen it."""
    if word is not None and said.at < word.at:
        return True
    if standing is None or not standing.ranks or said.version is not None:
        return False
    return said.at < standing.at - CONFLICT_WITHIN


def _person(said: SaidToUs) -> str:
    return said.by or f"CAD {said.origin}"
