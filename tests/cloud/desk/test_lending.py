"""Loans on the desk: durable, checked against what there is to lend, and opened to whoever has them."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloud.desk.bindingwords import Refusal
from cloud.errors import CloudError
from cloud.ledger import opening
from tests.cloud.desk.lab import HandClock
from tests.cloud.desk.sharing_lab import LOAN, Lab, locked, sharing_county, working
from wire.lending import Loan

OTHER = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a00002"


def lent(lab: Lab) -> Loan:
    """A loan of the pump that the fire service offered and the police took."""
    lab.say("offer", "kf", units=["kf-1"])
    found = lab.say("commit", "kp", 1)
    assert isinstance(found, Loan) and "committed" == found.state, found
    return found


def problem(answer: Loan | Refusal, status: int = 409) -> str:
    """Why something was refused."""
    assert isinstance(answer, Refusal) and status == answer.status, answer
    return answer.problem


def test_a_loan_goes_its_way_over_starts(tmp_path: Path) -> None:
    """Each word is kept once, with who and why; a start knows how the loan stands and all that was said."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        loan = lent(lab)
        assert loan == lab.say("commit", "kp", 1)
        assert ([("loan", LOAN, "A. Smith")] * 2, 2) == (lab.decisions, lab.changes)
    clock.moved_s = 60
    with working(tmp_path, clock) as lab:
        assert (loan,) == lab.lending.loans()
        asked = lab.say("return", "kf", 2)
        back = lab.say("return", "kp", 3)
        assert isinstance(asked, Loan) and isinstance(back, Loan)
        assert ("asked_back", "returned") == (asked.state, back.state)
    with working(tmp_path, clock) as lab:
        assert back == lab.lending.find(LOAN)
        assert ["offer", "commit", "return", "return"] == [one.verb for one in back.messages]


def test_the_borrower_may_move_what_it_has(tmp_path: Path) -> None:
    """From the commit on until it is released, and its owner always; nobody else, and none that there is not."""
    with working(tmp_path) as lab:
        assert not lab.may_move("kp", "kf-1")
        lent(lab)
        asked = {name: lab.may_move(name, "kf-1") for name in ("kp", "kf", "ka")}
        assert {"kp": True, "kf": True, "ka": False} == asked
        assert not lab.may_move("kp", "kf-2") and not lab.may_move("kp", "kf-99")
        lab.say("release", "kp", 2)
        assert not lab.may_move("kp", "kf-1") and lab.may_move("kf", "kf-1")


def test_nobody_moves_what_it_may_not_see(tmp_path: Path) -> None:
    """A borrower moves nothing by a loan that is withdrawn, nor a unit that is off duty; its owner does."""
    with working(tmp_path) as lab:
        lent(lab)
        lab.withdraw(f"loan:{LOAN}")
        assert not lab.may_move("kp", "kf-1") and lab.may_move("kf", "kf-1")
        lab.restore(f"loan:{LOAN}")
        assert lab.may_move("kp", "kf-1")
        lab.off_duty.add("kf-1")
        assert not lab.may_move("kp", "kf-1") and lab.may_move("kf", "kf-1")


def test_a_loan_is_an_agreement_while_it_lasts(tmp_path: Path) -> None:
    """It opens all but the workings of those units, is listed with the others, and is withdrawn like them."""
    with working(tmp_path) as lab:
        lent(lab)
        (agreement,) = lab.lending.agreements()
        assert (f"loan:{LOAN}", "kf", "kp", ("kf-1",)) == (
            agreement.id, agreement.owner, agreement.partner, agreement.covers.units,
        )  # fmt: skip
        assert "in_force" == lab.states()[f"loan:{LOAN}"]
        assert "withdrawn" == lab.withdraw(f"loan:{LOAN}").state
        lab.say("release", "kp", 2)
        assert () == lab.lending.agreements() and f"loan:{LOAN}" not in lab.states()


def test_each_organisation_sees_its_own_loans(tmp_path: Path) -> None:
    """Both sides see all that was said; a third sees none, by list or by name."""
    with working(tmp_path) as lab:
        loan = lent(lab)
        assert (loan,) == lab.lending.loans("kp") == lab.lending.loans("kf")
        assert () == lab.lending.loans("ka")
        assert loan == lab.lending.find(LOAN, "kp") and lab.lending.find(LOAN, "ka") is None


