"""The command: what it answers, how it ends, and what it says while it runs."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import frozen, proxied
from tests.edge_agent.link.program import asked, running_program
from tests.edge_agent.outbox.conftest import mounted
from tests.ports import free_port
from tests.site import write_device
from tests.waiting import eventually

STOP_S = 3.0
"""A vehicle's power goes a few seconds after its ignition: the agent is to be gone by then."""
RECOVERY_S = 30.0
WRONG = """
[device]
id = "Not A Token"
organisation = "kfrs"
enrolment = "E1"
state_dir = "state"
colour = "red"
[link]
heartbeat_s = 90
[[unit]]
id = "u1"
scheme = "uk-fire"
"""


def device(folder: Path, broker: str = "mqtt://127.0.0.1:1883") -> Path:
    """A device's TOML in a folder."""
    write_device(folder, broker=broker)
    return folder / "device.toml"


def test_help_says_what_each_command_does_in_full() -> None:
    """No line of the overview is cut off, and both commands name their option and its default."""
    overview = asked("--help")
    assert overview.returncode == 0 and "..." not in overview.stdout.replace("[ARGS]...", "")
    for command in ("run", "check"):
        page = asked(command, "--help").stdout
        assert "--config" in page and "device.toml" in page and "EDGE__SECTION__KEY" in page


def test_check_tells_what_the_device_would_do(tmp_path: Path) -> None:
    """An engineer reads off who it is, where it reports, and what each button means; nothing is started."""
    found = asked("check", "--config", device(tmp_path))
    assert (found.returncode, found.stderr) == (0, "")
    for told in ("is in order", "veh-0001 of kfrs", "kfrs-14p1 (uk-fire-gd92)", "no positions", "4 Available at base"):
        assert told in found.stdout
    assert sorted(each.name for each in tmp_path.iterdir()) == ["device.toml"]


def test_the_example_of_a_station_is_in_order() -> None:
    """The two files that explain a station fit each other and the register map: whoever copies them can begin."""
    found = asked("check", "--config", Path(__file__).parents[2] / "docs" / "station-device.example.toml")
    assert found.returncode == 0 and "Stn 14 shared: 5 zones" in found.stdout


@pytest.mark.parametrize("command", ["run", "check"])
def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path, command: str) -> None:
    """Each wrong key on its own line, with what would be right; exit status 1, no traceback, nothing on stdout."""
    path = tmp_path / "device.toml"
    path.write_text(WRONG, encoding="utf-8")
    found = asked(command, "--config", path)
    assert (found.returncode, found.stdout) == (1, "")
    lines = found.stderr.splitlines()
    assert lines[0].startswith("edge-agent: ") and "Traceback" not in found.stderr
    assert {line.split(":")[0].strip() for line in lines[1:]} == {
        "device.id",
        "device.colour",
        "link.heartbeat_s",
        "unit[0].scheme",
    }
    assert all("expected" in line for line in lines[1:])


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """The commonest mistake of all."""
    found = asked("run", "--config", tmp_path / "nowhere.toml")
    assert found.returncode == 1 and len(found.stderr.splitlines()) == 1 and "nowhere.toml" in found.stderr


def test_a_state_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """Said before anything connects, with what to change."""
    with mounted(tmp_path / "disk", "size=64k,ro") as disk:
        found = asked("run", "--config", device(tmp_path / "device"), EDGE__DEVICE__STATE_DIR=str(disk / "state"))
    assert found.returncode == 1 and len(found.stderr.splitlines()) == 1
    assert "Read-only" in found.stderr and "device.state_dir" in found.stderr


def test_a_second_agent_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """One line and exit status 1; the first goes on undisturbed."""

    async def scenario() -> None:
        path = device(tmp_path, f"mqtt://127.0.0.1:{free_port()}")
        async with running_program(tmp_path) as first:
            await eventually(lambda: first.said("link_broke"), what="the first runs")
            second = await asyncio.to_thread(asked, "run", "--config", path)
            assert second.returncode == 1 and len(second.stderr.splitlines()) == 1
            assert "another agent is using" in second.stderr
            first.interrupt()
            assert await first.ended(STOP_S) == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(shared_nats: RunningBroker, tmp_path: Path, number: signal.Signals) -> None:
    """Exit status 0 within three seconds, and not a word more in the log."""

    async def scenario() -> None:
        device(tmp_path, shared_nats.url)
        async with running_program(tmp_path) as program:
            await eventually(lambda: program.said("link_up"), what="it runs")
            program.interrupt(number)
            assert await program.ended(STOP_S) == 0
        assert [line["event"] for line in program.log] == ["link_up"]

    asyncio.run(scenario())


def test_a_signal_ends_it_although_the_broker_is_frozen(broker: RunningBroker, tmp_path: Path) -> None:
    """The same while its last word goes nowhere."""

    async def scenario() -> None:
        device(tmp_path, broker.url)
        async with running_program(tmp_path) as program:
            await eventually(lambda: program.said("link_up"), what="it runs")
            with frozen(broker):
                program.interrupt()
                assert await program.ended(STOP_S) == 0

    asyncio.run(scenario())


def test_the_log_has_one_line_for_an_outage_and_one_for_its_end(shared_nats: RunningBroker, tmp_path: Path) -> None:
    """Every line on stderr is JSON: neither the MQTT library nor Python adds any of its own."""

    async def scenario() -> None:
        async with proxied(shared_nats) as (proxy, port):
            device(tmp_path, f"mqtt://127.0.0.1:{port}")
            async with running_program(tmp_path) as program:
                await eventually(lambda: program.said("link_up"), what="it runs")
                proxy.reset()
                await eventually(lambda: program.said("link_broke"), what="the outage")
                await eventually(lambda: program.said("link_up") == 2, what="its end", deadline_s=RECOVERY_S)
                program.interrupt()
                assert await program.ended(STOP_S) == 0
            assert [line["event"] for line in program.log] == ["link_up", "link_broke", "link_up"]

    asyncio.run(scenario())
