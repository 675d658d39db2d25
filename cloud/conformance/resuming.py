"""Whether a client that comes back, or comes from elsewhere, ends with the same picture as the list of units gives."""

from collections.abc import Iterator, Mapping
from typing import Any

from cloud.conformance.asking import Server
from cloud.conformance.feed import told
from cloud.conformance.listening import ID, Heard, cursor_of, hear, up_to
from cloud.conformance.picture import Picture, differences
from cloud.conformance.shapes import Record, named, number_of
from wire.findings import Finding, fail, warn, well

TRIES = 4
"""A list that is asked for between two ticks may know more than the feed has said: what differs each time is wrong."""
FOREIGN = ("conformance-0", "conformance-999999999", "not an id", "-1")


def judge_list(server: Server, heard: Heard) -> Finding:
    """Judge whether the feed's snapshot and changes lead to what GET /v1/units gives."""
    check = "feed: changes apply"
    lasting, units = _compare(server, heard.picture, heard.last_id)
    if lasting:
        do = "send every change, and take away what is gone: the feed and GET /v1/units must agree"
        return fail(check, f"after {TRIES} tries still different: {told(lasting)}", do)
    return well(check, f"the feed and GET /v1/units agree on {units} units")


def judge_resuming(server: Server, heard: Heard) -> Finding:
    """Judge whether a client that comes back with an id loses nothing."""
    check = "feed: resume"
    early, left = _early(heard)
    now = cursor_of(heard.events[-1])
    back = hear(server, up_to(now), last_event_id=early, start=left)
    if back.status != 200 or back.ended or not back.events:
        return fail(check, f"with Last-Event-ID {early!r} the answer was {back.status}", "go on after Last-Event-ID")
    taken, again = ID.fullmatch(early), ID.fullmatch(back.last_id)
    if taken is not None and again is not None and taken[1] == again[1] and int(again[2]) < int(taken[2]):
        return fail(check, f"it went on at {back.last_id}, before {early}", "never let the cursor go back")
    lasting, units = _compare(server, back.picture, back.last_id)
    if lasting:
        do = "after Last-Event-ID send all that changed since: records, and units that are gone"
        return fail(check, f"a client that left at {early} and came back lacks: {told(lasting)}", do)
    if back.events[0].kind == "snapshot":
        do = "go on with the changes where the id is of this epoch: a snapshot costs much, though it loses nothing"
        return warn(check, f"{early} was answered with a whole snapshot", do)
    return well(check, f"from {early} to {back.last_id}: nothing is lost of {units} units")


def judge_foreign(server: Server) -> Finding:
    """Judge whether ids of another epoch, or that are none, are answered with a snapshot."""
    check, do = "feed: foreign epoch", "answer an id that you don't know with a whole snapshot"
    for foreign in FOREIGN:
        heard = hear(server, lambda _heard: True, last_event_id=foreign)
        kind = heard.events[0].kind if heard.events else "nothing"
        if heard.status != 200 or kind != "snapshot":
            return fail(check, f"Last-Event-ID {foreign!r} was answered with {heard.status} and {kind}", do)
    return well(check, f"{len(FOREIGN)} unknown ids: a snapshot each")


def judge_ages(before: Mapping[str, Any], later: Mapping[str, Any], passed_s: float) -> Finding:
    """Judge whether ages grow, between two lists of units."""
    check, do = "units: ages", "count every age from the moment it is about, up to each answer's `at`"
    first = named(before.get("units"), "unit")
    looked, wrong = 0, []
    for name, unit in named(later.get("units"), "unit").items():
        known = first.get(name, {})
        was_s, is_s = _status_age_s(known), _status_age_s(unit)
        if was_s is None or is_s is None or known.get("status") != unit.get("status"):
            continue
        looked += 1
        if abs(is_s - was_s - passed_s) > 1.0:
            wrong.append(f"{name}: from {was_s:.1f} to {is_s:.1f} s in {passed_s:.1f} s")
    if wrong:
        return fail(check, told(wrong), do)
    if not looked:
        return warn(check, "no unit whose status has an age stood still", "look again when a status stands")
    return well(check, f"the age of {looked} statuses grew with time")


def _status_age_s(record: Record) -> float | None:
    ages = record.get("ages")
    age_s = ages.get("status_s") if isinstance(ages, dict) else record.get("status_s")
    return float(age_s) if isinstance(age_s, int | float) else None


def _early(heard: Heard) -> tuple[str, Picture]:
    """The first id that came with a whole picture, and what a client held that left with it."""
    picture = Picture()
    for event in heard.events:
        picture.apply(event.kind, event.data or {})
        if event.id and picture.is_whole:
            return event.id, picture
    return heard.last_id, heard.picture


def _compare(server: Server, picture: Picture, last_id: str) -> tuple[list[str], int]:
    """Give what differs between a picture that goes on and the list, in every try, and how many units there are."""
    lasting: set[str] | None = None
    goes_on = picture
    for _ in range(TRIES):
        answer = server.get("/v1/units").json()
        cursor = number_of(answer.get("cursor"), -1) if isinstance(answer, dict) else -1
        meeting = _Meeting(dict(_listed(server, answer)), cursor)
        heard = hear(server, meeting, last_event_id=last_id, start=goes_on)
        goes_on, last_id = heard.picture, heard.last_id or last_id
        lasting = meeting.differs if lasting is None else lasting & meeting.differs
        if not lasting:
            return [], len(goes_on.units)
    return sorted(lasting or ()), len(goes_on.units)


class _Meeting:
    """Notes what of a list the feed never showed, from a client's return until one event after the list's cursor."""

    def __init__(self, listed: Mapping[str, Record], cursor: int) -> None:
        self._listed, self._reached = listed, up_to(cursor)
        self._differs: set[str] | None = None

    def __call__(self, heard: Heard) -> bool:
        found = set(differences(heard.picture.units, self._listed))
        self._differs = found if self._differs is None else self._differs & found
        return len(heard.events) > 1 and self._reached(heard)

    @property
    def differs(self) -> set[str]:
        return {"the feed gave nothing"} if self._differs is None else self._differs


def _listed(server: Server, first: Any) -> Iterator[tuple[str, Record]]:
    """Give every unit of the list, page by page."""
    page = first
    while isinstance(page, dict):
        yield from named(page.get("units"), "unit").items()
        after = page.get("next_after")
        page = server.get("/v1/units", {"after": after}).json() if isinstance(after, str) else None
