"""A record taken apart: its essence, which changes when something happens, and its frame, which passes with time.

The essence is kept where it changed, a frame whenever the record was shown. Ages are not kept as numbers that grow but
by what they are the age of: the link, the position, the status, or a source that names its moment. An age that is none
of those keeps its moment in the essence: that costs a row each time, and is never wrong.

`restore(essence, frame, at)` gives the record as a client showed it at `at`: ages to the millisecond, `as_of` and the
moments of the link's and the position's sources too. Places are as exact as the frame keeps them; see `FrameRow`. The
cursor, which belongs to a connection, is 0.
"""

from typing import Literal

import msgspec

from cloud.memory.instants import EPOCH, decode_us, encode_us
from cloud.telemetry import FIXES, FrameRow
from wire.feed import Ages, FeedRecord, PositionView, Reason, SourceView

_Name = Literal["source", "status", "link", "position"]
Origin = _Name | int | None
"""What an age is the age of; a number for a moment of its own, in microseconds since 1970; None for no age."""
ROUNDED_US = 501
"""Ages are rounded to the millisecond: by so much, and no more, one may miss the moment that it counts from."""
_TURN_DD = 3_600
_NO_AGES = Ages()
_LIKELY: dict[str, tuple[_Name, ...]] = {
    "link": ("link", "source", "position", "status"),
    "position": ("position", "source", "link", "status"),
}
_ELSE: tuple[_Name, ...] = ("source", "status", "link", "position")


class Essence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a record doesn't pass with time, and what its ages are ages of."""

    record: FeedRecord
    """Without position, ages, `as_of` and cursor."""
    status_age: Origin = None
    place_age: Origin = None
    """Of the position's own age."""
    reason_ages: tuple[Origin, ...] = ()
    """Of each reason; shorter where the last ones have no age."""
    moving: tuple[int, ...] = ()
    """Places of the sources whose moment is that of the newest proof of the link, or of the position."""


class _Moments(msgspec.Struct, gc=False):
    """When each thing was that an age may be the age of, in microseconds; None for what there is not."""

    link: int | None
    position: int | None
    status: int | None

    def of(self, origin: Origin, source: SourceView | None = None) -> int | None:
        match origin:
            case "source":
                return None if source is None or source.at is None else encode_us(source.at)
            case "link":
                return self.link
            case "position":
                return self.position
            case "status":
                return self.status
            case moment:
                return moment


def take_apart(record: FeedRecord, shown_us: int) -> tuple[Essence, FrameRow]:
    """Take apart a record that was shown at a moment, in microseconds since 1970."""
    frame = make_frame(record, shown_us)
    moments = _moments(record, frame)
    sources = {one.source: one for one in record.sources}
    reason_ages = [_explain(one.age_s, sources.get(one.source), moments, shown_us) for one in record.reasons]
    while reason_ages and reason_ages[-1] is None:
        reason_ages.pop()
    moving = tuple(number for number, source in enumerate(record.sources) if _moves(source, moments))
    place = record.position
    essence = Essence(
        record=_strip(record, moving),
        status_age=_explain(record.ages.status_s, None, moments, shown_us),
        place_age=None if place is None else _explain(place.age_s, None, moments, shown_us, _LIKELY["position"]),
        reason_ages=tuple(reason_ages),
        moving=moving,
    )
    return essence, frame


def restore(essence: Essence, frame: FrameRow, at_us: int) -> FeedRecord:
    """Put a record together as it was shown at a moment that is not before the frame."""
    kept = essence.record
    moments = _moments(kept, frame)
    sources = kept.sources
    if essence.moving:
        sources = tuple(
            _at(source, moments) if number in essence.moving else source for number, source in enumerate(sources)
        )
    reasons = kept.reasons
    if essence.reason_ages:
        reasons = _aged(reasons, {one.source: one for one in sources}, essence.reason_ages, (moments, at_us))
    ages = Ages(
        link_s=_age_s(moments.link, at_us),
        status_s=_age_s(moments.of(essence.status_age), at_us),
        position_s=_age_s(moments.position, at_us),
    )
    return msgspec.structs.replace(
        kept,
        reasons=reasons,
        sources=sources,
        position=_place(frame, _age_s(moments.of(essence.place_age), at_us)),
        ages=ages,
        as_of=decode_us(frame.shown_us - frame.as_of_ms * 1000),
    )


