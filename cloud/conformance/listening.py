"""Listens to a feed for a while, and keeps what came and what a client would hold by then."""

import re
from collections.abc import Callable

import msgspec

from cloud.conformance.asking import Event, Server, Stream
from cloud.conformance.picture import Picture

SILENCE_S = 3.0
"""A feed that says nothing for so long is lost to its clients: see `wire.feed`."""
ID = re.compile(r"(.+)-([0-9]{1,18})")


class Heard(msgspec.Struct, kw_only=True):
    """What came from one connection."""

    status: int
    media_type: str
    began_s: float
    events: list[Event]
    picture: Picture
    """As it stands after the last event."""
    ended: bool = False
    """Whether the server ended it, or fell silent."""

    @property
    def last_id(self) -> str:
        """The newest id; empty where none has come."""
        return next((event.id for event in reversed(self.events) if event.id), "")

    @property
    def is_partners(self) -> bool:
        """Whether it is a partner's feed, by its snapshot."""
        return any(one.kind == "snapshot" and "partner" in (one.data or {}) for one in self.events)


def hear(
    server: Server, until: Callable[[Heard], bool], *, last_event_id: str = "", start: Picture | None = None
) -> Heard:
    """Listen until `until` says so after an event, or the stream ends. Raises Unreachable."""
    with server.listen(last_event_id) as stream:
        heard = Heard(
            status=stream.status,
            media_type=stream.headers.get("content-type", "").partition(";")[0].strip(),
            began_s=server.monotonic(),
            events=[],
            picture=start.copy() if start is not None else Picture(),
        )
        if stream.status == 200:
            follow(stream, heard, until)
        return heard


def follow(stream: Stream, heard: Heard, until: Callable[[Heard], bool]) -> None:
    """Go on listening, as `hear` does."""
    while not (heard.events and until(heard)):
        event = stream.next()
        if event is None:
            heard.ended = True
            return
        heard.events.append(event)
        heard.picture.apply(event.kind, event.data or {})


def cursor_of(event: Event) -> int:
    """The cursor of an event's data; -1 where it has none."""
    cursor = (event.data or {}).get("cursor")
    return cursor if isinstance(cursor, int) else -1


def after(seconds: float) -> Callable[[Heard], bool]:
    """Listen until an event has come so long after the beginning, the picture is whole and an id is known."""

    def until(heard: Heard) -> bool:
        passed = heard.events[-1].arrived_s - heard.began_s >= seconds
        return passed and bool(heard.last_id) and heard.picture.is_whole

    return until


def up_to(cursor: int) -> Callable[[Heard], bool]:
    """Listen until the feed has come as far as a cursor, and given an id."""
    return lambda heard: bool(heard.last_id) and max(map(cursor_of, heard.events)) >= cursor
