"""Alarms as the feed would tell them: emergencies, and what is wrong at stations."""

from datetime import timedelta

import msgspec

from tests.browser.feed_source import now
from wire.feed import AlarmView

LATE = "; raised 12 min before control heard of it"


def emergency(number: int = 1, callsign: str = "P141", *, ago_s: float = 7.0, **changed: object) -> AlarmView:
    """The emergency of a unit, which nobody has in hand."""
    plain = AlarmView(
        alarm=f"veh-{number}.s-1.{number}",
        kind="emergency",
        name="emergency",
        unit=f"u-{number}",
        callsign=callsign,
        base="stn14",
        base_name="Stn 14 shared",
        device=f"veh-{number}",
        part="",
        text=f"Emergency: {callsign}",
        mode="live",
        raised_at=now() - timedelta(seconds=ago_s),
        proven=True,
        active=True,
    )
    return msgspec.structs.replace(plain, **changed)


def at_station(
    number: int = 1, text: str = "the mains have failed", *, ago_s: float = 95.0, **changed: object
) -> AlarmView:
    """An alarm of a station, which nobody has in hand."""
    plain = AlarmView(
        alarm=f"stn14.s-1.{number}",
        kind="station",
        name="mains_failed",
        unit=None,
        callsign="",
        base="stn14",
        base_name="Stn 14 shared",
        device="stn14",
        part="",
        text=f"Stn 14 shared: {text}",
        mode="live",
        raised_at=now() - timedelta(seconds=ago_s),
        proven=True,
        active=True,
    )
    return msgspec.structs.replace(plain, **changed)


def asks(number: int = 1, callsign: str = "P141", *, ago_s: float = 30.0, **changed: object) -> AlarmView:
    """A unit that asks to speak; urgently, where its `name` says so."""
    plain = AlarmView(
        alarm=f"veh-{number}.s-2.{number}",
        kind="speech",
        name="speech_request",
        unit=f"u-{number}",
        callsign=callsign,
        base="stn14",
        base_name="Stn 14 shared",
        device=f"veh-{number}",
        part="",
        text=f"{callsign} asks to speak",
        mode="live",
        raised_at=now() - timedelta(seconds=ago_s),
        proven=True,
        active=True,
    )
    return msgspec.structs.replace(plain, **changed)


def urgently(number: int = 1, callsign: str = "P141", *, ago_s: float = 30.0, **changed: object) -> AlarmView:
    """A unit that asks urgently to speak."""
    text = f"{callsign} asks to speak, urgently"
    return asks(number, callsign, ago_s=ago_s, **{"name": "urgent_speech_request", "text": text} | changed)


def silent_together(**changed: object) -> AlarmView:
    """Many units fell silent within a minute."""
    words = {"alarm": "path.20261122T140211Z", "kind": "path", "name": "path_failed", "base": None, "base_name": ""}
    text = (
        "24 units fell silent together (40% of those that were heard): suspect the network or the broker, not the crews"
    )
    return msgspec.structs.replace(at_station(), **words | {"device": "", "text": text} | changed)


def bad_night() -> tuple[AlarmView, ...]:
    """Three emergencies, one of them late and by a device in test mode, requests to speak, and alarms of stations."""
    return (
        emergency(
            42,
            "A1103",
            ago_s=754,
            mode="test",
            base_name="Paddock Wood make ready",
            text=f"Emergency: A1103 (its device is in test mode){LATE}",
        ),
        emergency(0, "P141", escalation=2),
        emergency(7, "KP21", acknowledged_by="Op 7", acknowledged_at=now() - timedelta(seconds=20)),
        urgently(5, "KP22"),
        asks(9, "A3141"),
        asks(11, "ALP14", mode="test"),
        at_station(1, "the mains have failed"),
        at_station(2, "a bay door was left open (bay-2)", name="bay_left_open", part="bay-2", ago_s=340),
        at_station(
            3,
            "an input raises an alarm (gas-detector)",
            name="input_alarm",
            part="gas-detector",
            ago_s=1900,
            acknowledged_by="Maidstone",
            acknowledged_at=now() - timedelta(seconds=1800),
        ),
    )
