"""Everything that the product promises about presses, put to the proof: `python -m tests.chaos.proof`.

Runs each lab and the simulation as a process of its own, shows how far they are, and writes `docs/proof.md`. Ends with
1 where anything does not hold, or could not be tried.
"""

import argparse
import importlib
import importlib.util
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog

from cloud.clock import SystemClock
from tests.chaos.kills import KILLS_A_QUOTA, PHASES
from tests.chaos.machine import ROOT, read_commit, read_machine
from tests.chaos.pace import readable
from tests.chaos.page import Alone, Part, Remembered, Report, Shared, Simulated, render
from tests.chaos.verdict import Figures

LABS = ("kills", "cuts", "disks", "network", "clocks", "freezes", "mobilisations", "islands")
SIMULATION = "simulation"
MEMORY = "memory"
ISLAND = "island"
SHARING = "sharing"
PAGE = "docs/proof.md"
QUICK = {
    "kills": 60,
    "cuts": 20,
    "mobilisations": 20,
    "others": 5,
    "seeds": 100,
    "hours": 1.0,
    "cut_hours": 1.0,
    "worlds": 200,
}
_clock = SystemClock()

Say = Callable[[str], None]


class Ran(msgspec.Struct, frozen=True):
    """What became of a process: its exit code, the last lines that it said, and how long it took."""

    code: int
    lines: Sequence[str]
    seconds: float

    @property
    def last_words(self) -> str:
        """The last line that says anything; a traceback may end with a frame of dashes."""
        spoken = [line.strip(" |+-") for line in self.lines]
        return next((line for line in reversed(spoken) if line), "it said nothing")

    def answer(self) -> dict[str, Any]:
        """The JSON object on its last line; empty where there is none."""
        try:
            found = msgspec.json.decode(self.lines[-1].encode()) if self.lines else {}
        except msgspec.DecodeError:
            return {}
        return found if isinstance(found, dict) else {}


def run(command: Sequence[str], say: Say) -> Ran:
    """Run a module of this tree until it ends, handing on what it says."""
    started_s = _clock.monotonic()
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-u", "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines = [*lines[-40:], line.rstrip()]
            say(line.rstrip())
    return Ran(process.returncode, lines, _clock.monotonic() - started_s)


def run_lab(name: str, count: int, seed: int, say: Say) -> Part:
    """One lab, and why it does not hold, if so."""
    ran = run(["tests.chaos.proof", "--lab", name, "--count", str(count), "--seed", str(seed)], say)
    if ran.code != 0:
        return Part(name=name, seconds=ran.seconds, trouble=f"it did not finish: {ran.last_words}")
    figures = msgspec.convert(ran.answer(), Figures)
    return Part(name=name, seconds=ran.seconds, figures=figures, trouble=judge(name, figures, count))


