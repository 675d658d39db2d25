"""Figures as the lines of a table: one a figure, for whoever reckons on with them elsewhere."""

from collections.abc import Iterator

from cloud.figures.words import Percentiles, Statistics
from wire.events import Instant

HEAD = ("scope", "id", "window_since", "window_until", "figure", "key", "detail", "since", "until", "value", "measure")
Line = tuple[str, ...]
_Cells = tuple[str, str, str, str, str, str, str]


def tabulate(figures: Statistics) -> Iterator[Line]:
    """Give the head, and a line for each figure. Times are UTC, RFC 3339; a figure that there is not is empty."""
    yield HEAD
    of = (figures.scope, figures.id, _write(figures.since), _write(figures.until))
    for cells in _figures(figures):
        yield (*of, *cells)


def _figures(figures: Statistics) -> Iterator[_Cells]:
    yield _plain("units", "", "", (figures.units, ""))
    yield _plain("counted", "", "", (figures.counted_s, "s"))
    for status in figures.statuses:
        yield _plain("status", f"{status.scheme}/{status.code}".strip("/"), status.label, (status.duration_s, "s"))
    for one in figures.classes:
        yield _plain("class", one.availability or "", one.confidence, (one.duration_s, "s"))
    for link in figures.links:
        yield _plain("link", link.link, "", (link.duration_s, "s"))
    for apart in figures.left_out:
        yield _plain("left_out", apart.reason, "", (apart.duration_s, "s"))
    for hour in figures.hours:
        for name, value in (
            ("available", hour.available_h),
            ("confirmed", hour.confirmed_h),
            ("counted", hour.counted_h),
            ("out_of", hour.out_of_h),
        ):
            yield _plain(f"hour_{name}", f"{hour.hour:02}", figures.zone, (value, "h"))
    yield from _turnout(figures)
    for gap in figures.gaps:
        yield "gap", gap.kind, gap.unit, _write(gap.since), _write(gap.until), _number(gap.duration_s), "s"
    yield _plain("gaps_more", "", "", (figures.gaps_more, ""))


def _turnout(figures: Statistics) -> Iterator[_Cells]:
    turnout = figures.turnout
    yield _plain("turnout_calls", "", "", (turnout.calls, ""))
    yield _plain("turnout_unclear", "", "", (turnout.unclear, ""))
    for left in turnout.left_out:
        yield _plain("turnout_left_out", left.mode, "", (left.calls, ""))
    yield from _percentiles("turnout_acknowledged", turnout.acknowledged)
    yield from _percentiles("turnout_mobile", turnout.mobile)


def _percentiles(figure: str, of: Percentiles) -> Iterator[_Cells]:
    yield _plain(figure, "n", "", (of.n, ""))
    for key, value in (("p50", of.p50_s), ("p90", of.p90_s), ("p95", of.p95_s)):
        yield _plain(figure, key, "", (value, "s"))


def _plain(figure: str, key: str, detail: str, measured: tuple[float | None, str]) -> _Cells:
    value, measure = measured
    return figure, key, detail, "", "", "" if value is None else _number(value), measure


def _number(value: float) -> str:
    """As short as it can be written: 3600 and 0.25, never 3.6e3."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _write(moment: Instant) -> str:
    return moment.isoformat().replace("+00:00", "Z")
