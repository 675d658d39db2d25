"""Which partner saw which unit, and what of it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ROWID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "read_log",
        sa.Column("number", _ROWID, primary_key=True, autoincrement=False),
        sa.Column("partner", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("grants", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
    )
    op.create_index("read_log_unit", "read_log", ["unit", "number"])
    unclosed = sa.text("until IS NULL")
    op.create_index("read_log_open", "read_log", ["number"], sqlite_where=unclosed, postgresql_where=unclosed)
    op.create_table(
        "grant_set",
        sa.Column("number", _ROWID, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "alive",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
