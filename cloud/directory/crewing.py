"""What must hold of units: what they can do, whom they need, and with whom they share a crew or a whole. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping

from cloud.directory.rows import Organisation, UnitRow
from cloud.directory.tables import Known, Placed, Tables
from wire.strict import Problem, closest


def crewing_problems(tables: Tables, known: Known) -> Iterator[Problem]:
    """Tell what is wrong with units, each by itself and among themselves."""
    organisations = {each.row.id: each.row for each in tables.organisations}
    units = {each.row.id: each.row for each in tables.units}
    for organisation in tables.organisations:
        yield from _twice_in(organisation, "skills", organisation.row.skills, "each skill once")
    for unit in tables.units:
        yield from _twice_in(unit, "capabilities", unit.row.capabilities, "each capability once")
        names = tuple(attachment.name for attachment in unit.row.attachments)
        yield from _twice_in(unit, "attachments", names, "each attachment once")
        yield from _crew_problems(unit, organisations.get(unit.row.organisation))
        yield from _part_problems(unit, units)
    yield from _group_problems(tables.units, known.crew_groups)
    yield from _split_crew_problems(tables.units)


def _twice_in(
    placed: Placed[UnitRow] | Placed[Organisation], key: str, names: Collection[str], expected: str
) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield placed.problem(key, f"names {name!r} {count} times", expected)


def _crew_problems(unit: Placed[UnitRow], organisation: Organisation | None) -> Iterator[Problem]:
    row = unit.row
    if row.preferred_crew and row.minimum_crew > row.preferred_crew:
        expected = f"at most preferred_crew, which is {row.preferred_crew}"
        yield unit.problem("minimum_crew", f"is {row.minimum_crew}", expected)
    known = organisation.skills if organisation is not None else ()
    for skill, count in row.skills.items():
        if known and skill not in known:
            problem = f"the key is {skill!r}, no skill of {row.organisation!r}{closest(skill, known)}"
            yield unit.problem(f"skills.{skill}", problem, f"one of {', '.join(known)}")
        if row.preferred_crew and count > row.preferred_crew:
            expected = f"at most preferred_crew, which is {row.preferred_crew}"
            yield unit.problem(f"skills.{skill}", f"is {count}", expected)


def _part_problems(unit: Placed[UnitRow], units: Mapping[str, UnitRow]) -> Iterator[Problem]:
    """Tell what can't be a part of what. A whole that is itself no part: so there are no circles."""
    whole = units.get(unit.row.part_of) if unit.row.part_of is not None else None
    if whole is None:
        return
    if whole.id == unit.row.id:
        yield unit.problem("part_of", "is the unit itself", "the id of another unit")
    elif whole.part_of is not None:
        problem = f"{whole.id!r} is itself a part of {whole.part_of!r}"
        yield unit.problem("part_of", problem, "a unit that is no part of another")
    elif whole.organisation != unit.row.organisation:
        problem = f"{whole.id!r} belongs to {whole.organisation!r}"
        yield unit.problem("part_of", problem, f"a unit of {unit.row.organisation!r}")


def _group_problems(units: tuple[Placed[UnitRow], ...], sizes: Mapping[str, int] | None) -> Iterator[Problem]:
    groups: dict[str, list[Placed[UnitRow]]] = defaultdict(list)
    for unit in units:
        if unit.row.crew_group is not None:
            groups[unit.row.crew_group].append(unit)
        elif unit.row.crew_order is not None:
            yield unit.problem("crew_order", "is given without crew_group", "a crew_group, or no crew_order")
    for name, members in groups.items():
        if sizes is not None and sizes[name] == 1:
            others = tuple(other for other in sizes if other != name)
            problem = f"no other unit is of {name!r}{closest(name, others)}"
            yield members[0].problem("crew_group", problem, "a group of two units or more, or none")
        yield from _member_problems(members)


def _split_crew_problems(units: tuple[Placed[UnitRow], ...]) -> Iterator[Problem]:
    """Tell of crews that would be counted twice: a group's crew can't also be that of a whole, or of its parts."""
    wholes = {(unit.row.part_of, unit.row.organisation) for unit in units if unit.row.part_of is not None}
    groups: dict[str, set[str | None]] = defaultdict(set)
    for unit in units:
        if unit.row.crew_group is not None:
            groups[unit.row.crew_group].add(unit.row.part_of)
    for unit in units:
        group = unit.row.crew_group
        if group is None:
            continue
        if (unit.row.id, unit.row.organisation) in wholes:
            yield unit.problem("crew_group", "is given for a unit that has parts", "a crew_group of its parts, or none")
        elif unit.row.part_of is not None and len(groups[group]) > 1:
            expected = f"units that are all parts of {unit.row.part_of!r}"
            yield unit.problem("crew_group", f"{group!r} has others than parts of {unit.row.part_of!r}", expected)


def _member_problems(members: list[Placed[UnitRow]]) -> Iterator[Problem]:
    first = members[0]
    orders: dict[int, str] = {}
    for unit in members:
        for key in ("organisation", "base"):
            theirs, own = getattr(first.row, key), getattr(unit.row, key)
            if theirs != own:
                problem = f"{first.row.id!r} of this group is of {key} {theirs!r}, and this unit of {own!r}"
                yield unit.problem("crew_group", problem, f"units of one {key}")
        order = unit.row.crew_order
        met = orders.setdefault(order, unit.path) if order is not None else unit.path
        if met != unit.path:
            yield unit.problem("crew_order", f"{order} stands in {met} already", "an order of its own in the group")
