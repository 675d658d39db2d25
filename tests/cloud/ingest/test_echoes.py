"""An id proves when it was sent, to the device that it was given to, for as long as it is remembered."""

import pytest

from cloud.ingest.echoes import IDS_KEPT, Echoes
from tests.cloud.fleet.samples import at

TERM = 1_767_225_600


def test_an_id_proves_when_it_was_sent() -> None:
    """Each of the newest sixteen ids of a device tells its own moment, within 1 µs; an older one tells nothing."""
    echoes = Echoes(TERM)
    given = [(echoes.give("veh-2", at(number / 7)), at(number / 7).mono_s) for number in range(IDS_KEPT + 3)]
    assert [None] * 3 == [echoes.sent_s("veh-2", one) for one, _ in given[:3]]
    assert [pytest.approx(sent_s, abs=2e-6) for _, sent_s in given[3:]] == [
        echoes.sent_s("veh-2", one) for one, _ in given[3:]
    ]


def test_after_an_hours_silence_the_newest_id_proves() -> None:
    """However long a device was silent, the id that it was given last tells its moment."""
    echoes, moments = Echoes(TERM), [0.0, 10.0, 100_000.0, 100_001.5, 1e7]
    for moment_s in moments:
        given = echoes.give("veh-2", at(moment_s))
        assert pytest.approx(at(moment_s).mono_s, abs=2e-6) == echoes.sent_s("veh-2", given)
    assert echoes.sent_s("veh-2", f"{TERM}-1") is None


def test_an_id_is_never_proven_younger_than_it_is() -> None:
    """What is remembered of a moment is never later than the moment itself."""
    echoes = Echoes(TERM)
    for number in range(500):
        moment = at(number / 7)
        sent_s = echoes.sent_s("veh-2", echoes.give("veh-2", moment))
        assert sent_s is not None and sent_s <= moment.mono_s + 1e-9


def test_an_id_proves_nothing_to_another_device() -> None:
    """What was given to one device another cannot echo; what was said to all of them any can."""
    echoes = Echoes(TERM)
    mine, everyones = echoes.give("veh-2", at(1)), echoes.greet(at(2))
    assert (None, at(2).mono_s) == (echoes.sent_s("veh-9", mine), echoes.sent_s("veh-9", everyones))
    assert (at(1).mono_s, at(2).mono_s) == (echoes.sent_s("veh-2", mine), echoes.sent_s("veh-2", everyones))


@pytest.mark.parametrize("echoed", ["", "1", f"{TERM}-", f"{TERM}-01", f"{TERM}-+1", f"{TERM}-1 ", "5-1", "x" * 64])
def test_a_text_that_was_not_given_proves_nothing(echoed: str) -> None:
    """Only the very text of an id counts: not its number written otherwise, nor another owner's."""
    echoes = Echoes(TERM)
    assert f"{TERM}-1" == echoes.give("veh-2", at(0))
    assert echoes.sent_s("veh-2", echoed) is None


@pytest.mark.parametrize("digits", ["\u0661", "9" * 64, "\u00b9"])
def test_a_number_that_is_none_of_ours_is_no_error(digits: str) -> None:
    """A device may write any text as its echo: digits of another script or a number of any length are just not ours."""
    echoes = Echoes(TERM)
    echoes.give("veh-2", at(0))
    assert echoes.sent_s("veh-2", f"{TERM}-{digits}") is None
