"""The power budget of a device: its supply, converter, fuse, loads, hold-up store and battery. Pure."""

from kit.power.budget import Margin, carried, margins
from kit.power.check import power_problems
from kit.power.page import power_page
from kit.power.shape import Power, parse_power

__all__ = ["Margin", "Power", "carried", "margins", "parse_power", "power_page", "power_problems"]
