"""The system of record: every event that was settled, how far each stream got, and what was refused or is gone.

Ledger.open(url) = opening.py (settings read back, damage refused, schema brought up) → Ledger (store.py)
commit → statements.py (rows as the driver wants them) + quarantine.py (its bounds), in one transaction
"""

from cloud.ledger.quarantine import Bounds
from cloud.ledger.rows import Commit, Counts, EventRow, Gap, Head, Loaded, Refused, Tail, Watermark
from cloud.ledger.store import Ledger

__all__ = [
    "Bounds",
    "Commit",
    "Counts",
    "EventRow",
    "Gap",
    "Head",
    "Ledger",
    "Loaded",
    "Refused",
    "Tail",
    "Watermark",
]
