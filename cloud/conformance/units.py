"""What GET /v1/units and the routes below it must be."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from cloud.conformance.asking import Answer, Server
from cloud.conformance.feed import told
from cloud.conformance.picture import lasting
from cloud.conformance.schemas import complaints, withheld
from cloud.conformance.shapes import records_of
from wire.findings import Finding, fail, warn, well

PATH = "/v1/units"
PAGES_MAX = 10_000
TRIES = 3
FILTERS = ("service", "type", "class", "confidence")
"""Filters of a partner's list, each named as the field of the record that it goes by."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of GET /v1/units, read."""

    answer: Answer
    body: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...]


def listing(answer: Answer) -> Listing:
    """Read an answer, whatever it is."""
    body = answer.json()
    whole = body if isinstance(body, dict) else {}
    records = tuple(records_of(whole.get("units")))
    return Listing(answer=answer, body=whole, records=records)


def judge_units(server: Server, *, is_partners: bool, hidden: tuple[str, ...]) -> Iterator[Finding]:
    """Judge the list of units, and one unit. Raises Unreachable."""
    whole = listing(server.get(PATH))
    if whole.answer.status != 200 or whole.answer.media_type != "application/json":
        found = f"{whole.answer.status} {whole.answer.media_type}"
        yield fail("units", found, "answer GET /v1/units with 200 and application/json; a partner's needs its token")
        return
    yield _schema(whole, is_partners)
    yield _order(whole)
    yield _one(server, whole, is_partners)
    yield from _strangers(server, hidden, is_partners=is_partners)
    if is_partners:
        yield _paging(server)
        yield _etag(server)
        yield from (_filter(server, name) for name in FILTERS)
        yield _token(server)


def _schema(whole: Listing, is_partners: bool) -> Finding:
    check, do = "units: schema", "answer as wire/published/{} says"
    if is_partners:
        wrong = list(complaints("partner-units", whole.body))
        for one in whole.records:
            wrong += (f"{one.get('unit')}.{field} is withheld, yet there" for field in withheld(one))
        do = do.format("partner-units.json")
    else:
        wrong = [
            f"{one.get('unit')}: {complaint}" for one in whole.records for complaint in complaints("feed-record", one)
        ]
        do = do.format("feed-record.json")
    return fail(check, told(wrong), do) if wrong else well(check, f"{len(whole.records)} units keep to their schema")


def _order(whole: Listing) -> Finding:
    check, names = "units: order", [str(one.get("unit")) for one in whole.records]
    if len(set(names)) < len(names):
        return fail(check, "a unit is listed twice", "list each unit once")
    return well(check, f"{len(names)} units, each once")


def _one(server: Server, whole: Listing, is_partners: bool) -> Finding:
    check, name = "units: one", "partner-record" if is_partners else "feed-record"
    if not whole.records:
        return warn(check, "there is no unit to ask for", "look again when there are units")
    unit = str(whole.records[0].get("unit"))
    answer = server.get(f"{PATH}/{unit}")
    wrong = list(complaints(name, answer.json())) if answer.status == 200 else [f"it answered {answer.status}"]
    if not wrong and answer.json().get("unit") != unit:
        wrong = [f"it answered with {answer.json().get('unit')!r}"]
    if wrong:
        return fail(check, f"GET {PATH}/{unit}: {told(wrong)}", f"answer as wire/published/{name}.json says")
    return well(check, f"{unit} is as its schema says")


def _strangers(server: Server, hidden: tuple[str, ...], *, is_partners: bool) -> Iterator[Finding]:
    unknown = server.get(f"{PATH}/{'x' * 12}")
    if unknown.status != 404:
        yield fail("units: unknown", f"a unit that there is not: {unknown.status}", "answer 404")
    else:
        yield well("units: unknown", "a unit that there is not: 404")
    check = "units: hidden"
    if not hidden and is_partners:
        yield warn(check, "not looked at", "name a unit that this partner may not know of with --hidden UNIT")
    for unit in hidden:
        absent = "x" * len(unit)
        for below in ("", "/track"):
            there, not_there = server.get(f"{PATH}/{unit}{below}"), server.get(f"{PATH}/{absent}{below}")
            if _shape(there, unit) != _shape(not_there, absent):
                found = f"GET {PATH}/{unit}{below} is answered otherwise than for a unit that there is not"
                yield fail(check, found, "answer both with the same 404: status, headers and body")
                break
        else:
            yield well(check, f"{unit} is answered as one that there is not")


def _shape(answer: Answer, unit: str) -> tuple[int, frozenset[tuple[str, str]], bytes]:
    headers = {name: value.replace(unit, "UNIT") for name, value in answer.headers.items() if name != "date"}
    return answer.status, frozenset(headers.items()), answer.body.replace(unit.encode(), b"UNIT")


