"""Holds the orders and alarms in hand: takes what control asks for, sends it, folds in what devices tell, keeps it.

control ─▶ Desk.put, cancel, close ─▶ ledger ─▶ Sender ─▶ devices
devices ─▶ Desk.on_events ─▶ dispatch (pure) ─▶ feed, at once; ledger
devices ─▶ Alarms.on_events ─▶ dispatch (pure) ─▶ feed, at once
control ─▶ Alarms.acknowledge ─▶ ledger ─▶ feed; the device's lamp
"""

from cloud.desk.alarms import AlarmPorts, Alarms, AlarmTaken
from cloud.desk.desk import Desk
from cloud.desk.ports import Minted, Ports
from cloud.desk.requests import Clash, Differs, Invalid, Placed

__all__ = ["AlarmPorts", "AlarmTaken", "Alarms", "Clash", "Desk", "Differs", "Invalid", "Minted", "Placed", "Ports"]
