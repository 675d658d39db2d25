"""The clock: chrony reads its settings, takes a receiver's time, and takes none from one that is years off."""

import re
from pathlib import Path

import pytest

from tests.firmware.clock_room import CONF, RECEIVER, WEEKS_1024_S, clock_problems, clock_room
from tests.firmware.system_files import BOARDS, laid_out, spoil
from tests.programs import require_namespaces

MAIN = f"{CONF}/chrony.conf"
POOL = f"{CONF}/sources.d/pool.sources"
YEAR_S = 365.25 * 86400
SEEDED = [
    pytest.param(MAIN, "makestep 0.1 3", "makestepp 0.1 3", "chrony.conf: line", id="an unknown directive"),
    pytest.param(MAIN, "maxchange 309657600 0 -1", "maxchange 309657600", "chrony.conf: line", id="too few values"),
    pytest.param(MAIN, "maxdrift 200", "maxdrift 2oo", "'2oo' is no number", id="no number"),
    pytest.param(RECEIVER, "refid PPS pps", "refid PPS ppps", "conf.d/receiver.conf: line", id="an unknown option"),
    pytest.param(MAIN, "/sources.d", "/source.d", "there is no /etc/chrony/source.d", id="a folder"),
    pytest.param(POOL, "maxsources 2", "maxsource 2", "sources.d/pool.sources: line", id="a source's option"),
]


@pytest.mark.parametrize("board", BOARDS)
def test_chrony_reads_every_setting(board: str, tmp_path: Path) -> None:
    """Chrony has no complaint about its settings and sources, which lie where it looks for them."""
    require_namespaces()

    assert clock_problems(laid_out(board, tmp_path)) == ()


@pytest.mark.parametrize(("file", "old", "new", "line"), SEEDED)
def test_what_chrony_refuses_is_told(file: str, old: str, new: str, line: str, tmp_path: Path) -> None:
    """A setting that would keep chrony from starting is told with its file and line."""
    require_namespaces()

    found = clock_problems(spoil(laid_out("vehicle-a", tmp_path), file, old, new))

    assert any(line in str(each) for each in found), found


def test_the_clock_is_set_by_receiver_and_pulse_at_the_start(tmp_path: Path) -> None:
    """A device whose RTC has failed, three years behind, takes the time of its receiver and would set its clock."""
    require_namespaces()

    with clock_room(laid_out("vehicle-a", tmp_path / "device"), tmp_path, off_s=3 * YEAR_S) as chrony:
        chrony.says("Selected source PPS")
        chrony.says("System clock wrong by 94672800.0")


def test_a_receiver_without_its_pulse_is_enough(tmp_path: Path) -> None:
    """A loose wire of the pulse costs accuracy, not the time."""
    require_namespaces()

    with clock_room(laid_out("vehicle-a", tmp_path / "device"), tmp_path, off_s=100.0, pulse=False) as chrony:
        chrony.says("Selected source GPS")
        chrony.says("System clock wrong by")


@pytest.mark.parametrize("off_s", [-WEEKS_1024_S, WEEKS_1024_S])
def test_a_receiver_that_is_years_off_does_not_move_the_clock(off_s: int, tmp_path: Path) -> None:
    """A receiver whose weeks have begun anew is ignored from the first reading on, and as often as it insists."""
    require_namespaces()

    with clock_room(laid_out("vehicle-a", tmp_path / "device"), tmp_path, off_s=off_s) as chrony:
        chrony.says("Selected source PPS")
        chrony.says("exceeds the allowed maximum of 309657600.000 seconds (ignored)")

        assert "System clock wrong" not in chrony.said()
        assert "step" not in chrony.said()


def test_without_the_limit_it_would(tmp_path: Path) -> None:
    """It is `maxchange` that keeps such a receiver out: the same room without it would set the clock by it."""
    require_namespaces()
    device = spoil(laid_out("vehicle-a", tmp_path / "device"), MAIN, "maxchange", "# maxchange")

    with clock_room(device, tmp_path, off_s=-WEEKS_1024_S) as chrony:
        chrony.says(f"System clock wrong by -{WEEKS_1024_S}.")


def test_a_source_that_goes_wrong_later_moves_the_clock_by_a_minute_a_day(tmp_path: Path) -> None:
    """After the start the clock is never set, and corrections and drift together stay below 61 s a day."""
    text = (laid_out("vehicle-a", tmp_path) / MAIN).read_text("utf-8")
    said = dict(re.findall(r"^(\w+) (.*)$", text, re.MULTILINE))

    assert said["makestep"] == "0.1 3"
    assert (float(said["maxslewrate"]) + float(said["maxdrift"])) * 1e-6 * 86400 < 61
    assert re.search(r"^rtcsync$", text, re.MULTILINE)
    assert said["driftfile"].startswith("/var/lib/chrony/")


def test_nothing_hides_the_memory_in_which_chrony_reads_the_time(tmp_path: Path) -> None:
    """Neither gpsd nor chrony is given shared memory of its own by a drop-in."""
    units = laid_out("vehicle-a", tmp_path) / "etc/systemd/system"
    for service in ("gpsd.service.d", "chrony.service.d"):
        for path in (units / service).glob("*.conf"):
            assert "PrivateIPC=yes" not in path.read_text("utf-8"), path
