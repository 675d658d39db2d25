"""A loan's life: who may say what when, and what a committed loan opens and lets its borrower do. Pure.

Nothing is lent until both sides have agreed to the same units. What a request names is never checked here against what
there is: whoever asks for a unit that it may not know of is answered like anybody else.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from cloud.sharing.terms import Agreement, Covers, SharedUnit
from wire.lending import Loan, LoanMessage, LoanState, LoanVerb
from wire.partner import GRANTS, Grant

LOAN = "loan:"
"""What the id of a loan's agreement begins with."""
OPENED: frozenset[Grant] = frozenset(GRANTS) - {"workings"}
"""What a loan opens of its units."""
HAS: frozenset[LoanState] = frozenset({"committed", "asked_back"})
"""The borrower has the units."""
AWAY: frozenset[LoanState] = HAS | {"released"}
"""They are not home: nobody else can have them."""
OVER: frozenset[LoanState] = frozenset({"returned", "declined"})
MESSAGES_MAX = 200
"""Messages of one loan. Past it the two had better telephone."""

Side = Literal["owner", "borrower"]

_BEGINNERS: dict[LoanVerb, Side] = {"request": "borrower", "offer": "owner"}
_NEXT: dict[tuple[LoanState | None, LoanVerb, Side], LoanState] = {
    (None, "request", "borrower"): "requested",
    (None, "offer", "owner"): "offered",
    ("requested", "request", "borrower"): "requested",
    ("requested", "offer", "owner"): "offered",
    ("requested", "commit", "owner"): "committed",
    ("requested", "decline", "owner"): "declined",
    ("requested", "decline", "borrower"): "declined",
    ("offered", "offer", "owner"): "offered",
    ("offered", "request", "borrower"): "requested",
    ("offered", "commit", "borrower"): "committed",
    ("offered", "decline", "owner"): "declined",
    ("offered", "decline", "borrower"): "declined",
    ("committed", "release", "borrower"): "released",
    ("committed", "return", "owner"): "asked_back",
    ("committed", "return", "borrower"): "returned",
    ("asked_back", "release", "borrower"): "released",
    ("asked_back", "return", "borrower"): "returned",
    ("released", "return", "owner"): "returned",
    ("released", "return", "borrower"): "returned",
}
"""What each side's word makes of a loan. What is not here can't be said."""


class Refused(msgspec.Struct, frozen=True):
    """Why a message was not taken, and what to do."""

    problem: str
    status: Literal[404, 409, 422] = 409


def apply(loan: Loan | None, message: LoanMessage, now: datetime) -> Loan | Refused:
    """Take a message in; None for a loan that has not begun. One that was taken already changes nothing."""
    if loan is None:
        return _begin(message, now)
    side = side_of(loan, message)
    if side is None:  # who is not one of the two is not told that there is such a loan
        return Refused(_TAKEN) if message.verb in _BEGINNERS else _no_such(message)
    known = next((one for one in loan.messages if one.message == message.message), None)
    if known is not None:
        return loan if replace(known, at=None) == replace(message, at=None) else Refused(_OTHER)
    if message.expects != loan.version:
        return Refused(f"expects: the loan is at version {loan.version} now, and is {loan.state}; look at it again")
    if len(loan.messages) >= MESSAGES_MAX:
        return Refused(f"the loan has had {MESSAGES_MAX} messages; begin another one")
    state = _NEXT.get((loan.state, message.verb, side))
    if state is None:
        return Refused(_why_not(loan, message.verb, side))
    objection = _exceeds(loan, message, side)
    return objection if objection is not None else _follow(loan, message, state, now)


def side_of(loan: Loan, message: LoanMessage) -> Side | None:
    """Tell which side speaks to the other; None where it is neither."""
    between = (message.sender, message.to)
    return "owner" if between == (loan.owner, loan.borrower) else _as_borrower(loan, between)


def agreement_of(loan: Loan) -> Agreement | None:
    """Give what a loan opens to its borrower; None where it opens nothing."""
    if loan.state not in HAS or not loan.units:  # without units it would be about all of them
        return None
    return Agreement(
        id=LOAN + loan.loan,
        owner=loan.owner,
        partner=loan.borrower,
        purpose=loan.messages[0].reason,
        covers=Covers(units=loan.units),
        fields=OPENED,
    )


