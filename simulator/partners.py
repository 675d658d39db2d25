"""The demo's partners: each organisation's token, kept in the demo's own folder, and the line that tries one out."""

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

TOKEN_BYTES = 32
FOLDER = "tokens"


def make_tokens(organisations: Iterable[str], data: Path) -> dict[str, str]:
    """Give the SHA-256 of each organisation's token, as the directory has it.

    A token is in a file of its own below `data`, for its owner's eyes only; one that is there is kept.
    """
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {name: _digest(folder / name) for name in organisations}


def curl_line(organisation: str, data: Path, port: int) -> str:
    """Give the line that shows an organisation's feed in a terminal. It names the token's file, not the token."""
    header = f'"Authorization: Bearer $(cat {data / FOLDER / organisation})"'
    return f"curl -N -H {header} http://127.0.0.1:{port}/v1/feed"


def _digest(path: Path) -> str:
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(TOKEN_BYTES))
    return hashlib.sha256(path.read_bytes()).hexdigest()
