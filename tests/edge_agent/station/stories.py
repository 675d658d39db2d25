"""Stories of a station: happenings in any order, told twice, with restarts between any two effects."""

from typing import Any

from hypothesis import strategies as st

from edge_agent.station.words import Acknowledged, Called, Happening, Journaled
from tests.edge_agent.station.lab import FIRE, ORDERS, POLICE, SOUND_S, Lab
from wire.messages import CalledUnit

Deed = tuple[str, Any, int | None]
"""What is done, with what, and after how many of its effects the process dies (None: it lives on)."""

ZONE_SOUNDERS = {"fire": "io.s-fire", "police": "io.s-police"}
SHARED_SOUNDERS = ("io.s-mess", "io.s-bays")
PROOFS = ("io.s-fire-on", "io.l-mess-on", "io.cooker-on", "io.d-fire-open", "io.d-fire-blocked", "io.mains-failed")
INTERLOCKS = ("d-fire-blocked", "d-fire-repair", "d-fire-crew", "d-fire-open", "d-police-open", "mains-failed")

_survive = st.none() | st.integers(0, 12)
_orders = st.integers(0, 2)


def _deed(name: str, what: st.SearchStrategy[Any]) -> st.SearchStrategy[Deed]:
    return st.tuples(st.just(name), what, _survive)


def _calls(units: tuple[CalledUnit, ...], modes: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    more = st.fixed_dictionaries(
        {
            "order": _orders,
            "revision": st.integers(1, 3),
            "action": st.sampled_from(["mobilise", "mobilise", "standby_move"]),
            "open_doors": st.booleans(),
            "mode": st.sampled_from(modes),
        }
    )
    return st.fixed_dictionaries({"units": st.lists(st.sampled_from(units), min_size=1, unique=True), "more": more})


def stories(
    *units: CalledUnit, modes: tuple[str, ...] = ("live", "live", "test"), faults: bool = True
) -> st.SearchStrategy[list[Deed]]:
    """Lists of deeds that call these units. Without `faults` only commands, people, time and restarts."""
    deeds = [
        _deed("call", _calls(units or (FIRE, POLICE), modes)),
        _deed("again", st.integers(0, 30)),
        _deed("cancel", st.tuples(_orders, st.integers(2, 4))),
        _deed("acknowledge", st.tuples(_orders, st.sampled_from([None, "fire-1", "police-1"]))),
        _deed("press", st.sampled_from(["button", "button-fire"])),
        _deed("wait", st.sampled_from([0.25, 1.0, 3.0, 6.0, 25.0])),
        _deed("restart", st.none()),
    ]
    if faults:
        deeds += [
            _deed("turn", st.tuples(st.sampled_from(INTERLOCKS), st.booleans())),
            _deed("break", st.sampled_from(["io.d-fire", "io.l-mess", "io.s-fire"])),
            _deed("spoil", st.sampled_from(PROOFS)),
            _deed("mend", st.none()),
        ]
    return st.lists(st.one_of(deeds), max_size=25)


class Story:
    """A lab that does deeds, and remembers what happened so that it can happen again."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.lab = Lab()
        self.past: list[Happening] = []

    def do(self, deed: Deed) -> None:
        """Do one deed. If the process dies at it, it starts again and reads the station."""
        name, what, survive = deed
        match name:
            case "call":
                self._happen(Called(self.lab.make_call(*what["units"], **what["more"])), survive)
            case "cancel":
                cancel = self.lab.make_call(order=what[0], revision=what[1], action="cancel")
                self._happen(Called(cancel), survive)
            case "acknowledge":
                self._happen(Acknowledged(order=ORDERS[what[0]], by="panel", unit=what[1]), survive)
            case "again" if what < len(self.past):
                self._happen(self.past[what], survive)
            case "wait":
                self.lab.wait(what)
            case "restart":
                self.lab.restart(survive)
            case "turn" | "press":
                self._touch(name, what, survive)
            case "break" | "spoil" | "mend":
                self._spoil(name, what)
        self.lab.read()

    def _spoil(self, name: str, what: Any) -> None:
        match name:
            case "break":
                self.lab.broken ^= {what}
            case "spoil":
                self.lab.bad ^= {what}
            case "mend":
                self.lab.broken, self.lab.bad = set(), set()

    def _happen(self, happening: Happening, survive: int | None) -> None:
        self.past.append(happening)
        self.lab.happen(happening, survive=survive)

    def _touch(self, name: str, what: Any, survive: int | None) -> None:
        point, value = (what, True) if name == "press" else what
        self.lab.inputs[f"io.{point}"] = value
        self.lab.read(survive)
        if name == "press":
            self.lab.inputs[f"io.{point}"] = False


def must_sound(lab: Lab) -> set[str]:
    """The sounders that must be on now, by the journal alone: of every live call that still waits for a person."""
    found: set[str] = set()
    cancelled = [(row.order, row.revision) for row in _whole(lab) if row.call is not None and not row.call.units]
    for row in _whole(lab):
        call = row.call
        if row.outcome != "accepted" or call is None or call.action == "cancel" or call.mode != "live":
            continue
        rows = {step for order, revision, step in lab.journal if (order, revision) == (row.order, row.revision)}
        units = {unit.unit for unit in call.units}
        taken_in = "acknowledge" in rows or {f"acknowledge:{unit}" for unit in units} <= rows
        ended = any(order == row.order and revision > row.revision for order, revision in cancelled)
        if not taken_in and not ended and lab.now_s < min(call.expires_s, call.received_s + SOUND_S):
            found |= {ZONE_SOUNDERS[unit.service] for unit in call.units} | set(SHARED_SOUNDERS)
    return found


def _whole(lab: Lab) -> list[Journaled]:
    """The rows of orders as a whole."""
    return [row for row in lab.journal.values() if row.step == ""]
