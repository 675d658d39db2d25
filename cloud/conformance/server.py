"""The checks of a server, in order."""

from collections.abc import Callable, Iterator

import msgspec

from cloud.conformance.asking import Server, Unreachable
from cloud.conformance.feed import judge_feed
from cloud.conformance.formats import judge_formats
from cloud.conformance.listening import after, hear
from cloud.conformance.resuming import judge_ages, judge_foreign, judge_list, judge_resuming
from cloud.conformance.units import PATH, judge_etag_moved, judge_units, listing
from wire.findings import Finding, fail, well

LISTEN_S = 4.0
"""How long the feed is listened to: a few ticks."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A server to check."""

    url: str
    """Such as http://127.0.0.1:8471; /v1/feed and /v1/units are below it."""
    token: str = ""
    """A partner's; empty for a control room's own port."""
    hidden: tuple[str, ...] = ()
    """Units that there are and that this partner may not know of."""
    listen_s: float = LISTEN_S


def check_server(subject: Subject, monotonic: Callable[[], float]) -> list[Finding]:
    """Check a server. Raises ValueError where the URL is none."""
    server = Server(subject.url, subject.token, monotonic)
    findings: list[Finding] = []
    try:
        for finding in _judge(server, subject):
            findings.append(finding)
    except Unreachable as error:
        do = "start the server, or name the right URL; answer every request with whole HTTP"
        findings.append(fail("server", str(error), do))
    return findings


def _judge(server: Server, subject: Subject) -> Iterator[Finding]:
    first = listing(server.get(PATH))
    began_s = server.monotonic()
    heard = hear(server, after(subject.listen_s))
    later = listing(server.get(PATH))
    passed_s = server.monotonic() - began_s
    yield from judge_feed(heard)
    if heard.status == 200 and heard.last_id and heard.picture.is_whole:
        yield judge_list(server, heard)
        yield judge_resuming(server, heard)
        yield judge_foreign(server)
    yield from judge_units(server, is_partners=heard.is_partners, hidden=subject.hidden)
    yield judge_ages(first.body, later.body, passed_s)
    if heard.is_partners:
        yield judge_etag_moved(first, later)
        yield from judge_formats(server)
    else:
        yield well("formats", "not looked at: a control room's own port gives JSON alone")
