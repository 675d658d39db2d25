"""Who carries which unit by control's word: claims of devices and decisions of people fold into what is in force. Pure.

A device claims; only a decision binds. What is in force follows from the decisions alone, in the order in which they
were made. A device carries one unit at most, and a unit has one carrier at most.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from wire.feed import ClaimView

OPEN_FOR = timedelta(hours=8)
"""How long a claim waits for control's word, from when it was heard: after a shift nobody knows who said it."""
TOLD_FOR = timedelta(days=1)
"""How long a device is told what became of a claim that is over."""
SLACK = timedelta(seconds=5)
"""How far two clocks that were both checked may be apart: so much earlier a carrier's statuses begin to count."""
ANSWERS_MAX = 5_000

Kind = Literal["binding_confirmed", "binding_refused", "unbound", "lent", "returned", "split", "rejoined"]
Outcome = Literal["waiting", "confirmed", "refused", "ended"]
"""As the device is told."""


class Claim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device's word that it carries a unit now, or (`on` false) does so no longer."""

    id: str
    """`DEVICE.STREAM.SEQ` of the event that made it, by the place where it first stood."""
    number: int
    """The ledger's number of that event: a device's claims count in this order."""
    unit: str
    device: str
    vehicle: str = ""
    base: str = ""
    on: bool = True
    at: datetime
    """Corrected, UTC."""
    heard: datetime
    """When it came, UTC."""


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a person at control decided about a unit."""

    kind: Kind
    unit: str
    at: datetime
    by: str
    reason: str = ""
    claim: Claim | None = None
    """The one that is confirmed or refused."""
    known: int = 0
    """The newest claim that was known, of any device: a start folds those before the decision, and the others after."""
    others: tuple[Claim, ...] = ()
    """With a confirmation: the claims that it refuses."""
    base: str = ""
    """Where the unit is lent to."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a claim, and who at control said so; nobody where it ran out or its device took it back."""

    claim: Claim
    outcome: Outcome
    at: datetime
    by: str = ""
    decided: Kind | None = None
    """Which decision it was; None for none."""


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """A device that control has bound to a unit."""

    device: str
    since: datetime
    """From when on what it declared counts."""
    decision: Decision


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What control's word changes of one unit; what is empty is as the directory has it."""

    unit: str
    device: str = ""
    since: datetime | None = None
    base: str = ""
    split: bool = False
    bound: Decision | None = None
    """The decision behind `device`."""
    lent: Decision | None = None
    """The one behind `base`."""
    parted: Decision | None = None
    """The one behind `split`."""


