"""The simulated plant: its physics by hand-set time, and its modules by a real Modbus client."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.exceptions import ModbusIOException

from edge_agent.clock import SystemClock
from simulator.plant import Parts, Plant, Sounder
from simulator.plant.plant import FEEDBACK_S, PRESS_S
from tests.simulator.plant_lab import ALERT, BAYS, PARTS, TRAVEL_S, pty_pair, rtu_client, tcp_client
from tests.waiting import eventually

COIL, OPEN, CLOSED = "bays.do0", "bays.di0", "bays.di1"


class YardClock(SystemClock):
    """A clock that stands still until a test moves it."""

    mono_s = 1_000.0

    def monotonic(self) -> float:
        """How far it has been moved, in seconds."""
        return self.mono_s


class Yard:
    """A plant under a clock that a test moves."""

    def __init__(self) -> None:
        """A plant at rest."""
        self.clock = YardClock()
        self.plant = Plant(PARTS, clock=self.clock)

    def switch(self, point: str, value: int, then_s: float = FEEDBACK_S) -> None:
        """Drive an output, and let some time pass."""
        self.plant.write(point, value)
        self.wait(then_s)

    def wait(self, duration_s: float) -> None:
        """Let time pass."""
        self.clock.mono_s += duration_s + 1e-6

    def pulse(self) -> None:
        """Drive the door's coil as an agent does, and wait until it had time to open."""
        self.switch(COIL, 1, TRAVEL_S / 2)
        self.switch(COIL, 0, TRAVEL_S)


@pytest.fixture
def yard() -> Yard:
    """A plant at rest under a hand-set clock."""
    return Yard()


def test_a_door_opens_on_a_pulse_and_takes_its_time(yard: Yard) -> None:
    """Both limit switches are open on the way, and the upper one is made exactly at the end of the travel."""
    begun_s = yard.clock.monotonic()
    yard.switch(COIL, 1, TRAVEL_S / 2)
    assert (yard.plant.read(OPEN), yard.plant.read(CLOSED)) == (0, 0)
    yard.switch(COIL, 0, TRAVEL_S)
    assert (yard.plant.read(OPEN), yard.plant.read(CLOSED)) == (1, 0)
    opened = next(change for change in yard.plant.changes if change.point == OPEN)
    assert opened.at_s == pytest.approx(begun_s + TRAVEL_S)


def test_every_rising_edge_of_a_door_is_counted(yard: Yard) -> None:
    """A second pulse is seen even where it moves nothing, and a coil that is written on twice is one edge."""
    yard.pulse()
    assert yard.plant.door_pulses == {"bay-1": 1}
    yard.switch(COIL, 1)
    yard.switch(COIL, 1)
    assert yard.plant.door_pulses == {"bay-1": 2}
    assert yard.plant.is_open("bay-1")


@pytest.mark.parametrize("fault", ["break_door", "obstruct_door", "maintain_door"])
def test_a_door_that_cannot_move_stays_closed(yard: Yard, fault: str) -> None:
    """Broken, obstructed or locked, it shows itself closed after the pulse."""
    getattr(yard.plant, fault)("bay-1")
    yard.pulse()
    assert (yard.plant.read(OPEN), yard.plant.read(CLOSED)) == (0, 1)
    assert yard.plant.door_pulses == {"bay-1": 1}


def test_a_door_needs_power(yard: Yard) -> None:
    """Without mains it does not move; on the generator it does."""
    yard.plant.fail_mains()
    yard.pulse()
    assert not yard.plant.is_open("bay-1")
    yard.plant.fail_mains(on_generator=True)
    yard.pulse()
    assert yard.plant.is_open("bay-1")


def test_a_door_breaks_on_its_way_and_stands(yard: Yard) -> None:
    """One that breaks half way shows neither limit switch."""
    yard.switch(COIL, 1, TRAVEL_S / 2)
    yard.plant.break_door("bay-1")
    yard.wait(TRAVEL_S)
    assert (yard.plant.read(OPEN), yard.plant.read(CLOSED)) == (0, 0)


