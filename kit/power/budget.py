"""What a power budget comes to: currents, times and volts, each with what it has to be. Pure.

Electricity alone: volts in volts, currents in amperes, unless a name says mA.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kit.parts import Part
from kit.power.shape import Dump, Load, Power

REGULATED_MARGIN = 1.05
"""What is on the converter's rail stands so many times its volts: the converter's own tolerance, twice."""


@dataclass(frozen=True)
class Margin:
    """A figure, and what it has to be."""

    path: str
    """The key of power.toml that it is of."""
    name: str
    formula: str
    value: float
    limit: float
    unit: str
    at_most: bool
    """The figure may not be above the limit; otherwise not below."""

    @property
    def holds(self) -> bool:
        """Whether the figure is what it has to be."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit


@dataclass(frozen=True)
class Currents:
    """What the loads of one rail draw together, in amperes."""

    running: float
    peak: float
    idle: float
    off: float
    lit: float
    """As `running`, with all that comes and goes drawing at once."""


def currents(power: Power, rail: str) -> Currents:
    """Add up the loads of a rail."""
    on = [each for each in power.load if each.rail == rail]
    return Currents(
        running=_amps((each.running_ma * each.duty, each) for each in on),
        peak=_amps((each.peak_ma, each) for each in on),
        idle=_amps((each.idle_ma, each) for each in on),
        off=_amps((each.off_ma, each) for each in on),
        lit=_amps((each.running_ma, each) for each in on),
    )


def _amps(loads: Iterator[tuple[float, Load]]) -> float:
    return sum(milliamps * load.count for milliamps, load in loads) / 1000


def converter_peak_a(power: Power) -> float:
    """The most that the converter gives: all loads at their peak while the store is charged."""
    return currents(power, power.converter.rail).peak + power.store.charge_ma / 1000


def supply_a(power: Power, volts: float, *, out_a: float, direct_a: float, light: bool = False) -> float:
    """What flows from the supply at `volts`, with `out_a` behind the converter and `direct_a` on its own rail."""
    efficiency = power.converter.light_efficiency if light else power.converter.efficiency
    return out_a * power.converter.volts / (efficiency * volts) + direct_a


def running_a(power: Power, volts: float) -> float:
    """What the device draws from its supply while it runs, the store being full."""
    out, direct = currents(power, power.converter.rail), currents(power, power.supply.rail)
    return supply_a(power, volts, out_a=out.running, direct_a=direct.running)


def idle_a(power: Power, volts: float) -> float:
    """What it draws with the ignition off, before its supply is cut."""
    out, direct = currents(power, power.converter.rail), currents(power, power.supply.rail)
    return supply_a(power, volts, out_a=out.idle, direct_a=direct.idle, light=True)


def peak_a(power: Power) -> float:
    """The most that flows for good: every load at its peak, the store charged, the supply at its lowest."""
    direct = currents(power, power.supply.rail).peak
    return supply_a(power, power.supply.volts_min, out_a=converter_peak_a(power), direct_a=direct)


def clamp_v(dump: Dump) -> float:
    """What the suppressor lets through of a load dump: its line from `breakdown_v` met by the dump's resistance."""
    slope_ohm = (dump.clamp_v - dump.breakdown_v) / dump.clamp_a
    amps = max(0.0, dump.volts - dump.breakdown_v) / (dump.ohm + slope_ohm)
    return min(dump.volts, dump.breakdown_v + amps * slope_ohm)


def store_f(power: Power) -> float:
    """What is left of the store's capacity when it is old and cold."""
    store = power.store
    return store.cell_f / store.in_series * store.aged * store.cold


def store_ohm(power: Power) -> float:
    """The store's resistance when it is old and cold."""
    store = power.store
    return store.cell_mohm / 1000 * store.in_series * store.aged_ohm * store.cold_ohm


def hold_s(power: Power) -> float:
    """How long the store carries the running device, with all lamps lit, old and cold.

    The loss in its resistance is taken throughout at the last and highest current; so the time is rather too short.
    """
    store, ohm = power.store, store_ohm(power)
    watts = currents(power, power.converter.rail).lit * power.converter.volts / store.efficiency
    last_a = watts / store.lowest_v
    full_v, empty_v = store.cell_v * store.in_series, store.lowest_v + last_a * ohm
    joules = store_f(power) * (full_v**2 - empty_v**2) / 2
    return max(0.0, joules / (watts + last_a**2 * ohm))


def crank_s(power: Power) -> float:
    """How long the store has to carry the device while the engine is started."""
    supply = power.supply
    carries = supply.crank_v is not None and supply.crank_v < power.converter.volts_min
    return supply.crank_s if carries else 0.0


