"""`watchroom up` and its directory: SIGHUP has it read at once, and never ends the process."""

import json
import signal
from pathlib import Path

from tests.cloud.process import STOP_S, running_watchroom
from tests.waiting import wait_until


def test_sighup_reads_the_directory(tmp_path: Path) -> None:
    """After a change and a SIGHUP the new directory is in force; it goes on running, and stops when asked with 0."""
    with running_watchroom(tmp_path) as watchroom:
        path = tmp_path / "directory" / "all.toml"
        path.write_text(path.read_text("utf-8").replace('name = "Stn 14"', 'name = "Stn 14 shared"'), "utf-8")
        watchroom.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "directory_reloaded" in watchroom.stderr, what="the new directory")
        watchroom.stop(signal.SIGTERM, STOP_S)
        lines = [json.loads(line) for line in watchroom.stderr.splitlines()]
        assert [1] == [line["units"] for line in lines if line["event"] == "directory_reloaded"]
