"""The drawings of a panel at 1:1: one of its face for each profile, and one to drill by. Pure."""

from collections.abc import Iterator, Sequence

from edge_agent.config.profiles import Profile, ProfileButton
from kit.panel.faults import control_of, holes, lit
from kit.panel.layout import Control, Label, Panel, Spot
from kit.panel.letters import CAPITAL, LINE_MM, SIZE_MM, STRIP_MM, width_mm
from kit.panel.sheet import circle, cross, mm, ordinates, rectangle, scale, sheet, text
from kit.pinmap import Pinmap

AT = (24.0, 25.0)
"""Where on the paper the panel's upper left corner stands."""
_COLOURS = {"fire": "#b3261e", "police": "#1f5fae", "ambulance": "#1c7c54"}
"""An accent alone, each beside its letter: the drawing is as good in grey."""
_ALARM = ("#c4161c", "!")
_WHITE = 'text-anchor="middle" font-weight="bold" fill="#fff"'
_THIN = 'fill="none" stroke="#000" stroke-width="0.3"'
_BEHIND = 'fill="none" stroke="#777" stroke-width="0.2" stroke-dasharray="2 1"'
_SAYS = "1:1, in millimetres: print at 100 %. Generated from panel.toml; not built, and not tested on hardware."


def panels(panel: Panel, pinmap: Pinmap, profiles: Sequence[Profile]) -> dict[str, str]:
    """Draw a panel that `panel_problems` has passed: the file's name, and its SVG."""
    drawn = {f"panel-{profile.profile.name}.svg": face(panel, pinmap, profile) for profile in profiles}
    return drawn | {"panel-drill.svg": drill(panel, pinmap)}


def face(panel: Panel, pinmap: Pinmap, profile: Profile) -> str:
    """The panel as its crew sees it, with its labels, to cut out or to have engraved."""
    buttons = {each.name: each for each in profile.button}
    drawn = [*_plate(panel)]
    for spot in panel.spot:
        control = control_of(panel, pinmap, spot)
        button = buttons.get(spot.button)
        drawn += _guarded(spot, control) if button is None else _key(spot, control, spot.button in lit(pinmap))
        colour, letter = _ALARM if button is None else _accent(button, profile)
        legend = ("EMERGENCY",) if button is None else button.legend
        drawn += _label(panel.label, (spot.x_mm, spot.y_mm - control.label_above_mm), legend, (colour, letter))
    drawn += _ordinates(panel, {spot.x_mm for spot in panel.spot}, {spot.y_mm for spot in panel.spot})
    foot = AT[1] + panel.sheet.height_mm
    drawn += scale(AT[0], foot + 26)
    drawn += _legends(profile, foot + 26)
    return sheet(f"{panel.sheet.title}, {profile.profile.title}", _SAYS, drawn)


def drill(panel: Panel, pinmap: Pinmap) -> str:
    """The panel from its front as it is drilled: each hole with its number, and a table of them."""
    drawn = [*_plate(panel)]
    drawn += _behind(panel, pinmap)
    rows = []
    found = list(holes(panel, pinmap))
    for number, (_, name, x, y, diameter) in enumerate(found, 1):
        drawn += [circle(AT[0] + x, AT[1] + y, diameter), cross(AT[0] + x, AT[1] + y, diameter / 2 + 2)]
        aside = diameter / 2 * 0.71 + 1
        drawn.append(text(AT[0] + x + aside, AT[1] + y + aside + 2, str(number)))
        rows.append((str(number), name, mm(x), mm(y), mm(diameter)))
    drawn += _ordinates(panel, {x for _, _, x, _, _ in found}, {y for _, _, _, y, _ in found})
    foot = AT[1] + panel.sheet.height_mm
    drawn += scale(AT[0], foot + 24)
    drawn += _table(rows, foot + 35)
    sizes = f"Plate {mm(panel.sheet.thick_mm)} mm thick; {mm(panel.sheet.depth_mm)} mm of room behind it."
    drawn.append(text(AT[0] + 120, foot + 20, f"{sizes} Corners of {mm(panel.sheet.corner_mm)} mm."))
    drawn.append(
        text(AT[0] + 120, foot + 25, "Dashed: what is behind it, and the strip that is bent or rests on the box.")
    )
    return sheet(f"{panel.sheet.title}, to drill by", _SAYS, drawn)


def _plate(panel: Panel) -> Iterator[str]:
    size = panel.sheet
    yield rectangle(*AT, size.width_mm, size.height_mm, more=f'rx="{mm(size.corner_mm)}" id="outline" {_THIN}')
    for hole in panel.hole:
        yield circle(AT[0] + hole.x_mm, AT[1] + hole.y_mm, hole.diameter_mm)


