"""Whoever decides is named so that others can read it, and no moment ends a question without an answer."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from cloud.api.alarms import Cancelled
from cloud.api.bodies import Taken
from cloud.api.control import SaidStatus
from cloud.api.orders import BODIES
from cloud.desk.bindingwords import DecisionRequest, LendRequest
from cloud.desk.modes import ModeRequest
from tests.cloud.memory.keep import BEGIN, Keep

REST = {"code": "2", "reason": "by radio", "base": "stn-14", "scope": "all", "mode": "live"}
NAMED = [Taken, Cancelled, SaidStatus, DecisionRequest, LendRequest, ModeRequest]
NAMED += [kind for kind in BODIES if "by" in kind.__struct_fields__ and "orders" in kind.__module__]


@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.__name__)
def test_nobody_decides_under_a_name_that_cannot_be_read(kind: type[msgspec.Struct]) -> None:
    """A blank, a control character or one that turns the direction of writing is refused; any real name is taken."""
    wanted = {name: value for name, value in REST.items() if name in kind.__struct_fields__}
    if kind is SaidStatus:
        wanted.pop("scope", None)
    assert "José O'Brien-Łuk" == msgspec.convert(wanted | {"by": "José O'Brien-Łuk"}, kind).by  # type: ignore[attr-defined]
    for name in ("", " ", "\u00a0\t", "ann\u0000", "\u202enna", "a\nb", "x" * 65):
        with pytest.raises(msgspec.ValidationError, match="by"):
            msgspec.convert(wanted | {"by": name}, kind)


def test_after_the_last_moment_of_the_calendar_nothing_changed(tmp_path: Path) -> None:
    """The board's next change after any moment is a moment or none."""
    keep = Keep(tmp_path)
    keep.show(BEGIN, "p12")
    last = datetime.max.replace(tzinfo=UTC)
    first = datetime.min.replace(tzinfo=UTC)
    assert None is keep.ledger.board_change(last, None, is_next=True)
    assert BEGIN == keep.ledger.board_change(last, None, is_next=False)
    assert BEGIN == keep.ledger.board_change(first, None, is_next=True)
    keep.close()
