"""Lending units between organisations, message by message, after OASIS EDXL-RM 1.0 (Resource Messaging).

The two sides are the borrower (the standard's resource consumer) and the owner (its resource supplier). Our verbs stand
for these messages of the standard, sections 3.4 to 3.13:

- `request`, by the borrower: RequestResource, or RequisitionResource where it names units.
- `offer`, by the owner: ResponseToRequestResource, or OfferUnsolicitedResource where nothing was asked for.
- `commit`: CommitResource by the owner, within what was requested; by the borrower it takes up an offer, as a
  RequisitionResource that the offer has committed to. It is the word of the side that has not yet agreed.
- `decline`, by either, before anything is committed: a response of type Decline, or a message recalled.
- `release`, by the borrower: ReleaseResource. It moves the units no more, and they go home.
- `return`: RequestReturn by the owner, who asks for them back; by the borrower, that they are back (the standard's
  ResponseToRequestReturn). Once they are released either may say so.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wire.events import Instant, Person, Text, Token, keep_utc

LoanVerb = Literal["request", "offer", "commit", "decline", "release", "return"]
LoanState = Literal["requested", "offered", "committed", "asked_back", "released", "returned", "declined"]
UNITS_MAX = 100
LoanId = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", description="a UUID")]
MessageId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z", description="1 to 64 of A-Z, a-z, 0-9, ., _ and -")]


class LoanMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one organisation says to another about a loan."""

    loan: LoanId
    """Every message about one loan has the same. Whoever speaks first makes it up."""
    message: MessageId
    """Of its own for each message, so that one that comes again is known."""
    verb: LoanVerb
    sender: Token = msgspec.field(name="from")
    """The organisation that speaks."""
    to: Token
    units: Annotated[tuple[Token, ...], Meta(max_length=UNITS_MAX)] = ()
    """Of an offer or an owner's commit: which. Of a request: which are wished for; none where any of the type will do.
    A borrower that commits names those of the offer that it takes; none for all of it."""
    type: Annotated[str, Meta(max_length=80)] = ""
    """Of a request without units: of which type."""
    count: Annotated[int, Meta(ge=0, le=UNITS_MAX)] = 0
    """Of a request without units: how many."""
    incident: Annotated[str, Meta(max_length=64)] = ""
    reason: Text
    by: Person
    expects: Annotated[int, Meta(ge=0)]
    """The loan's version that the sender knows; 0 where it begins one."""
    at: Instant | None = None
    """When it was taken: the service sets it."""

    def __post_init__(self) -> None:
        """Refuse what says nothing: no reason, no units, a unit twice."""
        keep_utc(self, "at")
        if not self.reason.strip():
            raise ValueError("reason: is empty; say why")
        if len(set(self.units)) < len(self.units):
            raise ValueError("units: names a unit twice; name each once")
        if self.verb == "request" and bool(self.units) == bool(self.type and self.count):
            raise ValueError("units: a request names either units, or a type and a count")
        if self.verb != "request" and (self.type or self.count):
            raise ValueError("type: only a request says which type and how many")
        if self.verb == "offer" and not self.units:
            raise ValueError("units: an offer says which")
        if self.verb not in ("request", "offer", "commit") and self.units:
            raise ValueError(f"units: {self.verb} is about the whole loan; leave them out")


class Loan(msgspec.Struct, frozen=True, kw_only=True):
    """A loan as it stands."""

    loan: str
    owner: str
    borrower: str
    state: LoanState
    """`committed` and `asked_back`: the borrower has the units. `released`: they are on their way home. `returned` and
    `declined`: it is over."""
    version: int
    """How many messages it has had."""
    units: tuple[str, ...] = ()
    """Those that are offered, or lent."""
    wanted: tuple[str, ...] = ()
    """Those that were requested by name."""
    type: str = ""
    count: int = 0
    incident: str = ""
    committed_at: Instant | None = None
    changed_at: Instant
    messages: tuple[LoanMessage, ...]
    """All that was said, in order."""
