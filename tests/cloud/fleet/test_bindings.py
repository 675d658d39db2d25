"""Claims and decisions, in any order: what is in force is what was decided, and no device carries two units."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.fleet.bindings import OPEN_FOR, Answer, Claim, Decision, Kind, Register, replay, view_claims

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
UNITS = ("u1", "u2", "u3")
OWN = {"u1": "d1", "u2": "d2", "u3": "d3"}
DEVICES = (*OWN.values(), "spare")
Step = tuple[str, str, str, bool]
"""What happens, to which unit, by which device, and whether a claim says on."""


def carriers(register: Register) -> dict[str, str]:
    """Who carries each unit, as the register and the directory of `OWN` have it; empty for nobody."""
    held = register.held(OWN.items())
    bound = {unit: one.device for unit, one in held.items() if one.device}
    return {unit: bound.get(unit) or (own if own not in bound.values() else "") for unit, own in OWN.items()}


class Play:
    """A control room and its devices, with every word written down as the ledger has it."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.register = Register()
        self.claims: list[Claim] = []
        self.decisions: list[Decision] = []
        self.minutes = 0

    @property
    def now(self) -> datetime:
        """A moment after the one before."""
        return NOON + timedelta(minutes=self.minutes)

    def claim(self, unit: str, device: str, *, on: bool = True, base: str = "") -> Claim:
        """A device claims."""
        self.minutes += 1
        number = len(self.claims) + 1
        claim = Claim(
            id=f"{device}.s.{number}", number=number, unit=unit, device=device, on=on, base=base, at=self.now,
            heard=self.now,
        )  # fmt: skip
        self.claims.append(claim)
        self.register.take(claim, OWN[unit])
        return claim

    def decide(self, kind: Kind, unit: str, *, claim: Claim | None = None, base: str = "") -> Decision:
        """Control decides, as the desk writes it."""
        self.minutes += 1
        known = self.register
        decision = Decision(
            kind=kind,
            unit=unit,
            at=self.now,
            by="Shah",
            reason="as said",
            claim=claim,
            known=known.known,
            others=known.rivals(claim) if claim is not None and kind == "binding_confirmed" else (),
            base=base,
        )
        self.decisions.append(decision)
        known.decide(decision, OWN)
        return decision

    def confirm(self, claim: Claim) -> Decision:
        """Control confirms a claim."""
        return self.decide("binding_confirmed", claim.unit, claim=claim)

    def step(self, step: Step) -> None:
        """Do one thing at random."""
        what, unit, device, on = step
        self.minutes += 100 if what == "wait" else 0
        self.register.expire(self.now)
        waiting = self.register.waiting(unit)
        match what:
            case "claim":
                self.claim(unit, device, on=on)
            case "confirm" | "refuse" if waiting:
                kind: Kind = "binding_confirmed" if what == "confirm" else "binding_refused"
                self.decide(kind, unit, claim=waiting[0 if on else -1])
            case "unbind" if self.register.is_bound(unit):
                self.decide("unbound", unit)
            case "lend":
                self.decide("lent" if on else "returned", unit, base="stn9" if on else "")

    def again(self) -> Register:
        """Start anew from what the ledger holds."""
        return replay(self.decisions, self.claims, OWN, self.now)


