"""Which reasons a partner may read: each declares what it comes from, and is hidden unless all of that is opened. Pure.

A reason that is not listed is hidden: whoever gives the fleet a new one says here what it tells.
"""

from cloud.sharing.terms import Grants
from wire.feed import FeedRecord, Reason, SourceKind, SourceView
from wire.partner import Grant

_LINK: frozenset[Grant] = frozenset({"link"})
_STATUS: frozenset[Grant] = frozenset({"status"})
_CREW: frozenset[Grant] = frozenset({"crew"})
_KIN: frozenset[Grant] = frozenset({"kin"})
_PLACE: frozenset[Grant] = frozenset({"status", "position", "base"})
_WORKINGS: frozenset[Grant] = frozenset({"workings"})
_VEHICLE: frozenset[Grant] = frozenset({"vehicle"})

COMES_FROM: dict[str, frozenset[Grant]] = {
    "declared": _STATUS,
    "no_status": _STATUS,
    "time_unproven": _STATUS,
    "rest_break": _STATUS,
    "never_heard": frozenset(),
    "on_call": frozenset(),
    "off_the_run": frozenset({"defects"}),
    "crew_unknown": _CREW,
    "no_crew": _CREW,
    "crew_short": _CREW,
    "skill_missing": _CREW,
    "off_shift": _CREW,
    "shift_ended": _CREW,
    "shift_ending": _CREW,
    "on_order": frozenset({"assignment"}),
    "mode": frozenset({"mode"}),
    "split": _KIN,
    "part_of": _KIN,
    "crew_elsewhere": _KIN,
    "shares_crew": _KIN,
    "just_bound": _VEHICLE | _STATUS,
    "not_heard_yet": _LINK,
    "link_lost": _LINK,
    "link_late": _LINK,
    "link_ended": _LINK,
    "asleep": _LINK,
    "catching_up": _LINK | _STATUS,
    "not_stored": _LINK | _STATUS,
    "not_held": _LINK | _STATUS,
    "not_at_base": _PLACE,
    "moving": _PLACE,
    "ignition_off": _STATUS | _WORKINGS,
    "other_status": _STATUS | _WORKINGS,
    "conflict": _STATUS | _WORKINGS,
    "claimed": _VEHICLE | _WORKINGS,
    "claimed_twice": _VEHICLE | _WORKINGS,
}
"""What each reason comes from, beside the availability that it explains."""
NEVER = frozenset({"path_failed"})
"""Reasons that are of many units together, perhaps of some that a partner may not know of."""
EXACT = frozenset({"not_at_base", "moving"})
"""Reasons that tell of a place or a speed: never beside a position that is blurred or held back."""


KIND_OF: dict[SourceKind, Grant | None] = {
    "status": "status",
    "ledger": "status",
    "link": "link",
    "position": "position",
    "crew": "crew",
    "defect": "defects",
    "input": "workings",
    "assignment": "assignment",
    "mode": "mode",
    "binding": "vehicle",
    "directory": None,
    "fleet": None,
}
"""Which grant opens how old a source of each kind is: it is as old as the field that comes from it."""


def shown_reasons(record: FeedRecord, grants: Grants) -> tuple[Reason, ...]:
    """Give the reasons that rest on opened fields alone. Each names the kind of its source, and no device.

    A reason may be open and its source not: then neither its kind nor its age is told.
    """
    sources = {source.source: source for source in record.sources}
    return tuple(
        _with_source(reason, sources.get(reason.source), grants)
        for reason in record.reasons
        if _is_open(reason, grants)
    )


def is_exact(grants: Grants) -> bool:
    """Tell whether positions are opened as they are: what is told of a place otherwise may be, too."""
    return "position" in grants.fields and not grants.precision_m and not grants.delay_s


def may_be_told(code: str, grants: Grants) -> bool:
    """Tell whether all that a reason comes from is opened."""
    needed = COMES_FROM.get(code)
    return needed is not None and needed <= grants.fields and (code not in EXACT or is_exact(grants))


def _is_open(reason: Reason, grants: Grants) -> bool:
    names_a_device = ":" in reason.source and not reason.source.startswith("defect:")
    return may_be_told(reason.code, grants) and (not names_a_device or "workings" in grants.fields)


def _with_source(reason: Reason, source: SourceView | None, grants: Grants) -> Reason:
    needed = KIND_OF[source.kind] if source is not None else None
    if source is None or (needed is not None and needed not in grants.fields):
        return Reason(code=reason.code, text=reason.text, source="fleet")
    return Reason(code=reason.code, text=reason.text, source=source.kind, age_s=reason.age_s)
