"""A hardware keypad has no place for words: a notice is told by its LEDs."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.sources.panel_evdev import EvdevPanel
from tests.edge_agent.sources.panel_lab import HandClock, running
from tests.edge_agent.sources.test_panel_evdev import panel_at, plugged, read_leds

LEDS = {"b1": 0, "b4": 1}


def test_a_notice_makes_every_lit_led_blink_fast(tmp_path: Path) -> None:
    """A steady LED does not stay steady under a notice, a dark one stays dark, and both are as before after it."""

    async def main() -> None:
        path, clock = tmp_path / "event0", HandClock()
        with plugged(path) as plug:
            panel: EvdevPanel = panel_at(path, clock, LEDS)
            panel.show({"b1": "steady", "b4": "dark"}, "CONTROL CANNOT SEE THIS: USE RADIO OR PHONE")
            async with running(panel):
                assert await read_leds(plug) == [(0, 1), (1, 0)]
                turned_s = []
                for _ in range(3):
                    turned_s.append(await clock.wake_next())
                    assert await read_leds(plug) == [(0, (len(turned_s) + 1) % 2)]
                assert turned_s == pytest.approx([0.1, 0.2, 0.3])
                panel.show({"b1": "steady", "b4": "dark"}, "")
                assert await read_leds(plug) == [(0, 1)]

    asyncio.run(main())
