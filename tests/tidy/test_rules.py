"""Every rule holds for the project's files, and every rule can fail."""

import pytest

from tests.tidy.habits import HABITS
from tests.tidy.leaks import LEAKS
from tests.tidy.purity import PURE_ROOMS, PURITY, impurities
from tests.tidy.sources import ROOT, Rule, is_shipped, project_files

RULES = (PURITY, *HABITS, *LEAKS)
SAMPLES = [
    pytest.param(rule, path, text, id=f"{rule.forbids}-{number}")
    for rule in RULES
    for number, (path, text) in enumerate(rule.broken_by)
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.forbids)
def test_the_project_is_free_of(rule: Rule) -> None:
    """No file of the project breaks the rule."""
    broken = []
    for path in filter(rule.holds_for, project_files()):
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            broken += rule.complaints(path, content.decode("utf-8"))
    assert broken == []


@pytest.mark.parametrize(("rule", "path", "text"), SAMPLES)
def test_a_breach_is_seen(rule: Rule, path: str, text: str) -> None:
    """The rule holds for the sample's path and complains about its text."""
    assert rule.holds_for(path)
    assert rule.complaints(path, text)


def test_pure_code_is_not_accused() -> None:
    """The field's own tools, the room's own modules and a script block draw no complaint."""
    text = """
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
import msgspec
from wire.feed import FeedRecord
from . import heads
from cloud.fleet.heads import Head

def stamp(now: datetime) -> str:
    return now.isoformat()

if __name__ == "__main__":
    from pathlib import Path
    Path("x.json").write_text("{}")
"""
    assert impurities("cloud/fleet/fold.py", text) == []


def test_the_pure_rooms_exist() -> None:
    """Most of the rooms that the purity rule names hold modules: it is not looking past a room that was renamed."""
    shipped = list(filter(is_shipped, project_files()))
    missing = [room for room in PURE_ROOMS if not any(path.startswith(room.replace(".", "/")) for path in shipped)]
    assert set(missing) <= {"edge_agent.station", "cloud.sharing", "cloud.dispatch"}


def test_rules_reach_the_code() -> None:
    """The files that the rules are asked about are really there: neither list is empty."""
    for rule in RULES:
        assert any(map(rule.holds_for, project_files())), rule.forbids