class Register:
    """The claims that wait and the decisions that hold. One owner; time comes in."""

    def __init__(self) -> None:
        """Nobody has claimed or decided anything."""
        self._ties: dict[str, Tie] = {}
        self._carries: dict[str, str] = {}
        """The unit of each device that is bound."""
        self._back: dict[str, Decision] = {}
        """The decision that gave a unit back to the vehicle that the directory names."""
        self._freed: dict[str, Decision] = {}
        """The one that took a device from the unit that it was bound to."""
        self._lent: dict[str, Decision] = {}
        self._split: dict[str, Decision] = {}
        self._open: dict[str, Claim] = {}
        self.known = 0
        """The newest claim that was taken in, of any device."""
        self._answers: dict[str, Answer] = {}
        self._withdrew: dict[str, None] = {}
        """Words that took back a claim which waited: one that comes again takes back no later one."""
        self._told: dict[str, dict[str, Answer]] = {}
        """Of each device: the newest answer for each unit that it claimed."""

    def take(self, claim: Claim, named: str) -> bool:
        """Take in a device's word. `named` is the device that the directory names for the unit. True where it counts.

        A word that was said before, or that says what is so already, changes nothing; one for another unit takes the
        place of the one before it, and one for the unit that the device carries anyway takes that one back. Let what
        has run out by then `expire` before.
        """
        self.known = max(self.known, claim.number)
        if claim.id in self._answers or claim.id in self._withdrew:
            return False
        waiting = self._open.get(claim.device)
        if waiting is not None and waiting.unit == claim.unit:
            return waiting.on != claim.on and self._withdraw(waiting, claim)
        carries = self._holder(claim.unit, named) if claim.on else self._holder(claim.unit, "")
        if claim.on == (carries == claim.device):
            return waiting is not None and claim.on and self._withdraw(waiting, claim)
        if waiting is not None:
            self._close(waiting, claim.at)
        self._open[claim.device] = claim
        return True

    def decide(self, decision: Decision, carriers: Mapping[str, str]) -> None:
        """Take in what a person decided. `carriers`: the device that the directory names for each unit."""
        unit, claim = decision.unit, decision.claim
        match decision.kind:
            case "binding_confirmed" if claim is not None:
                self._confirm(decision, claim)
            case "binding_refused" if claim is not None:
                self._refuse(claim, decision)
            case "unbound":
                self._end(unit, decision)
            case "lent":
                self._lent[unit] = decision
            case "returned":
                self._lent.pop(unit, None)
            case "split":
                self._split[unit] = decision
            case "rejoined":
                self._split.pop(unit, None)
        for one in self.waiting():
            if one.on and self._holder(one.unit, carriers.get(one.unit, "")) == one.device:
                self._close(one, decision.at)  # it has what it asked for

    def expire(self, now: datetime) -> tuple[Claim, ...]:
        """Close the claims that waited too long, and give them."""
        over = tuple(claim for claim in self._open.values() if claim.heard + OPEN_FOR <= now)
        for claim in over:
            self._close(claim, claim.heard + OPEN_FOR)
        return over

    def next_expiry(self) -> datetime | None:
        """Give the moment when the next claim runs out."""
        return min((claim.heard + OPEN_FOR for claim in self._open.values()), default=None)

    def find(self, claim_id: str) -> Claim | Answer | None:
        """Give a claim that waits, or what became of it."""
        answer = self._answers.get(claim_id)
        return answer or next((claim for claim in self._open.values() if claim.id == claim_id), None)

    def waiting(self, unit: str | None = None) -> tuple[Claim, ...]:
        """Give the claims that wait, of one unit or of all, in the order in which they were heard."""
        found = (claim for claim in self._open.values() if unit is None or claim.unit == unit)
        return tuple(sorted(found, key=lambda claim: claim.number))

    def rivals(self, claim: Claim) -> tuple[Claim, ...]:
        """Give what a confirmation of this claim refuses: the other claims on its unit."""
        return tuple(one for one in self.waiting(claim.unit) if one.device != claim.device) if claim.on else ()

    def carries(self, device: str) -> str:
        """Give the unit that control has bound a device to; empty for none."""
        return self._carries.get(device, "")

    def is_bound(self, unit: str) -> bool:
        """Tell whether control has bound a device to a unit."""
        return unit in self._ties

    def held(self, carriers: Iterable[tuple[str, str]]) -> dict[str, Held]:
        """Give what is in force, by unit. `carriers`: each unit, and the device that the directory names for it.

        A unit that was given back counts its carrier's statuses from then on: what was said before is history.
        """
        named = dict(carriers)
        units = {*self._ties, *self._lent, *self._split, *self._back}
        units |= {unit for unit, device in named.items() if device in self._freed}
        return {unit: held for unit in sorted(units) if (held := self._held(unit, named.get(unit, ""))) is not None}

    def told(self, device: str, own: str, now: datetime) -> dict[str, Answer]:
        """Give what a device is told of its claims, by unit. `own` is the unit that the directory has it carry."""
        found = {
            unit: answer
            for unit, answer in self._told.get(device, {}).items()
            if now - answer.at < TOLD_FOR or self.carries(device) == unit
        }
        tie = self._ties.get(own)
        if tie is None and own in found and found[own].outcome == "ended":
            del found[own]  # it is its own again
        if tie is not None and tie.device != device:
            claim = tie.decision.claim
            assert claim is not None
            found[own] = Answer(claim=claim, outcome="ended", at=tie.decision.at, by=tie.decision.by)
        waiting = self._open.get(device)
        if waiting is not None and waiting.on:
            found[waiting.unit] = Answer(claim=waiting, outcome="waiting", at=waiting.at)
        return found

    @property
    def is_quiet(self) -> bool:
        """Whether no device has ever claimed anything, as far as is remembered."""
        return not (self._told or self._open)

    def spoken_of(self, device: str) -> Iterable[str]:
        """Name the units that a device has claimed, whatever became of it: what it said of them meanwhile is kept."""
        waiting = self._open.get(device)
        return dict.fromkeys([*self._told.get(device, ()), *([waiting.unit] if waiting is not None else [])])

    def _withdraw(self, waiting: Claim, word: Claim) -> bool:
        """Close a claim that its device takes back by a later word."""
        self._withdrew[word.id] = None
        if len(self._withdrew) > ANSWERS_MAX:
            del self._withdrew[next(iter(self._withdrew))]
        self._close(waiting, word.at)
        return True

    def _confirm(self, decision: Decision, claim: Claim) -> None:
        if not claim.on:
            self._answer(claim, "ended", decision)
            if self.carries(claim.device) == claim.unit:
                self._end(claim.unit, decision)
            return
        before, left = self._ties.get(claim.unit), self.carries(claim.device)
        if left and left != claim.unit:
            self._end(left, decision)
        if before is not None and before.device != claim.device:
            self._end(claim.unit, decision)
        self._ties[claim.unit] = Tie(device=claim.device, since=claim.at - SLACK, decision=decision)
        self._carries[claim.device] = claim.unit
        if claim.base:
            self._lent[claim.unit] = msgspec.structs.replace(decision, base=claim.base)
        self._answer(claim, "confirmed", decision)
        for other in decision.others:
            self._refuse(other, decision)

    def _end(self, unit: str, decision: Decision) -> None:
        """Give a unit back to the vehicle that the directory names."""
        tie = self._ties.pop(unit, None)
        if tie is None:
            return
        del self._carries[tie.device]
        self._freed[tie.device] = self._back[unit] = decision
        claim = tie.decision.claim
        assert claim is not None
        answer = Answer(claim=claim, outcome="ended", at=decision.at, by=decision.by)
        self._told.setdefault(tie.device, {})[unit] = answer
        waiting = self._open.get(tie.device)
        if waiting is not None and waiting.unit == unit and not waiting.on:
            del self._open[tie.device]
            self._answers[waiting.id] = msgspec.structs.replace(answer, claim=waiting)

    def _refuse(self, claim: Claim, decision: Decision) -> None:
        """Who would have given the unit up carries it still, unless another does."""
        kept = not claim.on and self.carries(claim.device) == claim.unit
        outcome: Outcome = "confirmed" if kept else "refused" if claim.on else "ended"
        self._answer(claim, outcome, decision, kind="binding_refused")

    def _answer(self, claim: Claim, outcome: Outcome, decision: Decision, *, kind: Kind = "binding_confirmed") -> None:
        waiting = self._open.get(claim.device)
        if waiting is not None and waiting.unit == claim.unit:
            del self._open[claim.device]
        self._note(Answer(claim=claim, outcome=outcome, at=decision.at, by=decision.by, decided=kind))

    def _close(self, claim: Claim, at: datetime) -> None:
        """Close a claim that nobody decided on. Who would have given a unit up carries it still."""
        self._open.pop(claim.device, None)
        tie = self._ties.get(claim.unit)
        if claim.on or tie is None or tie.device != claim.device:
            self._note(Answer(claim=claim, outcome="ended", at=at))
        else:
            self._note(Answer(claim=claim, outcome="confirmed", at=at, by=tie.decision.by))

    def _note(self, answer: Answer) -> None:
        claim = answer.claim
        self._answers[claim.id] = answer
        if len(self._answers) > ANSWERS_MAX:
            del self._answers[next(iter(self._answers))]
        self._told.setdefault(claim.device, {})[claim.unit] = answer

    def _holder(self, unit: str, named: str) -> str:
        tie = self._ties.get(unit)
        return tie.device if tie is not None else "" if named in self._carries else named

    def _held(self, unit: str, named: str) -> Held | None:
        tie, lent, parted = self._ties.get(unit), self._lent.get(unit), self._split.get(unit)
        device, since, bound = "", None, None
        if tie is not None:
            device, since, bound = tie.device, tie.since, tie.decision
        elif named and named not in self._carries:
            given = [one for one in (self._back.get(unit), self._freed.get(named)) if one is not None]
            bound = max(given, key=lambda one: one.at, default=None)
            device, since = (named, bound.at - SLACK) if bound is not None else ("", None)
        if not (device or lent or parted):
            return None
        return Held(
            unit=unit,
            device=device,
            since=since,
            base=lent.base if lent is not None else "",
            split=parted is not None,
            bound=bound,
            lent=lent,
            parted=parted,
        )


def replay(
    decisions: Iterable[Decision], claims: Iterable[Claim], carriers: Mapping[str, str], now: datetime
) -> Register:
    """Fold what the ledger holds as it was folded when it happened. Both in their order.

    `carriers`: the device that the directory names for each unit. Claims older than twice `OPEN_FOR` may be left out.
    """
    register, words = Register(), list(claims)[::-1]
    for decision in decisions:
        while words and words[-1].number <= decision.known:
            _take_again(register, words.pop(), carriers)
        register.expire(decision.at)
        register.decide(decision, carriers)
    while words:
        _take_again(register, words.pop(), carriers)
    register.expire(now)
    return register


def _take_again(register: Register, claim: Claim, carriers: Mapping[str, str]) -> None:
    register.expire(claim.heard)
    register.take(claim, carriers.get(claim.unit, ""))


def view_claims(claims: Iterable[Claim]) -> tuple[ClaimView, ...]:
    """Give claims as a unit's record shows them."""
    return tuple(
        ClaimView(claim=one.id, device=one.device, vehicle=one.vehicle, at=one.at, on=one.on) for one in claims
    )
