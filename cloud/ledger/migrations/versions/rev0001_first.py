"""The first schema: events, watermarks, refusals, gaps, links, process starts and counters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROWID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_COUNTERS = ("refused_events", "refused_messages", "refused_messages_bytes", "dropped_messages", "gaps")


def upgrade() -> None:
    """Make every table."""
    _make_events()
    _make_quarantine()
    _make_links()
    _make_figures()


def _make_events() -> None:
    op.create_table(
        "event",
        sa.Column("id", _ROWID, primary_key=True, autoincrement=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("queue", sa.Text),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("corrected_at", sa.BigInteger, nullable=False),
        sa.Column("proven", sa.Boolean, nullable=False),
        sa.Column("prev", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "watermark",
        sa.Column("device", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("ordinal", sa.BigInteger, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("corrected_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )


def _make_quarantine() -> None:
    op.create_table(
        "refused",
        sa.Column("id", _ROWID, primary_key=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("device", sa.Text),
        sa.Column("stream", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("seq", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    whole_message = sa.text("seq IS NULL")
    op.create_index("refused_message", "refused", ["id"], sqlite_where=whole_message, postgresql_where=whole_message)
    op.create_table(
        "gap",
        sa.Column("id", _ROWID, primary_key=True),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _make_links() -> None:
    op.create_table(
        "tail",
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("event_id", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "head",
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("device", sa.Text, primary_key=True),
        sa.Column("event_id", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _make_figures() -> None:
    op.create_table(
        "process",
        sa.Column("id", _ROWID, primary_key=True),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("owner_term", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
    )
    counter = op.create_table(
        "counter",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(counter, [{"name": name, "value": 0} for name in _COUNTERS])
