"""`python -m tests.firmware.receiver_memory OFF_S [UNIT]`: says what time it is as gpsd does, in memory that is shared.

Unit 0 is the message of a receiver that is OFF_S seconds off, UNIT its pulse, which is right to the microsecond but
does not say which second it is. The layout is that of NTP's shared memory driver (ntp.org, driver 28), mode 1.
"""

import asyncio
import ctypes
import sys

from edge_agent.clock import SystemClock

KEY = 0x4E545030
"""NTP0; the units follow."""
EVERY_S = 0.05
LATE_S = 0.2
"""How long a receiver's message takes down its line."""
_CREATE_FOR_OWNER = 0o1600


class Segment(ctypes.Structure):
    """One unit."""

    _fields_ = (
        ("mode", ctypes.c_int),
        ("count", ctypes.c_int),
        ("clock_s", ctypes.c_long),
        ("clock_us", ctypes.c_int),
        ("received_s", ctypes.c_long),
        ("received_us", ctypes.c_int),
        ("leap", ctypes.c_int),
        ("precision", ctypes.c_int),
        ("samples", ctypes.c_int),
        ("valid", ctypes.c_int),
        ("clock_ns", ctypes.c_uint),
        ("received_ns", ctypes.c_uint),
        ("spare", ctypes.c_int * 8),
    )

    def say(self, clock_s: float, received_s: float) -> None:
        """Say that it was `clock_s` when this machine's clock was at `received_s`."""
        self.mode, self.valid, self.precision = 1, 0, -20
        self.count += 1
        self.clock_s, self.clock_ns = int(clock_s), int(clock_s % 1 * 1e9)
        self.received_s, self.received_ns = int(received_s), int(received_s % 1 * 1e9)
        self.clock_us, self.received_us = self.clock_ns // 1000, self.received_ns // 1000
        self.count += 1
        self.valid = 1


def attach(unit: int) -> Segment:
    """The memory of a unit; it is made where there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    found = libc.shmget(KEY + unit, ctypes.sizeof(Segment), _CREATE_FOR_OWNER)
    address = libc.shmat(found, None, 0) if found >= 0 else None
    if address is None or address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), f"no shared memory for unit {unit}")
    return Segment.from_address(address)


async def speak(off_s: float, pulse: int | None) -> None:
    """Say the time until this is ended."""
    clock = SystemClock()
    message, second = attach(0), attach(pulse) if pulse is not None else None
    while True:
        now_s = clock.now().timestamp()
        message.say(now_s + off_s - LATE_S, now_s)
        if second is not None:
            second.say(now_s, now_s)
        await clock.sleep(EVERY_S)


if __name__ == "__main__":
    asyncio.run(speak(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
