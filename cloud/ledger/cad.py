"""The ledger's part in talking with command and control systems (CAD): what they said, what they were told.

What was said is kept by its id, with the answer that it got; what was told under a number that only grows. Both are
bounded: the oldest goes first.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud.ledger.tables import cad_held, cad_in, cad_out

TOLD_KEPT = 100_000
"""Messages to one organisation that are kept for whoever was away: some weeks of a large fleet."""
SAID_KEPT = 200_000
"""Messages of all organisations whose answers are remembered."""


class CadSaid(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message of a CAD that was answered."""

    organisation: str
    id: str
    at: datetime
    """When it came."""
    digest: bytes
    """Of what it said: the same id with another is another message."""
    answer: bytes
    """JSON."""


class CadTold(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message to an organisation's CAD."""

    organisation: str
    number: int
    """From 1, without a gap."""
    at: datetime
    body: bytes
    """JSON, as it is sent."""


class CadHeld(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an organisation's CAD was last told of a unit or an order, or said itself."""

    organisation: str
    subject: str
    """`unit:ID` or `order:ID`."""
    body: bytes
    """JSON; empty where there is nothing any more."""


class CadCommit(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes durable together, or not at all."""

    told: list[CadTold] = []
    held: list[CadHeld] = []
    said: list[CadSaid] = []


class LoadedCad(msgspec.Struct, frozen=True, kw_only=True):
    """What a starting process goes on from."""

    newest: dict[str, int]
    """The number of the newest message to each organisation."""
    held: list[CadHeld]


def write(connection: Connection, commit: CadCommit) -> None:
    """Write a commit, in the caller's transaction. What is there already stays as it is."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    if commit.told:
        telling = make(cad_out).on_conflict_do_nothing(index_elements=["organisation", "number"])
        connection.execute(telling, [msgspec.structs.asdict(row) for row in commit.told])
        newest = {row.organisation: row.number for row in commit.told}
        for organisation, number in newest.items():
            old = (cad_out.c.organisation == organisation, cad_out.c.number <= number - TOLD_KEPT)
            connection.execute(delete(cad_out).where(*old))
    for row in {(one.organisation, one.subject): one for one in commit.held}.values():
        key = (cad_held.c.organisation == row.organisation, cad_held.c.subject == row.subject)
        if not row.body:
            connection.execute(delete(cad_held).where(*key))
            continue
        statement = make(cad_held).values(msgspec.structs.asdict(row))
        body = {"body": statement.excluded["body"]}
        connection.execute(statement.on_conflict_do_update(index_elements=["organisation", "subject"], set_=body))
    if commit.said:
        statement = make(cad_in).on_conflict_do_nothing(index_elements=["organisation", "id"])
        connection.execute(statement, [msgspec.structs.asdict(row) for row in commit.said])
        last = connection.execute(select(func.max(cad_in.c.number))).scalar_one()
        connection.execute(delete(cad_in).where(cad_in.c.number <= last - SAID_KEPT))


def load(connection: Connection) -> LoadedCad:
    """Read what a starting process goes on from."""
    newest = select(cad_out.c.organisation, func.max(cad_out.c.number)).group_by(cad_out.c.organisation)
    return LoadedCad(
        newest={organisation: number for organisation, number in connection.execute(newest)},
        held=[CadHeld(**row._mapping) for row in connection.execute(select(cad_held))],
    )


def read_told(connection: Connection, organisation: str, after: int, limit: int) -> list[CadTold]:
    """Read messages to an organisation after a number, in order."""
    rows = select(cad_out).where(cad_out.c.organisation == organisation, cad_out.c.number > after)
    return [CadTold(**row._mapping) for row in connection.execute(rows.order_by(cad_out.c.number).limit(limit))]


def read_said(connection: Connection, organisation: str, ids: Sequence[str]) -> list[CadSaid]:
    """Read what is remembered of messages by their ids."""
    columns = [column for column in cad_in.c if column.name != "number"]
    rows = select(*columns).where(cad_in.c.organisation == organisation, cad_in.c.id.in_(ids))
    return [CadSaid(**row._mapping) for row in connection.execute(rows)]
