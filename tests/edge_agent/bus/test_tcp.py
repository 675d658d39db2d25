"""Polling and writing over TCP, against a real Modbus server."""

import asyncio

import msgspec
import pytest
from pymodbus.constants import ExcCodes

from edge_agent.bus import Bus
from edge_agent.clock import SystemClock
from edge_agent.config.buses import SlaveEntry
from tests.edge_agent.bus.plants import a_host, a_plant, on_tcp, plant_map, running, scene
from tests.waiting import DEADLINE_S

SLOW_MS = 700
"""The time-out and the quiet of a dead slave: whoever waited for it would wait twice as long."""


def test_points_are_read_by_name_and_in_their_units() -> None:
    """Each poll tells every point of its slave: bits by their active level, numbers scaled, of one or two registers."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port)) as bench:
            await bench.until(lambda: bool(bench.told))
            values = {name: value.value for name, value in bench.told[0].items()}
            assert {
                "io1.lights": False,
                "io1.door": False,
                "io1.fail-safe": True,
                "io1.mains": True,
                "io1.open": True,
                "io1.level": 0.0,
                "io1.volume": 0.0,
                "io1.temperature": -12.5,
                "io1.power": 71.5,
            } == values
            assert {"good"} == {value.quality for value in bench.told[0].values()}
            assert (frozenset(), {}) == (bench.bus.silent, bench.bus.faults)

    scene(play)


def test_neighbours_share_a_request_and_polls_keep_to_the_grid() -> None:
    """A poll of nine points takes one request for each run of neighbours, and goes on at its pace, not faster."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port, poll_ms=100)) as bench:
            await bench.until(lambda: len(bench.told) >= 6)
            asked = [value for values in bench.told for name, value in values.items() if name == "io1.lights"]
            assert 6 * 6 <= len([code for code in plant.requests if code < 5]) <= 7 * 6
            assert 0.4 < asked[5].read_s - asked[0].read_s < 5.0

    scene(play)


def test_a_write_is_done_once_and_read_back_before_the_next_beat() -> None:
    """A coil and registers take what is written, exactly once, and the read-back comes at once, not with the grid."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port, poll_ms=30_000)) as bench:
            await bench.until(lambda: bool(bench.told))
            plant.writes.clear()
            assert ["done", "done", "done", "done"] == [
                await bench.bus.write("io1.lights", True),
                await bench.bus.write("io1.fail-safe", True),
                await bench.bus.write("io1.level", 12.3),
                await bench.bus.write("io1.volume", -1.5),
            ]
            await bench.reads("io1.volume", -1.5)
            assert [(0, True), (2, False), (0, 123), (2, 0xBFC0), (3, 0)] == plant.writes
            assert (True, True, 12.3) == tuple(
                bench[name].value if name != "io1.level" else round(bench[name].value or 0.0, 6)
                for name in ("io1.lights", "io1.fail-safe", "io1.level")
            )

    scene(play)


def test_what_cannot_be_written_is_refused_before_it_is_sent() -> None:
    """An unknown name, an input, a number for a bit and a number out of range are the caller's mistakes."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port)) as bench:
            for name in ("io1.none", "io1.mains"):
                with pytest.raises(KeyError):
                    await bench.bus.write(name, True)
            for name, value in (("io1.lights", 1.0), ("io1.level", True), ("io1.level", -1.0)):
                with pytest.raises(ValueError):
                    await bench.bus.write(name, value)
            with pytest.raises(ValueError):
                await bench.bus.pulse("io1.level", 1.0)

    scene(play)


def test_a_pulse_goes_on_once_and_off_again() -> None:
    """A pulsed output is turned off at the start; a pulse turns it on, and off after its length, without the caller."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port)) as bench:
            await bench.until(lambda: bool(bench.told))
            assert [(1, False)] == plant.writes
            assert "done" == await bench.bus.pulse("io1.door", 0.2)
            await bench.reads("io1.door", True)
            on_s = bench["io1.door"].read_s
            await bench.reads("io1.door", False)
            assert 0.1 < bench["io1.door"].read_s - on_s < 2.0
            assert [(1, False), (1, True), (1, False)] == plant.writes

    scene(play)


def test_an_off_that_is_refused_is_repeated_and_an_on_never_is() -> None:
    """While the slave is busy the end of a pulse is tried until it holds; a refused on is told and left alone."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port)) as bench:
            await bench.until(lambda: bool(bench.told))
            assert "done" == await bench.bus.pulse("io1.door", 0.05)
            plant.refuse = lambda code, address: ExcCodes.DEVICE_BUSY if (code, address) == (5, 1) else None
            await bench.until(lambda: plant.writes.count((1, False)) >= 3)
            assert "io1 refuses io1.door: exception 6, device busy" in bench.bus.faults["io1"]
            assert await plant.coils() == [False, True] + [False] * 6
            plant.refuse = lambda _code, _address: None
            await bench.reads("io1.door", False)
            assert [(1, True)] == [each for each in plant.writes if each[1]]
            await bench.until(lambda: not bench.bus.faults)

            plant.refuse = lambda code, address: ExcCodes.DEVICE_BUSY if (code, address) == (5, 1) else None
            plant.writes.clear()
            assert "device_refused" == await bench.bus.pulse("io1.door", 0.05)
            seen = len(bench.told)
            await bench.until(lambda: len(bench.told) > seen + 3)
            assert [(1, True)] == plant.writes

    scene(play)


