"""What `append` returned is on disk, whenever the process is killed."""

import random
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from edge_agent.outbox import OutboxFile
from tests.edge_agent.outbox import appender
from tests.edge_agent.outbox.lab import ENROLMENT, genesis, rows
from wire.events import Queue

KILLS = 32
SEED = 20261103
LINES_MAX = 60
REPOSITORY = Path(__file__).parents[3]


def killed_after(path: Path, lines: int) -> list[str]:
    """What the appender printed until it was killed, some moment after its `lines`th line."""
    program = [sys.executable, "-m", appender.__name__, str(path)]
    with subprocess.Popen(program, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        printed = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        printed += child.stdout.readlines()
    return [line.rstrip("\n") for line in printed if line.endswith("\n")]


def hashes(file: OutboxFile, queue: Queue) -> dict[int, str]:
    """The hash of every event that a file holds."""
    return {seq: sha256(event).hexdigest() for seq, event in rows(file, queue).items()}


def test_nothing_that_was_said_to_be_stored_is_missing_after_a_kill(tmp_path: Path) -> None:
    """Killed 32 times at random moments, the file opens, holds every event it acknowledged, and its chain is whole."""
    moments = random.Random(SEED)
    path = tmp_path / "outbox.db"
    acknowledged: dict[Queue, dict[int, str]] = {"status": {}, "track": {}}
    settled = 0
    for kill in range(1, KILLS + 1):
        for line in killed_after(path, moments.randrange(LINES_MAX)):
            match line.split():
                case ["status", seq, digest]:
                    acknowledged["status"][int(seq)] = digest
                case ["track", seq, digest]:
                    acknowledged["track"][int(seq)] = digest
                case ["settled", through]:
                    settled = int(through)
        file = OutboxFile(path, ENROLMENT)
        found = hashes(file, "track")
        assert acknowledged["status"].items() <= hashes(file, "status").items(), f"kill {kill} of seed {SEED}"
        expected = {seq: digest for seq, digest in acknowledged["track"].items() if seq >= min(found, default=0)}
        assert expected.items() <= found.items() and min(found, default=settled + 1) <= settled + 11
        file.close()
    assert len(acknowledged["status"]) > KILLS and settled > 0


def test_a_first_start_that_is_killed_leaves_a_file_that_opens(tmp_path: Path) -> None:
    """Killed as early as can be, the next start finds an outbox or makes one."""
    for attempt in range(4):
        path = tmp_path / f"{attempt}.db"
        killed_after(path, attempt % 2)
        file = OutboxFile(path, ENROLMENT)
        assert genesis(file.stream, "status") == file._ends("status").base
        file.close()
