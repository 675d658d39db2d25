"""A partner's units as an Emergency Incident Data Object (EIDO-JSON, NENA-STA-021.1), outside any incident. Pure.

It holds the fields of `wire/eido_fields.toml` and no other. A unit whose availability is not opened to the partner is
left out, because the standard has no word for that: a note of its organisation names it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any, Literal

from msgspec import UNSET

from wire.events import Service
from wire.feed import Activity, PositionView, StatusView
from wire.partner import PartnerRecord, PartnerUnits

MEDIA_TYPE = "application/eido+json"
VERSION = "1.0"
Primary = Literal["Available", "ConditionallyAvailable", "NotAvailable"]

_AGENCY_TYPES: Mapping[Service, str] = {"police": "police", "fire": "fire", "ambulance": "ems"}
_SECONDARY: Mapping[Activity, str] = {
    "standby": "Post",
    "assigned": "Assigned",
    "mobile": "EnRoute",
    "on_scene": "OnScene",
    "transporting": "Transporting",
    "at_destination": "Arrived",
    "rest": "Break",
    "out_of_service": "OutofService",
    "off_duty": "OffDuty",
}
"""The registry's word for what a crew is at. It has none for a crew that is free or clearing."""
_REGISTRY = "eido-secondary"
_UNSURE = {
    "unconfirmed": "Not confirmed: confirm by radio",
    "contradicted": "Contradicted: confirm by radio",
    "never": "Never heard from",
}


def eido(page: PartnerUnits, *, issuer: str) -> dict[str, Any]:
    """Make a page of units one object, ready to be encoded. `issuer` is the domain name of whoever gives it out."""
    return _Writer(page, issuer).write()


def primary_status(record: PartnerRecord) -> Primary | None:
    """Give the word of the Primary Unit Status registry; None where the availability is not opened.

    What is not confirmed is never more than conditionally available, and never more than it was declared.
    """
    if record.availability is UNSET:
        return None
    if record.availability is None or record.availability == "NotAvailable":
        return "NotAvailable"
    return record.availability if record.confidence == "confirmed" else "ConditionallyAvailable"


class _Writer:
    def __init__(self, page: PartnerUnits, issuer: str) -> None:
        self._page, self._issuer = page, issuer
        self._locations: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []

    def write(self) -> dict[str, Any]:
        at = self._page.at
        organisations: dict[str, list[PartnerRecord]] = {}
        for record in self._page.units:
            organisations.setdefault(record.organisation, []).append(record)
        resources = [self._resource(record) for record in self._page.units if primary_status(record) is not None]
        agencies = [self._agency(name, records) for name, records in sorted(organisations.items())]
        own = _reference(self._id("issuer"))
        agencies.append(_component(self._id("issuer"), at, own) | _agency(organisations.values()))
        document = _component(self._id(f"units:{_stamp(at)}"), at, own) | {
            "eidoVersion": VERSION,
            "issuingElementIdentification": self._issuer,
            "agencyComponent": agencies,
            "agentComponent": [self._agent(name) for name in sorted(organisations)],
            "emergencyResourceComponent": resources,
        }
        parts = {"locationComponent": self._locations, "notesComponent": self._notes}
        return document | {name: part for name, part in parts.items() if part}

    def _id(self, name: str) -> str:
        return f"urn:watchroom:{self._issuer}:{name}"

    def _agency(self, organisation: str, records: list[PartnerRecord]) -> dict[str, Any]:
        name = self._id(f"agency:{organisation}")
        agency = _component(name, self._page.at, _reference(name)) | _agency([records])
        silent = sorted(record.callsign for record in records if primary_status(record) is None)
        if silent:
            text = f"Not listed, because their availability is not shared: {', '.join(silent)}"
            agency["notesReference"] = [self._note(f"agency:{organisation}", self._page.at, name, text)]
        return agency

    def _agent(self, organisation: str) -> dict[str, Any]:
        agency = _reference(self._id(f"agency:{organisation}"))
        roles = {"agentRoleRegistryText": ["Dispatching"], "agencyReference": agency}
        return _component(self._id(f"agent:{organisation}"), self._page.at, agency) | roles

    def _resource(self, record: PartnerRecord) -> dict[str, Any]:
        agency = self._id(f"agency:{record.organisation}")
        resource = _component(self._id(f"unit:{record.unit}"), record.as_of, _reference(agency)) | {
            "emergencyResourceTypeCommonRegistryText": "Other",
            "emergencyResourceTypeInternalText": record.type,
            "emergencyResourceName": record.callsign,
            "primaryUnitStatusRegistryText": primary_status(record),
            "secondaryUnitStatusRegistryText": _secondary(record),
            "resourceAttributeRegistryText": [],
            "agentReference": [_reference(self._id(f"agent:{record.organisation}"))],
        }
        if isinstance(record.status, StatusView):
            resource["unitStatusInternal"] = [record.status.code]
        if record.capabilities is not UNSET and record.capabilities:
            resource["resourceAttributeRegistryText"] = ["Other"]
            resource["resourceAttributeInternalText"] = list(record.capabilities)
        place = record.position
        if isinstance(place, PositionView) and place.lat is not None and place.lon is not None:
            resource["unitLocationReference"] = self._location(record, place, agency)
        text = "; ".join(_remarks(record))
        if text:
            resource["notesReference"] = [self._note(f"unit:{record.unit}", record.as_of, agency, text)]
        return resource

    def _location(self, record: PartnerRecord, place: PositionView, agency: str) -> dict[str, str]:
        name = self._id(f"location:{record.unit}")
        seen = None if place.age_s is None else self._page.at - timedelta(seconds=place.age_s)
        described = {
            "locationTypeDescriptionRegistryText": "Other",
            "locationByValue": _pidf_lo(name, place, seen),
            "locationDescriptionText": "Where the unit is" if record.position_fresh is True else "Where the unit was",
        }
        self._locations.append(_component(name, record.as_of, _reference(agency)) | described)
        return _reference(name)

    def _note(self, about: str, at: datetime, agency: str, text: str) -> dict[str, str]:
        name = self._id(f"note:{about}")
        self._notes.append(_component(name, at, _reference(agency)) | {"notesActionComments": f"<p>{escape(text)}</p>"})
        return _reference(name)


