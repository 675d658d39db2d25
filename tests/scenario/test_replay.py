"""The past on the virtual clock: the replayed board is the one that a client of the feed showed, as a person asks."""

import os
import subprocess
import sys

import msgspec

from simulator.mutants import ROOT
from simulator.scenario.past import Past

HOURS = 0.4
INSTANTS = 200
SEED = 2
PLAYED_S = 600.0
"""Far above what it takes on two busy cores."""


def test_a_replayed_board_is_the_one_that_was_shown() -> None:
    """At two hundred random moments, over restarts and replaced directories, replay is what was shown, to the age."""
    done = subprocess.run(
        [sys.executable, "-m", "simulator.scenario.past"]
        + ["--hours", str(HOURS), "--instants", str(INSTANTS), "--seed", str(SEED)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=PLAYED_S,
        check=False,
    )
    assert done.stdout, done.stderr
    past = msgspec.json.decode(done.stdout.splitlines()[-1], type=Past)

    assert [] == past.violations
    assert 0 == done.returncode
    assert INSTANTS == past.instants
    assert past.records > 2 * INSTANTS, "hardly anything was compared: nothing was proved"
    assert past.starts >= 2 and past.directories >= 1 and past.presses >= 10
    assert past.largest_age_s > 300, "nobody fell silent for longer than frames are looked for: nothing was proved"