def charge_s(power: Power) -> float:
    """How long the empty store takes to be full: until then it doesn't carry the device so long."""
    store = power.store
    joules = store.cell_f / store.in_series * (store.cell_v * store.in_series) ** 2 / 2
    return joules / (power.converter.volts * store.charge_ma / 1000 * store.efficiency)


def parked_days(power: Power) -> float:
    """How many days it takes from the ignition until the battery's share is used, at the lowest of the usual volts."""
    battery = power.battery
    left_ah = battery.ah * battery.share - idle_a(power, min(power.supply.volts)) * (battery.delay_h or 0)
    off_a = currents(power, power.supply.rail).off
    return max(0.0, left_ah) / off_a / 24 if off_a else float("inf")


def running_h(power: Power) -> float:
    """How many hours the running device has from the battery's share."""
    return power.battery.ah * power.battery.share / running_a(power, min(power.supply.volts))


def carried(power: Power, catalogue: Mapping[str, Part]) -> dict[str, tuple[float, float]]:
    """Of each rail: the volts that its parts have to stand, and the most amperes that flow in it for good.

    In the supply's rail that is what its fuse lets through.
    """
    fuse_a = rated_a(catalogue, power.fuse.part)
    supply_v = power.supply.volts_max * power.supply.volts_margin
    return {
        power.supply.rail: (supply_v, peak_a(power) if fuse_a is None else fuse_a),
        power.converter.rail: (power.converter.volts * REGULATED_MARGIN, currents(power, power.converter.rail).peak),
    }


def margins(power: Power, catalogue: Mapping[str, Part]) -> tuple[Margin, ...]:
    """Every figure that has to hold, but for one whose rating no catalogue tells: `power_problems` tells of that."""
    return (*_supply_margins(power, catalogue), *_store_margins(power, catalogue), *_battery_margins(power))


def _supply_margins(power: Power, catalogue: Mapping[str, Part]) -> Iterator[Margin]:
    supply, converter, fuse = power.supply, power.converter, power.fuse
    words = "lowest volts of the supply, for the converter"
    yield Margin("supply.volts_min", words, "-", supply.volts_min, converter.volts_min, "V", at_most=False)
    if (rated := rated_a(catalogue, converter.part)) is not None:
        words, limit = "load of the converter", rated * converter.share
        yield Margin("converter", words, "peaks + charging", converter_peak_a(power), limit, "A", at_most=True)
    if (rated := rated_a(catalogue, fuse.part)) is not None:
        words, how = "current in the fuse", "P / (efficiency x lowest V) + peaks"
        yield Margin("fuse", words, how, peak_a(power), rated * fuse.share, "A", at_most=True)
    if supply.part is not None and (rated := rated_a(catalogue, supply.part)) is not None:
        words, how = "current of the supply", "P / (efficiency x lowest V) + peaks"
        yield Margin("supply.part", words, how, peak_a(power), rated * supply.share, "A", at_most=True)
    if supply.dump is not None:
        words, how = "volts of a load dump, at the converter", "suppressor's line met by the dump's"
        yield Margin("supply.dump", words, how, clamp_v(supply.dump), converter.surge_v, "V", at_most=True)


def _store_margins(power: Power, catalogue: Mapping[str, Part]) -> Iterator[Margin]:
    store = power.store
    if (stands_v := rated_v(catalogue, store.part)) is not None:
        yield Margin("store.cell_v", "volts of a capacitor", "as charged", store.cell_v, stands_v, "V", at_most=True)
    need_s = (store.stop_s + crank_s(power)) * store.margin
    how = "n x C x (Vfull^2 - Vempty^2) / 2 / (P + I^2 x R)"
    yield Margin("store", "hold-up time", how, hold_s(power), need_s, "s", at_most=False)


def _battery_margins(power: Power) -> Iterator[Margin]:
    battery = power.battery
    if battery.off_ma_max is not None:
        off_ma = currents(power, power.supply.rail).off * 1000
        yield Margin("battery.off_ma_max", "current when cut", "sum", off_ma, battery.off_ma_max, "mA", at_most=True)
    if battery.days_min is not None:
        words, how = "days until the battery's share is used", "(Ah x share - idle A x delay) / off A / 24"
        yield Margin("battery.days_min", words, how, parked_days(power), battery.days_min, "days", at_most=False)
    if battery.hours_min is not None:
        words, how = "hours that it runs on its battery", "Ah x share / running A"
        yield Margin("battery.hours_min", words, how, running_h(power), battery.hours_min, "h", at_most=False)


def rated_a(catalogue: Mapping[str, Part], key: str) -> float | None:
    """The amperes of a part's rating, where the catalogue tells them."""
    part = catalogue.get(key)
    return part.amps_max if part is not None else None


def rated_v(catalogue: Mapping[str, Part], key: str) -> float | None:
    """The volts of a part's rating, where the catalogue tells them."""
    part = catalogue.get(key)
    return part.volts_max if part is not None else None
