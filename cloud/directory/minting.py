"""Makes the token of a partner's system, and the row of the directory that lets its holder in."""

import hashlib
import os
import re
import secrets
from pathlib import Path

from cloud.errors import Fatal

TOKEN_BYTES = 32
"""256 bits: nobody guesses it, so that its digest may lie in the directory unsalted."""
_ORGANISATION = re.compile(r"[a-z0-9-]{1,40}")


def mint() -> str:
    """Make a token: 43 letters, digits, - and _."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def row_of(organisation: str, token: str) -> str:
    """Give the row of the directory that lets a token's holder in. Raises `Fatal` for what can't be an organisation."""
    if not _ORGANISATION.fullmatch(organisation):
        raise Fatal(f"{organisation!r} can't be an organisation's id; expected 1 to 40 of a-z, 0-9 and -")
    digest = hashlib.sha256(token.encode()).hexdigest()
    return f'[[partner]]\norganisation = "{organisation}"\ntoken_sha256 = "{digest}"\n'


def write_token(path: Path, token: str) -> None:
    """Write a token into a new file that only its owner may read. Raises `Fatal`, also where there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(token + "\n")
    except OSError as error:
        raise Fatal(f"--out {path}: {error.strerror}. Name a new file in a folder that can be written to") from error
