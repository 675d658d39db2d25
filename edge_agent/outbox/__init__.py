"""Two durable queues, `status` and `track`, in one SQLite file. What is in here survives a power cut."""

from edge_agent.outbox.file import Batch, Depth, OutboxFile, SettleOutcome, Stored
from edge_agent.outbox.keeper import Held, OutboxKeeper, OutboxLimits, StorageFailed

__all__ = [
    "Batch",
    "Depth",
    "Held",
    "OutboxFile",
    "OutboxKeeper",
    "OutboxLimits",
    "SettleOutcome",
    "StorageFailed",
    "Stored",
]