def test_what_cannot_be_lent_is_not_offered(tmp_path: Path) -> None:
    """Its owner is told which unit is covert, is another's, is not there, or is on another loan and not back."""
    with working(tmp_path) as lab:
        assert "covert" in problem(lab.say("offer", "kf", units=["kf-9"]))
        assert "no unit 'kp-12'" in problem(lab.say("offer", "kf", units=["kp-12"]))
        assert "no unit 'kf-99'" in problem(lab.say("offer", "kf", units=["kf-99"]))
        lent(lab)
        again: dict[str, Any] = {"loan": OTHER, "to": "ka", "units": ["kf-1"]}
        assert "on another loan" in problem(lab.say("offer", "kf", **again))
        lab.say("release", "kp", 2)
        assert "on another loan" in problem(lab.say("offer", "kf", **again))
        lab.say("return", "kf", 3)
        assert isinstance(lab.say("offer", "kf", **again), Loan)


def test_a_unit_is_lent_once(tmp_path: Path) -> None:
    """Offered to two, it is the first's who takes it; the other is told that its offer holds no longer."""
    with working(tmp_path) as lab:
        lab.say("offer", "kf", units=["kf-1"])
        lab.say("offer", "kf", loan=OTHER, to="ka", units=["kf-1"])
        assert isinstance(lab.say("commit", "kp", 1), Loan)
        assert "holds no longer" in problem(lab.say("commit", "ka", 1, loan=OTHER, to="kf"))


def test_a_unit_that_went_covert_looks_like_one_that_is_gone(tmp_path: Path) -> None:
    """To the borrower both are an offer that holds no longer, in the same words; so is one that went off duty."""
    county = sharing_county()
    covert = msgspec.structs.replace(county.units["kf-1"], covert=True)
    answers = []
    for name, units in (
        ("covert", county.units | {"kf-1": covert}),
        ("gone", {key: row for key, row in county.units.items() if key != "kf-1"}),
        ("off duty", county.units),
    ):
        folder = tmp_path / name
        folder.mkdir()
        with working(folder) as lab:
            lab.say("offer", "kf", units=["kf-1"])
            lab.replace(units=units)
            lab.off_duty |= {"kf-1"} if name == "off duty" else set()
            answers.append(problem(lab.say("commit", "kp", 1)))
    assert answers == answers[:1] * 3


def test_a_request_tells_nothing_of_what_there_is(tmp_path: Path) -> None:
    """Who asks for a covert unit is answered as who asks for one that is there, or for one that is not."""
    with working(tmp_path) as lab:
        for number, unit in enumerate(("kf-1", "kf-9", "kf-99")):
            found = lab.say("request", loan=LOAN[:-1] + str(number), units=[unit])
            assert isinstance(found, Loan) and ("requested", ()) == (found.state, found.units)
        assert "covert" in problem(lab.say("commit", "kf", 1, loan=LOAN[:-1] + "1"))


def test_a_request_by_type_is_committed_by_that_type(tmp_path: Path) -> None:
    """The owner names as many of the type as were asked for; another type it has to offer."""
    with working(tmp_path) as lab:
        lab.say("request", type="pump", count=1)
        assert "no pump" in problem(lab.say("commit", "kf", 1, units=["kf-2"]))
        found = lab.say("commit", "kf", 1, units=["kf-1"])
        assert isinstance(found, Loan) and ("kf-1",) == found.units


def test_loans_are_between_known_organisations(tmp_path: Path) -> None:
    """A side that the directory does not know is told, and nothing is kept."""
    with working(tmp_path) as lab:
        assert "no organisation 'kx'" in problem(lab.say("request", units=["kf-1"], to="kx"), 404)
        assert "no organisation 'kx'" in problem(lab.say("request", units=["kf-1"], sender="kx"), 404)
        assert [] == lab.decisions


def test_nothing_is_said_that_is_not_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger takes nothing a commit fails, and the unit is not the borrower's to see or to move."""
    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))
    with working(tmp_path) as lab:
        lab.say("offer", "kf", units=["kf-1"])
        with locked(tmp_path), pytest.raises(CloudError):
            lab.say("commit", "kp", 1)
        assert () == lab.lending.agreements() and not lab.may_move("kp", "kf-1")
        assert isinstance(lab.say("commit", "kp", 1), Loan)
