"""What people decide about sharing beside the directory: durable before it counts, and ended at its time.

An owner withdraws an agreement, which only ends it sooner than the directory does. Control declares a major incident. A
partner opens emergency access to an owner's units: that is announced to the owner, and runs out by itself.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from cloud.clock import Clock
from cloud.desk.bindingwords import DecisionRequest, Refusal
from cloud.desk.pen import Pen
from cloud.desk.sharingviews import access_text, view_access, view_agreement
from cloud.desk.sharingwords import (
    ACCESS,
    ACCESS_ENDED,
    AGREEMENT,
    INCIDENT,
    AccessEnd,
    AccessEnded,
    AccessRequest,
    AccessView,
    AgreementView,
    AgreementWord,
    DeclareRequest,
    IncidentWord,
    MajorIncident,
    Parts,
    decided,
    word_row,
)
from cloud.directory import Directory, InForce
from cloud.directory.sharing import agreements_of
from cloud.dispatch.alarm import AccessOpened
from cloud.ledger import Ledger
from cloud.sharing.terms import Agreement, EmergencyAccess

TICK_S = 0.5
"""How often it is looked at which emergency accesses have run out."""
ANNOUNCED = timedelta(days=7)
"""How long an emergency access that nobody has acknowledged is announced again at each start."""
OPEN_MAX = 8
"""Emergency accesses that one partner may have open at once."""
KEPT = 500
"""Accesses that are over and still listed, the newest."""

_log = structlog.get_logger("sharing")


@dataclass(frozen=True, kw_only=True)
class SharingPorts:
    """The ways out, and what else is known."""

    announce: Callable[[AccessOpened], object]
    """Shows control that a partner opened emergency access, or that it is over."""
    loans: Callable[[], Iterable[Agreement]] = tuple
    """What loans open: they are withdrawn like any agreement."""


class Sharing:
    """Holds what was decided about sharing. One owner, one event loop."""

    def __init__(self, in_force: InForce, ledger: Ledger, ports: SharingPorts, *, clock: Clock) -> None:
        """Know again what was decided and is not over, and announce it. Raises what the ledger does."""
        self._in_force, self._ports, self._clock = in_force, ports, clock
        self._pen = Pen(ledger)
        rows = ledger.decisions()
        withdrawn = {word.agreement: word for word in decided(rows, AGREEMENT, AgreementWord)}
        self._withdrawn = {name: word for name, word in withdrawn.items() if word.withdrawn}
        declared = {word.name: word for word in decided(rows, INCIDENT, IncidentWord)}
        self._declared = {name: word for name, word in declared.items() if word.declared}
        self._ended = {word.access: word for word in decided(rows, ACCESS_ENDED, AccessEnded)}
        self._open: dict[str, EmergencyAccess] = {}
        self._over: deque[EmergencyAccess] = deque(maxlen=KEPT)
        now = clock.now()
        for access in decided(rows, ACCESS, EmergencyAccess):
            self._take_in(access, now)
        in_force.follow(self._on_directory)

    def follow(self, listener: Callable[[], object]) -> None:
        """Tell somebody of each change of what was decided. That time alone ends an access is not told."""
        self._pen.follow(listener)

    def parts(self) -> Parts:
        """Give what the rules of sharing go by. An organisation that is none any more has no access."""
        known = self._in_force.directory.organisations
        return Parts(
            declared=frozenset(self._declared),
            withdrawn=frozenset(self._withdrawn),
            access=tuple(one for one in self._open.values() if one.owner in known and one.partner in known),
        )

    async def withdraw(self, agreement: str, request: DecisionRequest) -> AgreementView | Refusal:
        """End an agreement now, durably, whatever its time. Raises what the ledger does: nothing was changed then."""
        return await self._pen.finish(lambda: self._put(agreement, request, withdrawn=True))

    async def restore(self, agreement: str, request: DecisionRequest) -> AgreementView | Refusal:
        """Let an agreement hold again as the directory has it. Raises what the ledger does."""
        return await self._pen.finish(lambda: self._put(agreement, request, withdrawn=False))

    async def declare(self, request: DeclareRequest) -> MajorIncident:
        """Declare a major incident, durably. One that is declared stays as it was. Raises what the ledger does."""
        return await self._pen.finish(lambda: self._declare(request))

    async def end_incident(self, name: str, request: DecisionRequest) -> MajorIncident | Refusal:
        """End a major incident, durably; gives it as it was. Raises what the ledger does."""
        return await self._pen.finish(lambda: self._end_incident(name, request))

    async def open_access(self, partner: str, request: AccessRequest) -> AccessView | Refusal:
        """Open emergency access, durably, and announce it. The same request of the same person opens none beside it.

        Raises what the ledger does: nothing was opened then.
        """
        return await self._pen.finish(lambda: self._open_access(partner, request))

    async def end_access(self, access_id: str, request: AccessEnd) -> AccessView | Refusal:
        """End an emergency access early, for either of the two, durably. Raises what the ledger does."""
        return await self._pen.finish(lambda: self._end_access(access_id, request))

    def agreements(self) -> tuple[AgreementView, ...]:
        """Every agreement of the directory and every loan's, by id, as they stand now."""
        now, declared = self._clock.now(), self._declared
        every = sorted(self._known().values(), key=lambda one: one.id)
        return tuple(view_agreement(one, now, declared, self._withdrawn.get(one.id)) for one in every)

    def major_incidents(self) -> tuple[MajorIncident, ...]:
        """Every major incident that is declared, in the order in which they were."""
        return tuple(map(self._view_incident, sorted(self._declared.values(), key=lambda word: word.at)))

    def accesses(self, partner: str | None = None) -> tuple[AccessView, ...]:
        """Every emergency access that is open, then the newest of those that are over; of one partner, or of all."""
        self.step()
        every = [*reversed(self._open.values()), *reversed(self._over)]
        return tuple(self._view(one) for one in every if partner is None or one.partner == partner)

    def step(self) -> None:
        """Let time pass: let go of what has run out, and say that it is over."""
        now = self._clock.now()
        for access in [one for one in self._open.values() if one.until <= now]:
            self._close(access)

    async def run(self) -> None:
        """End each emergency access at its time, until cancelled."""
        while True:
            self.step()
            await self._clock.sleep(TICK_S)

    async def _put(self, name: str, request: DecisionRequest, *, withdrawn: bool) -> AgreementView | Refusal:
        agreement = self._known().get(name)
        if agreement is None:
            return Refusal(404, f"there is no agreement {name!r}; GET /v1/agreements lists them")
        now = self._clock.now()
        if withdrawn != (name in self._withdrawn):
            word = AgreementWord(agreement=name, withdrawn=withdrawn, by=request.by, reason=request.reason, at=now)
            await self._pen.write(word_row(AGREEMENT, name, word))
            if withdrawn:
                self._withdrawn[name] = word
            else:
                del self._withdrawn[name]
            _log.info("agreement_withdrawn" if withdrawn else "agreement_restored", agreement=name)
            self._pen.tell()
        return view_agreement(agreement, now, self._declared, self._withdrawn.get(name))

    async def _declare(self, request: DeclareRequest) -> MajorIncident:
        known = self._declared.get(request.name)
        if known is None:
            known = await self._say(request.name, request, declared=True)
            self._declared[request.name] = known
            self._pen.tell()
        return self._view_incident(known)

    async def _end_incident(self, name: str, request: DecisionRequest) -> MajorIncident | Refusal:
        known = self._declared.get(name)
        if known is None:
            return Refusal(404, f"no major incident {name!r} is declared; GET /v1/major-incidents lists them")
        await self._say(name, request, declared=False)
        del self._declared[name]
        self._pen.tell()
        return self._view_incident(known)

    async def _say(self, name: str, request: DecisionRequest, *, declared: bool) -> IncidentWord:
        now = self._clock.now()
        word = IncidentWord(name=name, declared=declared, by=request.by, reason=request.reason, at=now)
        await self._pen.write(word_row(INCIDENT, name, word))
        _log.info("major_incident_declared" if declared else "major_incident_ended", name=name)
        return word

    async def _open_access(self, partner: str, request: AccessRequest) -> AccessView | Refusal:
        self.step()
        own = [one for one in self._open.values() if one.partner == partner]
        refusal = self._why_not(partner, request.owner, len(own))
        if refusal is not None:
            return refusal
        asked = (request.owner, request.by, request.reason)
        known = next((one for one in own if (one.owner, one.by, one.reason) == asked), None)
        if known is not None:
            return self._view(known)
        now = self._clock.now()
        access = EmergencyAccess(
            id=secrets.token_hex(6),
            owner=request.owner,
            partner=partner,
            reason=request.reason,
            by=request.by,
            since=now,
            until=now + timedelta(minutes=request.minutes),
        )
        await self._pen.write(word_row(ACCESS, access.id, access))
        _log.warning("emergency_access", access=access.id, owner=access.owner, partner=partner)
        self._take_in(access, now)
        self._pen.tell()
        return self._view(access)

    async def _end_access(self, access_id: str, request: AccessEnd) -> AccessView | Refusal:
        self.step()
        known = self._open.get(access_id) or next((one for one in self._over if one.id == access_id), None)
        if known is None or request.organisation not in (known.owner, known.partner):
            return Refusal(404, f"there is no emergency access {access_id!r} of {request.organisation!r}")
        if access_id in self._open:
            word = AccessEnded(
                access=access_id,
                organisation=request.organisation,
                by=request.by,
                reason=request.reason,
                at=self._clock.now(),
            )
            await self._pen.write(word_row(ACCESS_ENDED, access_id, word))
            self._ended[access_id] = word
            self._close(known)
            self._pen.tell()
        return self._view(known)

    def _why_not(self, partner: str, owner: str, opened: int) -> Refusal | None:
        organisations = self._in_force.directory.organisations
        if owner not in organisations:
            return Refusal(404, f"owner: there is no organisation {owner!r}")
        if partner not in organisations:
            return Refusal(404, f"partner: there is no organisation {partner!r}")
        if owner == partner:
            return Refusal(422, "owner: is the partner itself; its own units are its own to see")
        if opened >= OPEN_MAX:
            return Refusal(409, f"{OPEN_MAX} emergency accesses of {partner!r} are open; end one first")
        return None

    def _take_in(self, access: EmergencyAccess, now: datetime) -> None:
        if access.id not in self._ended and now < access.until:
            self._open[access.id] = access
            self._announce(access, None)
        else:
            self._over.append(access)
            if now - access.since < ANNOUNCED:
                self._announce(access, self._over_at(access))

    def _close(self, access: EmergencyAccess) -> None:
        self._open.pop(access.id, None)
        self._over.append(access)
        self._announce(access, self._over_at(access))
        _log.info("emergency_access_over", access=access.id)

    def _announce(self, access: EmergencyAccess, over_at: datetime | None) -> None:
        text = access_text(access, self._in_force.directory, self._ended.get(access.id))
        self._ports.announce(AccessOpened(id=access.id, text=text, since=access.since, over_at=over_at))

    def _over_at(self, access: EmergencyAccess) -> datetime:
        ended = self._ended.get(access.id)
        return access.until if ended is None else ended.at

    def _view(self, access: EmergencyAccess) -> AccessView:
        return view_access(access, self._ended.get(access.id), active=access.id in self._open)

    def _view_incident(self, word: IncidentWord) -> MajorIncident:
        waiting = sorted(one.id for one in self._known().values() if one.incident == word.name)
        return MajorIncident(name=word.name, by=word.by, reason=word.reason, since=word.at, agreements=tuple(waiting))

    def _known(self) -> dict[str, Agreement]:
        return {one.id: one for one in (*agreements_of(self._in_force.directory), *self._ports.loans())}

    def _on_directory(self, before: Directory, after: Directory) -> None:
        """An organisation may have come or gone."""
        if before.organisations.keys() != after.organisations.keys():
            self._pen.tell()
