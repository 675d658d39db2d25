"""What DuckDB's errors mean: a file that is damaged, something to try again, or something for a person.

DuckDB gives them few types and no codes, so this goes by its words; the tests bring about each one for real.
"""

import duckdb

from cloud.errors import CloudError, Fatal, Retryable

_DAMAGE = (
    "Corrupt",
    "not a valid DuckDB database file",
    "Could not read enough bytes",
    "Failure while replaying WAL",
    "Failed to deserialize",
)
_PASSING = ("No space left", "Input/output error", "Too many open files", "Disk quota exceeded")


def is_damage(error: duckdb.Error) -> bool:
    """Whether the file's content is at fault, so that trying again can't help."""
    return any(words in str(error) for words in _DAMAGE) and not _is_passing(error)


def opening_failure(place: str, error: duckdb.Error) -> CloudError:
    """Why a file that is not damaged could not be opened."""
    text = _first_line(error)
    if _is_passing(error):
        return Retryable(f"telemetry can't open {place} now: {text}")
    if "Could not set lock" in text:
        return Fatal(f"another process has {place} open: stop it, then start again")
    return Fatal(f"telemetry can't open {place} ({text}): check its owner and Watchroom's version")


def working_failure(place: str, error: duckdb.Error) -> CloudError:
    """Why an open file could not be read or written."""
    if isinstance(error, duckdb.ProgrammingError):
        return Fatal(f"{place} does not hold telemetry of this version ({_first_line(error)}): move it elsewhere")
    return Retryable(f"telemetry can't use {place} now: {_first_line(error)}")


def _is_passing(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.OutOfMemoryException) or any(words in str(error) for words in _PASSING)


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().partition("\n")[0]
