"""Whether a partner's units come as GeoJSON and as EIDO too, and say the same there."""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import wire
from cloud.conformance import geojson
from cloud.conformance.asking import Answer, Server
from cloud.conformance.feed import told
from cloud.conformance.schemas import complaints, withheld
from cloud.conformance.units import PATH
from wire.eido import FieldList, parse_fields
from wire.eido import complaints as eido_complaints
from wire.findings import Finding, fail, well

GEOJSON = "application/geo+json"
_FOLDER = Path(wire.__file__).parent


@cache
def eido_fields() -> FieldList:
    """Read the list of EIDO's fields that is published with the wire."""
    return parse_fields((_FOLDER / "eido_fields.toml").read_text(encoding="utf-8"))


@cache
def _codes(scheme: str) -> frozenset[str]:
    rows = tomllib.loads((_FOLDER / "schemes" / f"{scheme}.toml").read_text(encoding="utf-8"))["code"]
    return frozenset(row["code"] for row in rows)


def eido_wrong(document: Any) -> list[str]:
    """Tell where a document leaves the list of EIDO's fields."""
    fields = eido_fields()
    codes = {field.scheme: _codes(field.scheme) for field in fields.field if field.scheme}
    return list(eido_complaints(document, fields, codes))


def judge_formats(server: Server) -> Iterator[Finding]:
    """Judge the other formats of GET /v1/units. Raises Unreachable."""
    yield _geojson(_ask(server, "geojson", GEOJSON))
    yield _eido(_ask(server, "eido", eido_fields().media_type))


def _ask(server: Server, name: str, media_type: str) -> Answer:
    return server.get(PATH, {"format": name}, {"Accept": media_type})


def _geojson(answer: Answer) -> Finding:
    check, do = "units: GeoJSON", f"answer ?format=geojson with {GEOJSON} as RFC 7946 says"
    if answer.status != 200 or answer.media_type != GEOJSON:
        return fail(check, f"{answer.status} {answer.media_type}", do)
    document = answer.json()
    wrong = list(geojson.complaints(document))
    for feature in document["features"] if not wrong else ():
        record = feature["properties"] or {}
        wrong += complaints("partner-record", record)
        wrong += (f"{feature['id']}.{field} is withheld, yet there" for field in withheld(record))
        if feature["id"] != record.get("unit"):
            wrong.append(f"the id {feature['id']!r} is not its unit")
        if "position" not in record and feature["geometry"] is not None:
            wrong.append(f"{feature['id']} has a geometry, though its position is withheld")
    if wrong:
        return fail(check, told(wrong), do)
    return well(check, f"{len(document['features'])} features as RFC 7946 says")


def _eido(answer: Answer) -> Finding:
    media_type = eido_fields().media_type
    check, do = "units: EIDO", f"answer ?format=eido with {media_type}, as wire/eido_fields.toml lists"
    if answer.status != 200 or answer.media_type != media_type:
        return fail(check, f"{answer.status} {answer.media_type}", do)
    wrong = eido_wrong(answer.json())
    if wrong:
        return fail(check, told(wrong), do)
    return well(check, "holds listed fields only; NENA's own schema was not asked")
