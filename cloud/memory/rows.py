"""What the board log's rows hold."""

from datetime import datetime

import msgspec


class Began(msgspec.Struct, frozen=True, kw_only=True):
    """What went on showing the board: the body of a `started` or `directory` row."""

    process: datetime
    """When the process started, UTC."""
    owner_term: int
    directory_version: str
