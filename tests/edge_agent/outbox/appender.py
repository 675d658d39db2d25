"""A program that is killed: appends to an outbox and prints each event that it was told is stored."""

import sys
from hashlib import sha256
from itertools import count
from pathlib import Path

from edge_agent.outbox import OutboxFile
from tests.edge_agent.outbox.lab import ENROLMENT, chain, place, press


def main(path: Path) -> None:
    """Append until killed; now and then settle away the older half of the track, and evict."""
    file = OutboxFile(path, ENROLMENT)
    print(f"opened {file.boot}", flush=True)
    for number in count():
        for one in file.append("status", [press(str(number))] * (1 + number % 3)):
            print(f"status {one.seq} {sha256(one.raw).hexdigest()}", flush=True)
        for one in file.append("track", [place()] * 5):
            print(f"track {one.seq} {sha256(one.raw).hexdigest()}", flush=True)
        batch = file.batch("track", 10)
        if number % 4 == 3 and batch is not None:
            file.settle("track", file.stream, batch.last, chain(batch.base_digest, batch.events))
            print(f"settled {batch.last}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
