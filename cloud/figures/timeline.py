"""A unit's time on the board, cut where what is counted of it changes. Nothing is lost between two cuts, nor twice."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from cloud.figures.words import Change, Stand, Window


class Slice(msgspec.Struct, frozen=True, gc=False):
    """A time in which nothing that is counted changed."""

    since_us: int
    until_us: int
    stand: Stand | None
    """None while the unit was not on the board."""
    is_down: bool = False
    """Whether no board was shown at all."""


def slices(changes: Iterable[Change], window: Window, down: Sequence[Window]) -> Iterator[Slice]:
    """Cut a window: the slices follow one another from its begin to its end.

    `changes` are in order and may begin before the window; before the first the unit is not on the board. `down` are
    the times without a board, as `clip` gives them.
    """
    held: Stand | None = None
    from_us = window.since_us
    for change in changes:
        at_us = min(max(change.at_us, window.since_us), window.until_us)
        if change.stand == held:
            continue
        yield from _without(from_us, at_us, held, down)
        held, from_us = change.stand, at_us
    yield from _without(from_us, window.until_us, held, down)


def clip(spans: Iterable[Window], window: Window) -> list[Window]:
    """Give what lies in a window of times that may overlap: in order, apart from each other, none of them empty."""
    found: list[Window] = []
    for span in sorted(spans, key=lambda one: one.since_us):
        since_us, until_us = max(span.since_us, window.since_us), min(span.until_us, window.until_us)
        if found and since_us <= found[-1].until_us:
            since_us, until_us = found[-1].since_us, max(until_us, found[-1].until_us)
            found.pop()
        if since_us < until_us:
            found.append(Window(since_us, until_us))
    return found


def _without(since_us: int, until_us: int, stand: Stand | None, down: Sequence[Window]) -> Iterator[Slice]:
    """Cut the times without a board out of a slice."""
    for away in down:
        if away.until_us <= since_us:
            continue
        if away.since_us >= until_us:
            break
        if away.since_us > since_us:
            yield Slice(since_us, away.since_us, stand)
        ends_us = min(away.until_us, until_us)
        yield Slice(max(since_us, away.since_us), ends_us, None, is_down=True)
        since_us = ends_us
    if since_us < until_us:
        yield Slice(since_us, until_us, stand)
