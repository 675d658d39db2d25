"""The shape of a `panel.toml`: outline, holes, and where each button of the pin map stands. Millimetres. Pure.

Measured from the upper left corner of the panel as one looks at it: x to the right, y downwards.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.config.settings import ButtonName
from kit.pinmap import Words
from wire.strict import Problem, parse_toml

Mm = Annotated[float, Meta(gt=0, le=400, description="millimetres, more than 0")]
Along = Annotated[float, Meta(ge=0, le=400, description="millimetres from the upper left corner")]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The plate itself, and the room behind it."""

    title: Words
    width_mm: Mm
    height_mm: Mm
    corner_mm: Along
    """The radius of its corners."""
    thick_mm: Mm
    depth_mm: Mm
    """The room behind its back."""
    edge_mm: Mm
    """The strip along its outline in which nothing may stand behind it: there it is bent, or rests on the box."""


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of control with its lamp in it: its face, its hole, what is behind the panel, and its label above it."""

    face_mm: Mm
    """What a finger meets, or the guard around it, across."""
    hole_mm: Mm
    """The diameter of its hole."""
    body_width_mm: Mm
    body_height_mm: Mm
    body_depth_mm: Mm
    """What is behind the panel, its terminals and the bend of its cores included."""
    label_above_mm: Mm
    """From the control's centre up to that of its label: above, where no hand hides it."""


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """The plate that a legend is on, the same for every control."""

    width_mm: Mm
    height_mm: Mm


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """A hole to mount the panel by."""

    x_mm: Along
    y_mm: Along
    diameter_mm: Mm


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where the centre of a button's hole is."""

    button: ButtonName
    x_mm: Along
    y_mm: Along


class KeepOut(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle behind the panel that something else takes."""

    title: Words
    x_mm: Along
    y_mm: Along
    width_mm: Mm
    height_mm: Mm


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A whole panel."""

    sheet: Sheet
    label: Label
    key: Control
    """The status buttons."""
    guarded: Control | None = None
    """The emergency button, its guard included."""
    hole: tuple[Hole, ...] = ()
    spot: Annotated[tuple[Spot, ...], Meta(min_length=1, description="[[spot]]")]
    keep_out: tuple[KeepOut, ...] = ()


class Box(msgspec.Struct, frozen=True):
    """A rectangle on the panel, by its edges."""

    left: float
    top: float
    right: float
    bottom: float

    def gap(self, other: "Box") -> float:
        """How far apart the two are, edge to edge; 0 where they touch or overlap."""
        across = max(other.left - self.right, self.left - other.right, 0.0)
        down = max(other.top - self.bottom, self.top - other.bottom, 0.0)
        return float((across**2 + down**2) ** 0.5)

    def overlaps(self, other: "Box") -> bool:
        """Whether they share more than an edge."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def within(self, other: "Box") -> bool:
        """Whether all of it is inside the other."""
        across = self.left >= other.left and self.right <= other.right
        return across and self.top >= other.top and self.bottom <= other.bottom


def around(x: float, y: float, width: float, height: float) -> Box:
    """The rectangle with its centre there."""
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def parse_panel(text: str) -> Panel | tuple[Problem, ...]:
    """Read a panel's shape, or tell every problem that it has. Whether all fits is for `panel_problems` to tell."""
    return parse_toml(text, Panel, "a panel")
