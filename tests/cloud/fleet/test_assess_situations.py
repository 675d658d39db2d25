"""Availability as a watch manager would have it: situations in the words of four services, one file each.

A situation says what is known at noon, the class and confidence that follow, and every reason's code in order.
"""

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from cloud.fleet.assess import assess
from tests.cloud.fleet.situation import NOW, Situation, basis_of, written

PAGE = Path(__file__).parents[3] / "docs" / "availability.md"
AT_LEAST = 150


@pytest.mark.parametrize(("scheme", "told"), [pytest.param(s, t, id=f"{f}: {t.name}") for f, s, t in written()])
def test_a_situation_is_judged_as_it_is_written(scheme: str, told: Situation) -> None:
    """Class, confidence and reasons are those written down, and every reason names a source that is shown once."""
    found = assess(basis_of(told, scheme))
    assert (told.expect, told.because) == (
        f"{found.availability or 'no class'}, {found.confidence}",
        tuple(reason.code for reason in found.reasons),
    )
    texts = {reason.code: reason.text for reason in found.reasons}
    assert told.says == {code: texts[code] for code in told.says}
    assert told.turns_out_min in (None, found.tier_min)
    changes_at = NOW + timedelta(minutes=told.changes_min) if told.changes_min else None
    assert told.changes_min is None or found.changes_at == changes_at
    sources = [source.source for source in found.sources]
    assert len(sources) == len(set(sources)) and {reason.source for reason in found.reasons} <= set(sources)


def test_there_are_enough_situations_and_no_two_are_the_same() -> None:
    """At least 150 are written down, over five vocabularies, each by a name and with givens of its own."""
    every = written()
    assert AT_LEAST <= len(every)
    assert 5 == len({scheme for _, scheme, _ in every})
    assert [] == [name for name, count in Counter(told.name for _, _, told in every).items() if count > 1]
    givens = Counter((scheme, str(told.told)) for _, scheme, told in every)
    assert [] == [given for given, count in givens.items() if count > 1]


def test_the_page_for_watch_managers_names_every_reason_and_no_other() -> None:
    """Each reason's code that a situation gives has a row in the page's tables, and each row a situation."""
    given = {code for _, _, told in written() for code in told.because}
    rows = re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(), flags=re.MULTILINE)
    assert sorted(given) == sorted(set(rows))
    assert len(rows) == len(set(rows))
