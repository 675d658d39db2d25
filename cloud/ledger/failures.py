"""What a database's error means for the ledger: try again, or call a person."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from cloud.errors import CloudError, Fatal, Retryable

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PASSING = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


@contextmanager
def naming_failures(place: str) -> Iterator[None]:
    """Turn the database's own errors into `Retryable` and `Fatal`; `place` says which ledger it was."""
    try:
        yield
    except exc.IntegrityError as error:
        raise Fatal(
            f"the ledger {place} refused a row ({error.orig}): stop whatever else writes to it, and start again"
        ) from error
    except exc.DBAPIError as error:
        raise _failure(place, error) from error
    except exc.TimeoutError as error:
        raise Retryable(f"the ledger {place} has no connection free") from error


def damaged(place: str, what: str) -> Fatal:
    """The ledger can't be trusted. It is the system of record, so it is never quietly begun anew."""
    return Fatal(f"the ledger {place} is damaged ({what}): move it aside, keep it, and restore a backup in its place")


def _failure(place: str, error: exc.DBAPIError) -> CloudError:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is None:
        return _server_failure(place, error)
    if code & 0xFF in _DAMAGED:
        return damaged(place, str(error.orig))
    if code & 0xFF in _PASSING:
        return Retryable(f"the ledger {place} can't be used now: {error.orig}")
    return Fatal(f"the ledger {place} can't be used: {error.orig}; check its owner, its folder and its file")


def _server_failure(place: str, error: exc.DBAPIError) -> CloudError:
    text = str(error.orig).strip().partition("\n")[0]
    if error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError):
        return Retryable(f"the ledger {place} can't be used now: {text}")
    return Fatal(f"the ledger {place} can't be used: {text}; check its schema and its user's rights")
