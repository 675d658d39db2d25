"""Which drawing stands on a status button. Pure."""

from edge_agent.panel.port import Icon
from wire.scheme import Code

# Who is committed to something is not barred: the sign for that would have a crew believe that it may not go.
_BY_WORD: tuple[tuple[str, Icon], ...] = (
    ("speech", "speech"),
    ("hospital", "hospital"),
    ("patient", "patient"),
    ("refreshment", "break"),
    ("rest break", "break"),
    ("not available", "unavailable"),
    ("unavailable", "unavailable"),
    ("off the run", "unavailable"),
    ("available at incident", "conditional"),
    ("leaving scene", "mobile"),
    ("at scene", "scene"),
    ("on scene", "scene"),
    ("in attendance", "scene"),
    ("on duty", "other"),
    ("allocated", "other"),
    ("handover", "other"),
    ("clearing", "other"),
    ("base", "base"),
    ("station", "base"),
)


def icon_of(code: Code) -> Icon:
    """The drawing for a code, by the service's own words for it, and by its class where they say nothing."""
    if code.mobile:
        return "mobile"
    label = code.label.casefold()
    for word, icon in _BY_WORD:
        if word in label:
            return icon
    match code.availability:
        case "Available":
            return "available"
        case "ConditionallyAvailable":
            return "conditional"
        case "NotAvailable":
            return "unavailable"
    return "other"
