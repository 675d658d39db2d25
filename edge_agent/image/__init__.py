"""Assembles everything that is laid over a fresh operating system to make it one device. Needs no network.

profile + board + who it is ─▶ device.py (pure) ─▶ device.toml ─┐
firmware_configs/tree/common, tree/BOARD, boards/BOARD ─────────┴▶ assemble.py ─▶ DIR ─▶ steps.py (pure) ─▶ a person
"""

from edge_agent.image.command import image

__all__ = ["image"]
