"""What the page of sharing asks for, as the service answers it: agreements and what is decided beside them."""

from datetime import timedelta

from msgspec import structs

from cloud.api.covers import CoverList
from cloud.api.directory import ControlRoomList, ControlRoomView
from cloud.api.incidents import MajorIncidentList
from cloud.api.lending import LoanList
from cloud.api.partners import UnitSharing
from cloud.api.sharing import AccessList, AgreementList
from cloud.desk.covering import CoverView
from cloud.desk.sharingviews import view_agreement
from cloud.desk.sharingwords import AccessView, AgreementWord
from cloud.sharing.explain import explain
from cloud.sharing.terms import Agreement, Covers, SharedUnit, Situation
from tests.browser.feed_source import now
from tests.browser.rooms import DAY
from wire.lending import Loan, LoanMessage

FLOOD = "Weald flood"
_OWNER, _PARTNER = "kent-fire", "kent-police"
DAILY = Agreement(
    id="fire-police-day",
    owner=_OWNER,
    partner=_PARTNER,
    purpose="Who can come",
    fields=frozenset(DAY),
    precision_m=500,
    delay_s=120,
)
JOINT = Agreement(
    id="fire-police-joint",
    owner=_OWNER,
    partner=_PARTNER,
    purpose="Find each other",
    fields=frozenset({"position", "crew"}),
    when="joint_incident",
    covers=Covers(types=("Pumping appliance",)),
)
FLOODED = Agreement(
    id="fire-police-flood",
    owner=_OWNER,
    partner=_PARTNER,
    purpose="One picture in a flood",
    fields=frozenset({"status"}),
    when="major_incident",
    incident=FLOOD,
)


def agreement_list() -> AgreementList:
    """One in force, one for joint incidents that was withdrawn, one that waits for a flood."""
    word = AgreementWord(agreement=JOINT.id, withdrawn=True, by="Op 9", reason="A crew was followed", at=now())
    shown = [
        view_agreement(one, now(), (), word if one is JOINT else None)
        for one in sorted((DAILY, JOINT, FLOODED), key=str)
    ]
    return AgreementList(at=now(), agreements=tuple(shown))


def answers() -> dict[str, tuple[int, object]]:
    """Everything that the page reads beside feeds and partners."""
    access = AccessView(
        access="a1",
        owner="kent-fire",
        partner="kent-police",
        reason="Officer hurt",
        by="Op 4",
        fields=("status",),
        since=now(),
        until=now() + timedelta(hours=1),
        active=True,
    )
    before = structs.replace(access, access="a0", until=now(), active=False)
    asked = LoanMessage(
        loan="l1",
        message="m1",
        verb="request",
        sender="kent-police",
        to="kent-fire",
        units=("u-0",),
        reason="Boats",
        by="Op 4",
        expects=0,
        at=now(),
    )
    loan = Loan(
        loan="l1",
        owner="kent-fire",
        borrower="kent-police",
        state="requested",
        version=1,
        wanted=("u-0",),
        changed_at=now(),
        messages=(asked,),
    )
    cover = CoverView(
        cover="c1",
        room="fire-room",
        covered_by="police-room",
        why=("planned", "failure"),
        valid_from=None,
        valid_until=None,
        state="ready",
        history=(),
    )
    rooms = [("fire-room", "Fire Control"), ("police-room", "Police Control")]
    named = tuple(ControlRoomView(control_room=one, name=name, organisations=(), areas=()) for one, name in rooms)
    return {
        "GET v1/agreements": (200, agreement_list()),
        "GET v1/emergency-access": (200, AccessList(at=now(), accesses=(access, before))),
        "GET v1/major-incidents": (200, MajorIncidentList(at=now(), major_incidents=())),
        "GET v1/loans": (200, LoanList(at=now(), loans=(loan,))),
        "GET v1/covers": (200, CoverList(at=now(), covers=(cover,))),
        "GET v1/control-rooms": (200, ControlRoomList(control_rooms=named)),
    }


def sharing_of(unit: str, *, hidden: bool) -> UnitSharing:
    """Why the police see, or do not see, a pump."""
    shared = SharedUnit(id=unit, organisation="kent-fire", type="Pumping appliance", base="stn-14", hidden=hidden)
    found = explain(
        shared, "kent-police", (DAILY, JOINT, FLOODED), Situation(now=now(), withdrawn=frozenset({JOINT.id}))
    )
    return UnitSharing(at=now(), unit=unit, organisation="kent-fire", partners=(found,))
