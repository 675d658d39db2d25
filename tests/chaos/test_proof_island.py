"""The part of the proof about a station that is cut off for long."""

import msgspec
import pytest

from tests.chaos.page import Alone
from tests.chaos.proof import ISLAND, judge_island, parse

FOUND = Alone(cut_s=46_800.0, reads=187_000, deeds=300, turnouts=40, drained_s=20.0)


@pytest.mark.parametrize(
    ("change", "violations", "code", "told"),
    [
        ({}, [], 0, ""),
        ({}, ["a read paused"], 1, "1 things that do not hold, exit code 1: a read paused"),
        ({}, [], 1, "exit code 1"),
        ({"cut_s": 3600.0}, [], 0, "little was tried"),
        ({"turnouts": 25}, [], 0, "only 300 deeds and 25 turnouts"),
        ({"deeds": 155}, [], 0, "only 155 deeds"),
    ],
)
def test_what_falls_short_is_a_trouble(change: dict[str, float], violations: list[str], code: int, told: str) -> None:
    """Anything that does not hold, a command that failed, too short a cut, or a station where little happened."""
    trouble = judge_island(msgspec.structs.replace(FOUND, **change), 13.0, violations, code)
    assert told in trouble and bool(told) is bool(trouble)


def test_it_is_a_part_of_every_proof() -> None:
    """Without options a station is cut off for thirteen hours; the part can be asked for alone."""
    assert 13.0 == parse([]).cut_hours
    assert [ISLAND] == parse(["--only", ISLAND]).only