steps = st.lists(
    st.tuples(
        st.sampled_from(("claim", "claim", "claim", "confirm", "refuse", "unbind", "lend", "wait")),
        st.sampled_from(UNITS),
        st.sampled_from(DEVICES),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_no_device_carries_two_units_and_each_unit_has_one_carrier_at_most(story: list[Step]) -> None:
    """After every step each device carries one unit at most, and whoever carries another's was confirmed for it."""
    play = Play()
    for step in story:
        play.step(step)
        held = [device for device in carriers(play.register).values() if device]
        assert len(held) == len(set(held))
        confirmed = {(one.unit, one.claim.device) for one in play.decisions
                     if one.kind == "binding_confirmed" and one.claim is not None}  # fmt: skip
        for unit, device in carriers(play.register).items():
            assert device in ("", OWN[unit]) or (unit, device) in confirmed
    free = set(OWN.values()) - {play.register.held(OWN.items())[unit].device for unit in UNITS
                                if play.register.is_bound(unit)}  # fmt: skip
    for unit, own in OWN.items():
        if own in free and not play.register.is_bound(unit):
            assert own == carriers(play.register)[unit], "what nobody took is the directory's"


@settings(max_examples=150, deadline=None)
@given(steps)
def test_a_restart_changes_nothing(story: list[Step]) -> None:
    """What is in force, what waits and what each device is told is the same from the ledger as it was live."""
    play = Play()
    for step in story:
        play.step(step)
    again = play.again()
    assert again.held(OWN.items()) == play.register.held(OWN.items())
    assert again.waiting() == play.register.waiting()
    for device in DEVICES:
        own = next((unit for unit, named in OWN.items() if named == device), "")
        assert again.told(device, own, play.now) == play.register.told(device, own, play.now)
        assert list(again.spoken_of(device)) == list(play.register.spoken_of(device))


@settings(max_examples=100, deadline=None)
@given(steps, st.randoms(use_true_random=False))
def test_claims_that_come_late_change_nothing_that_was_decided(story: list[Step], order: object) -> None:
    """Claims heard among the decisions in any other order leave the same in force: only decisions bind."""
    play = Play()
    for step in story:
        play.step(step)
    late = Register()
    words: list[Claim | Decision] = [*play.decisions]
    for claim in play.claims:
        words.insert(order.randint(0, len(words)), claim)  # type: ignore[attr-defined]
    for word in words:
        if isinstance(word, Decision):
            late.decide(word, OWN)
        else:
            late.take(word, OWN[word.unit])
    assert [one for one in words if isinstance(one, Decision)] == play.decisions
    assert late.held(OWN.items()) == play.register.held(OWN.items())


def test_a_refused_claim_never_binds() -> None:
    """Refused, it is over: said again from a new stream it stays refused, and only a new claim waits."""
    play = Play()
    claim = play.claim("u1", "spare")
    play.decide("binding_refused", "u1", claim=claim)
    found = play.register.find(claim.id)
    assert isinstance(found, Answer) and ("refused", "Shah") == (found.outcome, found.by)
    assert not play.register.take(claim, "d1") and not play.register.waiting()
    assert "d1" == carriers(play.register)["u1"]
    assert "refused" == play.register.told("spare", "", play.now)["u1"].outcome
    again = play.claim("u1", "spare")
    assert (again,) == play.register.waiting("u1")


def test_confirming_one_of_two_claims_refuses_the_other() -> None:
    """Two claim a unit: both are shown; one is confirmed, and the other is told that it was refused, and by whom."""
    play = Play()
    first, second = play.claim("u1", "spare"), play.claim("u1", "d2")
    assert [first.id, second.id] == [one.claim for one in view_claims(play.register.waiting("u1"))]
    play.confirm(second)
    assert {"u1": "d2", "u2": "", "u3": "d3"} == carriers(play.register)
    assert ("refused", "Shah") == (
        (told := play.register.told("spare", "", play.now)["u1"]).outcome,
        told.by,
    )
    assert "ended" == play.register.told("d1", "u1", play.now)["u1"].outcome, "its own vehicle carries it no longer"
    assert not play.register.waiting()


def test_a_claim_said_twice_counts_from_the_first() -> None:
    """Pressed again while it waits, nothing that was pressed between the two is lost: the first one goes on."""
    play = Play()
    first = play.claim("u1", "spare")
    play.claim("u1", "spare")
    assert (first,) == play.register.waiting()
    play.confirm(first)
    held = play.register.held(OWN.items())["u1"]
    assert held.since is not None and held.since <= first.at
    assert not play.again().waiting()


def test_a_crew_gives_its_unit_back() -> None:
    """It is a proposal: the unit stays where it is until control confirms; refused, the crew is told that it has it."""
    play = Play()
    play.confirm(play.claim("u1", "spare"))
    leaving = play.claim("u1", "spare", on=False)
    assert (leaving,) == play.register.waiting() and "spare" == carriers(play.register)["u1"]
    refused = play.decide("binding_refused", "u1", claim=leaving)
    told = play.register.told("spare", "", play.now)["u1"]
    assert ("confirmed", refused.at) == (told.outcome, told.at)
    play.confirm(play.claim("u1", "spare", on=False))
    assert OWN == carriers(play.register)
    assert "ended" == play.register.told("spare", "", play.now)["u1"].outcome
    held = play.register.held(OWN.items())["u1"]
    assert held.device == "d1" and held.since is not None, "what its own vehicle said before is history"


def test_a_crew_takes_back_its_word_before_control_spoke() -> None:
    """Nothing was bound, so nothing waits any more."""
    play = Play()
    play.claim("u1", "spare")
    play.claim("u1", "spare", on=False)
    assert not play.register.waiting() and "ended" == play.register.told("spare", "", play.now)["u1"].outcome
    assert not play.again().waiting()


def test_a_crew_that_stays_with_its_unit_waits_for_no_other() -> None:
    """It claimed another by mistake, and then its own: nothing waits. That word come again undoes no later claim."""
    play = Play()
    play.claim("u2", "d1")
    own = play.claim("u1", "d1")
    assert not play.register.waiting() and not play.again().waiting()
    assert "ended" == play.register.told("d1", "u1", play.now)["u2"].outcome
    later = play.claim("u2", "d1")
    assert not play.register.take(own, "d1")
    assert (later,) == play.register.waiting()


def test_a_claim_on_another_unit_takes_the_place_of_the_first() -> None:
    """A vehicle carries one unit, so it asks for one; confirmed, the unit that it carried before has its own again."""
    play = Play()
    play.confirm(play.claim("u1", "spare"))
    play.claim("u2", "spare")
    third = play.claim("u3", "spare")
    assert (third,) == play.register.waiting()
    play.confirm(third)
    assert {"u1": "d1", "u2": "d2", "u3": "spare"} == carriers(play.register)


def test_a_vehicle_whose_unit_came_back_may_leave_it_again() -> None:
    """Given back once, its own unit is nobody's as soon as it is confirmed for another one."""
    play = Play()
    play.confirm(play.claim("u1", "spare"))
    play.decide("unbound", "u1")
    play.confirm(play.claim("u2", "d1"))
    assert {"u1": "", "u2": "d1", "u3": "d3"} == carriers(play.register)


def test_its_own_crew_is_told_nothing_of_a_unit_that_it_has() -> None:
    """It took its unit back, and control has ended that binding since: the unit is its own, as ever."""
    play = Play()
    play.confirm(play.claim("u1", "spare"))
    play.confirm(play.claim("u1", "d1"))
    play.decide("unbound", "u1")
    assert OWN == carriers(play.register) and {} == play.register.told("d1", "u1", play.now)


def test_a_vehicle_that_took_another_unit_leaves_its_own_without_one() -> None:
    """Nobody carries it, until its vehicle is given back: and then only what is said from then on counts."""
    play = Play()
    play.confirm(play.claim("u1", "d2"))
    assert {"u1": "d2", "u2": "", "u3": "d3"} == carriers(play.register)
    ended = play.decide("unbound", "u1")
    assert OWN == carriers(play.register)
    since = play.register.held(OWN.items())["u2"].since
    assert since is not None and ended.at - timedelta(minutes=1) < since <= ended.at
    assert not play.register.told("d2", "u2", play.now).get("u2"), "its own is its own again"


def test_a_crew_that_has_what_it_asked_for_waits_no_longer() -> None:
    """The unit's own crew asks for it back, and control ends the swap instead: there is nothing left to confirm."""
    play = Play()
    play.confirm(play.claim("u1", "spare"))
    play.claim("u1", "d1")
    play.decide("unbound", "u1")
    assert OWN == carriers(play.register) and not play.register.waiting() and not play.again().waiting()


def test_a_claim_waits_for_eight_hours() -> None:
    """Nobody answered: it is over, its device is told so, and control's word comes too late."""
    play = Play()
    claim = play.claim("u1", "spare")
    assert claim.heard + OPEN_FOR == play.register.next_expiry()
    assert () == play.register.expire(play.now + OPEN_FOR - timedelta(minutes=1))
    assert (claim,) == play.register.expire(play.now + OPEN_FOR)
    assert () == play.register.waiting() and play.register.next_expiry() is None
    assert "ended" == play.register.told("spare", "", play.now + OPEN_FOR)["u1"].outcome
    assert not replay([], [claim], OWN, play.now + OPEN_FOR).waiting(), "nor does a start open it again"


def test_a_claim_that_says_what_is_so_already_waits_for_nobody() -> None:
    """The unit's own vehicle says that it carries it, or another that it does not: nothing is to be decided."""
    play = Play()
    play.claim("u1", "d1")
    play.claim("u1", "spare", on=False)
    assert not play.register.waiting()
    play.confirm(play.claim("u1", "spare"))
    own = play.claim("u1", "d1")
    play.confirm(own)
    assert OWN == carriers(play.register), "its crew took it back"


def test_a_claim_names_the_base_that_it_is_at() -> None:
    """Confirmed with it, the unit is lent there, until it is returned."""
    play = Play()
    play.confirm(play.claim("u1", "spare", base="stn9"))
    assert "stn9" == play.register.held(OWN.items())["u1"].base
    play.decide("returned", "u1")
    assert "" == play.register.held(OWN.items())["u1"].base
