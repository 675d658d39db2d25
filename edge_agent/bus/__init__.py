"""The Modbus lines of a station: points are polled, outputs are written, and a dead slave is told, once.

                 ┌─ Line (one owner task) ─ Client (pymodbus) ─── one slave on TCP
Bus ─ on_values ─┤
    ─ write      └─ Line (one owner task) ─ Client (pymodbus) ─── every slave of a serial line

Only a line's owner speaks on it, and it never gives a request up half-way: an answer that comes after its request was
given up would be taken for that of the next one. After any failure the line is closed, kept quiet for longer than the
slowest reply, flushed and opened anew.
"""

from edge_agent.bus.bus import Bus
from edge_agent.bus.line import WriteResult

__all__ = ["Bus", "WriteResult"]
