"""The way to the cloud: publishes what is due, takes in settles and control's state."""

from edge_agent.link.connection import Address, Client, Connect, connected
from edge_agent.link.link import Link, NewStream, Receive
from edge_agent.link.writer import Describe, Description

__all__ = ["Address", "Client", "Connect", "Describe", "Description", "Link", "NewStream", "Receive", "connected"]
