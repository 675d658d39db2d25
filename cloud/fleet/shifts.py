"""Whether a crew is on: by its own word, and by the directory's shift pattern. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cloud.fleet.basis import Basis, CrewSaid
from cloud.fleet.findings import BY_RADIO, Finding
from wire.feed import SourceView

NOTICE = timedelta(minutes=30)
"""A shift's end is told so long before it comes."""


def crew_source(crew: CrewSaid) -> SourceView:
    """The newest log-on or log-off."""
    return SourceView(source="crew", kind="crew", device=crew.device, at=crew.at)


def directory_source() -> SourceView:
    """The directory's word, which has no age."""
    return SourceView(source="directory", kind="directory")


def is_on(basis: Basis) -> bool:
    """Tell whether somebody is logged on. Nobody, where nobody has ever logged on or off."""
    return basis.crew is not None and basis.crew.on and basis.crew.riders > 0


def end_of_shift(basis: Basis) -> tuple[datetime | None, SourceView]:
    """When the crew's shift ends or ended, and who says so: the crew itself, else the turn that is on by the roster."""
    crew = basis.crew
    if crew is not None and crew.on and crew.until is not None:
        return crew.until, crew_source(crew)
    return basis.rostered_until, directory_source()


def shift_findings(basis: Basis) -> list[Finding]:
    """Tell of a shift that has ended without relief, that nobody works, or that is about to end.

    A crew that stays on past its turn is asked: it is neither sent blindly nor taken to have gone home.
    """
    crew_on = is_on(basis)
    if basis.off_shift and not crew_on:
        text = "Off shift by the duty roster, nobody logged on: send another"
        return [Finding(code="off_shift", text=text, source=directory_source(), at_best="NotAvailable")]
    end, source = end_of_shift(basis)
    if crew_on and (basis.off_shift if end is None else end <= basis.now):
        text = f"Shift over and no relief logged on: {BY_RADIO}"
        return [
            Finding(
                code="shift_ended",
                text=text,
                source=source,
                at_best="ConditionallyAvailable",
                at_most="unconfirmed",
            )
        ]
    if end is not None and end - NOTICE <= basis.now < end and (crew_on or basis.crew is None):
        return [Finding(code="shift_ending", text="Shift ends within 30 minutes", source=source)]
    return []


def shift_moments(basis: Basis) -> Iterator[datetime]:
    """When time alone changes any of this."""
    for end in (end_of_shift(basis)[0], basis.rostered_until):
        if end is not None:
            yield end - NOTICE
            yield end
    if basis.roster_begins is not None:
        yield basis.roster_begins
