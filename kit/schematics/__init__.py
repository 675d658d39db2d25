"""Draws each circuit on a sheet of its own, as an SVG with its texts as texts, and holds the drawing against its nets.

What is connected is worked out from the drawing alone: where pins, wires and marks meet. So a wire that ends beside
its pin, or joins two nets, is found, however right the sheet looks.
"""

from kit.schematics.nets import drawing_problems
from kit.schematics.sheet import schematics

__all__ = ["drawing_problems", "schematics"]