def test_a_pulse_is_ended_when_the_agent_ends() -> None:
    """Whoever stops the agent within a pulse doesn't leave the output on."""

    async def play() -> None:
        async with a_plant() as plant:
            async with running(on_tcp("io1", plant.port)) as bench:
                assert "done" == await bench.bus.pulse("io1.door", 60.0)
                assert (await plant.coils())[1]
            assert not (await plant.coils())[1]
            assert "no_device_response" == await bench.bus.write("io1.lights", True)

    scene(play)


def test_an_exception_is_bad_and_never_a_number() -> None:
    """What a slave refuses to tell is bad, alone, and told as a fault; it isn't silent, and heals with its answer."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port)) as bench:
            await bench.until(lambda: bool(bench.told))
            plant.refuse = lambda code, _address: ExcCodes.DEVICE_BUSY if code == 4 else None
            await bench.reads("io1.temperature", None)
            assert ("bad", "bad", "good") == tuple(
                bench[f"io1.{name}"].quality for name in ("temperature", "power", "mains")
            )
            assert "io1 refuses input_register 0: exception 6, device busy" in bench.bus.faults["io1"]
            assert frozenset() == bench.bus.silent
            plant.refuse = lambda _code, _address: None
            await bench.reads("io1.temperature", -12.5)
            assert {} == bench.bus.faults

    scene(play)


def test_a_dead_slave_delays_no_other_and_is_told_once() -> None:
    """Beside a host that never answers, the other slave keeps its pace; the dead one is told bad exactly once."""

    async def play() -> None:
        async with a_plant() as plant, a_host(lambda _number, _request: None) as dead:
            slow = on_tcp("dead", dead, timeout_ms=SLOW_MS, quiet_ms=SLOW_MS)
            async with running(on_tcp("live", plant.port), slow) as bench:
                await bench.until(lambda: "dead" in bench.bus.silent)
                await bench.until(lambda: sum("live.mains" in each for each in bench.told) >= 30)
                asked = [each["live.mains"].read_s for each in bench.told if "live.mains" in each]
                assert max(b - a for a, b in zip(asked, asked[1:], strict=False)) < 1.5 * SLOW_MS / 1000
                about_dead = [each for each in bench.told if "dead.mains" in each]
                assert [(None, "bad")] * 9 == [(v.value, v.quality) for each in about_dead for v in each.values()]
                assert {"dead": "dead does not answer"} == bench.bus.faults
                assert "no_device_response" == await bench.bus.write("dead.lights", True)

    scene(play)


def test_a_dead_slave_delays_no_other_behind_the_same_host() -> None:
    """Slaves of one host have connections of their own: beside a deaf one the other keeps its pace."""

    async def play() -> None:
        async with a_host(lambda _number, request: _echo(request), deaf_to=2) as port:
            slaves = (SlaveEntry(name="live", id=1, map="plant"), SlaveEntry(name="dead", id=2, map="plant"))
            slow = on_tcp("hall", port, timeout_ms=SLOW_MS, quiet_ms=SLOW_MS)
            async with running(msgspec.structs.replace(slow, slave=slaves)) as bench:
                await bench.until(lambda: "dead" in bench.bus.silent)
                await bench.until(lambda: sum("live.mains" in each for each in bench.told) >= 40)
                asked = [each["live.mains"].read_s for each in bench.told if "live.mains" in each]
                assert max(b - a for a, b in zip(asked, asked[1:], strict=False)) < 1.5 * SLOW_MS / 1000

    scene(play)


def test_a_slave_that_comes_back_is_read_again() -> None:
    """A slave that went away is silent and bad; when it listens again it is polled, and what was owed is done."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port)) as bench:
            await bench.reads("io1.mains", True)
            await plant.stop()
            await bench.reads("io1.mains", None)
            assert frozenset({"io1"}) == bench.bus.silent
            assert f"io1 can't be reached: 127.0.0.1:{plant.port} does not open" == bench.bus.faults["io1"]
            assert "no_device_response" == await bench.bus.pulse("io1.door", 0.1)
            await plant.start()
            await bench.reads("io1.mains", True)
            assert (frozenset(), {}) == (bench.bus.silent, bench.bus.faults)

    scene(play)


