"""Orders as the feed would tell them: a shared station that turns out, and what goes wrong there."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from tests.browser.feed_source import now
from wire.feed import (
    CalledView,
    DeliveryView,
    OrderAlarm,
    OrderView,
    Phase,
    PhaseView,
    StepOutcome,
    StepView,
)

ORDER = "5b2e0c7e-8a55-4a7c-9d0e-0000000000%02d"
LADDER: tuple[tuple[Phase, float], ...] = (
    ("created", 0.0),
    ("sent", 0.04),
    ("delivered", 0.13),
    ("alerting", 0.31),
    ("confirmed", 0.62),
    ("acknowledged", 21.4),
    ("mobile", 74.0),
)
STEPS: tuple[tuple[str, int], ...] = (
    ("sounder:dorm-fire", 182),
    ("sounder:dorm-police", 195),
    ("lights:bay", 201),
    ("lights:corridor", 214),
    ("cooker:mess", 266),
    ("indicator:p141", 271),
    ("door:bay-1", 8420),
)


def step(name: str, outcome: StepOutcome = "done", *, reason: str = "", elapsed_ms: int | None = None) -> StepView:
    """A step at the station."""
    return StepView(device="stn14", step=name, outcome=outcome, reason=reason, elapsed_ms=elapsed_ms)


def alarm(code: str = "undelivered", *, cleared: bool = False, text: str = "", ago_s: float = 0.0) -> OrderAlarm:
    """An alarm in the words that the server has for it."""
    said = text or "The order has not reached Stn 14 shared: telephone the station"
    return OrderAlarm(code=code, text=said, at=now() - timedelta(seconds=ago_s), cleared=cleared)


def called(callsign: str, service: Literal["fire", "police", "ambulance"] = "fire", **times: datetime) -> CalledView:
    """A unit that is called."""
    return CalledView(unit=f"u-{callsign.lower()}", callsign=callsign, service=service, **times)


def order(number: int = 1, phase: Phase = "sent", *, ago_s: float = 12.0, **changed: object) -> OrderView:
    """An order that has come as far as `phase`, given so many seconds ago."""
    given = now() - timedelta(seconds=ago_s)
    names = [name for name, _ in LADDER]
    through = LADDER[: names.index(phase) + 1] if phase in names else LADDER[:2]
    plain = OrderView(
        order=ORDER % number,
        revision=1,
        kind="mobilise",
        phase=phase,
        base="stn14",
        base_name="Stn 14 shared",
        mode="live",
        priority="emergency",
        incident=f"I04{number:02}",
        address="23 High Street, Ashford",
        grid_reference="TR 010 427",
        text="",
        units=(called("P141"),),
        deliveries=(DeliveryView(device="stn14", phase=phase),),
        steps=(),
        phases=tuple(PhaseView(phase=name, at=given + timedelta(seconds=after_s)) for name, after_s in through),
        alarms=(),
        by="Maidstone",
        created_at=given,
        active=True,
        version=1,
    )
    return msgspec.structs.replace(plain, **changed)


def busy() -> tuple[OrderView, ...]:
    """What a control room may have in hand at once: one that nobody may know of, one that goes well, and others."""
    mobile = now() - timedelta(seconds=4)
    taken = now() - timedelta(seconds=52)
    return (
        order(
            17,
            "confirmed",
            ago_s=47,
            units=(called("P141"), called("P142"), called("A3141", "ambulance", acknowledged_at=mobile)),
            steps=tuple(step(name, elapsed_ms=ms) for name, ms in STEPS[:-1])
            + (step("door:bay-1", "started"), step("door:bay-2", "waiting")),
            text="Persons reported, smoke from first floor",
        ),
        order(
            18,
            "alerting",
            ago_s=9,
            address="M20 J9 coastbound, RTC",
            units=(called("KP21", "police"), called("KP22", "police")),
            steps=(
                step("sounder:dorm-police", elapsed_ms=188),
                step("lights:bay", "failed", reason="lights_fail", elapsed_ms=1004),
                step("door:bay-3", "refused", reason="in_maintenance"),
            ),
            alarms=(
                alarm("step_failed", text="Stn 14 shared: lights bay have not proved on: tell the station", ago_s=8),
            ),
        ),
        order(
            19,
            "sent",
            ago_s=26,
            base_name="Dover fire",
            address="Eastern Docks, berth 4",
            grid_reference="TR 339 419",
            units=(called("P411"), called("P412")),
            alarms=(alarm(text="The order has not reached Dover fire: telephone the station", ago_s=21),),
        ),
        order(
            16,
            "mobile",
            ago_s=126,
            base_name="Thanet ambulance",
            address="Ramsgate, Harbour Parade 2",
            units=(called("A2201", "ambulance", acknowledged_at=taken, mobile_at=taken),),
            steps=(step("sounder:mess", elapsed_ms=176), step("lights:garage", elapsed_ms=190)),
            alarms=(alarm("unacknowledged", text="A2201: no acknowledgement within 60 s", cleared=True, ago_s=66),),
        ),
    )
