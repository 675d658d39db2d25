"""What everybody in a scenario stands on."""

from pathlib import Path
from typing import NamedTuple

from simulator.scenario.network import Broker
from simulator.scenario.story import Story
from simulator.scenario.virtual import VirtualLoop


class Stage(NamedTuple):
    """The loop, the broker, the story that is told, and the folder with everybody's disks."""

    loop: VirtualLoop
    broker: Broker
    story: Story
    root: Path
