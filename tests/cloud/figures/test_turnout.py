"""How long crews took, and the same figures as a table."""

import csv
import io
from datetime import timedelta

from cloud.api.statistics import write_table
from cloud.figures import Call, Statistics, Tally, count_turnout
from cloud.figures.turnout import percentiles
from tests.cloud.figures.samples import DAY, SECOND_US, WHOLE_DAY, at, stand


def call(acknowledged_s: float | None, mobile_s: float | None, mode: str = "live") -> Call:
    """A call that was answered so many seconds after the alert."""
    moments = [None if one is None else round((100 + one) * SECOND_US) for one in (acknowledged_s, mobile_s)]
    return Call(mode, 100 * SECOND_US, *moments)  # type: ignore[arg-type]


def test_percentiles_are_measured_figures() -> None:
    """Each percentile is the nearest rank: one of the durations, not one between two."""
    found = percentiles([second * SECOND_US for second in range(20, 0, -1)])
    assert (20, 10.0, 18.0, 19.0) == (found.n, found.p50_s, found.p90_s, found.p95_s)
    assert (1, 7.5, 7.5, 7.5) == (
        (one := percentiles([7_500_000])).n,
        one.p50_s,
        one.p90_s,
        one.p95_s,
    )
    assert (0, None) == (percentiles([]).n, percentiles([]).p95_s)


def test_turnout_counts_what_was_live_and_clear() -> None:
    """Drills are left out and said; a call with no alert known, or answered before it, is in no figure."""
    calls = [call(12, 70), call(20, None), call(None, 90), call(5, 6, "test"), call(5, 6, "training")]
    calls += [Call("live", None, 5, 6), call(-1, 60)]
    found = count_turnout(calls)
    assert (5, 2, {"test": 1, "training": 1}) == (
        found.calls,
        found.unclear,
        {one.mode: one.calls for one in found.left_out},
    )
    assert (2, 12.0, 20.0) == (found.acknowledged.n, found.acknowledged.p50_s, found.acknowledged.p90_s)
    assert (2, 70.0, 90.0) == (found.mobile.n, found.mobile.p50_s, found.mobile.p95_s)


def figures() -> Statistics:
    """Of a unit with an awkward label, a gap, and one call."""
    tally = Tally(WHOLE_DAY, [], DAY.tzinfo)  # type: ignore[arg-type]
    label = 'At "base", ready\nnow'
    tally.add("p1", [at(0, stand(label=label)), at(6, stand(label=label, link="lost"))])
    return tally.give("unit", "p1", "P1", zone="UTC", turnout=count_turnout([call(12, 70.25)]))


def test_the_table_has_a_line_a_figure() -> None:
    """As RFC 4180 has it: a head, lines of one length that end in CRLF, quotes where they are needed, times in UTC."""
    text = write_table(figures())
    assert text.endswith("\r\n") and '"At ""base"", ready\nnow"' in text
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {11} == {len(line) for line in lines}
    assert {"2026-11-02T00:00:00Z"} == {line["window_since"] for line in lines}
    by_key = {(line["figure"], line["key"]): line for line in lines}
    assert ("86400", "s") == (
        by_key["status", "uk-fire-gd92/4"]["value"],
        by_key["status", "uk-fire-gd92/4"]["measure"],
    )
    assert ("2026-11-02T06:00:00Z", "64800") == (by_key["gap", "lost"]["since"], by_key["gap", "lost"]["value"])
    assert ("1", "12", "70.25") == tuple(
        by_key[one]["value"]
        for one in [("turnout_mobile", "n"), ("turnout_acknowledged", "p50"), ("turnout_mobile", "p90")]
    )
    assert ("UTC", "1") == (by_key["hour_out_of", "23"]["detail"], by_key["hour_out_of", "23"]["value"])
    assert str(DAY + timedelta(days=1))[:10] == by_key["units", ""]["window_until"][:10]
