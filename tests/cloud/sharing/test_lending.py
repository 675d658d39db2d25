"""The life of a loan: nothing is lent that both sides have not agreed to, and each says what is its own to say."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cloud.sharing.grants import grants_of
from cloud.sharing.lending import AWAY, HAS, Refused, agreement_of, apply, away, may_move
from cloud.sharing.terms import SharedUnit, Situation
from wire.lending import Loan, LoanMessage, LoanState, LoanVerb

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
OWNER, BORROWER, THIRD = "kf", "kp", "ka"
LOAN = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a00001"
VERBS: tuple[LoanVerb, ...] = get_args(LoanVerb)
_ids = itertools.count(1)


def say(verb: LoanVerb, sender: str = BORROWER, expects: int = 0, **changes: Any) -> LoanMessage:
    """A message of one of the two to the other."""
    told: dict[str, Any] = {"units": ("kf-1",)} if verb in ("request", "offer") else {}
    fields: dict[str, Any] = {
        "loan": LOAN,
        "message": f"m{next(_ids)}",
        "verb": verb,
        "sender": sender,
        "to": OWNER if sender == BORROWER else BORROWER,
        "reason": "flood",
        "by": "A. Smith",
        "expects": expects,
    }
    return LoanMessage(**fields | told | changes)


def said(*messages: tuple[LoanVerb, str] | LoanMessage) -> Loan:
    """A loan of which all this was said, each word taken."""
    loan: Loan | None = None
    for one in messages:
        version = 0 if loan is None else loan.version
        message = one if isinstance(one, LoanMessage) else say(one[0], one[1], version)
        found = apply(loan, replace(message, expects=version), NOON)
        assert isinstance(found, Loan), found
        loan = found
    assert loan is not None
    return loan


STATES: dict[LoanState, Loan] = {
    "requested": said(("request", BORROWER)),
    "offered": said(("offer", OWNER)),
    "committed": said(("offer", OWNER), ("commit", BORROWER)),
    "asked_back": said(("offer", OWNER), ("commit", BORROWER), ("return", OWNER)),
    "released": said(("offer", OWNER), ("commit", BORROWER), ("release", BORROWER)),
    "returned": said(("offer", OWNER), ("commit", BORROWER), ("return", BORROWER)),
    "declined": said(("request", BORROWER), ("decline", OWNER)),
}
MAY: dict[tuple[LoanState, str], dict[LoanVerb, LoanState]] = {
    ("requested", BORROWER): {"request": "requested", "decline": "declined"},
    ("requested", OWNER): {"offer": "offered", "commit": "committed", "decline": "declined"},
    ("offered", BORROWER): {"request": "requested", "commit": "committed", "decline": "declined"},
    ("offered", OWNER): {"offer": "offered", "decline": "declined"},
    ("committed", BORROWER): {"release": "released", "return": "returned"},
    ("committed", OWNER): {"return": "asked_back"},
    ("asked_back", BORROWER): {"release": "released", "return": "returned"},
    ("released", BORROWER): {"return": "returned"},
    ("released", OWNER): {"return": "returned"},
}
"""All that either side may say, and what it comes to."""


@pytest.mark.parametrize("state", STATES)
def test_each_side_says_what_is_its_own_to_say(state: LoanState) -> None:
    """In every state each verb of each side comes to what it should, or is refused in plain words."""
    loan = STATES[state]
    for sender, verb in itertools.product((OWNER, BORROWER), VERBS):
        found = apply(loan, say(verb, sender, loan.version), NOON)
        expected = MAY.get((state, sender), {}).get(verb)
        if expected is None:
            assert isinstance(found, Refused) and found.problem, (sender, verb)
        else:
            assert isinstance(found, Loan) and expected == found.state, (sender, verb)


def test_only_a_request_or_an_offer_begins_a_loan() -> None:
    """A request makes its sender the borrower, an offer the owner; any other word has nothing to be about."""
    for verb in VERBS:
        found = apply(None, say(verb), NOON)
        if verb in ("request", "offer"):
            assert isinstance(found, Loan) and 1 == found.version
            sides = (found.borrower, found.owner)
            assert sides == ((BORROWER, OWNER) if verb == "request" else (OWNER, BORROWER))
        else:
            assert isinstance(found, Refused) and 404 == found.status
    assert isinstance(apply(None, say("request", expects=3), NOON), Refused)
    assert isinstance(apply(None, say("request", to=BORROWER), NOON), Refused)


def test_a_third_learns_nothing_of_a_loan() -> None:
    """Who is neither side, or speaks to somebody else, is answered as if there were no such loan."""
    loan = STATES["offered"]
    for sender, to in ((THIRD, OWNER), (THIRD, BORROWER), (OWNER, THIRD), (BORROWER, THIRD)):
        message = say("commit", sender, loan.version, to=to)
        assert apply(None, message, NOON) == apply(loan, message, NOON)
        begin = apply(loan, say("request", sender, loan.version, to=to), NOON)
        assert isinstance(begin, Refused) and "another id" in begin.problem


def test_a_message_that_comes_again_changes_nothing() -> None:
    """The same is answered by the loan as it stands, whatever came since; another under its id is refused."""
    first = say("request")
    loan = said(first, ("offer", OWNER))
    assert loan is apply(loan, first, NOON + timedelta(minutes=1))
    other = apply(loan, replace(first, reason="fire"), NOON)
    assert isinstance(other, Refused) and "another message" in other.problem


def test_who_speaks_of_an_older_loan_is_refused() -> None:
    """A word for a version that has passed is not taken: it may be about other units."""
    loan = said(("offer", OWNER), say("offer", OWNER, units=("kf-2",)))
    stale = apply(loan, say("commit", expects=1), NOON)
    assert isinstance(stale, Refused) and "version 2" in stale.problem
    fresh = apply(loan, say("commit", expects=2), NOON)
    assert isinstance(fresh, Loan) and ("kf-2",) == fresh.units


@pytest.mark.parametrize(
    ("before", "commit", "lent"),
    [
        (say("offer", OWNER, units=("kf-1", "kf-2")), say("commit"), ("kf-1", "kf-2")),
        (say("offer", OWNER, units=("kf-1", "kf-2")), say("commit", units=("kf-2",)), ("kf-2",)),
        (say("offer", OWNER), say("commit", units=("kf-1", "kf-2")), None),
        (say("request", units=("kf-1", "kf-2")), say("commit", OWNER), ("kf-1", "kf-2")),
        (say("request", units=("kf-1", "kf-2")), say("commit", OWNER, units=("kf-1",)), ("kf-1",)),
        (say("request"), say("commit", OWNER, units=("kf-2",)), None),
        (say("request", units=(), type="pump", count=1), say("commit", OWNER), None),
        (say("request", units=(), type="pump", count=1), say("commit", OWNER, units=("kf-7",)), ("kf-7",)),
        (say("request", units=(), type="pump", count=1), say("commit", OWNER, units=("kf-7", "kf-8")), None),
    ],
)
def test_no_more_is_lent_than_both_agreed_to(
    before: LoanMessage, commit: LoanMessage, lent: tuple[str, ...] | None
) -> None:
    """Who commits may take less than the other agreed to, and never another unit, nor more of them."""
    loan = apply(None, before, NOON)
    assert isinstance(loan, Loan)
    found = apply(loan, replace(commit, expects=1), NOON)
    if lent is None:
        assert isinstance(found, Refused)
    else:
        assert isinstance(found, Loan) and (lent, "committed", NOON) == (found.units, found.state, found.committed_at)


def unit(name: str = "kf-1", organisation: str = OWNER, *, hidden: bool = False) -> SharedUnit:
    """A unit as the rules have it."""
    return SharedUnit(id=name, organisation=organisation, type="pump", base="stn-14", hidden=hidden)


@pytest.mark.parametrize("state", STATES)
def test_a_loan_opens_its_units_while_the_borrower_has_them(state: LoanState) -> None:
    """Committed and asked back, and no longer; never another unit, never a hidden one, and never to anybody else."""
    loan = STATES[state]
    agreement = agreement_of(loan)
    assert (agreement is not None) is (state in HAS)
    agreements = () if agreement is None else (agreement,)
    situation = Situation(now=NOON)
    grants = grants_of(unit(), BORROWER, agreements, situation)
    assert (grants is not None) is (state in HAS)
    if grants is not None:
        assert (f"loan:{LOAN}",) == grants.agreements and "workings" not in grants.fields
    for other in (unit("kf-2"), unit(hidden=True), unit(organisation=THIRD)):
        assert grants_of(other, BORROWER, agreements, situation) is None
    assert grants_of(unit(), THIRD, agreements, situation) is None


def test_a_loan_without_units_opens_nothing() -> None:
    """An agreement that names no unit is about all of them: none is ever made of a loan."""
    assert agreement_of(replace(STATES["committed"], units=())) is None


@settings(max_examples=60, deadline=None)
@given(
    states=st.lists(st.sampled_from(sorted(STATES)), max_size=4),
    organisation=st.sampled_from((OWNER, BORROWER, THIRD)),
    whose=st.sampled_from((OWNER, BORROWER, THIRD)),
    hidden=st.booleans(),
)
def test_who_may_move_a_unit(states: list[LoanState], organisation: str, whose: str, hidden: bool) -> None:
    """Its own organisation always; the borrower while it has it and may know of it; nobody else, ever."""
    loans = [STATES[state] for state in states]
    expected = whose == organisation or (
        whose == OWNER and organisation == BORROWER and not hidden and not HAS.isdisjoint(states)
    )
    assert expected == may_move(organisation, unit(organisation=whose, hidden=hidden), loans)


def test_a_unit_is_away_until_it_is_back() -> None:
    """On a loan that is not over its units are nobody else's to have; the loan itself is no obstacle to itself."""
    for state, loan in STATES.items():
        assert ([*away(("kf-1", "kf-2"), [loan], "another")] == ["kf-1"]) is (state in AWAY)
        assert [] == [*away(("kf-1",), [loan], LOAN)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(VERBS), st.sampled_from((OWNER, BORROWER, THIRD))), max_size=12))
def test_whatever_is_said_nothing_is_lent_against_either_will(words: list[tuple[LoanVerb, str]]) -> None:
    """Over any conversation: units are lent only after a word of each side, and versions count the words taken."""
    loan: Loan | None = None
    for verb, sender in words:
        found = apply(loan, say(verb, sender, 0 if loan is None else loan.version), NOON)
        loan = found if isinstance(found, Loan) else loan
    if loan is not None:
        assert loan.version == len(loan.messages)
        if loan.state in AWAY:
            last = [one.verb for one in loan.messages].index("commit")
            agreed = {one.sender for one in loan.messages[last - 1 : last + 1]}
            assert {loan.owner, loan.borrower} == agreed and loan.units
