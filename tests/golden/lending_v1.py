"""What the files of `v1` that organisations say to each other about loans say. What stands here is never changed."""

from datetime import UTC, datetime

import msgspec

from wire.lending import Loan, LoanMessage

AT = datetime(2026, 11, 1, 12, 0, 30, 250000, tzinfo=UTC)
ASKED = LoanMessage(
    loan="6a1f9c52-0d7e-4a44-9c0a-3f9be1a00001",
    message="m-1",
    verb="request",
    sender="kp",
    to="kfrs",
    type="pump",
    count=2,
    incident="Weald flood",
    reason="three streets under water",
    by="J Shah",
    expects=0,
    at=AT,
)
OFFERED = LoanMessage(
    loan=ASKED.loan,
    message="m-2",
    verb="offer",
    sender="kfrs",
    to="kp",
    units=("14p1", "14p2"),
    reason="both are free",
    by="A Smith",
    expects=1,
    at=AT,
)
EXPECTED: dict[str, msgspec.Struct] = {
    "loan-message": ASKED,
    "loan-message-offer": OFFERED,
    "loan": Loan(
        loan=ASKED.loan,
        owner="kfrs",
        borrower="kp",
        state="offered",
        version=2,
        units=("14p1", "14p2"),
        type="pump",
        count=2,
        incident="Weald flood",
        changed_at=AT,
        messages=(ASKED, OFFERED),
    ),
}