def _component(name: str, at: datetime, agency: Mapping[str, str]) -> dict[str, Any]:
    return {"$id": name, "lastUpdateTimeStamp": _stamp(at), "updatedByAgencyReference": agency}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": name}


def _agency(records: Iterable[Iterable[PartnerRecord]]) -> dict[str, Any]:
    services = {_AGENCY_TYPES[record.service] for group in records for record in group}
    return {"agencyRoleDescriptionRegistryText": ["Dispatch"], "agencyType": sorted(services)}


def _secondary(record: PartnerRecord) -> list[str]:
    if isinstance(record.status, StatusView) and record.status.scheme == _REGISTRY:
        return [record.status.code]
    if record.activity is UNSET or record.activity is None or record.activity not in _SECONDARY:
        return []
    return [_SECONDARY[record.activity]]


def _remarks(record: PartnerRecord) -> Iterable[str]:
    """What the standard has no field for, and a dispatcher must know."""
    if record.confidence is not UNSET and record.confidence in _UNSURE:
        yield _UNSURE[record.confidence]
    if record.reasons is not UNSET and record.confidence != "confirmed":
        yield from (reason.text for reason in record.reasons)
    if record.mode is not UNSET and record.mode != "live":
        yield f"Mode: {record.mode}"
    if isinstance(record.status, StatusView):
        yield f"Status {record.status.code} ({record.status.scheme}): {record.status.label}"
    if isinstance(record.position, PositionView) and record.position_fresh is not True:
        age_s = record.position.age_s
        yield "Position of unknown age" if age_s is None else f"Position {age_s:.0f} s old"


def _pidf_lo(name: str, place: PositionView, seen: datetime | None) -> str:
    """Write a place as a PIDF-LO: a point, or a circle where the accuracy is known (RFC 5491, section 5.2)."""
    pos = f"<gml:pos>{place.lat:.7f} {place.lon:.7f}</gml:pos>"
    crs = 'srsName="urn:ogc:def:crs:EPSG::4326"'
    if place.accuracy_m is None:
        shape = f"<gml:Point {crs}>{pos}</gml:Point>"
    else:
        radius = f'<gs:radius uom="urn:ogc:def:uom:EPSG::9001">{place.accuracy_m:g}</gs:radius>'
        shape = f"<gs:Circle {crs}>{pos}{radius}</gs:Circle>"
    when = "" if seen is None else f"<dm:timestamp>{_stamp(seen)}</dm:timestamp>"
    return (
        '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" '
        'xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10" xmlns:gml="http://www.opengis.net/gml" '
        f'xmlns:gs="http://www.opengis.net/pidflo/1.0" entity="{escape(name)}"><dm:device id="unit">'
        f"<gp:geopriv><gp:location-info>{shape}</gp:location-info><gp:usage-rules/></gp:geopriv>{when}"
        "</dm:device></presence>"
    )


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
