"""A capability is asked for in words."""

import pytest

from cloud.dispatch.recommend import has_capability


@pytest.mark.parametrize(
    ("asked", "has"),
    [("rescue", True), ("ROAD  rescue", True), ("boat", False), ("+", False), ("\u200b", False), ("?!", False)],
)
def test_what_is_no_word_is_nobody_s_capability(asked: str, *, has: bool) -> None:
    """Signs alone match nobody: else every unit would be recommended as if it had what was asked for."""
    assert has is has_capability(("road rescue", "ladder"), asked)
