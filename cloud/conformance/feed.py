"""What a feed must be, checked on what came from it. Pure."""

from collections import Counter
from collections.abc import Iterator

from cloud.conformance.listening import ID, Heard, cursor_of
from cloud.conformance.schemas import EVENTS, complaints, missing, schema_of, withheld
from cloud.conformance.shapes import records_of
from wire.findings import Finding, fail, warn, well

TICK_MAX_S = 1.0
LATE_S = 0.75
"""How much later than promised an event may come to us over a network and a busy machine."""
TOLD_MAX = 5


def judge_feed(heard: Heard) -> Iterator[Finding]:
    """Judge everything that one connection's events show."""
    if heard.status != 200 or heard.media_type != "text/event-stream":
        found = f"GET /v1/feed gave {heard.status} {heard.media_type or 'without a content type'}"
        yield fail("feed", found, "answer 200 with text/event-stream; a partner's feed needs its token (--token-file)")
        return
    kinds = Counter(event.kind for event in heard.events)
    yield well("feed", ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "nothing came")
    yield _snapshot(heard)
    yield _ids(heard)
    yield _pace(heard)
    yield from _content(heard)
    if heard.is_partners:
        yield _grants(heard)


def _snapshot(heard: Heard) -> Finding:
    check = "feed: snapshot"
    do = "begin every new connection with a whole snapshot: parts 1 to `parts` in order, of one epoch and cursor"
    first = heard.events[0] if heard.events else None
    if first is None or first.kind != "snapshot":
        return fail(check, f"the first event is {first.kind if first else 'none at all'}", do)
    parts = [event.data or {} for event in heard.events if event.kind == "snapshot"]
    count = parts[0].get("parts")
    if not isinstance(count, int) or not 1 <= count <= len(parts):
        return fail(check, f"{len(parts)} of {count} parts came", do)
    parts = parts[:count]
    if [part.get("part") for part in parts] != list(range(1, count + 1)):
        return fail(check, f"the parts came as {[part.get('part') for part in parts]}", do)
    if any(part.get(name) != parts[0].get(name) for part in parts for name in ("epoch", "cursor")):
        return fail(check, "its parts are not of one epoch and cursor", do)
    units = [str(one.get("unit")) for part in parts for one in records_of(part.get("records"))]
    if len(set(units)) < len(units):
        return fail(check, "a unit is in it twice", do)
    return well(check, f"{len(units)} units in {count} parts")


def _ids(heard: Heard) -> Finding:
    check, do = "feed: ids", "give ids as EPOCH-CURSOR: one epoch, and the data's own cursor, that never goes back"
    epochs, newest = set(), -1
    declared = (heard.events[0].data or {}).get("epoch") if heard.events else None
    for event in heard.events:
        cursor = cursor_of(event)
        if cursor < newest:
            return fail(check, f"the cursor went back from {newest} to {cursor}", do)
        newest = cursor
        if not event.id:
            continue
        taken = ID.fullmatch(event.id)
        if taken is None or int(taken[2]) != cursor:
            return fail(check, f"{event.kind} has the id {event.id!r} and the cursor {cursor}", do)
        epochs.add(taken[1])
    if len(epochs) != 1 or (declared is not None and list(epochs) != [declared]):
        return fail(check, f"the ids are of {len(epochs)} epochs, the snapshot of {declared!r}", do)
    return well(check, f"up to {heard.last_id}")


def _pace(heard: Heard) -> Finding:
    check, do = "feed: sign of life", f"send a tick where nothing else was sent for {TICK_MAX_S:g} s"
    arrivals = [heard.began_s, *(event.arrived_s for event in heard.events)]
    if heard.ended:
        return fail(check, "the stream ended or fell silent while it was listened to", do)
    longest = max((after - before for before, after in zip(arrivals, arrivals[1:], strict=False)), default=0.0)
    if longest > TICK_MAX_S + LATE_S:
        return fail(check, f"{longest:.1f} s passed without an event", do)
    times = [(event.data or {}).get("at") for event in heard.events]
    told = [at for at in times if isinstance(at, str)]
    if any(len(one) == len(next_) and next_ < one for one, next_ in zip(told, told[1:], strict=False)):
        return fail(check, "`at` went back", "take the time of events from one clock that does not go back")
    return well(check, f"never more than {longest:.1f} s apart")


def _content(heard: Heard) -> Iterator[Finding]:
    check, do = "feed: schemas", "send what wire/published/{} says"
    known, strange, wrong = EVENTS[heard.is_partners], set(), list[str]()
    for event in heard.events:
        if event.kind not in known:
            strange.add(event.kind)
        elif event.data is None:
            wrong.append(f"{event.kind}: its data is no JSON object")
        else:
            name = schema_of(event.kind, is_partners=heard.is_partners)
            wrong += (f"{event.kind}: {one}" for one in complaints(name, event.data))
    yield fail(check, told(wrong), do.format("*.json")) if wrong else well(check, "every event keeps to its schema")
    if strange:
        yield warn("feed: kinds", f"unknown events: {', '.join(sorted(strange))}", "clients pass over them")


def _grants(heard: Heard) -> Finding:
    check = "feed: withheld fields"
    records = [record for event in heard.events for record in records_of((event.data or {}).get("records"))]
    wrong = [f"{one.get('unit')}.{field}" for one in records for field in withheld(one)]
    if wrong:
        do = "leave withheld fields out: never null, never empty"
        return fail(check, f"{told(wrong)}: there, though not granted", do)
    lacking = [f"{one.get('unit')}.{field}" for one in records for field in missing(one)]
    if lacking:
        return fail(check, f"{told(lacking)}: granted, yet absent", "give every field that a grant opens, null or not")
    return well(check, f"{len(records)} records hold what their grants open, and nothing else")


def told(wrong: list[str]) -> str:
    """Name the first few things that are wrong, and how many there are."""
    distinct = list(dict.fromkeys(wrong))
    more = f", and {len(distinct) - TOLD_MAX} more" if len(distinct) > TOLD_MAX else ""
    return "; ".join(distinct[:TOLD_MAX]) + more
