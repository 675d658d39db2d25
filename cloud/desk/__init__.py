"""Holds the orders in hand: takes what control asks for, sends it, folds in what devices tell, and keeps it all.

control ─▶ Desk.put, cancel, close ─▶ ledger ─▶ Sender ─▶ devices
devices ─▶ Desk.on_events ─▶ dispatch (pure) ─▶ feed, at once; ledger
"""

from cloud.desk.desk import Desk
from cloud.desk.ports import Minted, Ports
from cloud.desk.requests import Clash, Differs, Invalid, Placed

__all__ = ["Clash", "Desk", "Differs", "Invalid", "Minted", "Placed", "Ports"]