def test_a_door_is_closed_by_hand_and_opens_again(yard: Yard) -> None:
    """A door that was closed by hand opens on the next pulse, also half way down."""
    yard.pulse()
    yard.plant.close_door("bay-1")
    yard.wait(TRAVEL_S / 2)
    assert (yard.plant.read(OPEN), yard.plant.read(CLOSED)) == (0, 0)
    yard.pulse()
    assert (yard.plant.read(OPEN), yard.plant.read(CLOSED)) == (1, 0)


def test_sounders_and_lights_are_proved_until_they_break(yard: Yard) -> None:
    """The proof follows the coil; a part that broke while on drops its proof, and a new lamp brings it back."""
    yard.switch("alert.do0", 1)
    yard.switch("alert.do1", 1)
    assert (yard.plant.read("alert.di0"), yard.plant.read("alert.di1")) == (1, 1)
    yard.plant.break_lights("fire")
    yard.plant.break_sounders("fire")
    yard.wait(FEEDBACK_S)
    assert (yard.plant.read("alert.di0"), yard.plant.read("alert.di1")) == (0, 0)
    yard.plant.break_lights("fire", False)
    yard.wait(FEEDBACK_S)
    assert (yard.plant.read("alert.di0"), yard.plant.read("alert.di1")) == (0, 1)


def test_lights_go_with_the_mains_and_come_back_with_it(yard: Yard) -> None:
    """Without mains a light shows dark though its coil is on; sounders have a battery."""
    yard.switch("alert.do0", 1)
    yard.switch("alert.do1", 1)
    yard.plant.fail_mains()
    yard.wait(FEEDBACK_S)
    seen = [yard.plant.read(point) for point in ("bays.di20", "bays.di21", "alert.do1", "alert.di1", "alert.di0")]
    assert seen == [1, 0, 1, 0, 1]
    yard.plant.restore_mains()
    yard.wait(FEEDBACK_S)
    assert (yard.plant.read("bays.di20"), yard.plant.read("alert.di1")) == (0, 1)


def test_a_cooker_stays_off_until_it_is_reset_on_the_spot(yard: Yard) -> None:
    """Letting the coil go brings no cooker back; the button does, once the coil is let go, in either order."""
    yard.switch("alert.do3", 1)
    assert not yard.plant.is_cooking("mess")
    yard.switch("alert.do3", 0, 100.0)
    assert not yard.plant.is_cooking("mess")
    yard.plant.reset_cookers()
    yard.wait(FEEDBACK_S)
    assert yard.plant.is_cooking("mess")
    yard.switch("alert.do3", 1)
    yard.plant.reset_cookers()
    yard.wait(FEEDBACK_S)
    assert not yard.plant.is_cooking("mess")
    yard.switch("alert.do3", 0)
    assert yard.plant.is_cooking("mess")


def test_buttons_are_let_go(yard: Yard) -> None:
    """The acknowledge button shows for as long as a finger stays, and presence until it is taken back."""
    yard.plant.press_acknowledge()
    yard.plant.set_presence(True)
    assert (yard.plant.read("bays.di22"), yard.plant.read("bays.di23")) == (1, 1)
    yard.wait(PRESS_S)
    assert (yard.plant.read("bays.di22"), yard.plant.read("bays.di23")) == (0, 1)


def test_a_module_that_loses_its_power_drops_its_outputs(yard: Yard) -> None:
    """After a power cycle every coil of that module is off and so are its proofs; the other module goes on."""
    yard.switch("alert.do0", 1)
    yard.switch("bays.do31", 1)
    yard.plant.drop_outputs("alert")
    yard.wait(FEEDBACK_S)
    assert [yard.plant.read(point) for point in ("alert.do0", "alert.di0", "bays.do31", "bays.di31")] == [0, 0, 1, 1]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["alert.do0", "alert.do1", "alert.do3", "bays.do0"]), st.booleans(), st.floats(0, 0.5)
        )
    )
)
def test_the_record_says_what_happened(acts: list[tuple[str, bool, float]]) -> None:
    """Played back, the changes give the points as they stand, in the order of time, and every edge is counted once."""
    yard = Yard()
    for point, value, then_s in acts:
        yard.switch(point, int(value), then_s)
    changes = yard.plant.changes
    assert [change.at_s for change in changes] == sorted(change.at_s for change in changes)
    played = {change.point: change.value for change in changes}
    assert all(yard.plant.read(point) == value for point, value in played.items())
    assert yard.plant.door_pulses["bay-1"] == sum(change.point == COIL and change.value == 1 for change in changes)


