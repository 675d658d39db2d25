"""The InfluxDB that keeps the telemetry: whether it answers, lets us in and keeps what it is given. Only looks."""

from cloud.config import InfluxAddress
from cloud.errors import CloudError
from wire.findings import Finding, fail, warn, well

STORE = "telemetry"


def look_at_influx(address: InfluxAddress) -> Finding:
    """Ask it for the days that it holds."""
    from cloud.telemetry.influx import InfluxTelemetry  # its client takes 0.3 s to import
    from cloud.telemetry.influxlink import Refusal

    place = f"{address.url}, bucket {address.bucket}"
    try:
        days = InfluxTelemetry.look(address)
    except Refusal as refusal:
        if refusal.knows_no_bucket:
            do = "version 1: nothing, `watchroom up` makes it; 2 and 3: make it, and let it keep rows for ever"
            return warn(STORE, f"{place}, is not there", do)
        return fail(STORE, f"{place}: {refusal}", "see to --telemetry, its token and its bucket")
    except CloudError as error:
        do = (
            "start that InfluxDB, or mend --telemetry and --telemetry-token-file; until then tracks wait on the devices"
        )
        return fail(STORE, f"{place}: {error}", do)
    span = f", {days[0]} to {days[-1]}" if days else ""
    return well(STORE, f"{place}: {len(days)} days{span}")
