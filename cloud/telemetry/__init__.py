"""Positions and sensor series: many, cheap each, and never on the read path of the board.

port.py is what an adapter promises (`Telemetry`), rows.py what goes through it, duck.py the default adapter, influx.py
the one for InfluxDB, which only whoever asks for it imports: its client is slow to load. frames.py is the same for what
the board showed (`Frames`), and duckframes.py its adapter. `tests/cloud/telemetry/conformance.py` holds every adapter
to the port.
"""

from cloud.telemetry.duck import DuckTelemetry
from cloud.telemetry.duckframes import DuckFrames
from cloud.telemetry.frames import FIXES, KEY_US, FrameRow, Frames, Span
from cloud.telemetry.port import Telemetry
from cloud.telemetry.rows import InputRow, Owned, PositionRow

__all__ = [
    "FIXES",
    "KEY_US",
    "DuckFrames",
    "DuckTelemetry",
    "FrameRow",
    "Frames",
    "InputRow",
    "Owned",
    "PositionRow",
    "Span",
    "Telemetry",
]
