"""A partner's units as EIDO: the listed fields and no other, and never more available than is known."""

import json
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec import UNSET

from cloud.conformance.formats import eido_fields, eido_wrong
from cloud.feeds.eido import MEDIA_TYPE, eido, primary_status
from tests.cloud.feeds.partner_pages import page, pages, place, reason, records, status, unit
from wire.partner import PartnerRecord, PartnerUnits

ISSUER = "watchroom.example"
LEVEL = {"NotAvailable": 0, "ConditionallyAvailable": 1, "Available": 2}
GML = "{http://www.opengis.net/gml}"
GS = "{http://www.opengis.net/pidflo/1.0}"


def written(*units: PartnerRecord) -> Any:
    """The document, as it leaves."""
    return json.loads(msgspec.json.encode(eido(page(*units), issuer=ISSUER)))


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(pages)
def test_any_page_keeps_to_the_list(units: PartnerUnits) -> None:
    """Whatever is opened, the document has the listed fields alone, with the listed types and words."""
    assert [] == eido_wrong(json.loads(msgspec.json.encode(eido(units, issuer=ISSUER))))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(records)
def test_nothing_is_more_available_than_is_known(record: PartnerRecord) -> None:
    """The word is never above the class, and only what is confirmed is plainly available."""
    word = primary_status(record)
    if record.availability is UNSET:
        assert word is None
    else:
        assert word is not None
        assert LEVEL[word] <= LEVEL[record.availability or "NotAvailable"]
        assert word != "Available" or record.confidence == "confirmed"


@pytest.mark.parametrize(
    ("availability", "confidence", "word"),
    [
        ("Available", "confirmed", "Available"),
        ("Available", "unconfirmed", "ConditionallyAvailable"),
        ("Available", "contradicted", "ConditionallyAvailable"),
        ("Available", UNSET, "ConditionallyAvailable"),
        ("ConditionallyAvailable", "contradicted", "ConditionallyAvailable"),
        ("NotAvailable", "confirmed", "NotAvailable"),
        ("NotAvailable", "unconfirmed", "NotAvailable"),
        (None, "never", "NotAvailable"),
    ],
)
def test_the_words_of_the_registry(availability: Any, confidence: Any, word: str) -> None:
    """Each class and confidence has its word; what is not confirmed has a note that says so and why."""
    why = (reason("Nothing heard & <lost>"),)
    document = written(unit(availability=availability, confidence=confidence, reasons=why, status=status()))
    (resource,) = document["emergencyResourceComponent"]
    assert word == resource["primaryUnitStatusRegistryText"]
    text = document["notesComponent"][0]["notesActionComments"]
    assert (confidence in ("confirmed",)) is ("Nothing heard" not in text)
    if confidence in ("unconfirmed", "contradicted"):
        assert "confirm by radio" in text and "Nothing heard &amp; &lt;lost&gt;" in text


def test_the_local_code_is_given_as_it_is() -> None:
    """The scheme's own code stands in unitStatusInternal; its scheme and label are in the note, as text."""
    document = written(unit(availability="Available", confidence="confirmed", status=status(), activity="standby"))
    (resource,) = document["emergencyResourceComponent"]
    assert ["4"] == resource["unitStatusInternal"]
    assert ["Post"] == resource["secondaryUnitStatusRegistryText"]
    (note,) = document["notesComponent"]
    assert "<p>Status 4 (uk-fire-gd92): Available &lt;base&gt;</p>" == note["notesActionComments"]
    assert [{"$ref": note["$id"]}] == resource["notesReference"]


def test_a_code_of_the_registry_is_the_registrys_word() -> None:
    """A unit whose scheme is EIDO's own has its code as the secondary status."""
    said = status("TrafficStop", "eido-secondary", "Traffic stop")
    document = written(unit(availability="NotAvailable", confidence="confirmed", status=said, activity="on_scene"))
    assert ["TrafficStop"] == document["emergencyResourceComponent"][0]["secondaryUnitStatusRegistryText"]


def test_a_unit_whose_availability_is_withheld_is_named_and_not_listed() -> None:
    """The standard has no word for what is not shared: a note of the agency names the unit, and it is not listed."""
    document = written(unit("kf-1", status=status()), unit("kf-2", availability="Available", confidence="confirmed"))
    assert ["KF-2"] == [one["emergencyResourceName"] for one in document["emergencyResourceComponent"]]
    agency = next(one for one in document["agencyComponent"] if "notesReference" in one)
    (note,) = document["notesComponent"]
    assert [{"$ref": note["$id"]}] == agency["notesReference"] and "KF-1" in note["notesActionComments"]


