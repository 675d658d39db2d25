"""The device's frozen configuration: one TOML, then the environment; checked whole, refused whole.

load(path, environ) = file.py reads the texts → merge.py → settings.py (shape and limits) → panel.py (codes) → Config
"""

from edge_agent.config.file import Config, ConfigInvalid, load, load_scheme
from edge_agent.config.inputs import Inputs
from edge_agent.config.panel import Button
from edge_agent.config.settings import Device, Emergency, Gpsd, Link, Outbox, Page, Panel, Report, Station, UnitEntry

__all__ = [
    "Button",
    "Config",
    "ConfigInvalid",
    "Device",
    "Emergency",
    "Gpsd",
    "Inputs",
    "Link",
    "Outbox",
    "Page",
    "Panel",
    "Report",
    "Station",
    "UnitEntry",
    "load",
    "load_scheme",
]
