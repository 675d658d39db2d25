"""What the agent is composed of, beside its data path: made, run, and told of."""

from edge_agent.building.account import Account, Told
from edge_agent.building.building import Building, Hands
from edge_agent.building.making import make_link, make_vehicle

__all__ = ["Account", "Building", "Hands", "Told", "make_link", "make_vehicle"]
