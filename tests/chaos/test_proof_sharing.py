"""The part of the proof about sharing: what it must find before it holds, and how the page tells it."""

import msgspec
import pytest

from tests.chaos.machine import Commit, Machine
from tests.chaos.page import Report, Shared, render
from tests.chaos.proof import SHARING, judge_sharing, parse
from tests.cloud.fleet.samples import NOON

FOUND = Shared(
    worlds=5000,
    bodies=1_700_000,
    bytes=4_400_000_000,
    forbidden=0,
    mutations=2,
    caught=2,
    by={"any-owner": 6, "kin-is-told": 5},
)


@pytest.mark.parametrize(
    ("change", "codes", "told"),
    [
        ({}, (0, 0), ""),
        ({"worlds": 4999}, (0, 0), "0 forbidden things in 4999 of 5000 worlds"),
        ({"forbidden": 1}, (1, 0), "1 forbidden things"),
        ({}, (1, 0), "exit code 1"),
        ({"caught": 1}, (0, 1), "1 of 2 broken rules caught"),
        ({"mutations": 0, "caught": 0}, (0, 0), "0 of 0 broken rules caught"),
    ],
)
def test_what_falls_short_is_a_trouble(change: dict[str, int], codes: tuple[int, int], told: str) -> None:
    """Too few worlds, anything forbidden, a rule that could be taken away unseen, or a command that failed."""
    trouble = judge_sharing(msgspec.structs.replace(FOUND, **change), 5000, codes)
    assert told in trouble and bool(told) is bool(trouble)


def test_the_page_tells_what_was_searched() -> None:
    """Worlds, bodies, bytes, what was found, and how soon each broken rule was."""
    machine = Machine(processor="a processor", cores=2, memory_gib=8.0, kernel="6.1", versions={})
    report = Report(
        at=NOON,
        machine=machine,
        commit=Commit(id="abc", clean=True),
        command="proof",
        seconds=1.0,
        parts=[],
        simulated=None,
        shared=FOUND,
    )
    page = render(report)
    assert "5,000 worlds were made up" in page
    assert "1,700,000 bodies, 4,196 MiB" in page
    assert "| kin is told | 5 |" in page
    assert ["sharing: leaks"] == msgspec.structs.replace(
        report, shared=msgspec.structs.replace(FOUND, trouble="leaks")
    ).troubles


def test_it_is_a_part_of_every_proof() -> None:
    """Without options 5,000 worlds are searched; the part can be asked for alone."""
    assert 5000 == parse([]).worlds
    assert [SHARING] == parse(["--only", SHARING]).only
