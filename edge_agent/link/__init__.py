"""The way to the cloud: publishes what is due, takes in settles and control's state."""

from edge_agent.link.link import Address, Describe, Link, Receive
from edge_agent.link.writer import Description

__all__ = ["Address", "Describe", "Description", "Link", "Receive"]
