"""What may go wrong, declared in one options object, and drawn from a seed."""

from random import Random
from typing import Literal

import msgspec

Kind = Literal[
    "loss",
    "duplication",
    "reorder",
    "delay",
    "partition",
    "one_way",
    "backlog",
    "broker_restart",
    "agent_kill",
    "power_cut",
    "cloud_kill",
    "disk_full",
    "ledger_full",
    "damage",
    "clone",
    "swapped_card",
    "put_back",
    "clock_step",
    "wrong_hour",
    "drift",
    "links_out_of_order",
    "second_device",
    "cloud_restored",
    "long_offline",
]

KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
LONG: Kind = "long_offline"
LONG_SHARE = 0.01
"""Thirteen hours take a while even under a virtual clock."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario's faults: how many of each kind, and everything else that chance has decided before it begins."""

    counts: dict[Kind, int]
    vehicles: int = 3
    within_s: float = 240.0
    """The time in which faults begin."""
    press_every_s: float = 15.0
    """The mean time between two presses of a crew."""
    interval_s: float = 5.0
    """Between two heartbeats."""


def draw(seed: int) -> Faults:
    """Decide the faults of a seed: one to five kinds, each once to three times."""
    chance = Random(f"faults/{seed}")
    if chance.random() < LONG_SHARE:
        return Faults(counts={LONG: 1}, vehicles=1, within_s=30.0, press_every_s=4000.0, interval_s=20.0)
    kinds = chance.sample([kind for kind in KINDS if kind != LONG], chance.randint(1, 5))
    return Faults(
        counts={kind: chance.choice((1, 1, 2, 3)) for kind in kinds},
        vehicles=chance.randint(1, 3),
        within_s=chance.uniform(60.0, 240.0),
        press_every_s=chance.choice((4.0, 10.0, 25.0)),
        interval_s=chance.choice((2.0, 5.0, 10.0)),
    )