@pytest.mark.parametrize(("output", "proof"), [("io.do32", "io.di0"), ("of.do0", "io.di0"), ("io.do1", "io.do1")])
def test_a_wrong_wire_is_refused(output: str, proof: str) -> None:
    """A point that no module has, and one that is wired twice, are mistakes that a plant does not start with."""
    sounder = Sounder(id="x", zone="x", output=output, proof=proof)
    with pytest.raises(ValueError, match=r"on no module|wired twice"):
        Parts(slaves=(("io", 1),), sounders=(sounder,))


def test_it_answers_a_real_client() -> None:
    """Over TCP a client drives coils and registers, and reads back what the plant made of it, on both modules."""

    async def main() -> None:
        plant = Plant(PARTS, clock=SystemClock())
        async with plant.serve_tcp() as port, tcp_client(port) as client:
            await client.write_coil(0, True, device_id=ALERT)
            await client.write_registers(0, [60, 2], device_id=ALERT)
            await client.write_coil(0, True, device_id=BAYS)
            await client.write_coil(31, True, device_id=BAYS)
            await eventually(lambda: plant.is_open("bay-1"), what="an open door")
            coils = await client.read_coils(0, count=32, device_id=BAYS)
            assert [place for place, on in enumerate(coils.bits) if on] == [0, 31]
            inputs = await client.read_discrete_inputs(0, count=32, device_id=BAYS)
            assert [place for place, on in enumerate(inputs.bits) if on] == [0, 31]
            proofs = await client.read_discrete_inputs(0, count=8, device_id=ALERT)
            assert proofs.bits[:2] == [True, False]
            assert (await client.read_holding_registers(0, count=8, device_id=ALERT)).registers == [60, 2, *[0] * 6]
            assert (await client.read_input_registers(0, count=8, device_id=ALERT)).registers == [0] * 8
            assert (await client.read_coils(0, count=33, device_id=ALERT)).isError()
        assert plant.door_pulses == {"bay-1": 1}

    asyncio.run(main())


def test_a_silent_module_hears_and_says_nothing() -> None:
    """A write to a silent module moves nothing and times out; the other module answers; back again, it answers too."""

    async def main() -> None:
        plant = Plant(PARTS, clock=SystemClock())
        async with plant.serve_tcp() as port, tcp_client(port) as client:
            plant.go_silent("bays")
            with pytest.raises(ModbusIOException):
                await client.write_coil(0, True, device_id=BAYS)
            assert not (await client.read_coils(0, count=8, device_id=ALERT)).isError()
            assert plant.door_pulses == {"bay-1": 0}
            plant.come_back()
            assert not (await client.write_coil(0, True, device_id=BAYS)).isError()
            assert plant.door_pulses == {"bay-1": 1}

    asyncio.run(main())


def test_it_serves_a_serial_line(tmp_path: Path) -> None:
    """Over a pair of pseudo-terminals the same plant answers RTU, both modules on one line."""

    async def main() -> None:
        plant = Plant(PARTS, clock=SystemClock())
        async with pty_pair(tmp_path) as (near, far), plant.serve_rtu(str(far)), rtu_client(near) as client:
            assert not (await client.write_coil(0, True, device_id=BAYS)).isError()
            await eventually(lambda: plant.is_open("bay-1"), what="an open door")
            assert (await client.read_discrete_inputs(0, count=2, device_id=BAYS)).bits[:2] == [True, False]
            assert (await client.read_discrete_inputs(0, count=2, device_id=ALERT)).bits[:2] == [False, False]

    asyncio.run(main())


def test_a_taken_port_is_an_error() -> None:
    """Serving on a port that somebody else has raises OSError."""

    async def main() -> None:
        first, second = Plant(PARTS, clock=SystemClock()), Plant(PARTS, clock=SystemClock())
        async with first.serve_tcp() as port:
            with pytest.raises(OSError, match=str(port)):
                async with second.serve_tcp(port):
                    pass

    asyncio.run(main())
