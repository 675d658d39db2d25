"""A configuration for Mosquitto 2, for those who run it in place of the embedded broker."""

from pathlib import Path

from cloud.broker.ports import HOST

PACKET_MAX_BYTES = 16_640
"""A message of the contract is at most 16 KiB; Mosquitto counts the whole packet, topic and header too."""


def loopback_configuration(*, port: int) -> str:
    """The text of a configuration for MQTT on loopback `port`, open to every program of this machine, keeping nothing.

    Nothing is persisted: devices hold what is not settled, and retained messages are published anew.
    """
    return f"""\
listener {port} {HOST}
allow_anonymous true
max_packet_size {PACKET_MAX_BYTES}
persistence false
log_dest stderr
log_type error
log_type warning
connection_messages false
"""


class MosquittoProgram:
    """How `mosquitto` is run and read."""

    name = "mosquitto"

    def __init__(self, executable: Path) -> None:
        """Use the program at `executable`."""
        self._executable = executable

    def prepare(self, store: Path, port: int) -> list[str]:
        """Write `mosquitto.conf` into `store`; the command that runs it."""
        path = store / "mosquitto.conf"
        path.write_text(loopback_configuration(port=port), encoding="utf-8")
        return [str(self._executable), "-c", str(path)]

    def complaint(self, store: Path) -> str:
        """The last line on stderr."""
        lines = (store / "mosquitto.stderr").read_text(encoding="utf-8").splitlines()
        return lines[-1] if lines else ""
