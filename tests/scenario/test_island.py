"""A station cut off from the world, on the virtual clock, as a person plays it: by the command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from simulator.mutants import ROOT, copy_source
from simulator.scenario.island import DRAINS_S, Island

SHORT_S, LONG_S = 35 * 60.0, 3 * 3600.0
"""`make proof` plays thirteen hours."""
PLAYED_S = 600.0
"""Far above what a cut takes on two busy cores."""
QUICK_S = 900.0


def play(cut_s: float, source: Path = ROOT) -> Island:
    """What the command says of a cut of so many seconds."""
    done = subprocess.run(
        [sys.executable, "-m", "simulator.scenario.island", "--cut-s", str(cut_s)],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=PLAYED_S,
        check=False,
    )
    assert done.stdout, done.stderr
    island = msgspec.json.decode(done.stdout.splitlines()[-1], type=Island)
    assert done.returncode == (1 if island.violations else 0)
    return island


@pytest.mark.parametrize(("cut_s", "turnouts", "deeds"), [(SHORT_S, 3, 25), (LONG_S, 6, 45)])
def test_a_station_goes_on_alone_and_control_then_knows_all_of_it(cut_s: float, turnouts: int, deeds: int) -> None:
    """Cut off, nothing at the station pauses; afterwards the ledger has what was done, once and at its own time."""
    island = play(cut_s)

    assert [] == island.violations
    assert cut_s < island.virtual_s
    assert island.turnouts >= turnouts and island.deeds >= deeds, "hardly anything was done: nothing was proved"
    assert island.reads >= 3.9 * cut_s
    assert island.drained_s <= DRAINS_S


@pytest.mark.parametrize(
    ("path", "old", "new", "seen"),
    [
        pytest.param(
            "edge_agent/glass/glass.py",
            "        units = [self._units[unit] for unit in form.units]\n",
            "        if not self._reach.standing().connected:\n"
            '            return Answer("there is no contact with control")\n'
            "        units = [self._units[unit] for unit in form.units]\n",
            "there is no contact with control",
            id="a turnout by hand asks for the WAN",
        ),
        pytest.param(
            "edge_agent/agent.py",
            "emit=self._emit)\n",
            "emit=self._emit)\n"
            "        if around is not None and around.lines is not None:\n"
            "            lines, read = around.lines, around.lines.run\n"
            "            lines.run = lambda on: read(lambda v: on(v) if self._link.connected else None)\n",
            "no_device_response",
            id="what the lines read counts in contact only",
        ),
        pytest.param(
            "cloud/fleet/clocks.py",
            "return Corrected(min(at, received.utc), True)",
            "return Corrected(received.utc, True)",
            "told as of",
            id="events are stored as of their receipt",
        ),
        pytest.param(
            "cloud/desk/intake.py",
            "units), row.corrected_at, now)",
            "units), now.utc, now)",
            "is shown as of",
            id="an order of a station's own begins when it is known",
        ),
    ],
)
def test_a_broken_copy_is_found_out(path: str, old: str, new: str, seen: str, tmp_path: Path) -> None:
    """Where the station hangs on the WAN, or the past is told as the present, the same scenario says so."""
    copy_source(ROOT, tmp_path)
    shutil.copytree(ROOT / "firmware_configs", tmp_path / "firmware_configs")
    text = (tmp_path / path).read_text(encoding="utf-8")
    assert 1 == text.count(old)
    (tmp_path / path).write_text(text.replace(old, new), encoding="utf-8")

    violations = play(QUICK_S, tmp_path).violations

    assert any(seen in one for one in violations), violations
