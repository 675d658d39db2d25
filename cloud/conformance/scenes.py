"""What a consumer under test is led through: events, and what it must hold after each scene. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cloud.conformance.picture import Picture

EPOCH, OTHER_EPOCH = "k7f2", "m1q9"
PARTNER = "kent-police"
LOST_AFTER_S = 2.0
STATUS_S = 30.0
"""The age of every status as it is sent."""
AT = "2026-11-22T13:37:{:02d}Z"
_OPEN = ["availability", "status"]
_ALARMS = ["alarms", "availability", "status"]


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the consumer's way."""

    name: str
    text: Sequence[str]
    """What is sent, each an event or some lines of the stream."""
    cursor: int
    """The cursor that a view of after it has."""
    cuts: bool = False
    """Whether the connection is cut before, and the consumer has to come back."""
    returns_with: str = ""
    """The `Last-Event-ID` that it must come back with."""
    silent: bool = False
    """Whether nothing is said for so long that the feed is lost, before `text` is sent."""
    do: str
    """What a consumer must do to get it right."""


def scenes() -> tuple[Scene, ...]:
    """Give the whole script."""
    return (*_as_it_should_be(), *_as_it_may_be())


def _as_it_should_be() -> tuple[Scene, ...]:
    return (
        Scene(
            name="snapshot in parts",
            text=(
                ": a comment says nothing\n\n",
                snapshot(EPOCH, 10, (1, 2), [_unit("p-1"), _unit("p-2", grants=_ALARMS)], with_id=False),
                snapshot(EPOCH, 10, (2, 2), [_unit("p-3"), _unit("p-4")], with_id=False),
                event("alarms", EPOCH, 10, {"alarms": [_alarm("p-2")]}),
                tick(EPOCH, 10),
            ),
            cursor=10,
            do="collect every part of a snapshot; when the last has come, hold all of them and nothing else",
        ),
        Scene(
            name="changes",
            text=(
                event("changes", EPOCH, 11, {"records": [_unit("p-1", code="2"), _bare("p-3")], "gone": []}),
                tick(EPOCH, 11),
            ),
            cursor=11,
            do="replace the whole record by its `unit`: a field that is absent now is no longer yours to hold",
        ),
        Scene(
            name="gone",
            text=(event("changes", EPOCH, 12, {"records": [], "gone": ["p-2"]}), tick(EPOCH, 12)),
            cursor=12,
            do="let go of every unit in `gone`, and of its alarms",
        ),
        Scene(
            name="unknown fields and kinds",
            text=(
                "retry: 200\n\n",
                event("weather", EPOCH, 13, {"wind_mps": 11.5}),
                event("changes", EPOCH, 14, {"records": [_unit("p-4", code="6") | {"mood": "fine"}], "moon": 1}),
                _in_two_lines(tick(EPOCH, 14)),
            ),
            cursor=14,
            do="pass over fields and kinds of events that you do not know; join `data` lines; accept CR LF",
        ),
    )


def _as_it_may_be() -> tuple[Scene, ...]:
    return (
        Scene(
            name="cut and resumed",
            text=(
                event("changes", EPOCH, 16, {"records": [_unit("p-5"), _unit("p-1", code="1")], "gone": ["p-3"]}),
                tick(EPOCH, 16),
            ),
            cursor=16,
            cuts=True,
            returns_with=f"{EPOCH}-14",
            do="come back within seconds with the newest id as Last-Event-ID, keep what you hold, and go on",
        ),
        Scene(
            name="late events",
            text=(event("changes", EPOCH, 17, {"records": [_unit("p-5", code="9")], "gone": []}), tick(EPOCH, 17)),
            cursor=17,
            silent=True,
            do="say that the feed is lost after `lost_after_s` without an event, and go on when it speaks again",
        ),
        Scene(
            name="half a snapshot",
            text=(snapshot(EPOCH, 17, (1, 2), [_unit("p-8")], with_id=False), tick(EPOCH, 17)),
            cursor=17,
            do="hold what you held until the last part of a snapshot has come",
        ),
        Scene(
            name="foreign epoch",
            text=(snapshot(OTHER_EPOCH, 2, (1, 1), [_unit("p-1", code="3"), _unit("p-9")]), tick(OTHER_EPOCH, 2)),
            cursor=2,
            cuts=True,
            returns_with=f"{EPOCH}-17",
            do="take a snapshot of another epoch as the whole truth, though its cursor is lower",
        ),
    )


def expected() -> list[Picture]:
    """Give what must be held after each scene."""
    picture, held = Picture(), []
    for scene in scenes():
        for text in scene.text:
            kind, data = _read(text)
            picture.apply(kind, data)
        held.append(picture.copy())
    return held


def event(kind: str, epoch: str, cursor: int, body: Mapping[str, Any]) -> str:
    """Write an event with its id."""
    data = msgspec.json.encode({"at": AT.format(cursor % 60), "cursor": cursor, **body}).decode()
    return f"id: {epoch}-{cursor}\nevent: {kind}\ndata: {data}\n\n"


def tick(epoch: str, cursor: int) -> str:
    """Write a tick: after each, a consumer says what it holds."""
    return event("tick", epoch, cursor, {})


def snapshot(
    epoch: str, cursor: int, part: tuple[int, int], records: Sequence[Mapping[str, Any]], *, with_id: bool = True
) -> str:
    """Write a part of a snapshot: `part` is its number and how many there are."""
    body = {
        "epoch": epoch,
        "part": part[0],
        "parts": part[1],
        "tick_ms": 500,
        "lost_after_s": LOST_AFTER_S,
        "partner": PARTNER,
        "records": records,
    }
    written = event("snapshot", epoch, cursor, body)
    return written if with_id else written.partition("\n")[2]


def _unit(unit: str, *, code: str = "3", grants: Sequence[str] = _OPEN) -> dict[str, Any]:
    declared = {"scheme": "uk-fire-gd92", "code": code, "label": "As declared", "since": AT.format(0), "proven": True}
    reason = {"code": "declared", "text": "Declared by the crew", "source": "status", "age_s": STATUS_S}
    return _bare(unit) | {
        "grants": list(grants),
        "class": "Available" if code == "3" else "NotAvailable",
        "confidence": "confirmed",
        "reasons": [reason],
        "tier_min": 0,
        "status": declared | {"by": "panel"},
        "activity": None,
        "status_s": STATUS_S,
    }


def _bare(unit: str) -> dict[str, Any]:
    """A unit of which nothing but its name is opened."""
    return {
        "unit": unit,
        "callsign": unit.upper(),
        "organisation": "kent-fire",
        "service": "fire",
        "type": "pump",
        "grants": [],
        "agreements": ["kent-1"],
        "as_of": AT.format(0),
    }


def _alarm(unit: str) -> dict[str, Any]:
    return {
        "alarm": f"a-{unit}",
        "unit": unit,
        "callsign": unit.upper(),
        "text": f"{unit.upper()}: emergency button",
        "raised_at": AT.format(0),
        "acknowledged_at": None,
        "cancelled_at": None,
        "active": True,
    }


def _in_two_lines(text: str) -> str:
    """Write an event's data on two lines, and end lines as HTTP does."""
    return text.replace(',"cursor"', ',\ndata: "cursor"').replace("\n", "\r\n")


def _read(text: str) -> tuple[str, Mapping[str, Any]]:
    lines = [line.partition(": ") for line in text.replace("\r", "").splitlines()]
    data = "".join(value for name, _, value in lines if name == "data")
    kind = next((value for name, _, value in lines if name == "event"), "")
    return kind, msgspec.json.decode(data) if data else {}
