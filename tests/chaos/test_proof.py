"""A proof that does not hold says so: every shortfall is a trouble, and the page leads with it."""

from datetime import UTC, datetime

import msgspec
import pytest

from tests.chaos.kills import PHASES
from tests.chaos.machine import Commit, Machine, read_machine
from tests.chaos.page import Part, Remembered, Report, Simulated, render
from tests.chaos.proof import judge, judge_memory, judge_simulation, parse, run_lab
from tests.chaos.verdict import Figures, Verdict

SOUND = Verdict(presses=200, confirmed=180, lost=0, twice=0, out_of_order=0)
KILLS = Figures(fault="kill -9", faults=100, verdict=SOUND, phases=dict.fromkeys(PHASES, 25))
MACHINE = Machine("A processor", 2, 4.0, "Linux 6.1.0", {"Python": "3.11.2"})
SIMULATED = Simulated(seeds=200, violations=0, mutations=2, caught=2, by={"fork-accepted": 3, "trust-the-puback": 1})

REMEMBERED = Remembered(virtual_s=86_400.0, instants=200, known=187, records=561, starts=9, directories=4)


def report(*parts: Part, simulated: Simulated | None = None) -> Report:
    """A report of these parts."""
    return Report(
        at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        machine=MACHINE,
        commit=Commit("abc", True),
        command="python -m tests.chaos.proof",
        seconds=60.0,
        parts=parts,
        simulated=simulated,
    )


def test_sound_figures_hold() -> None:
    """Enough faults in every phase and nothing lost: there is no trouble."""
    assert "" == judge("kills", KILLS, 100)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": msgspec.structs.replace(SOUND, lost=1)},
        {"verdict": msgspec.structs.replace(SOUND, twice=1)},
        {"verdict": msgspec.structs.replace(SOUND, out_of_order=1)},
        {"verdict": msgspec.structs.replace(SOUND, confirmed=0)},
        {"faults": 99},
        {"phases": dict.fromkeys(PHASES, 1)},
        {"detail": {"gaps recorded": 1.0}},
        {"detail": {"events refused": 1.0}},
        {"detail": {"outboxes set aside": 1.0}},
    ],
    ids=str,
)
def test_a_shortfall_is_a_trouble(change: dict[str, object]) -> None:
    """A lost press, too few faults, a phase hardly hit, a gap that nothing explains: each is named."""
    assert judge("kills", msgspec.structs.replace(KILLS, **change), 100)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, (1, 0)),
        ({}, (0, 1)),
        ({"violations": 1}, (0, 0)),
        ({"seeds": 199}, (0, 0)),
        ({"caught": 1}, (0, 0)),
        ({"mutations": 0, "caught": 0}, (0, 0)),
    ],
)
def test_a_simulation_that_fails_is_a_trouble(change: dict[str, int], codes: tuple[int, int]) -> None:
    """A violation, seeds that were not run, a broken copy that got through, a failed command: each is named."""
    assert "" == judge_simulation(SIMULATED, 200, (0, 0))
    assert judge_simulation(msgspec.structs.replace(SIMULATED, **change), 200, codes)


@pytest.mark.parametrize(
    ("change", "violations", "code"),
    [
        ({}, ["unit-1: age"], 1),
        ({}, [], 1),
        ({"instants": 0}, [], 0),
        ({"starts": 1}, [], 0),
        ({"directories": 0}, [], 0),
    ],
)
def test_a_day_that_is_remembered_otherwise_is_a_trouble(
    change: dict[str, int], violations: list[str], code: int
) -> None:
    """A board that differs, a day that did not end, one without restarts or changes of the directory: each is named."""
    assert "" == judge_memory(REMEMBERED, [], 0)
    assert judge_memory(msgspec.structs.replace(REMEMBERED, **change), violations, code)


def test_a_lab_that_is_not_there_is_a_trouble() -> None:
    """A part that could not be tried is not silently left out."""
    part = run_lab("nothing", 1, 1, lambda _: None)
    assert part.figures is None
    assert "tests.chaos.nothing" in part.trouble


def test_the_page_gives_the_figures() -> None:
    """A reader finds the result, what was done, when it hit, the broken copies and how to run it again."""
    page = render(report(Part(name="kills", seconds=600.0, figures=KILLS), simulated=SIMULATED))
    assert "## Result: it holds" in page
    assert "180 presses were confirmed by a lamp" in page
    assert "| kill -9 | 100 | 200 | 180 | 0 | 0 | 0 | 10 min |" in page
    assert "| ledger to settle | in the ledger, the vehicle not yet told | 25 |" in page
    assert "2 of 2 broken copies were caught" in page
    assert "| fork accepted | 3 |" in page
    assert "| processor | A processor, 2 cores |" in page
    assert "make proof" in page
    remembered = msgspec.structs.replace(report(), remembered=REMEMBERED)
    assert "187 of them fell while a board was shown: of 561 records\nnone differed" in render(remembered)


def test_the_page_leads_with_what_does_not_hold() -> None:
    """One part that fails makes the whole page say that it does not hold, and why; without an end it has no figures."""
    bad = Part(name="cuts", seconds=1.0, trouble="it did not finish: no right to mount")
    page = render(report(Part(name="kills", seconds=600.0, figures=KILLS), bad))
    assert "## Result: it does not hold\n\n- cuts: it did not finish: no right to mount" in page
    assert "it holds" not in page
    assert "| cuts | did not finish | - |" in page


def test_every_version_is_found() -> None:
    """The machine's description names what the figures depend on, and nothing is unknown."""
    machine = read_machine()
    assert "unknown" not in machine.versions.values()
    assert machine.cores > 0 < machine.memory_gib
    assert "unknown" not in machine.kernel


def test_the_defaults_are_what_was_promised() -> None:
    """Without options: 1,000 kills, 500 power cuts, 100 of each other fault and 2,000 seeds."""
    asked = parse([])
    assert (1000, 500, 100, 2000) == (asked.kills, asked.cuts, asked.others, asked.seeds)


def test_what_a_station_did_alone_is_told_apart_from_presses() -> None:
    """The deeds of a station that was cut off are no presses of a disk: the page has a sentence for them."""
    alone = msgspec.structs.replace(KILLS, fault="deeds without the WAN", phases={})

    page = render(report(Part(name="islands", seconds=60.0, figures=alone)))

    assert "A station whose way to control went dead did 200 things" in page
    assert "Of 0 events that a disk had confirmed" in page
    assert "A station whose way" not in render(report(Part(name="kills", seconds=60.0, figures=KILLS)))


def test_orders_are_told_apart_from_presses() -> None:
    """A station's orders are no presses of a disk either: the page has a sentence for them."""
    orders = msgspec.structs.replace(KILLS, fault="kill -9 in a mobilisation", phases={})

    page = render(report(Part(name="mobilisations", seconds=60.0, figures=orders)))

    assert "carrying orders out, 200 revisions" in page
    assert "Of 0 events that a disk had confirmed" in page
    assert "A station whose way" not in page
