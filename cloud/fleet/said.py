"""What was said of a unit beside its status: its crew and its defects, each newest by device. Pure.

Within a device order is the sequence, as with statuses; between devices it is corrected time.
"""

from functools import lru_cache

import msgspec

from cloud.fleet.basis import NO_NEEDS, CrewSaid, DefectSaid, Needs
from cloud.fleet.heads import CONFLICT_WITHIN
from wire.feed import CrewView, DefectView

Order = tuple[int, int]
"""The ordinal of a device's stream and the sequence in it, where it was pressed."""
DEFECTS_MAX = 64
"""How many of a unit's defects are known at once, mended ones counted. Nobody lists more, and a device that invents
names without end must not fill the memory."""


class KeptCrew(msgspec.Struct, frozen=True, gc=False):
    """A device's newest word on a crew."""

    order: Order
    said: CrewSaid


class KeptDefect(msgspec.Struct, frozen=True, gc=False):
    """A device's newest word on one defect. A mended one is kept, so that no older word raises it again."""

    order: Order
    raised: bool
    said: DefectSaid


def keep_crew(known: tuple[KeptCrew, ...], crew: CrewSaid, order: Order) -> tuple[KeptCrew, ...] | None:
    """Put a device's word in the place of its older one; None where that one is not older."""
    old = next((one for one in known if one.said.device == crew.device), None)
    if old is not None and order <= old.order:
        return None
    return (*[one for one in known if one is not old], KeptCrew(order, crew))


def stand_crew(known: tuple[KeptCrew, ...]) -> CrewSaid | None:
    """Decide between devices: the newest, unless another that may be as new has fewer on board. Then that counts.

    Where no clock vouches for the newest any of the others may be as new.
    """
    if len(known) < 2:
        return known[0].said if known else None
    crews = [one.said for one in known]
    newest = max(crews, key=lambda crew: (crew.proven, crew.at, crew.device))
    near = [crew for crew in crews if newest.at - crew.at <= CONFLICT_WITHIN or not newest.proven]
    return min([newest, *near], key=_aboard)


def keep_defect(known: tuple[KeptDefect, ...], word: KeptDefect) -> tuple[KeptDefect, ...] | None:
    """Put a device's word on a defect in the place of its older one; None where that one is not older."""
    said = word.said
    old = next((one for one in known if (one.said.device, one.said.what) == (said.device, said.what)), None)
    if old is not None and word.order <= old.order:
        return None
    kept = [*[one for one in known if one is not old], word]
    if len(kept) > DEFECTS_MAX:
        kept.remove(min(kept, key=lambda one: (one.raised, one.raised and one.said.off_the_run)))
    return tuple(kept)


def standing_defects(known: tuple[KeptDefect, ...]) -> tuple[DefectSaid, ...]:
    """Give those that are not mended, in the order in which they were raised."""
    return tuple(sorted((one.said for one in known if one.raised), key=lambda said: (said.at, said.what, said.device)))


def crew_view(crew: CrewSaid | None, needs: Needs) -> CrewView | None:
    """Show a crew against what its unit needs; None where nobody asks and nobody has logged on or off."""
    if crew is None:
        return None if needs is NO_NEEDS or needs == NO_NEEDS else _unknown_crew(needs)
    skills = dict(crew.skills) if crew.on else {}
    return CrewView(
        riders=_aboard(crew),
        minimum=needs.minimum,
        preferred=needs.preferred,
        skills=tuple(sorted(skills)),
        missing=tuple([skill for skill, count in needs.skills if skills.get(skill, 0) < count]),
        until=crew.until if crew.on else None,
    )


def defect_views(defects: tuple[DefectSaid, ...]) -> tuple[DefectView, ...]:
    """Show defects as the feed does."""
    return tuple([DefectView(what=d.what, off_the_run=d.off_the_run, text=d.text, since=d.at) for d in defects])


@lru_cache(1_000)
def _unknown_crew(needs: Needs) -> CrewView:
    return CrewView(minimum=needs.minimum, preferred=needs.preferred)


def _aboard(crew: CrewSaid) -> int:
    return crew.riders if crew.on else 0
