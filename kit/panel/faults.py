"""All that doesn't fit on a panel, each a line that names both users. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from edge_agent.config.profiles import Profile
from kit.panel.layout import Box, Control, Panel, Spot, around
from kit.panel.letters import MARGIN_MM, STRIP_MM, height_mm, width_mm
from kit.pinmap import Pinmap
from wire.strict import Problem, closest

FACE_MM_MIN = 19.0
"""The least that a gloved finger is given to push: MIL-STD-1472E, 5.4.3.1.3.3 (keys for mittens)."""
GAP_MM_MIN = 19.0
"""The least from one control's face to the next, for a gloved hand.

MIL-STD-1472E, table VII, has 13 mm for a bare hand, and 5.4.1.3.7 wants more for gloves without saying how much: half
as much again is our own figure.
"""
WEB_MM_MIN = 3.0
"""The least metal between two holes, or between a hole and the edge. Our own figure, for a plate of 2 to 3 mm."""
PAPER_MM = (297.0, 210.0)
"""A4, on which it is printed at 1:1."""
DRAWN_MM = (36.0, 83.0)
"""What the drawing needs of the paper beside the panel, across and down."""

Placed = tuple[str, str, Box]
"""Path, name, and where it is."""


def panel_problems(panel: Panel, pinmap: Pinmap, profiles: Sequence[Profile]) -> tuple[Problem, ...]:
    """Tell everything that has no place, doesn't fit or stands too near; `profiles` are those of this board."""
    return (
        *_spot_problems(panel, pinmap),
        *_sheet_problems(panel),
        *_face_problems(panel, pinmap),
        *_hole_problems(panel, pinmap),
        *_behind_problems(panel, pinmap),
        *(problem for profile in profiles for problem in _legend_problems(panel, pinmap, profile)),
    )


def control_of(panel: Panel, pinmap: Pinmap, spot: Spot) -> Control:
    """What kind of control stands there."""
    held = {each.button for each in pinmap.signal if each.use == "emergency"}
    return panel.guarded if panel.guarded is not None and spot.button in held else panel.key


def lit(pinmap: Pinmap) -> frozenset[str]:
    """The buttons that have a lamp."""
    return frozenset(each.button for each in pinmap.signal if each.use == "lamp" and each.button)


def holes(panel: Panel, pinmap: Pinmap) -> Iterator[tuple[str, str, float, float, float]]:
    """Every hole to drill: the path of what it is for, its name, its centre and its diameter."""
    for index, hole in enumerate(panel.hole):
        yield f"hole[{index}]", f"fixing {index + 1}", hole.x_mm, hole.y_mm, hole.diameter_mm
    for index, spot in enumerate(panel.spot):
        control = control_of(panel, pinmap, spot)
        yield f"spot[{index}]", f"button {spot.button}", spot.x_mm, spot.y_mm, control.hole_mm


def _spot_problems(panel: Panel, pinmap: Pinmap) -> Iterator[Problem]:
    wanted = {each.button: each for each in pinmap.signal if each.use in ("button", "emergency") and each.button}
    placed: dict[str, int] = {}
    for index, spot in enumerate(panel.spot):
        path = f"spot[{index}].button"
        if spot.button not in wanted:
            problem = f"{spot.button!r} has a place, and is no button of {pinmap.board.name}"
            yield Problem(path, problem + closest(spot.button, tuple(wanted)), f"one of {', '.join(wanted)}")
        if spot.button in placed:
            problem = f"{spot.button!r} has its place at spot[{placed[spot.button]}] and at spot[{index}]"
            yield Problem(path, problem, "each button once")
        placed.setdefault(spot.button, index)
    for button, signal in wanted.items():
        if button not in placed:
            yield Problem("spot", f"signal {signal.name!r} is button {button!r}, which has no place", "[[spot]] for it")
        if signal.use == "emergency" and panel.guarded is None:
            problem = f"is missing, and signal {signal.name!r} is an emergency button"
            yield Problem("guarded", problem, "[guarded], the emergency button with its guard")


def _sheet_problems(panel: Panel) -> Iterator[Problem]:
    for key, size, paper, more in (
        ("width_mm", panel.sheet.width_mm, PAPER_MM[0], DRAWN_MM[0]),
        ("height_mm", panel.sheet.height_mm, PAPER_MM[1], DRAWN_MM[1]),
    ):
        if size > paper - more:
            problem = f"the panel is {size:g} mm, and A4 has {paper:g} mm less {more:g} mm beside it"
            yield Problem(f"sheet.{key}", problem, f"{paper - more:g} mm or less, to print it at 1:1")
    for name, control in (("key", panel.key), ("guarded", panel.guarded)):
        if control is None:
            continue
        if control.face_mm < FACE_MM_MIN:
            problem = f"a face of {control.face_mm:g} mm is too small for a gloved finger"
            yield Problem(f"{name}.face_mm", problem, f"{FACE_MM_MIN:g} mm or more")
        if control.body_depth_mm > panel.sheet.depth_mm:
            problem = f"goes {control.body_depth_mm:g} mm back, and behind the panel are {panel.sheet.depth_mm:g} mm"
            yield Problem(f"{name}.body_depth_mm", problem, "a flatter one, or a deeper box")


def _faces(panel: Panel, pinmap: Pinmap) -> list[Placed]:
    found = []
    for index, spot in enumerate(panel.spot):
        control = control_of(panel, pinmap, spot)
        face = around(spot.x_mm, spot.y_mm, control.face_mm, control.face_mm)
        found.append((f"spot[{index}]", f"button {spot.button!r}", face))
    return found


