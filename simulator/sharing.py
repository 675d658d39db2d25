"""Who shares what with whom in the made-up county: agreements, rooms that cover for each other, partners. Pure.

Each pair of its services has an everyday agreement, a sharper one for incidents that both are at, and with the fire
service one for a flood. The ambulance service holds positions back: nobody follows its crews to a patient's door.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from simulator.county import County, Organisation
from simulator.folder import Value

EVERYDAY: tuple[str, ...] = ("base", "capabilities", "availability", "status", "position", "link", "mode")
JOINT: tuple[str, ...] = ("status", "availability", "position", "link", "crew", "assignment", "mode", "alarms")
FLOOD_FIELDS: tuple[str, ...] = (*EVERYDAY, "vehicle", "crew", "defects", "assignment", "kin", "alarms")
FLOOD = "Weald flood"
"""The major incident that the county has agreements for."""
SQUARE_M = 500
HELD_BACK_S = 120
TRIAL_ENDED = datetime(2026, 1, 1, tzinfo=UTC)
_HOST = "kfrs"
"""Leads in a flood."""
_DISCREET = "kas"
_ROOMS = (
    ("kp-control", "Weald Police Control", ("kp",)),
    ("joint-control", "Weald Fire and Ambulance Control", ("kfrs", "kas")),
)

Row = Mapping[str, Value]


def sharing_rows(county: County, digests: Mapping[str, str]) -> dict[str, list[Row]]:
    """Give the rows of the directory by their kind. `digests` are the SHA-256 of each organisation's token."""
    pairs = [(one, other) for one in county.organisations for other in county.organisations if one is not other]
    agreements = [row for owner, partner in pairs for row in _between(owner, partner)]
    return {
        "agreement": [*agreements, _trial()],
        "partner": [{"organisation": name, "token_sha256": digest} for name, digest in sorted(digests.items())],
        "control_room": [{"id": name, "name": room, "organisations": whose} for name, room, whose in _ROOMS],
        "cover": [_cover(_ROOMS[0][0], _ROOMS[1][0]), _cover(_ROOMS[1][0], _ROOMS[0][0])],
    }


def _between(owner: Organisation, partner: Organisation) -> Iterator[Row]:
    between = {"owner": owner.id, "partner": partner.id}
    yield {
        "id": f"{owner.id}-{partner.id}-day",
        **between,
        "purpose": _everyday_purpose(owner),
        **({"covers": {"types": ["response car"]}} if (owner.id, partner.id) == ("kp", "kas") else {}),
        "fields": EVERYDAY,
        "precision_m": SQUARE_M,
        **({"delay_s": HELD_BACK_S} if owner.id == _DISCREET else {}),
    }
    yield {
        "id": f"{owner.id}-{partner.id}-joint",
        **between,
        "purpose": "Crews at one incident find each other",
        "fields": JOINT,
        "when": "joint_incident",
    }
    if _HOST in (owner.id, partner.id):
        yield {
            "id": f"{owner.id}-{partner.id}-flood",
            **between,
            "purpose": "One picture of all units in a flood",
            "fields": FLOOD_FIELDS,
            "when": "major_incident",
            "incident": FLOOD,
        }


def _everyday_purpose(owner: Organisation) -> str:
    if owner.id == _DISCREET:
        return "Who can come; nobody follows a crew to a door"
    return "Who can come; nobody follows a crew by street"


def _trial() -> Row:
    return {
        "id": "kfrs-kp-trial",
        "owner": "kfrs",
        "partner": "kp",
        "purpose": "Trial of one room for two services",
        "fields": ["crew", "defects"],
        "valid_until": TRIAL_ENDED,
    }


def _cover(room: str, by: str) -> Row:
    return {"id": f"{room}-by-{by}", "room": room, "covered_by": by, "why": ["planned", "overflow", "failure"]}
