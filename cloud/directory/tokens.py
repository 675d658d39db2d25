"""The words and figures that rows are made of. Pure."""

from typing import Annotated

from msgspec import Meta

from wire.topics import TOKEN_PATTERN

Token = Annotated[str, Meta(pattern=rf"^{TOKEN_PATTERN}\Z", description="1 to 40 of a-z, 0-9 and -")]
Name = Annotated[
    str,
    Meta(pattern=r"^[^\s\x00-\x1f](?:[^\x00-\x1f]{0,78}[^\s\x00-\x1f])?\Z", description="1 to 80 printable characters"),
]
Enrolment = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,40}\Z", description="the enrolment number: 1 to 40 of A-Z, a-z, 0-9 and -")
]
FleetNumber = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,40}\Z", description="the fleet number: 1 to 40 of A-Z, a-z, 0-9 and -")
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="degrees north, WGS 84")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="degrees east, WGS 84")]
