"""A configuration for Mosquitto 2, for those who run it in place of the embedded broker."""

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