def _key(spot: Spot, control: Control, lamp: bool) -> Iterator[str]:
    """A status button, its lamp as the ring within its face."""
    x, y = AT[0] + spot.x_mm, AT[1] + spot.y_mm
    yield circle(x, y, control.face_mm)
    if lamp:
        yield circle(x, y, control.face_mm - 6, more='fill="#f2f2f2" stroke="#000" stroke-width="0.3"')
    yield cross(x, y, 2)


def _guarded(spot: Spot, control: Control) -> Iterator[str]:
    """The emergency button under its guard: the only red one, and the only square."""
    x, y, wide = AT[0] + spot.x_mm, AT[1] + spot.y_mm, control.face_mm
    yield rectangle(x - wide / 2, y - wide / 2, wide, wide, more=f'rx="3" {_THIN}')
    yield circle(x, y, wide - 14, more=f'fill="{_ALARM[0]}" stroke="#000" stroke-width="0.8"')
    yield cross(x, y, 2)
    yield text(x, y + wide / 2 - 1.8, "lift the guard", more='text-anchor="middle"')


def _label(label: Label, at: tuple[float, float], legend: Sequence[str], accent: tuple[str, str]) -> Iterator[str]:
    """White letters on black, which a dim lamp shows best at night; the accent as a strip with a letter."""
    x, y = AT[0] + at[0], AT[1] + at[1]
    left, top = x - label.width_mm / 2, y - label.height_mm / 2
    yield rectangle(left, top, label.width_mm, label.height_mm, more='rx="1" fill="#111"')
    yield rectangle(left + 0.5, top + 0.5, STRIP_MM - 0.5, label.height_mm - 1, more=f'rx="0.6" fill="{accent[0]}"')
    yield text(left + STRIP_MM / 2 + 0.25, y + SIZE_MM * CAPITAL / 2, accent[1], size=SIZE_MM, more=_WHITE)
    first = y - LINE_MM * (len(legend) - 1) / 2 + SIZE_MM * CAPITAL / 2
    for number, words in enumerate(legend):
        held = f'textLength="{mm(width_mm(words))}" lengthAdjust="spacingAndGlyphs"'
        yield text(x + STRIP_MM / 2, first + number * LINE_MM, words, size=SIZE_MM, more=f"{_WHITE} {held}")


def _accent(button: ProfileButton, profile: Profile) -> tuple[str, str]:
    """The colour and letter of the service whose status the button declares."""
    schemes = profile.profile.schemes
    spoken = {"fire": schemes.fire, "police": schemes.police, "ambulance": schemes.ambulance}
    alone = [service for service, scheme in spoken.items() if scheme is not None]
    service = button.service or (alone[0] if len(alone) == 1 else None)
    return ("#555", "") if service is None else (_COLOURS[service], service[0].upper())


def _behind(panel: Panel, pinmap: Pinmap) -> Iterator[str]:
    edge, size = panel.sheet.edge_mm, panel.sheet
    yield rectangle(AT[0] + edge, AT[1] + edge, size.width_mm - 2 * edge, size.height_mm - 2 * edge, more=_BEHIND)
    for spot in panel.spot:
        control = control_of(panel, pinmap, spot)
        wide, high = control.body_width_mm, control.body_height_mm
        yield rectangle(AT[0] + spot.x_mm - wide / 2, AT[1] + spot.y_mm - high / 2, wide, high, more=_BEHIND)
    for taken in panel.keep_out:
        left, top = AT[0] + taken.x_mm, AT[1] + taken.y_mm
        yield rectangle(left, top, taken.width_mm, taken.height_mm, more=_BEHIND)
        middle = (left + taken.width_mm / 2, top + taken.height_mm / 2 + 1)
        yield text(*middle, taken.title, more='text-anchor="middle" fill="#555"')


def _ordinates(panel: Panel, xs: set[float], ys: set[float]) -> Iterator[str]:
    return ordinates(AT, (panel.sheet.width_mm, panel.sheet.height_mm), xs, ys)


def _legends(profile: Profile, top: float) -> Iterator[str]:
    for number, button in enumerate(profile.button):
        y = top + 5 * (number % 3)
        x = AT[0] + 112 + 75 * (number // 3)
        yield text(x, y, f"{button.name}: status {button.code}, {' '.join(button.legend)}")


def _table(rows: Sequence[tuple[str, ...]], top: float) -> Iterator[str]:
    """The holes, down and then across, in columns of equal width."""
    deep = 5
    for number, row in enumerate(rows):
        yield from _row(row, AT[0] + 86 * (number // deep), top + 4 * (number % deep + 1))
        if number % deep == 0:
            yield from _row(("", "hole", "x", "y", "diameter"), AT[0] + 86 * (number // deep), top)


def _row(cells: Sequence[str], left: float, y: float) -> Iterator[str]:
    return (text(left + x, y, cell) for cell, x in zip(cells, (0, 7, 30, 46, 62), strict=True) if cell)
