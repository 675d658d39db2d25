"""The touch page's view of the agent: everything it shows, and everything that a person at the glass can do."""

from edge_agent.glass.cards import lamp_name
from edge_agent.glass.glass import Glass, Reach, Standing
from edge_agent.glass.swapping import Swapping

__all__ = ["Glass", "Reach", "Standing", "Swapping", "lamp_name"]
