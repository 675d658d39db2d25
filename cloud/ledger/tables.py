"""The schema as it is now. `migrations` holds how it came about; a test holds the two together."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode_instant(at: datetime) -> int:
    """Microseconds since 1970, UTC: they sort as the times do. `at` is aware."""
    return (at - _EPOCH) // _MICROSECOND


def decode_instant(micros: int) -> datetime:
    """Undo `encode_instant`: aware, UTC."""
    return _EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """A moment, kept as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Encode it on its way in."""
        return None if value is None else encode_instant(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Decode it on its way out."""
        return None if value is None else decode_instant(value)


_ROWID = BigInteger().with_variant(Integer, "sqlite")
"""On SQLite only a column declared INTEGER is the row's own number and needs no index."""

metadata = MetaData()

event = Table(
    "event",
    metadata,
    Column("id", _ROWID, primary_key=True, autoincrement=False),
    Column("device", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("queue", Text),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("mode", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("corrected_at", Instant, nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("prev", BigInteger),
    Column("body", LargeBinary, nullable=False),
)
# No index but the id: a live one costs five times the insert rate at a million rows (measured).

watermark = Table(
    "watermark",
    metadata,
    Column("device", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("queue", Text, primary_key=True),
    Column("ordinal", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("corrected_at", Instant),
    sqlite_with_rowid=False,
)

refused = Table(
    "refused",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("topic", Text, nullable=False),
    Column("device", Text),
    Column("stream", Text),
    Column("queue", Text),
    Column("seq", BigInteger),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
_whole_message = refused.c.seq.is_(None)
Index("refused_message", refused.c.id, sqlite_where=_whole_message, postgresql_where=_whole_message)

gap = Table(
    "gap",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("device", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

tail = Table(
    "tail",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

head = Table(
    "head",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

latest = Table(
    "latest",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

process = Table(
    "process",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("owner_term", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
)

order = Table(
    "order",
    metadata,
    Column("number", _ROWID, primary_key=True),
    Column("id", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("owner_term", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("id", name="order_id"),
)
Index("order_active", order.c.number, sqlite_where=text("active"), postgresql_where=text("active"))

order_log = Table(
    "order_log",
    metadata,
    Column("order", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

assignment = Table(
    "assignment",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("order", Text),
    Column("since", Instant, nullable=False),
    sqlite_with_rowid=False,
)

cursor = Table(
    "cursor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

alarm_log = Table(
    "alarm_log",
    metadata,
    Column("number", _ROWID, primary_key=True),
    Column("alarm", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
)

board_log = Table(
    "board_log",
    metadata,
    Column("number", _ROWID, primary_key=True),
    Column("shown_at", Instant, nullable=False),
    Column("unit", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("board_log_unit", board_log.c.unit, board_log.c.shown_at)

decision = Table(
    "decision",
    metadata,
    Column("number", _ROWID, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

directory = Table(
    "directory",
    metadata,
    Column("number", _ROWID, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("version", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

cad_in = Table(
    "cad_in",
    metadata,
    Column("number", _ROWID, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    UniqueConstraint("organisation", "id", name="cad_in_id"),
)

cad_out = Table(
    "cad_out",
    metadata,
    Column("organisation", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

cad_held = Table(
    "cad_held",
    metadata,
    Column("organisation", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

read_log = Table(
    "read_log",
    metadata,
    Column("number", _ROWID, primary_key=True, autoincrement=False),
    Column("partner", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("grants", BigInteger, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
)
Index("read_log_unit", read_log.c.unit, read_log.c.number)
_unclosed = text("until IS NULL")
Index("read_log_open", read_log.c.number, sqlite_where=_unclosed, postgresql_where=_unclosed)

grant_set = Table(
    "grant_set",
    metadata,
    Column("number", _ROWID, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

alive = Table(
    "alive",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
COUNTERS = ("refused_events", "refused_messages", "refused_messages_bytes", "dropped_messages", "gaps")