def make_frame(record: FeedRecord, shown_us: int) -> FrameRow:
    """Make the frame of a record that was shown at a moment."""
    place, ages = record.position, record.ages
    as_of_ms = (shown_us - encode_us(record.as_of)) // 1000
    if place is None:
        return FrameRow(record.unit, shown_us, _whole(ages.link_s, 1000), _whole(ages.position_s, 1000), as_of_ms)
    heading = _whole(place.heading_deg, 10)
    position_ms = _whole(ages.position_s, 1000)
    gnss_ms = None if place.gnss_time is None else shown_us // 1000 - encode_us(place.gnss_time) // 1000
    return FrameRow(
        record.unit,
        shown_us,
        _whole(ages.link_s, 1000),
        position_ms,
        as_of_ms,
        FIXES.index(place.fix),
        _whole(place.lat, 10_000_000),
        _whole(place.lon, 10_000_000),
        None if heading is None else heading % _TURN_DD,
        _whole(place.speed_mps, 100),
        _whole(place.altitude_m, 1),
        _whole(place.accuracy_m, 10),
        None if gnss_ms is None else gnss_ms - (position_ms or 0),
    )


def _whole(value: float | None, steps: int) -> int | None:
    return None if value is None else round(value * steps)


def _real(value: int | None, steps: int) -> float | None:
    return None if value is None else value / steps


def _moments(record: FeedRecord, frame: FrameRow) -> _Moments:
    shown_us = frame.shown_us
    return _Moments(
        None if frame.link_ms is None else shown_us - frame.link_ms * 1000,
        None if frame.position_ms is None else shown_us - frame.position_ms * 1000,
        None if record.status is None else encode_us(record.status.since),
    )


def _explain(
    age_s: float | None,
    source: SourceView | None,
    moments: _Moments,
    shown_us: int,
    likely: tuple[_Name, ...] | None = None,
) -> Origin:
    """Tell what an age is the age of: the likeliest first, so that the answer is the same each time."""
    if age_s is None:
        return None
    moment = shown_us - round(age_s * 1000) * 1000
    for name in likely or _LIKELY.get("" if source is None else source.kind, _ELSE):
        found = moments.of(name, source)
        if found is not None and abs(found - moment) <= ROUNDED_US:
            return name
    return moment


def _moves(source: SourceView, moments: _Moments) -> bool:
    moment = _moment_of(source, moments)
    return moment is not None and source.at is not None and abs(encode_us(source.at) - moment) <= ROUNDED_US


def _moment_of(source: SourceView, moments: _Moments) -> int | None:
    return moments.link if source.kind == "link" else moments.position if source.kind == "position" else None


def _at(source: SourceView, moments: _Moments) -> SourceView:
    moment = _moment_of(source, moments)
    return source if moment is None else msgspec.structs.replace(source, at=decode_us(moment))


def _strip(record: FeedRecord, moving: tuple[int, ...]) -> FeedRecord:
    sources = record.sources
    if moving:
        sources = tuple(
            msgspec.structs.replace(source, at=None) if number in moving else source
            for number, source in enumerate(sources)
        )
    return msgspec.structs.replace(
        record,
        reasons=tuple(Reason(code=one.code, text=one.text, source=one.source) for one in record.reasons),
        sources=sources,
        position=None,
        ages=_NO_AGES,
        as_of=EPOCH,
        cursor=0,
    )


def _aged(
    reasons: tuple[Reason, ...],
    sources: dict[str, SourceView],
    origins: tuple[Origin, ...],
    known: tuple[_Moments, int],
) -> tuple[Reason, ...]:
    moments, at_us = known
    aged = (
        Reason(
            code=one.code,
            text=one.text,
            source=one.source,
            age_s=_age_s(moments.of(origin, sources.get(one.source)), at_us),
        )
        for one, origin in zip(reasons, origins, strict=False)
    )
    return (*aged, *reasons[len(origins) :])


def _age_s(moment_us: int | None, at_us: int) -> float | None:
    return None if moment_us is None else max(0, at_us - moment_us + 500) // 1000 / 1000


def _place(frame: FrameRow, age_s: float | None) -> PositionView | None:
    if frame.fix is None:
        return None
    gnss_ms = None
    if frame.gnss_ms is not None:
        gnss_ms = frame.shown_us // 1000 - (frame.position_ms or 0) - frame.gnss_ms
    return PositionView(
        fix=FIXES[frame.fix],
        lat=_real(frame.lat_e7, 10_000_000),
        lon=_real(frame.lon_e7, 10_000_000),
        heading_deg=_real(frame.heading_dd, 10),
        speed_mps=_real(frame.speed_cmps, 100),
        altitude_m=_real(frame.altitude_m, 1),
        accuracy_m=_real(frame.accuracy_dm, 10),
        age_s=age_s,
        gnss_time=None if gnss_ms is None else decode_us(gnss_ms * 1000),
    )
