"""A partner's units as GeoJSON: as RFC 7946 says, by a check of its own and by another's reader, and nothing more."""

import json
from typing import Any

import msgspec
import pytest
import shapely
from hypothesis import HealthCheck, given, settings

from cloud.conformance.geojson import complaints
from cloud.feeds.geojson import feature_collection
from tests.cloud.feeds.partner_pages import page, pages, place, unit
from wire.partner import PartnerUnits


def written(units: PartnerUnits) -> Any:
    """The document, as it leaves."""
    return json.loads(msgspec.json.encode(feature_collection(units)))


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(pages)
def test_any_page_is_geojson(units: PartnerUnits) -> None:
    """Whatever is opened, the document is as RFC 7946 says, and GEOS reads every point of it in its place."""
    document = written(units)
    assert [] == list(complaints(document))
    drawn = [feature for feature in document["features"] if feature["geometry"] is not None]
    if drawn:
        read = shapely.from_geojson(json.dumps({"type": "FeatureCollection", "features": drawn}))
        assert [tuple(one["geometry"]["coordinates"]) for one in drawn] == [one.coords[0] for one in read.geoms]


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(pages)
def test_it_tells_what_the_records_tell(units: PartnerUnits) -> None:
    """The properties are the records, field for field: nothing that is withheld comes in, and nothing is left out."""
    document = written(units)
    records = json.loads(msgspec.json.encode(units))["units"]
    assert records == [feature["properties"] for feature in document["features"]]
    assert [one["unit"] for one in records] == [feature["id"] for feature in document["features"]]
    assert {"type", "features", "at", "cursor", "next_after"} == document.keys()


def test_longitude_comes_first_and_no_place_is_null() -> None:
    """The point is [lon, lat] with seven places; a unit without an opened or known position has a null geometry."""
    features = written(page(unit("a", position=place()), unit("b"), unit("c", position=None)))["features"]
    assert {"type": "Point", "coordinates": [0.5219877, 51.2781235]} == features[0]["geometry"]
    assert [None, None] == [feature["geometry"] for feature in features[1:]]
    assert "position" not in features[1]["properties"]


POINT = {"type": "Point", "coordinates": [0.5, 51.2]}
FEATURE = {"type": "Feature", "id": "a", "geometry": POINT, "properties": {}}
WHOLE = {"type": "FeatureCollection", "features": [FEATURE]}


@pytest.mark.parametrize(
    ("section", "spoilt"),
    [
        ("3.3", {"type": "Features", "features": []}),
        ("3.3", WHOLE | {"features": {}}),
        ("4", WHOLE | {"crs": {}}),
        ("7.1", WHOLE | {"coordinates": []}),
        ("3.2", WHOLE | {"features": [FEATURE | {"type": "Point"}]}),
        ("3.2", WHOLE | {"features": [FEATURE | {"id": None}]}),
        ("3.2", WHOLE | {"features": [{"type": "Feature", "id": "a", "geometry": POINT}]}),
        ("3.2", WHOLE | {"features": [{"type": "Feature", "id": "a", "properties": {}}]}),
        ("7.1", WHOLE | {"features": [FEATURE | {"features": []}]}),
        ("4", WHOLE | {"features": [FEATURE | {"geometry": POINT | {"crs": {}}}]}),
        ("3.1.1", WHOLE | {"features": [FEATURE | {"geometry": POINT | {"coordinates": [0.5]}}]}),
        ("3.1.1", WHOLE | {"features": [FEATURE | {"geometry": POINT | {"coordinates": ["0.5", "51"]}}]}),
        ("3.1.1", WHOLE | {"features": [FEATURE | {"geometry": POINT | {"coordinates": [51.2, 100.5]}}]}),
        ("11.2", WHOLE | {"features": [FEATURE | {"geometry": POINT | {"coordinates": [0.123456789, 51.2]}}]}),
    ],
)
def test_the_check_sees_what_is_wrong(section: str, spoilt: dict[str, Any]) -> None:
    """Each rule of the RFC that is broken is named by its section; the same document unspoilt draws no complaint."""
    assert [] == list(complaints(WHOLE))
    assert any(f"{section}" in complaint for complaint in complaints(spoilt))
