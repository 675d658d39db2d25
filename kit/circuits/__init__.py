"""Circuits: what `hardware/circuits/circuits.toml` holds, what is calculated of it, and what is wrong with it. Pure."""

from kit.circuits.check import check_circuits
from kit.circuits.counts import alternative_parts, circuit_parts
from kit.circuits.figures import Figure, figures
from kit.circuits.report import report
from kit.circuits.shape import Circuit, Circuits, Component, Mark, parse_circuits

__all__ = [
    "Circuit",
    "Circuits",
    "Component",
    "Figure",
    "Mark",
    "alternative_parts",
    "check_circuits",
    "circuit_parts",
    "figures",
    "parse_circuits",
    "report",
]