def test_nothing_that_is_withheld_is_written() -> None:
    """Of a unit of which nothing but the availability is opened there is no place, no status, no skill and no note."""
    document = written(unit(availability="Available", confidence="confirmed", reasons=(), tier_min=0))
    (resource,) = document["emergencyResourceComponent"]
    assert not {"unitLocationReference", "unitStatusInternal", "resourceAttributeInternalText"} & resource.keys()
    assert [] == resource["secondaryUnitStatusRegistryText"] == resource["resourceAttributeRegistryText"]
    assert not {"locationComponent", "notesComponent"} & document.keys()


def shape_of(document: Any) -> tuple[ElementTree.Element, str | None]:
    """The shape in the one location's PIDF-LO, and its time."""
    (location,) = document["locationComponent"]
    root = ElementTree.fromstring(location["locationByValue"])
    assert "{urn:ietf:params:xml:ns:pidf}presence" == root.tag
    info = root.find(".//{urn:ietf:params:xml:ns:pidf:geopriv10}location-info")
    assert info is not None
    return info[0], root.findtext(".//{urn:ietf:params:xml:ns:pidf:data-model}timestamp")


def test_a_place_is_a_point_or_a_circle_with_its_time() -> None:
    """Latitude and longitude in WGS 84, a circle where the accuracy is known, and the moment of the position."""
    known: dict[str, Any] = {"availability": "Available", "confidence": "confirmed", "position_fresh": True}
    point, when = shape_of(written(unit(position=place(), **known)))
    assert (f"{GML}Point", "urn:ogc:def:crs:EPSG::4326") == (point.tag, point.get("srsName"))
    assert "51.2781235 0.5219877" == point.findtext(f"{GML}pos")
    assert "2026-11-22T11:59:57.000Z" == when
    circle, when = shape_of(written(unit(position=place(None, 12.5), **known)))
    assert (f"{GS}Circle", "12.5", None) == (circle.tag, circle.findtext(f"{GS}radius"), when)


def test_an_old_place_says_so() -> None:
    """A position that is not fresh has a note with its age, and is described as where the unit was."""
    known: dict[str, Any] = {"availability": "Available", "confidence": "confirmed", "position_fresh": False}
    document = written(unit(position=place(900.0), **known))
    assert "Position 900 s old" in document["notesComponent"][0]["notesActionComments"]
    assert "Where the unit was" == document["locationComponent"][0]["locationDescriptionText"]


SOUND = written(
    unit(
        availability="Available", confidence="unconfirmed", status=status(), position=place(), capabilities=("ladder",)
    )
)


@pytest.mark.parametrize(
    ("complaint", "spoil"),
    [
        ("is not in the list", lambda doc: doc.update(incidentComponent={})),
        ("is missing", lambda doc: doc.pop("eidoVersion")),
        ("may not be '2.0'", lambda doc: doc.update(eidoVersion="2.0")),
        ("is no time", lambda doc: doc.update(lastUpdateTimeStamp="noon")),
        ("is no array", lambda doc: doc.update(agentComponent={})),
        ("is no reference", lambda doc: doc.update(updatedByAgencyReference="kf")),
        ("is no Agency", lambda doc: doc.update(updatedByAgencyReference={"$ref": "nobody"})),
        ("of two components", lambda doc: doc["agentComponent"].append(doc["agentComponent"][0])),
        ("may not be 'Free'", lambda doc: resource(doc).update(primaryUnitStatusRegistryText="Free")),
        ("may not be 'Asleep'", lambda doc: resource(doc).update(secondaryUnitStatusRegistryText=["Asleep"])),
        ("is no string", lambda doc: resource(doc).update(unitStatusInternal=[4])),
    ],
)
def test_the_check_sees_what_is_wrong(complaint: str, spoil: Any) -> None:
    """Each way to leave the list is named; the document unspoilt draws no complaint."""
    assert [] == eido_wrong(SOUND)
    spoilt = json.loads(json.dumps(SOUND))
    spoil(spoilt)
    assert any(complaint in one for one in eido_wrong(spoilt)), eido_wrong(spoilt)


def resource(document: Any) -> Any:
    """The first unit of a document."""
    return document["emergencyResourceComponent"][0]


def test_the_list_says_where_each_field_was_read() -> None:
    """No field stands in the list twice or without its source, and its media type is the one that is sent."""
    fields = eido_fields()
    assert MEDIA_TYPE == fields.media_type
    assert len({(field.of, field.name) for field in fields.field}) == len(fields.field)
    for field in fields.field:
        assert "section" in field.source or "openapi" in field.source
        assert field.values in ("", "ours") and (not field.values or field.allowed)
