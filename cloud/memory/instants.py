"""Moments as whole microseconds since 1970, UTC, as the memory keeps them. Pure."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode_us(moment: datetime) -> int:
    """Give an aware moment as microseconds."""
    return (moment - EPOCH) // _MICROSECOND


def decode_us(micros: int) -> datetime:
    """Undo `encode_us`: aware, UTC."""
    return EPOCH + timedelta(microseconds=micros)