def judge(name: str, figures: Figures, count: int) -> str:
    """Why the figures of a lab do not prove what they should; empty where they do."""
    verdict = figures.verdict
    if not verdict.holds:
        return f"{verdict.lost} presses lost, {verdict.twice} twice, {verdict.out_of_order} out of order"
    if figures.faults < count:
        return f"only {figures.faults} of {count} faults"
    if verdict.confirmed == 0:
        return "no press was confirmed, so nothing was tried"
    if name == "kills":
        short = [phase for phase in PHASES if figures.phases.get(phase, 0) < count // KILLS_A_QUOTA]
        unsound = [
            key for key in ("gaps recorded", "events refused", "outboxes set aside") if figures.detail.get(key, 0)
        ]
        return ", ".join(
            [f"too few kills {phase}" for phase in short] + [f"{key} where none should be" for key in unsound]
        )
    return ""


def run_simulation(seeds: int, say: Say) -> Simulated:
    """The seeds, and the broken copies that they must see through."""
    explored = run(["simulator.explore", "--seeds", str(seeds)], say)
    mutated = run(["simulator.mutants"], say)
    found, broken = explored.answer(), mutated.answer()
    violations = int(found.get("violations", -1))
    by = {name: int(seed) for name, seed in broken.get("by", {}).items() if seed is not None}
    result = Simulated(
        seeds=int(found.get("seeds", 0)),
        violations=violations,
        mutations=int(broken.get("mutations", 0)),
        caught=int(broken.get("caught", 0)),
        by=by,
        seconds=explored.seconds,
    )
    return msgspec.structs.replace(result, trouble=judge_simulation(result, seeds, (explored.code, mutated.code)))


def judge_simulation(found: Simulated, seeds: int, codes: tuple[int, int]) -> str:
    """Why the simulation does not prove what it should; empty where it does."""
    if found.seeds < seeds or found.violations != 0 or codes[0] != 0:
        return f"{found.violations} violations in {found.seeds} of {seeds} seeds, exit code {codes[0]}"
    if found.caught < found.mutations or found.mutations == 0 or codes[1] != 0:
        return f"{found.caught} of {found.mutations} broken copies caught, exit code {codes[1]}"
    return ""


def run_memory(hours: float, say: Say) -> Remembered:
    """A simulated day, and whether what was shown then can be shown again."""
    ran = run(["simulator.scenario.past", "--hours", str(hours)], say)
    answer = ran.answer()
    found = msgspec.convert(answer, Remembered)
    trouble = judge_memory(found, answer.get("violations", []), ran.code)
    return msgspec.structs.replace(found, seconds=ran.seconds, trouble=trouble)


def judge_memory(found: Remembered, violations: Sequence[str], code: int) -> str:
    """Why the remembered day does not prove what it should; empty where it does."""
    if violations:
        return f"{len(violations)} differences, such as {violations[0]}"
    if code != 0 or found.instants == 0:
        return f"it did not finish: exit code {code} after {found.instants} moments"
    missing = [name for name in ("starts", "directories") if getattr(found, name) < 2]
    return f"too few {' and '.join(missing)}, so little was tried" if missing else ""


def run_island(hours: float, say: Say) -> Alone:
    """A station that is cut off for hours of the virtual clock."""
    ran = run(["simulator.scenario.island", "--cut-s", str(hours * 3600)], say)
    answer = ran.answer()
    found = msgspec.convert(answer, Alone)
    trouble = judge_island(found, hours, answer.get("violations", []), ran.code)
    return msgspec.structs.replace(found, seconds=ran.seconds, trouble=trouble)


def judge_island(found: Alone, hours: float, violations: Sequence[str], code: int) -> str:
    """Why the cut does not prove what it should; empty where it does."""
    if violations or code != 0:
        return f"{len(violations)} things that do not hold, exit code {code}: {' '.join(violations[:1])}"
    if found.cut_s < hours * 3600 or found.turnouts < 2 * hours or found.deeds < 12 * hours:
        return f"only {found.deeds} deeds and {found.turnouts} turnouts in {found.cut_s:.0f} s: little was tried"
    return ""


def run_sharing(worlds: int, say: Say) -> Shared:
    """The made-up worlds, and the broken rules that the search must find."""
    searched = run(["simulator.disclosure.matrix", "--worlds", str(worlds)], say)
    mutated = run(["simulator.disclosure.mutants"], say)
    broken = mutated.answer()
    by = {name: int(count) for name, count in broken.get("by", {}).items() if count is not None}
    answer = searched.answer()
    found = Shared(
        worlds=int(answer.get("worlds", 0)),
        bodies=int(answer.get("bodies", 0)),
        bytes=int(answer.get("bytes", 0)),
        forbidden=int(answer.get("forbidden", -1)),
        mutations=int(broken.get("mutations", 0)),
        caught=int(broken.get("caught", 0)),
        by=by,
        seconds=searched.seconds,
    )
    return msgspec.structs.replace(found, trouble=judge_sharing(found, worlds, (searched.code, mutated.code)))


def judge_sharing(found: Shared, worlds: int, codes: tuple[int, int]) -> str:
    """Why the worlds do not prove what they should; empty where they do."""
    if found.worlds < worlds or found.forbidden != 0 or codes[0] != 0:
        return f"{found.forbidden} forbidden things in {found.worlds} of {worlds} worlds, exit code {codes[0]}"
    if found.caught < found.mutations or found.mutations == 0 or codes[1] != 0:
        return f"{found.caught} of {found.mutations} broken rules caught, exit code {codes[1]}"
    return ""


def prove(asked: argparse.Namespace, say: Say) -> Report:
    """All of it, or what `--only` names."""
    started_s = _clock.monotonic()
    chosen = asked.only or [SIMULATION, MEMORY, ISLAND, SHARING, *LABS]
    commit = read_commit(PAGE)
    parts = []
    simulated = remembered = alone = shared = None
    for place, name in enumerate(chosen, 1):
        say(f"== {place} of {len(chosen)}: {name}")
        if name == SIMULATION:
            simulated = run_simulation(asked.seeds, say)
            trouble = simulated.trouble
        elif name == MEMORY:
            remembered = run_memory(asked.hours, say)
            trouble = remembered.trouble
        elif name == ISLAND:
            alone = run_island(asked.cut_hours, say)
            trouble = alone.trouble
        elif name == SHARING:
            shared = run_sharing(asked.worlds, say)
            trouble = shared.trouble
        else:
            counts = {"kills": asked.kills, "cuts": asked.cuts, "mobilisations": asked.mobilisations}
            count = counts.get(name, asked.others)
            parts.append(run_lab(name, count, asked.seed, say))
            trouble = parts[-1].trouble
        say(f"== {name}: {trouble or 'holds'}")
    return Report(
        at=_clock.now(),
        machine=read_machine(),
        commit=commit,
        command=f"python -m tests.chaos.proof --kills {asked.kills} --cuts {asked.cuts} "
        f"--mobilisations {asked.mobilisations} --others {asked.others} --seeds {asked.seeds} --hours {asked.hours:g} "
        f"--cut-hours {asked.cut_hours:g} --worlds {asked.worlds} --seed {asked.seed}",
        seconds=_clock.monotonic() - started_s,
        parts=parts,
        simulated=simulated,
        remembered=remembered,
        alone=alone,
        shared=shared,
    )


def run_as_lab(name: str, count: int, seed: int) -> None:
    """Be the process of one lab: its figures are the last line."""
    module = f"tests.chaos.{name}"
    if importlib.util.find_spec(module) is None:
        raise SystemExit(f"there is no {module}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    figures = importlib.import_module(module).prove(count, seed, lambda line: print(line, flush=True))
    print(msgspec.json.encode(figures).decode(), flush=True)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000, help="kill -9 (default 1000)")
    parser.add_argument("--cuts", type=int, default=500, help="power cuts (default 500)")
    parser.add_argument("--mobilisations", type=int, default=200, help="kill -9 of a station at work (default 200)")
    parser.add_argument("--others", type=int, default=100, help="of each other fault (default 100)")
    parser.add_argument("--seeds", type=int, default=2000, help="of the simulation (default 2000)")
    parser.add_argument("--hours", type=float, default=24.0, help="of a day that is replayed (default 24)")
    parser.add_argument("--cut-hours", type=float, default=13.0, help="that a station is cut off (default 13)")
    parser.add_argument("--worlds", type=int, default=5000, help="in which sharing is searched (default 5000)")
    parser.add_argument("--seed", type=int, default=1, help="of every lab's order and moments (default 1)")
    parser.add_argument(
        "--only",
        action="append",
        choices=[SIMULATION, MEMORY, ISLAND, SHARING, *LABS],
        help="just this part, writing no page",
    )
    parser.add_argument("--quick", action="store_true", help="a few of each")
    parser.add_argument("--out", type=Path, default=ROOT / PAGE, help=f"the page to write (default {PAGE})")
    parser.add_argument("--lab", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=1, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.quick:
        vars(asked).update(QUICK)
    return asked


def main() -> None:
    """Run the command."""
    asked = parse()
    if asked.lab:
        run_as_lab(asked.lab, asked.count, asked.seed)
        return
    report = prove(asked, lambda line: print(line, flush=True))
    if not asked.only:
        asked.out.write_text(render(report), encoding="utf-8")
    for trouble in report.troubles:
        print(f"does not hold: {trouble}")
    print(f"{'does not hold' if report.troubles else 'holds'}, after {readable(report.seconds)}")
    raise SystemExit(1 if report.troubles else 0)


if __name__ == "__main__":
    main()
