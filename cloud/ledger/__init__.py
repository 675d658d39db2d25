"""The system of record: every event that was settled, how far each stream got, and what was refused or is gone.

Ledger.open(url) = opening.py (settings read back, damage refused, schema brought up) → Ledger (store.py)
commit → statements.py (rows as the driver wants them) + quarantine.py (its bounds), in one transaction
commit_alarm_log → alarms.py, and commit_orders → orders.py, each in one transaction of its own
commit_board, commit_decision, record_directory → memory.py: what was shown, decided and in force
board_lines, orders_given, drop_board → history.py: a long time read in pieces, and let go of
commit_reads, load_reads, reads_of, drop_reads → reads.py: which partner saw what
commit_cad, load_cad, cad_told, cad_said → cad.py: what command and control systems said, and were told
"""

from cloud.ledger.cad import CadCommit, CadHeld, CadSaid, CadTold, LoadedCad
from cloud.ledger.history import BoardLine
from cloud.ledger.quarantine import Bounds
from cloud.ledger.reads import LoadedReads, ReadBy, ReadCommit, ReadRow, Way
from cloud.ledger.rows import (
    AlarmLogRow,
    AssignmentRow,
    BoardRow,
    Commit,
    Counts,
    DecisionRow,
    DirectoryRow,
    EventRow,
    Gap,
    Head,
    Latest,
    Loaded,
    LoadedOrders,
    OrderCommit,
    OrderLogRow,
    OrderRow,
    Refused,
    Tail,
    Watermark,
)
from cloud.ledger.store import Ledger

__all__ = [
    "AlarmLogRow",
    "AssignmentRow",
    "BoardLine",
    "BoardRow",
    "Bounds",
    "CadCommit",
    "CadHeld",
    "CadSaid",
    "CadTold",
    "Commit",
    "Counts",
    "DecisionRow",
    "DirectoryRow",
    "EventRow",
    "Gap",
    "Head",
    "Latest",
    "Ledger",
    "Loaded",
    "LoadedCad",
    "LoadedOrders",
    "LoadedReads",
    "OrderCommit",
    "OrderLogRow",
    "OrderRow",
    "ReadBy",
    "ReadCommit",
    "ReadRow",
    "Refused",
    "Tail",
    "Watermark",
    "Way",
]
