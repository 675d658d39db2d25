"""Holds the orders and alarms in hand: takes what control asks for, sends it, folds in what devices tell, keeps it.

control ─▶ Desk.put, cancel, close ─▶ ledger ─▶ Sender ─▶ devices
devices ─▶ Desk.on_events ─▶ dispatch (pure) ─▶ feed, at once; ledger
devices ─▶ Alarms.on_events ─▶ dispatch (pure) ─▶ feed, at once
control ─▶ Alarms.acknowledge, cancel ─▶ ledger ─▶ feed; the device's lamp
control ─▶ Modes.put ─▶ ledger ─▶ fleet
devices ─▶ Bindings.on_events ─▶ fleet (pure): who claims what ─▶ feed; the device's page
control ─▶ Bindings.confirm, refuse, lend, split, ... ─▶ ledger ─▶ directory in force ─▶ fleet; the devices' pages
"""

from cloud.desk.alarms import AlarmPorts, Alarms, AlarmTaken, NotInHand
from cloud.desk.bindings import BindingPorts, Bindings
from cloud.desk.desk import Desk
from cloud.desk.modes import ModePorts, ModeRequest, Modes, NoSuch
from cloud.desk.ports import Minted, Ports
from cloud.desk.requests import Clash, Differs, Invalid, Placed

__all__ = [
    "AlarmPorts",
    "AlarmTaken",
    "Alarms",
    "BindingPorts",
    "Bindings",
    "Clash",
    "Desk",
    "Differs",
    "Invalid",
    "Minted",
    "ModePorts",
    "ModeRequest",
    "Modes",
    "NoSuch",
    "NotInHand",
    "Placed",
    "Ports",
]
