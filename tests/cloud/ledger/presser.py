"""A process that commits presses as fast as it can and says, after each commit, which one is in."""

import sys
from pathlib import Path

from tests.cloud.ledger.samples import open_in, press


def main(folder: str) -> None:
    """Press until killed."""
    ledger = open_in(Path(folder))
    number = 0
    while True:
        number += 1
        ledger.commit(press(number, number - 1 or None))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
