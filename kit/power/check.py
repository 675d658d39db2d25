"""What is wrong with a power budget: loads against the bill of materials, volts, and figures that don't hold. Pure."""

from collections.abc import Collection, Iterator, Mapping

from kit.parts import Part
from kit.pinmap import Pinmap
from kit.power.budget import carried, margins, rated_a, rated_v
from kit.power.shape import Power
from wire.strict import Problem, closest


def power_problems(
    power: Power,
    pinmap: Pinmap,
    *,
    catalogue: Mapping[str, Part],
    counts: Mapping[str, int],
    drawing: Collection[str],
) -> tuple[Problem, ...]:
    """Tell all that doesn't fit; `counts` is the bill of materials, `drawing` those of it that draw current."""
    return (
        *_rail_problems(power, pinmap, catalogue),
        *_part_problems(power, catalogue, counts),
        *_load_problems(power, counts, drawing),
        *_volts_problems(power, catalogue),
        *(
            Problem(each.path, _is(each.name, each.value, each.unit), _limit(each.limit, each.unit, each.at_most))
            for each in margins(power, catalogue)
            if not each.holds
        ),
    )


def _is(name: str, value: float, unit: str) -> str:
    return f"the {name}: {value:.4g} {unit}"


def _limit(limit: float, unit: str, at_most: bool) -> str:
    return f"{limit:.4g} {unit} or {'less' if at_most else 'more'}"


def _rail_problems(power: Power, pinmap: Pinmap, catalogue: Mapping[str, Part]) -> Iterator[Problem]:
    rails = {each.name: each for each in pinmap.rail}
    if power.supply.rail not in rails:
        problem = f"{power.supply.rail!r} is no rail of the pin map{closest(power.supply.rail, tuple(rails))}"
        yield Problem("supply.rail", problem, f"one of {', '.join(rails)}")
        return
    said, rated = rails[power.supply.rail].amps, rated_a(catalogue, power.fuse.part)
    if said is not None and rated is not None and said != rated:
        problem = f"{power.fuse.part!r} has {rated:g} A, and rail {power.supply.rail!r} of the pin map {said:g} A"
        yield Problem("fuse.part", problem, "the same fuse in both")
    if power.converter.rail == power.supply.rail:
        problem = f"the converter makes {power.converter.rail!r} out of itself"
        yield Problem("converter.rail", problem, "a rail of its own")


def _part_problems(power: Power, catalogue: Mapping[str, Part], counts: Mapping[str, int]) -> Iterator[Problem]:
    roles = {"fuse": power.fuse.part, "converter": power.converter.part, "store": power.store.part}
    if power.supply.part is not None:
        roles["supply"] = power.supply.part
    if power.supply.dump is not None:
        roles["supply.dump"] = power.supply.dump.part
    for role, key in roles.items():
        if key not in counts:
            yield Problem(role, _not_on_the_bill(key, counts), "a part of parts.toml")
    for role in ("fuse", "converter", "supply"):
        if role in roles and roles[role] in catalogue and rated_a(catalogue, roles[role]) is None:
            yield Problem(f"{role}.part", f"{roles[role]!r} has no amps_max in the catalogue", "its rating in amperes")
    if power.store.part in catalogue and rated_v(catalogue, power.store.part) is None:
        yield Problem("store.part", f"{power.store.part!r} has no volts_max in the catalogue", "its rating in volts")
    has = counts.get(power.store.part, power.store.in_series)
    if has != power.store.in_series:
        problem = f"the store has {power.store.in_series} of {power.store.part!r}, and the bill {has}"
        yield Problem("store.in_series", problem, "as many on the bill")


def _not_on_the_bill(key: str, counts: Mapping[str, int]) -> str:
    return f"{key!r} is not on the bill of materials{closest(key, tuple(counts))}"


def _load_problems(power: Power, counts: Mapping[str, int], drawing: Collection[str]) -> Iterator[Problem]:
    rails = (power.supply.rail, power.converter.rail)
    drawn: dict[str, int] = {}
    for index, load in enumerate(power.load):
        path = f"load[{index}]"
        if load.rail not in rails:
            problem = f"load {load.title!r} is on {load.rail!r}, which nothing feeds{closest(load.rail, rails)}"
            yield Problem(f"{path}.rail", problem, f"one of {', '.join(rails)}")
        if load.volts_min is not None and load.rail == rails[0] and load.volts_min > power.supply.volts_min:
            problem = f"load {load.title!r} stops below {load.volts_min:g} V, and the supply may have fewer"
            yield Problem(f"{path}.volts_min", problem, f"{power.supply.volts_min:g} V or less")
        if load.part is None:
            continue
        drawn[load.part] = drawn.get(load.part, 0) + load.count
        if load.part not in counts:
            problem = f"load {load.title!r} is of a part that is not there: {_not_on_the_bill(load.part, counts)}"
            yield Problem(f"{path}.part", problem, "a part of parts.toml")
    for key in sorted(drawing):
        if key not in drawn:
            problem = f"{key!r} is on the bill of materials and draws current, and no load is of it"
            yield Problem("load", problem, "a [[load]], or passive = true in parts.toml")
    for key, count in drawn.items():
        if key in counts and counts[key] != count:
            problem = f"{count} of {key!r} draw current, and the bill of materials has {counts[key]}"
            yield Problem("load", problem, "as many in both")


def _volts_problems(power: Power, catalogue: Mapping[str, Part]) -> Iterator[Problem]:
    asked = carried(power, catalogue)
    users = [(f"load[{index}].part", load.part, load.rail) for index, load in enumerate(power.load) if load.part]
    for path, key, rail in users:
        stands, volts = rated_v(catalogue, key), asked.get(rail, (0.0, 0.0))[0]
        if stands is not None and stands < volts:
            problem = f"{key!r} stands {stands:g} V, and its rail {rail!r} asks for {volts:.3g} V with its margin"
            yield Problem(path, problem, f"{volts:.3g} V or more")
    # A fuse is rated for what it breaks, and a suppressor for what it doesn't conduct at: neither needs a margin.
    most_v = power.supply.volts_max
    if (stands := rated_v(catalogue, power.fuse.part)) is not None and stands < most_v:
        problem = f"{power.fuse.part!r} breaks {stands:g} V, and the supply may have {most_v:g} V"
        yield Problem("fuse.part", problem, f"{most_v:g} V or more")
    dump = power.supply.dump
    if dump is not None and (stands := rated_v(catalogue, dump.part)) is not None and stands < most_v:
        problem = f"{dump.part!r} is for {stands:g} V, and would conduct at the supply's {most_v:g} V"
        yield Problem("supply.dump.part", problem, f"{most_v:g} V or more")
