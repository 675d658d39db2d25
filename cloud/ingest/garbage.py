"""How often the interpreter looks for garbage in cycles: seldom, for what ingest makes has none.

Every message leaves a few tuples that live until its commit. With the interpreter's own thresholds they make it walk
through everything that lives for good, units and heads and modules, every few thousand messages: 4 to 6 µs of a
message's 50 (measured). Messages, marks and rows are structs that it does not follow at all.
"""

import gc

THRESHOLDS = (10_000, 20, 20)
"""The defaults are (700, 10, 10). With these everything is walked through once in some millions of messages."""


def collect_seldom() -> None:
    """Set the thresholds, for the whole process that ingest runs in."""
    gc.set_threshold(*THRESHOLDS)
