"""Wall clocks that are wrong, on devices and in the cloud: no press suffers, and nothing stale is shown as fresh."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.chaos.clocks import HOUR_S, jump
from tests.chaos.wall_clock import WallClock, build
from tests.programs import require_program

SEED = 11
_TELL = """
import time
from edge_agent.clock import SystemClock, kernel_synchronised
print(SystemClock().now().timestamp(), SystemClock().monotonic(), time.monotonic(), kernel_synchronised())
"""


def test_wrong_clocks_lose_no_press_and_refuse_none() -> None:
    """While wall clocks jump by hours and days, to 1970, and drift, each confirmed press is kept once and in order.

    No status is refused for its time, a device that falls silent is shown as late in time, and a cloud that starts
    again with its clock an hour behind is listened to.
    """
    figures = asyncio.run(jump(8, SEED, "mosquitto", agents=3))
    assert figures.verdict.holds, figures
    assert figures.verdict.confirmed >= 8, figures
    assert figures.detail["late_shown"] >= 1, figures
    assert figures.detail["of_the_cloud"] >= 1, figures


def test_a_wall_clock_is_set_for_one_process_alone(tmp_path: Path) -> None:
    """A process with a clock of its own sees the wall clock that it was given, and the machine's other clocks."""
    wall = WallClock(build(require_program("cc"), tmp_path), tmp_path / "clock")
    told = {ahead_s: _tell(wall, ahead_s) for ahead_s in (0.0, HOUR_S, -HOUR_S)}
    right_s = told[0.0][0]
    assert abs(told[HOUR_S][0] - right_s - HOUR_S) < 60
    assert abs(told[-HOUR_S][0] - right_s + HOUR_S) < 60
    for other in (1, 2):
        spread = [clocks[other] for clocks in told.values()]
        assert max(spread) - min(spread) < 60
    assert [clocks[3] for clocks in told.values()] == [0.0, 1.0, 1.0]


def _tell(wall: WallClock, ahead_s: float) -> tuple[float, ...]:
    """What a process says of its clocks; it passes for disciplined unless its clock is right."""
    wall.set(ahead_s, disciplined=ahead_s != 0)
    done = subprocess.run(
        [sys.executable, "-c", _TELL], env=wall.environment, capture_output=True, text=True, check=True
    )
    *times_s, disciplined = done.stdout.split()
    return (*map(float, times_s), float(disciplined == "True"))
