"""Bring a database's schema up to this version's, in one transaction."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cloud.errors import Fatal


def read_revision(connection: Connection) -> str | None:
    """The revision that the database says it has; None where it holds no ledger."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, place: str) -> None:
    """Apply what is missing, in the caller's transaction. Raises `Fatal` for a database newer than this program."""
    config = Config()
    config.set_main_option("script_location", str(files("cloud.ledger") / "migrations").replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    known = {step.revision for step in script.walk_revisions()}
    current = read_revision(connection)
    if current is not None and current not in known:
        raise Fatal(f"the ledger {place} is of a newer version (schema {current}): upgrade Watchroom")
    if current == script.get_current_head():
        return
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
