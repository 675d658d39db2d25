"""Late answers and callers that go away, on a serial line: never another register's value."""

import asyncio

from tests.edge_agent.bus.late import read_naively, read_with_bus


def test_no_read_is_ever_given_another_registers_value() -> None:
    """With 15 % of the answers late and 10 % of the callers gone, each value that is handed out is the right one."""
    counts = asyncio.run(read_with_bus(400, seed=1))
    assert 0 == counts["wrong"]
    assert counts["right"] > 250 and counts["late"] > 30 and counts["cancelled"] > 20


def test_the_line_tells_a_careless_client() -> None:
    """The same line hands a client without our precautions wrong values: the check above can fail."""
    assert asyncio.run(read_naively(150, seed=1))["wrong"] > 0