def may_move(organisation: str, unit: SharedUnit, loans: Iterable[Loan]) -> bool:
    """Tell whether an organisation may send a unit: its own, and what it has on loan. Never another's hidden one."""
    if unit.organisation == organisation:
        return True
    return not unit.hidden and any(
        one.state in HAS
        and (one.owner, one.borrower) == (unit.organisation, organisation)
        and unit.id in one.units
        for one in loans
    )  # fmt: skip


def away(units: Iterable[str], loans: Iterable[Loan], but: str) -> Iterator[str]:
    """Give those of some units that are on another loan than `but`, and not back."""
    taken = {unit for one in loans if one.state in AWAY and one.loan != but for unit in one.units}
    return (unit for unit in units if unit in taken)


def concerns(loan: Loan, organisation: str) -> bool:
    """Tell whether an organisation may know of a loan: it is one of the two."""
    return organisation in (loan.owner, loan.borrower)


def units_meant(loan: Loan | None, message: LoanMessage) -> Sequence[str]:
    """Give the units that a message binds its sender to, which must be there to be lent."""
    if message.verb == "commit" and loan is not None:
        return message.units or loan.units or loan.wanted
    return message.units if message.verb == "offer" else ()


_OTHER = "message: another message was sent under this id; give each one of its own"
_TAKEN = "loan: begin it under another id"


def _no_such(message: LoanMessage) -> Refused:
    return Refused(f"there is no loan {message.loan!r} to {message.verb}: it begins with a request or an offer", 404)


def _as_borrower(loan: Loan, between: tuple[str, str]) -> Side | None:
    return "borrower" if between == (loan.borrower, loan.owner) else None


def _begin(message: LoanMessage, now: datetime) -> Loan | Refused:
    side = _BEGINNERS.get(message.verb)
    if side is None:
        return _no_such(message)
    if message.expects != 0:
        return Refused(f"expects: there is no loan {message.loan!r} yet; 0 begins one")
    if message.sender == message.to:
        return Refused("to: is the sender itself; nobody lends to itself", 422)
    owner, borrower = (message.sender, message.to) if side == "owner" else (message.to, message.sender)
    fresh = Loan(
        loan=message.loan,
        owner=owner,
        borrower=borrower,
        state="requested",
        version=0,
        incident=message.incident,
        changed_at=now,
        messages=(),
    )
    return _follow(fresh, message, _NEXT[(None, message.verb, side)], now)


def _follow(loan: Loan, message: LoanMessage, state: LoanState, now: datetime) -> Loan:
    said = replace(
        loan, state=state, version=loan.version + 1, changed_at=now, incident=message.incident or loan.incident
    )
    said = replace(said, messages=(*loan.messages, replace(message, at=now)))
    match message.verb:
        case "request":
            return replace(said, units=(), wanted=message.units, type=message.type, count=message.count)
        case "offer":
            return replace(said, units=message.units)
        case "commit":
            return replace(said, units=tuple(units_meant(loan, message)), committed_at=now)
        case _:
            return said


def _exceeds(loan: Loan, message: LoanMessage, side: Side) -> Refused | None:
    """Object to a commit that is about more than the other side agreed to."""
    if message.verb != "commit":
        return None
    if side == "borrower":
        beyond = set(message.units) - set(loan.units)
        return Refused(f"units: {min(beyond)!r} is not offered; ask for it by a request") if beyond else None
    if loan.wanted:
        beyond = set(message.units) - set(loan.wanted)
        return Refused(f"units: {min(beyond)!r} was not requested; offer it instead") if beyond else None
    if not message.units:
        return Refused("units: say which are committed; the request names a type and a count", 422)
    if len(message.units) > loan.count:
        return Refused(f"units: {loan.count} were requested; offer more instead")
    return None


def _why_not(loan: Loan, verb: LoanVerb, side: Side) -> str:
    if loan.state in OVER:
        return f"the loan was {loan.state}: it is over; begin another one"
    able = sorted({word for state, word, who in _NEXT if (state, who) == (loan.state, side)})
    waits = f"the {side} may {' or '.join(able)}" if able else f"the {side} waits for the other side"
    return f"the {side} can't {verb} a loan that is {loan.state.replace('_', ' ')}: {waits}"
