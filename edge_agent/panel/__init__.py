"""The touch page of a station or a vehicle, served by its own agent: it goes on when the WAN is down."""

from edge_agent.panel.port import PanelPage, PanelPort
from edge_agent.panel.server import PanelServer

__all__ = ["PanelPage", "PanelPort", "PanelServer"]
