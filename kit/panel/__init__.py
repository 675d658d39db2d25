"""The status panel of a device, from `panel.toml`: its shape, what is wrong with it, and its drawings at 1:1. Pure."""

from kit.panel.faces import panels
from kit.panel.faults import panel_problems
from kit.panel.layout import Panel, parse_panel

__all__ = ["Panel", "panel_problems", "panels", "parse_panel"]
