"""The loans between organisations: each message durable before it counts, and checked against what there is to lend.

An owner is told what is wrong with what it offers or commits. A borrower is told no more than that an offer holds no
longer: a unit that went covert or off duty since looks like one that is gone.
"""

from collections.abc import Callable, Collection

import msgspec
import structlog

from cloud.clock import Clock
from cloud.desk.bindingwords import Refusal
from cloud.desk.pen import Pen
from cloud.desk.sharingwords import decided
from cloud.directory import InForce
from cloud.directory.sharing import shared_unit
from cloud.ledger import DecisionRow, Ledger
from cloud.sharing.lending import LOAN, OVER, Refused, agreement_of, apply, away, concerns, may_move, units_meant
from cloud.sharing.terms import Agreement
from wire.lending import Loan, LoanMessage

DECISION = "loan"
"""The kind of such a decision in the ledger."""
OPEN_MAX = 200
"""Loans between two organisations that may be open at once."""
OVER_KEPT = 2_000
"""Loans that are over and are remembered. Past it the oldest is forgotten."""

_log = structlog.get_logger("lending")


def _is_never(_unit: str) -> bool:
    """No unit is ever off duty."""
    return False


class Lending:
    """Holds the loans. One owner, one event loop."""

    def __init__(
        self, in_force: InForce, ledger: Ledger, *, clock: Clock, hidden: Callable[[str], bool] = _is_never
    ) -> None:
        """Know again what was said. Raises what the ledger does.

        `hidden` tells whether nobody but its owner may know of a unit now.
        """
        self._in_force, self._clock, self._hidden = in_force, clock, hidden
        self._pen = Pen(ledger)
        self._loans: dict[str, Loan] = {}
        for message in decided(ledger.decisions(), DECISION, LoanMessage):
            assert message.at is not None  # it was set as it was taken
            loan = apply(self._loans.get(message.loan), message, message.at)
            if isinstance(loan, Loan):
                self._keep(loan)

    def follow(self, listener: Callable[[], object]) -> None:
        """Tell somebody of each change of the loans."""
        self._pen.follow(listener)

    async def say(self, message: LoanMessage) -> Loan | Refusal:
        """Take what one organisation says to another, durably. The same message again is answered by the loan.

        It goes on to its end although whoever asked may go away meanwhile. Raises what the ledger does: nothing was
        said then. Whoever calls it knows that the sender is who it says.
        """
        return await self._pen.finish(lambda: self._say(message))

    def loans(self, organisation: str | None = None) -> tuple[Loan, ...]:
        """Every loan that an organisation is a side of, or every one: the newest change first."""
        found = (one for one in self._loans.values() if organisation is None or concerns(one, organisation))
        return tuple(sorted(found, key=lambda one: one.changed_at, reverse=True))

    def find(self, loan_id: str, organisation: str | None = None) -> Loan | None:
        """Give a loan; None where there is none, or the organisation is not a side of it."""
        loan = self._loans.get(loan_id)
        return loan if loan is not None and (organisation is None or concerns(loan, organisation)) else None

    def agreements(self) -> tuple[Agreement, ...]:
        """Give what the loans open to their borrowers, as agreements."""
        return tuple(made for one in self._loans.values() if (made := agreement_of(one)) is not None)

    def may_move(self, organisation: str, unit_id: str, *, withdrawn: Collection[str]) -> bool:
        """Tell whether an organisation may send a unit: its own, and what it has on loan.

        Not by a loan whose agreement is `withdrawn`, nor while the unit is hidden: it looks as if it were not there.
        """
        unit = self._in_force.directory.units.get(unit_id)
        if unit is None:
            return False
        entry = shared_unit(unit, private=self._hidden(unit_id), incident="")
        return may_move(organisation, entry, (one for one in self._loans.values() if LOAN + one.loan not in withdrawn))

    async def _say(self, message: LoanMessage) -> Loan | Refusal:
        known = self._loans.get(message.loan)
        said = apply(known, message, self._clock.now())
        if isinstance(said, Refused):
            return Refusal(said.status, said.problem)
        if said is known:
            return said
        refusal = self._unknown(message) or self._unlendable(known, said, message)
        if refusal is not None:
            return refusal
        taken = said.messages[-1]
        assert taken.at is not None
        row = DecisionRow(
            at=taken.at, kind=DECISION, subject=said.loan, by=taken.by, reason=taken.reason,
            body=msgspec.json.encode(taken),
        )  # fmt: skip
        await self._pen.write(row)
        self._keep(said)
        _log.info("loan", loan=said.loan, verb=taken.verb, state=said.state, owner=said.owner, borrower=said.borrower)
        self._pen.tell()
        return said

    def _unknown(self, message: LoanMessage) -> Refusal | None:
        organisations = self._in_force.directory.organisations
        for field, name in (("from", message.sender), ("to", message.to)):
            if name not in organisations:
                return Refusal(404, f"{field}: there is no organisation {name!r}")
        if message.expects == 0:
            pair = {message.sender, message.to}
            known = [one for one in self._loans.values() if {one.owner, one.borrower} == pair and one.state not in OVER]
            if len(known) >= OPEN_MAX:
                return Refusal(409, f"{OPEN_MAX} loans between the two are open; end one first")
        return None

    def _unlendable(self, known: Loan | None, said: Loan, message: LoanMessage) -> Refusal | None:
        """Object to units that can't be lent as things stand."""
        units = units_meant(known, message)
        taken = set(away(units, self._loans.values(), said.loan))
        for unit in units:
            problem = self._problem(unit, said, unit in taken)
            if message.sender == said.borrower and (problem or self._hidden(unit)):
                return Refusal(409, "the offer holds no longer; ask for another")
            if problem:
                return Refusal(409, f"units: {problem}")
        return None

    def _problem(self, unit_id: str, loan: Loan, taken: bool) -> str:
        unit = self._in_force.directory.units.get(unit_id)
        if unit is None or unit.organisation != loan.owner:
            return f"{loan.owner!r} has no unit {unit_id!r}"
        if unit.covert:
            return f"{unit_id!r} is covert: it can't be lent"
        if taken:
            return f"{unit_id!r} is on another loan, and not back"
        if loan.type and loan.state == "committed" and unit.type != loan.type:
            return f"{unit_id!r} is no {loan.type}, which was requested; offer it instead"
        return ""

    def _keep(self, loan: Loan) -> None:
        self._loans.pop(loan.loan, None)
        self._loans[loan.loan] = loan
        over = [one.loan for one in self._loans.values() if one.state in OVER] if loan.state in OVER else []
        for oldest in over[:-OVER_KEPT]:
            del self._loans[oldest]
