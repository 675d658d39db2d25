"""From a command to what a station does: freshness, the journal, and the runner that carries effects out in order."""

from edge_agent.turnout.journal import Journal
from edge_agent.turnout.runner import Turnout
from edge_agent.turnout.shown import OrderShown

__all__ = ["Journal", "OrderShown", "Turnout"]
