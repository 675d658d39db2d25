"""Positions and sensor series: many, cheap each, and never on the read path of the board.

port.py is what an adapter promises (`Telemetry`), rows.py what goes through it, duck.py the default adapter.
`tests/cloud/telemetry/conformance.py` holds every adapter to the port.
"""

from cloud.telemetry.duck import DuckTelemetry
from cloud.telemetry.port import Telemetry
from cloud.telemetry.rows import InputRow, PositionRow

__all__ = ["DuckTelemetry", "InputRow", "PositionRow", "Telemetry"]
