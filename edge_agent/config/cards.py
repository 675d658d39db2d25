"""What each unit's card on the touch page offers. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from edge_agent.config.panel import Button
from edge_agent.config.settings import UnitEntry
from wire.scheme import Scheme
from wire.strict import Problem, closest

CODES_OF_A_CARD = 6
"""How many of the scheme's codes a card offers where nobody chose: so many fit beside each other on the glass."""


def card(unit: UnitEntry, panel: Iterable[Button], scheme: Scheme) -> dict[str, Button]:
    """Give the status buttons of a unit's card, by code: those that its TOML names, else those of its panel.

    Where it has neither, the first of the scheme that are statuses.
    """
    codes = unit.statuses or tuple(one.code for one in panel if one.unit == unit.id)
    codes = codes or tuple(row.code for row in scheme.codes if not row.event)[:CODES_OF_A_CARD]
    rows = [row for code in dict.fromkeys(codes) if (row := scheme.code(code)) is not None]
    return {row.code: Button(unit=unit.id, scheme=scheme.name, code=row.code, event=row.event) for row in rows}


def card_problems(units: tuple[UnitEntry, ...], schemes: Mapping[str, Scheme]) -> Iterator[Problem]:
    """Tell codes of cards that there aren't. A unit whose scheme is unknown is told elsewhere."""
    for index, unit in enumerate(units):
        scheme = schemes.get(unit.scheme)
        for place, code in enumerate(unit.statuses if scheme else ()):
            codes = tuple(row.code for row in scheme.codes) if scheme else ()
            if code not in codes:
                problem = f"{code!r} is no code of {unit.scheme}{closest(code, codes)}"
                yield Problem(f"unit[{index}].statuses[{place}]", problem, f"one of {', '.join(codes)}")
