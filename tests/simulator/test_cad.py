"""The small legacy CAD: its lines become messages, messages become its lines, and its mapping says what is wrong."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.cad import LegacyCad, read_mapping
from tests.cloud.process import ROOT
from wire.cad import (
    CadAnswer,
    CadAssignment,
    CadCrew,
    CadMessages,
    CadStanding,
    CadStatus,
    CadUnit,
    CadUnits,
    CadVersions,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MAPPING = Path(ROOT / "docs" / "cad-mapping.example.toml").read_text(encoding="utf-8")


def unit(seq: int, code: str = "2", assignment: int = 0) -> CadUnit:
    """Its pump, with a status that a crew pressed."""
    standing = CadStanding(
        scheme="uk-fire-gd92", code=code, label="In attendance", since=NOON, proven=True, by="panel", origin="watchroom"
    )
    return CadUnit(
        seq=seq,
        id=f"wr.{seq}",
        origin="watchroom",
        at=NOON,
        changed=("status", "assignment"),
        unit="14p1",
        callsign="14P1",
        availability="NotAvailable",
        confidence="confirmed",
        status=standing,
        assignment=None,
        crew=None,
        mode="live",
        versions=CadVersions(assignment=assignment),
    )


def test_its_lines_become_messages() -> None:
    """By its own names for units and statuses, on the version that it knows, each under an id of its own."""
    cad = LegacyCad(read_mapping(MAPPING), run="r1")
    cad.begin(CadUnits(at=NOON, newest=7, units=(unit(7, assignment=3),)))
    said = [cad.say(line, NOON) for line in ("14A1 AVL", "14A1 JOB 20-117 RTC M20", "14A1 CLR", "14A1 CREW 5")]
    status, job, clear, crew = said
    assert isinstance(status, CadStatus) and ("r1-1", "14p1", "4") == (status.id, status.unit, status.code)
    assert isinstance(job, CadAssignment) and ("20-117", "RTC M20", 3) == (job.order, job.incident, job.version)
    assert isinstance(clear, CadAssignment) and (None, 3) == (clear.order, clear.version)
    assert isinstance(crew, CadCrew) and (True, 5) == (crew.on, crew.riders)
    assert 4 == len({one.id for one in said})
    taken = CadAnswer(id=job.id, unit="14p1", outcome="taken", version=4, at=NOON)
    assert "14A1 TAKEN" == cad.take_answer(job, taken)
    again = cad.say("14A1 CLR", NOON)
    assert isinstance(again, CadAssignment) and 4 == again.version


def test_what_others_say_becomes_its_lines() -> None:
    """In its own words; it goes on after the last number."""
    cad = LegacyCad(read_mapping(MAPPING), run="r1")
    page = CadMessages(at=NOON, newest=2, missed=0, messages=(unit(1), unit(2, "99")))
    heard = list(cad.hear(page))
    assert ["14A1 ATT by panel", "14A1 CLR", "14A1 In attendance by panel", "14A1 CLR"] == heard
    assert 2 == cad.after


@pytest.mark.parametrize("line", ["99Z9 AVL", "14A1 XXX", "14A1", "14A1 CREW many"])
def test_a_line_that_it_does_not_know_is_none(line: str) -> None:
    """It says which, and sends nothing."""
    with pytest.raises(ValueError, match="no unit|no status|invalid literal"):
        LegacyCad(read_mapping(MAPPING), run="r1").say(line, NOON)


def test_a_wrong_mapping_says_all_that_is_wrong() -> None:
    """Each on a line of its own, with what would be right."""
    with pytest.raises(ValueError, match=r"(?s)orgin.*units"):
        read_mapping('organisation = "kfrs"\norgin = "x"\n[statuses]\n')
