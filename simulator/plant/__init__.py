"""A station's plant as its Modbus modules show it: doors, sounders, lights, cooker, indicators, mains, buttons."""

from simulator.plant.parts import Cooker, Door, ExitSignal, Indicator, Inputs, Light, Parts, Sounder
from simulator.plant.plant import Plant

__all__ = ["Cooker", "Door", "ExitSignal", "Indicator", "Inputs", "Light", "Parts", "Plant", "Sounder"]
