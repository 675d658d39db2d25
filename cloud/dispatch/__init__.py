"""Orders: what an order is, how what devices tell moves it, and what asks for a person. Pure.

open_order, open_local   an order as control gives it, or as a station reports it
apply_event, apply_status   what devices tell of it (`fold.py`)
pass_time                what asks for a person because nobody answered (`escalation.py`)
cancel, close            what control does with it (`control.py`)
standing.py              the phases, and which one the facts come to
view                     the order as the feed shows it
"""

from cloud.dispatch.control import acknowledge_alarms, cancel, close, note_sent, open_local, open_order
from cloud.dispatch.escalation import pass_time, resume
from cloud.dispatch.fold import apply_event, apply_status
from cloud.dispatch.views import view
from cloud.dispatch.words import Callee, Facts, Order, OrderRequest, Override

__all__ = [
    "Callee",
    "Facts",
    "Order",
    "OrderRequest",
    "Override",
    "acknowledge_alarms",
    "apply_event",
    "apply_status",
    "cancel",
    "close",
    "note_sent",
    "open_local",
    "open_order",
    "pass_time",
    "resume",
    "view",
]
