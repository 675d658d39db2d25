"""What was shown, kept: each change of a record in the ledger's board log, and how it aged in frames beside telemetry.

essence.py takes a record apart into what stands and what passes, and puts it together again as at any later moment.
Feed ─▶ Recorder (recorder.py: groups, in order, on a thread of its own) ─▶ ledger's board log, then frames
replay(board log, frames, moment) (replay.py) ─▶ the board as it was shown then, ages included ─▶ Past (past.py) ─▶ API
"""

from cloud.memory.past import Past
from cloud.memory.recorder import Recorder
from cloud.memory.replay import Range, Replayed, known_range, replay
from cloud.memory.rows import Began
from cloud.memory.tidying import tidy_days

__all__ = ["Began", "Past", "Range", "Recorder", "Replayed", "known_range", "replay", "tidy_days"]