def _face_problems(panel: Panel, pinmap: Pinmap) -> Iterator[Problem]:
    faces = _faces(panel, pinmap)
    outline = Box(0, 0, panel.sheet.width_mm, panel.sheet.height_mm)
    for (_, one, first), (path, other, second) in combinations(faces, 2):
        if (gap := first.gap(second)) < GAP_MM_MIN:
            problem = f"{one} and {other} stand {gap:.3g} mm apart, edge to edge"
            yield Problem(path, problem, f"{GAP_MM_MIN:g} mm or more, for gloves")
    labels = []
    for index, spot in enumerate(panel.spot):
        up = spot.y_mm - control_of(panel, pinmap, spot).label_above_mm
        box = around(spot.x_mm, up, panel.label.width_mm, panel.label.height_mm)
        labels.append((f"spot[{index}]", f"the label of {spot.button!r}", box))
    fixings = []
    for path, name, x, y, diameter in holes(panel, pinmap):
        if path.startswith("hole"):
            fixings.append((path, name, around(x, y, diameter, diameter)))
    for path, name, face in (*faces, *labels):
        if not face.within(outline):
            yield Problem(path, f"{name} reaches over the edge of the panel", "all of it on the panel")
    for (path, one, first), (_, other, second) in _beside(labels, (*faces, *fixings)):
        if first.overlaps(second):
            yield Problem(path, f"{one} lies over {other}", "a place of its own for each")


def _beside(labels: Sequence[Placed], others: Sequence[Placed]) -> Iterator[tuple[Placed, Placed]]:
    """Each label with each other thing on the face, and each two labels."""
    yield from combinations(labels, 2)
    yield from product(labels, others)


def _hole_problems(panel: Panel, pinmap: Pinmap) -> Iterator[Problem]:
    found = list(holes(panel, pinmap))
    outline = Box(0, 0, panel.sheet.width_mm, panel.sheet.height_mm)
    for path, name, x, y, diameter in found:
        if not around(x, y, diameter, diameter).within(outline):
            yield Problem(path, f"{name}, {diameter:g} mm wide, is not all inside the outline", "a hole in the panel")
        elif not around(x, y, diameter + 2 * WEB_MM_MIN, diameter + 2 * WEB_MM_MIN).within(outline):
            yield Problem(path, f"{name} leaves less than {WEB_MM_MIN:g} mm to the edge", "more metal beside it")
    for (_, one, x, y, wide), (path, other, to_x, to_y, to_wide) in combinations(found, 2):
        web = ((x - to_x) ** 2 + (y - to_y) ** 2) ** 0.5 - (wide + to_wide) / 2
        if web < WEB_MM_MIN:
            problem = f"{one} and {other} leave {max(web, 0):.3g} mm between them"
            yield Problem(path, problem, f"{WEB_MM_MIN:g} mm of metal or more")


def _behind_problems(panel: Panel, pinmap: Pinmap) -> Iterator[Problem]:
    edge, sheet = panel.sheet.edge_mm, panel.sheet
    room = Box(edge, edge, sheet.width_mm - edge, sheet.height_mm - edge)
    bodies: list[Placed] = []
    for index, spot in enumerate(panel.spot):
        control = control_of(panel, pinmap, spot)
        body = around(spot.x_mm, spot.y_mm, control.body_width_mm, control.body_height_mm)
        bodies.append((f"spot[{index}]", f"button {spot.button!r}", body))
        if not body.within(room):
            problem = f"button {spot.button!r} stands behind the panel in the strip of {edge:g} mm along its edge"
            yield Problem(f"spot[{index}]", problem, "all of its body inside that strip")
    for index, taken in enumerate(panel.keep_out):
        box = Box(taken.x_mm, taken.y_mm, taken.x_mm + taken.width_mm, taken.y_mm + taken.height_mm)
        bodies.append((f"keep_out[{index}]", repr(taken.title), box))
    for (_, one, first), (path, other, second) in combinations(bodies, 2):
        if first.overlaps(second):
            yield Problem(path, f"{one} and {other} take the same room behind the panel", "room of its own for each")


def _legend_problems(panel: Panel, pinmap: Pinmap, profile: Profile) -> Iterator[Problem]:
    name = profile.profile.name
    kinds: Mapping[str | None, str] = {each.button: each.use for each in pinmap.signal if each.use != "lamp"}
    written = {each.name for each in profile.button}
    for spot in panel.spot:
        if kinds.get(spot.button) == "button" and spot.button not in written:
            yield Problem("spot", f"profile {name!r} has no legend for button {spot.button!r}", "[[button]] for it")
    wide = panel.label.width_mm - STRIP_MM - 2 * MARGIN_MM
    high = panel.label.height_mm - 2 * MARGIN_MM
    for index, button in enumerate(profile.button):
        path = f"{name}: button[{index}]"
        if kinds.get(button.name) != "button":
            problem = f"profile {name!r} has a legend for {button.name!r}, which is no status button of the panel"
            yield Problem(path, problem, "one of the panel's")
        for line in button.legend:
            if width_mm(line) > wide:
                problem = f"{line!r} is {width_mm(line):.3g} mm wide, and the label of {button.name!r} has {wide:g} mm"
                yield Problem(f"{path}.legend", problem, "shorter words, or two lines")
        if height_mm(button.legend) > high:
            problem = f"{len(button.legend)} lines are {height_mm(button.legend):.3g} mm high"
            yield Problem(f"{path}.legend", f"{problem}, and a label has {high:g} mm", "fewer lines, or a higher label")
