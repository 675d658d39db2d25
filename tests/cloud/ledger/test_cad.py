"""What the ledger keeps of talking with command and control systems: numbered, known by its id, and bounded."""

from pathlib import Path

import pytest

from cloud.ledger import CadCommit, CadHeld, CadSaid, CadTold, cad
from tests.cloud.ledger.samples import NOON, open_in


def said(name: str, answer: bytes = b"1", organisation: str = "kp") -> CadSaid:
    """A message that was answered."""
    return CadSaid(organisation=organisation, id=name, at=NOON, digest=b"d", answer=answer)


def told(number: int, organisation: str = "kp") -> CadTold:
    """A message to a CAD."""
    return CadTold(organisation=organisation, number=number, at=NOON, body=b"%d" % number)


def held(subject: str, body: bytes, organisation: str = "kp") -> CadHeld:
    """What a CAD was told of something."""
    return CadHeld(organisation=organisation, subject=subject, body=body)


def test_it_comes_back_after_a_restart(tmp_path: Path) -> None:
    """Messages in order after a number, the newest number of each organisation, and the last word on each subject."""
    ledger = open_in(tmp_path)
    ledger.commit_cad(
        CadCommit(told=[told(1), told(2), told(1, "kf")], held=[held("unit:a", b"1"), held("order:o", b"1")])
    )
    ledger.commit_cad(
        CadCommit(told=[told(3)], held=[held("unit:a", b"2"), held("unit:a", b"3"), held("order:o", b"")])
    )
    ledger.close()
    ledger = open_in(tmp_path)
    loaded = ledger.load_cad()
    assert ({"kp": 3, "kf": 1}, [held("unit:a", b"3")]) == (loaded.newest, loaded.held)
    assert [told(2), told(3)] == ledger.cad_told("kp", 1, 10)
    assert [told(1)] == ledger.cad_told("kp", 0, 1)
    ledger.close()


def test_a_message_keeps_its_first_answer(tmp_path: Path) -> None:
    """What is answered under a known id later changes nothing; another organisation's ids are its own."""
    ledger = open_in(tmp_path)
    ledger.commit_cad(CadCommit(said=[said("m"), said("n", b"2"), said("m", b"9", "kf")]))
    ledger.commit_cad(CadCommit(said=[said("m", b"3")]))
    assert [said("m")] == ledger.cad_said("kp", ["m", "x"])
    assert [said("m", b"9", "kf")] == ledger.cad_said("kf", ["m"])
    ledger.close()


def test_the_oldest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past its bound the ledger forgets what was told, and what was answered, longest ago."""
    monkeypatch.setattr(cad, "TOLD_KEPT", 3)
    monkeypatch.setattr(cad, "SAID_KEPT", 2)
    ledger = open_in(tmp_path)
    for number in range(1, 6):
        ledger.commit_cad(CadCommit(told=[told(number), told(number, "kf")], said=[said(f"m{number}")]))
    for organisation in ("kp", "kf"):
        assert [3, 4, 5] == [row.number for row in ledger.cad_told(organisation, 0, 10)]
    assert ["m4", "m5"] == sorted(row.id for row in ledger.cad_said("kp", [f"m{number}" for number in range(1, 6)]))
    ledger.close()
