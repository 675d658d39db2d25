"""Lets the organisations of a made-up world lend each other units. It has a chance of its own."""

import random

import msgspec

from cloud.desk import Lending
from cloud.directory import InForce
from cloud.ledger import DecisionRow
from simulator.disclosure.facts import words_in
from simulator.disclosure.stores import Stores
from simulator.disclosure.world import Lent, World, WorldClock
from wire.lending import LoanMessage, LoanVerb

LOANS_MAX = 3


class Loans:
    """What was said about loans, message by message: offered, taken, and given back."""

    def __init__(self, world: World, stores: Stores) -> None:
        """Nobody has said anything."""
        self._world, self._stores = world, stores
        self._chance = random.Random(world.seed + 2**40)
        self._offered: dict[str, Lent] = {}
        self._versions: dict[str, int] = {}

    def speak(self) -> None:
        """Let somebody say something, and let that hold."""
        world, chance = self._world, self._chance
        if world.lent and chance.random() < 0.4:
            loan = chance.choice(tuple(world.lent))
            self._say(world.lent.pop(loan), "release")
        elif self._offered:
            loan, offered = self._offered.popitem()
            if not any(world.directory.units[unit].covert for unit in offered.units):
                world.lent[loan] = offered._replace(since=world.now.utc)
                self._say(offered, "commit")
        elif len(self._versions) < LOANS_MAX:
            self._offer()
        lending = Lending(InForce(world.directory), self._stores.ledger, clock=WorldClock(world), hidden=world.hidden)
        world.decide(loans=lending.agreements())

    def _offer(self) -> None:
        world, chance = self._world, self._chance
        owner, borrower = chance.sample(world.organisations, 2)
        taken = {unit for one in world.loans_ever.values() for unit in one.units}
        own = [one.id for one in world.directory.units.values() if one.organisation == owner and one.id not in taken]
        if not own:
            return
        loan = f"00000000-0000-4000-8000-{len(self._versions):012x}"
        offered = Lent(loan, owner, borrower, (chance.choice(own),), world.now.utc)
        self._offered[loan] = world.loans_ever[loan] = offered
        self._say(offered, "offer")

    def _say(self, one: Lent, verb: LoanVerb) -> None:
        world, mint = self._world, self._world.mint
        version = self._versions.get(one.loan, 0)
        self._versions[one.loan] = version + 1
        by_owner = verb == "offer"
        incident, reason, by = mint.word("I "), mint.word("why "), mint.word("by ")
        world.loan_words.setdefault(one.loan, set()).update(words_in((incident, reason, by)))
        message = LoanMessage(
            loan=one.loan,
            message=f"m{version}",
            verb=verb,
            sender=one.owner if by_owner else one.borrower,
            to=one.borrower if by_owner else one.owner,
            units=one.units if verb == "offer" else (),
            expects=version,
            at=world.now.utc,
            incident=incident,
            reason=reason,
            by=by,
        )
        row = DecisionRow(
            at=world.now.utc, kind="loan", subject=one.loan, by=message.by, reason=message.reason,
            body=msgspec.json.encode(message),
        )  # fmt: skip
        world.loan_rows.append(row)
