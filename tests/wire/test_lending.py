"""What one organisation says to another about a loan: whole, or refused in plain words."""

from typing import Any

import msgspec
import pytest

from wire.lending import LoanMessage

WORD: dict[str, Any] = {
    "loan": "6a1f9c52-0d7e-4a44-9c0a-3f9be1a00001",
    "message": "m-1",
    "verb": "request",
    "from": "kp",
    "to": "kf",
    "units": ["kf-1"],
    "reason": "flood",
    "by": "A. Smith",
    "expects": 0,
}


def decode(**changes: Any) -> LoanMessage:
    """A message as it travels."""
    return msgspec.json.decode(msgspec.json.encode(WORD | changes), type=LoanMessage)


def test_a_message_travels_whole() -> None:
    """What was said is what is read, under the names that JSON has for it."""
    message = decode(incident="I0417")
    assert ("kp", "kf", ("kf-1",)) == (message.sender, message.to, message.units)
    assert message == msgspec.json.decode(msgspec.json.encode(message), type=LoanMessage)
    assert b'"from":"kp"' in msgspec.json.encode(message)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reason": " "}, "say why"),
        ({"by": " "}, "by"),
        ({"units": ["kf-1", "kf-1"]}, "twice"),
        ({"units": []}, "either units, or a type and a count"),
        ({"type": "pump", "count": 2}, "either units, or a type and a count"),
        ({"units": [], "type": "pump"}, "either units, or a type and a count"),
        ({"verb": "offer", "units": []}, "says which"),
        ({"verb": "offer", "type": "pump", "count": 1}, "only a request"),
        ({"verb": "release"}, "the whole loan"),
        ({"verb": "borrow"}, "verb"),
        ({"expects": -1}, "expects"),
        ({"loan": "loan-1"}, "loan"),
        ({"units": [f"kf-{n}" for n in range(101)]}, "units"),
        ({"from": "K P"}, "from"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_says_nothing_is_no_message(changes: dict[str, Any], says: str) -> None:
    """It is refused where it is read, and the refusal names the field."""
    with pytest.raises(msgspec.ValidationError, match=says):
        decode(**changes)
