"""Holds the orders and alarms in hand: takes what control asks for, sends it, folds in what devices tell, keeps it.

control ─▶ Desk.put, cancel, close ─▶ ledger ─▶ Sender ─▶ devices
devices ─▶ Desk.on_events ─▶ dispatch (pure) ─▶ feed, at once; ledger
devices ─▶ Alarms.on_events ─▶ dispatch (pure) ─▶ feed, at once
control ─▶ Alarms.acknowledge, cancel ─▶ ledger ─▶ feed; the device's lamp
a command and control system (CAD) ─▶ CadInbox.take ─▶ ledger ─▶ fleet; Desk.assign
control ─▶ Modes.put ─▶ ledger ─▶ fleet
devices ─▶ Bindings.on_events ─▶ fleet (pure): who claims what ─▶ feed; the device's page
control ─▶ Sharing.withdraw, declare, open_access, ...; Lending.say; Covering.take_over ─▶ ledger ─▶ partners' views
control ─▶ Bindings.confirm, refuse, lend, split, ... ─▶ ledger ─▶ directory in force ─▶ fleet; the devices' pages
"""

from cloud.desk.alarms import AlarmPorts, Alarms, AlarmTaken, NotInHand
from cloud.desk.bindings import BindingPorts, Bindings
from cloud.desk.cad import CadInbox, CadPorts
from cloud.desk.covering import Covering
from cloud.desk.desk import Desk
from cloud.desk.lending import Lending
from cloud.desk.modes import ModePorts, ModeRequest, Modes, NoSuch
from cloud.desk.ports import Minted, Ports
from cloud.desk.requests import Clash, Differs, Invalid, Placed
from cloud.desk.sharing import Sharing, SharingPorts

__all__ = [
    "AlarmPorts",
    "AlarmTaken",
    "Alarms",
    "BindingPorts",
    "Bindings",
    "CadInbox",
    "CadPorts",
    "Clash",
    "Covering",
    "Desk",
    "Differs",
    "Invalid",
    "Lending",
    "Minted",
    "ModePorts",
    "ModeRequest",
    "Modes",
    "NoSuch",
    "NotInHand",
    "Placed",
    "Ports",
    "Sharing",
    "SharingPorts",
]
