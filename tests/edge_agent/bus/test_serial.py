"""A serial line that several slaves share."""

from functools import partial

import pytest

from edge_agent.bus.slave import BACKOFF_FIRST_S, BACKOFF_MAX_S, FAILURES_MAX, Slave
from edge_agent.config.buses import BusSettings, SlaveEntry
from edge_agent.config.register_maps import MapHead, Point, RegisterMap
from tests.edge_agent.bus.plants import Bench, running, scene
from tests.edge_agent.bus.serial_line import SerialLine, a_serial_line, on_serial, truth

SHARED = RegisterMap(
    head=MapHead(name="plant", title="A slave on a shared line", reference="made up for the tests"),
    points=(
        Point(name="lamp", function="coil", address=0, writable=True),
        Point(name="door", function="coil", address=1, writable=True, pulse_ms=50),
        *(Point(name=f"horn{at}", function="coil", address=2 + at, writable=True) for at in range(8)),
        Point(name="level", function="holding_register", address=7, kind="uint16", writable=True),
    ),
)
OFF, ON = 0, 0xFF00


def shared(line: SerialLine, poll_ms: int = 50, timeout_ms: int = 500) -> BusSettings:
    """The settings of a line with two slaves. What answers does so within the timeout even on a busy machine."""
    return on_serial(line, 1, 2, timeout_ms=timeout_ms, poll_ms=poll_ms, quiet_ms=120)


def told_of(bench: Bench, slave: int) -> list[float]:
    """When each of a slave's answers was asked for."""
    name = f"s{slave}.level"
    return [values[name].read_s for values in bench.told if name in values and values[name].value is not None]


def test_each_slave_of_a_line_is_read_as_itself() -> None:
    """Two slaves with the same map on one line: each value is that of its own slave."""

    async def play() -> None:
        async with a_serial_line(lambda _slave: 0.0) as line, running(shared(line), maps={"plant": SHARED}) as bench:
            await bench.until(lambda: len(told_of(bench, 1)) > 4 and len(told_of(bench, 2)) > 4)
            assert (truth(1, 7), truth(2, 7)) == (bench["s1.level"].value, bench["s2.level"].value)
            assert frozenset() == bench.bus.silent

    scene(play)


def test_a_dead_slave_holds_a_shared_line_up_only_now_and_then() -> None:
    """Beside a dead slave the other's polls go on: the line is held up at its back-off's pace, not at each beat."""

    async def play() -> None:
        async with a_serial_line(lambda slave: 0.0 if slave == 1 else None) as line:
            async with running(shared(line, timeout_ms=60), maps={"plant": SHARED}) as bench:
                await bench.until(lambda: frozenset({"s2"}) == bench.bus.silent)
                first = len(told_of(bench, 1))
                await bench.until(lambda: len(told_of(bench, 1)) >= first + 40)
                asked = told_of(bench, 1)[first:]
                gaps = [b - a for a, b in zip(asked, asked[1:], strict=False)]
                assert sum(gap > 0.15 for gap in gaps) <= 5 + sum(gaps) / BACKOFF_FIRST_S  # a few for a busy machine
                assert {"s2": "s2 does not answer"} == bench.bus.faults

    scene(play)


def test_a_dozen_writes_to_a_dead_slave_do_not_block_its_line() -> None:
    """Of many writes to a silent slave the first is tried and the rest are given up at once: the other slave's goes."""

    async def play() -> None:
        async with a_serial_line(lambda slave: 0.0 if slave == 1 else None) as line:
            async with running(shared(line), maps={"plant": SHARED}) as bench:
                await bench.until(lambda: frozenset({"s2"}) == bench.bus.silent)
                before = len(line.writes)
                results = [await bench.bus.write(f"s2.horn{at}", True) for at in range(8)]
                assert ["no_device_response"] * 8 == results
                assert "done" == await bench.bus.write("s1.lamp", True)
                assert len([each for each in line.writes[before:] if each[0] == 2]) <= 1
                assert (1, 0, ON) == line.writes[-1]

    scene(play)


def test_a_write_goes_before_the_polls_that_wait() -> None:
    """On a line that is never idle a write is the very next thing that is sent."""

    async def play() -> None:
        async with (
            a_serial_line(lambda _slave: 0.02) as line,
            running(shared(line, 20), maps={"plant": SHARED}) as bench,
        ):
            await bench.until(lambda: len(told_of(bench, 2)) > 1)
            before = line.answered
            assert "done" == await bench.bus.write("s2.level", 5.0)
            assert line.answered - before <= 2

    scene(play)


def test_a_slave_that_was_dead_at_the_start_has_its_outputs_turned_off_when_it_comes() -> None:
    """The off that a pulsed output is owed since the start isn't forgotten while its slave is away."""
    alive: list[bool] = []

    async def play() -> None:
        async with a_serial_line(lambda slave: 0.0 if slave == 1 or alive else None) as line:
            async with running(shared(line), maps={"plant": SHARED}) as bench:
                await bench.until(lambda: frozenset({"s2"}) == bench.bus.silent)
                line.writes.clear()
                alive.append(True)
                await bench.until(lambda: not bench.bus.silent)
                await bench.until(lambda: (2, 1, OFF) in line.writes)

    scene(play)


def test_the_back_off_doubles_to_its_limit_and_is_spread_by_jitter() -> None:
    """After its second failure a slave is left alone for 1 s, then twice as long each time, to 30 s, less by jitter."""
    entry = SlaveEntry(name="s1", id=1, map="plant")
    for jitter, share in ((0.0, 1.0), (0.5, 0.75)):
        slave, now_s, waits = Slave(entry, SHARED, 0.0), 0.0, []
        for _ in range(FAILURES_MAX + 7):
            slave.fail(now_s, "does not answer", partial(float, jitter))
            waits.append(slave.due_s - now_s)
            now_s = slave.due_s
        assert [0.0, *(share * each for each in (1, 2, 4, 8, 16, 30, 30, 30))] == pytest.approx(waits)
    assert (1.0, 30.0) == (BACKOFF_FIRST_S, BACKOFF_MAX_S)


def test_a_port_that_is_not_there_is_a_fault_until_it_is() -> None:
    """A serial port that doesn't exist makes its slaves silent, and says which port; nothing ends."""

    async def play() -> None:
        async with a_serial_line(lambda _slave: 0.0) as line:
            gone = on_serial(line, 1, timeout_ms=60, poll_ms=50, quiet_ms=120)
            missing = BusSettings(
                name="wire", transport="rtu", path="/dev/does-not-exist", quiet_ms=120, timeout_ms=60, slave=gone.slave
            )
            async with running(missing, maps={"plant": SHARED}) as bench:
                await bench.until(lambda: bool(bench.bus.silent))
                assert {"s1": "s1 can't be reached: /dev/does-not-exist does not open"} == bench.bus.faults

    scene(play)