def test_the_off_of_a_pulse_without_an_answer_is_owed() -> None:
    """Where no answer to the on came the output may be on: the on isn't repeated, the off comes with the slave."""
    written: list[tuple[int, int]] = []

    def reply(_number: int, request: bytes) -> bytes | None:
        if request[0] == 5:
            written.append((request[2], request[3]))
            return request if len(written) != 2 else None  # the off at the start, then the on without an answer
        return None if len(written) == 2 else _zeros(request)

    async def play() -> None:
        async with a_host(reply) as port, running(on_tcp("io1", port)) as bench:
            await bench.until(lambda: bool(bench.told))
            assert "no_device_response" == await bench.bus.pulse("io1.door", 0.1)
            await bench.until(lambda: len(written) >= 3)
            assert [(1, 0x00), (1, 0xFF), (1, 0x00)] == written

    scene(play)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        (1, b"\x01\x02\0\0"),
        (3, b"\x03\x04\0\0\0\0"),
        (4, b"\x04\x02\0\x07"),
        (1, b"\x02\x01\0"),
        (4, b"\x04"),
        (4, b"\x7f\x01\x02"),
    ],
    ids=["long bits", "long registers", "short", "of another function", "empty", "of no function"],
)
def test_an_answer_that_cannot_be_that_of_the_request_is_bad(code: int, wrong: bytes) -> None:
    """A wrong length, another function's answer, and garbage never become a value: the slave counts as silent."""

    def reply(_number: int, request: bytes) -> bytes | None:
        return wrong if request[0] == code else _echo(request)

    async def play() -> None:
        async with a_host(reply) as port, running(on_tcp("io1", port)) as bench:
            await bench.until(lambda: "io1" in bench.bus.silent)
            assert {(None, "bad")} == {(each.value, each.quality) for told in bench.told for each in told.values()}

    scene(play)


def test_an_echo_of_another_write_is_no_confirmation() -> None:
    """A write is confirmed by its own address and value alone."""

    def reply(_number: int, request: bytes) -> bytes | None:
        return bytes([5, 0, 7, 0xFF, 0]) if request[0] == 5 and request[2] == 0 else _echo(request)

    async def play() -> None:
        async with a_host(reply) as port, running(on_tcp("io1", port)) as bench:
            await bench.until(lambda: bool(bench.told))
            assert "no_device_response" == await bench.bus.write("io1.lights", True)

    scene(play)


def test_a_slave_behind_a_gateway_that_gives_it_up_is_silent() -> None:
    """A gateway's "no response" is the slave's silence, not its refusal."""

    async def play() -> None:
        async with (
            a_host(lambda _number, request: bytes([request[0] | 0x80, 11])) as port,
            running(on_tcp("io1", port)) as bench,
        ):
            await bench.until(lambda: "io1" in bench.bus.silent)
            assert {"io1": "io1 does not answer its gateway"} == bench.bus.faults
            assert "no_device_response" == await bench.bus.write("io1.lights", True)

    scene(play)


def test_one_lost_answer_is_no_silence() -> None:
    """A single answer that gets lost is asked for again at once, and nobody is told bad values."""
    lost = iter([False] * 7 + [True] + [False] * 1000)

    async def play() -> None:
        async with a_host(lambda _number, request: None if next(lost) else _echo(request)) as port:
            async with running(on_tcp("io1", port)) as bench:
                await bench.until(lambda: len(bench.told) >= 4)
                assert {"good"} == {value.quality for values in bench.told for value in values.values()}

    scene(play)


def test_a_caller_cancelled_before_its_turn_has_written_nothing() -> None:
    """A write that nobody waits for any more isn't sent late; the line doesn't notice the caller's going."""

    async def play() -> None:
        async with a_plant() as plant, running(on_tcp("io1", plant.port)) as bench:
            await bench.until(lambda: bool(bench.told))
            plant.writes.clear()
            first = asyncio.ensure_future(bench.bus.write("io1.lights", True))
            second = asyncio.ensure_future(bench.bus.write("io1.fail-safe", False))
            await asyncio.sleep(0)
            second.cancel()
            assert "done" == await first
            seen = len(bench.told)
            await bench.until(lambda: len(bench.told) > seen + 2)
            assert [(0, True)] == plant.writes

    scene(play)


@pytest.mark.parametrize("turns", range(10))
def test_a_bus_ends_in_whichever_turn_it_is_cancelled(turns: int) -> None:
    """A cancellation in the very turn of the loop in which an answer comes isn't lost."""

    async def play() -> None:
        tasks: list[asyncio.Task[None]] = []

        async def cancel_after() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            tasks[0].cancel()

        def reply(number: int, request: bytes) -> bytes:
            if number == 9:
                tasks.append(asyncio.ensure_future(cancel_after()))
            return _echo(request)

        async with a_host(reply) as port:
            bus = Bus((on_tcp("io1", port),), {"plant": plant_map()}, clock=SystemClock())
            tasks.append(asyncio.ensure_future(bus.run(lambda _values: None)))
            await asyncio.wait((tasks[0],), timeout=DEADLINE_S)
            assert tasks[0].cancelled()

    scene(play)


def _zeros(request: bytes) -> bytes:
    """A right answer to a read: all zeros."""
    count = int.from_bytes(request[3:5], "big")
    size = -(-count // 8) if request[0] <= 2 else 2 * count
    return bytes([request[0], size]) + bytes(size)


def _echo(request: bytes) -> bytes:
    """A right answer to anything."""
    return _zeros(request) if request[0] <= 4 else request[:5]
