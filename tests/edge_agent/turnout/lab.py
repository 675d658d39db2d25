"""What the tests of the turnout share: commands, calls, rows, and a clock that jumps by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.clock import SystemClock
from edge_agent.station.words import Call, Journaled
from edge_agent.turnout import Journal
from wire.events import Outcome
from wire.messages import CalledUnit, Command

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)
BOOT = "00000000-0000-4000-8000-00000000b001"
ENGINE = CalledUnit(unit="engine-1", callsign="P12", service="fire")
CAR = CalledUnit(unit="car-1", callsign="D31", service="police")


class JumpingClock(SystemClock):
    """Both clocks stand where a test has put them, each by itself. Sleeping takes real time."""

    def __init__(self, mono_s: float = 1_000.0) -> None:
        """Start at noon."""
        self.mono_s, self.at = mono_s, AT

    def now(self) -> datetime:
        """Wall time."""
        return self.at

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return self.mono_s

    def skip(self, duration_s: float) -> None:
        """Let time pass, on both."""
        self.mono_s += duration_s
        self.at += timedelta(seconds=duration_s)


def order_id(number: int = 1) -> str:
    """The id of an order."""
    return f"00000000-0000-4000-8000-{number:012d}"


def call(number: int = 1, revision: int = 1, **changed: Any) -> Call:
    """A call of an engine that holds from 1,000 to 1,120 s."""
    made = Call(
        order=order_id(number),
        revision=revision,
        action="mobilise",
        units=(ENGINE,),
        received_s=1_000.0,
        expires_s=1_120.0,
    )
    return msgspec.structs.replace(made, **changed)


def row(step: str = "", outcome: Outcome = "accepted", number: int = 1, **changed: Any) -> Journaled:
    """A row of the journal; of the order as a whole, with its call."""
    revision = changed.pop("revision", 1)
    held = call(number, revision) if not step and outcome == "accepted" else None
    made = Journaled(order=order_id(number), revision=revision, step=step, outcome=outcome, call=held)
    return msgspec.structs.replace(made, **changed)


def command(number: int = 1, revision: int = 1, **changed: Any) -> Command:
    """A mobilisation that expires two minutes after the minting of its nonce."""
    made = Command(
        v=1,
        owner_term=1,
        order=order_id(number),
        revision=revision,
        action="mobilise",
        nonce="n1",
        expires_ms=120_000,
        issued_at=AT,
        units=[ENGINE],
        incident="I0417",
        address="1 High Street",
    )
    return msgspec.structs.replace(made, **changed)


def opened(folder: Path, clock: JumpingClock, boot_id: str = BOOT) -> Journal:
    """The journal in `folder`."""
    return Journal(folder, clock=clock, boot_id=boot_id)