def _paging(server: Server) -> Finding:
    check, do = "units: paging", "give `limit` units at most, and with `next_after` the rest: each once, by unit"
    found: list[str] = []
    for _ in range(TRIES):
        whole = [str(one.get("unit")) for one in every(server, {})]
        if whole != sorted(set(whole)):
            return fail(check, "the list is not sorted by unit", do)
        limit = str(max(1, len(whole) // 3))
        pages = [str(one.get("unit")) for one in every(server, {"limit": limit})]
        first = listing(server.get(PATH, {"limit": limit})).records
        if len(first) > int(limit):
            return fail(check, f"limit={limit} gave {len(first)} units", do)
        if pages == whole:
            return well(check, f"{len(whole)} units by {limit} a page")
        found = [*(set(whole) ^ set(pages))] or ["another order"]
    return fail(check, f"page by page the list is another: {told(sorted(found))}", do)


def every(server: Server, query: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Give every unit of a list, page by page."""
    after: dict[str, str] = {}
    for _ in range(PAGES_MAX):
        page = listing(server.get(PATH, {**query, **after}))
        yield from page.records
        following = page.body.get("next_after")
        if not isinstance(following, str):
            return
        after = {"after": following}


def _etag(server: Server) -> Finding:
    check, do = "units: ETag", "give an ETag that changes with what is listed, and 304 without a body where it stands"
    unchanged = 0
    for _ in range(TRIES):
        first = listing(server.get(PATH))
        tag = first.answer.headers.get("etag", "")
        if not tag:
            return fail(check, "GET /v1/units has no ETag", do)
        again = server.get(PATH, headers={"If-None-Match": tag})
        if again.status == 304:
            unchanged += 1
            if again.body:
                return fail(check, "a 304 came with a body", do)
        elif again.status != 200 or again.headers.get("etag", "") == tag:
            return fail(check, f"If-None-Match of the ETag that still stands gave {again.status}", do)
    if server.get(PATH, headers={"If-None-Match": '"conformance"'}).status != 200:
        return fail(check, "If-None-Match of another ETag was not answered with the list", do)
    found = f"{unchanged} of {TRIES} times 304"
    return well(check, found) if unchanged else warn(check, found, "look again when less changes")


def judge_etag_moved(first: Listing, later: Listing) -> Finding:
    """Judge whether the ETag changed where the units did."""
    check, do = "units: ETag moves", "change the ETag whenever what is listed changes, ages aside"
    tags = {one.answer.headers.get("etag", "") for one in (first, later)}
    if "" in tags:
        return warn(check, "there is none", do)
    if _lasting(first) != _lasting(later) and len(tags) == 1:
        return fail(check, f"what is listed changed, and the ETag is still {tags.pop()}", do)
    return well(check, "it moved" if len(tags) == 2 else "nothing changed meanwhile")


def _lasting(one: Listing) -> list[dict[str, Any]]:
    return [{field: lasting(record, field) for field in record if field != "as_of"} for record in one.records]


def _filter(server: Server, name: str) -> Finding:
    check, do = f"units: filter {name}", "give only what fits a filter; refuse one that you do not know with 422"
    whole = {str(one.get("unit")): one for one in every(server, {})}
    value = next((one[name] for one in whole.values() if isinstance(one.get(name), str)), None)
    if value is None:
        return warn(check, f"no unit shows a {name}", "look again when one does")
    answer = server.get(PATH, {name: value})
    if answer.status == 422:
        return warn(check, "this filter is not offered", "offer it, if suppliers are to ask for less")
    few = listing(answer).records
    others = [str(one.get("unit")) for one in few if one.get(name) != value]
    if answer.status != 200 or others:
        return fail(check, f"{name}={value} gave {answer.status} and also {told(others) or 'nothing'}", do)
    nothing = server.get(PATH, {name: "conformance-none"})
    if nothing.status not in (200, 422) or listing(nothing).records:
        return fail(check, f"{name}=conformance-none gave {nothing.status} and units", do)
    return well(check, f"{name}={value}: {len(few)} of {len(whole)} units")


def _token(server: Server) -> Finding:
    check, do = "units: token", "answer 401, and the same, without a token and with a wrong one"
    asking: tuple[Callable[[], Answer], ...] = (
        lambda: server.get(PATH, headers={"Authorization": ""}),
        lambda: server.get(PATH, headers={"Authorization": "Bearer conformance"}),
    )
    answers = [ask() for ask in asking]
    if any(answer.status != 401 for answer in answers):
        return fail(check, f"without a token {answers[0].status}, with a wrong one {answers[1].status}", do)
    if answers[0].body != answers[1].body:
        return fail(check, "the two answers differ", do)
    return well(check, "401 without a token and with a wrong one")
