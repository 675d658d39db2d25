"""Lines of a GPIO chip whose edges a test puts in, through a real pipe: no chip is here."""

import errno
import os
from collections.abc import Iterable

from edge_agent.sources.panel_gpiod import Edge


class PipeLines:
    """Lines that were requested: readable while edges wait. What they read and drive is for each test to say."""

    def __init__(self) -> None:
        """Begin with no edge waiting."""
        self.fd, self._far = os.pipe()
        os.set_blocking(self.fd, False)
        self._waiting: list[Edge | None] = []

    def put(self, edge: Edge | None) -> None:
        """Let an edge happen; None takes the chip away."""
        self._waiting.append(edge)
        os.write(self._far, b"!")

    def read_edges(self) -> Iterable[Edge]:
        """The edges that wait. Raises OSError where the chip has gone."""
        try:
            os.read(self.fd, 64)
        except BlockingIOError:
            return ()
        found, self._waiting = self._waiting, []
        if None in found:
            raise OSError(errno.ENODEV, "No such device")
        return [each for each in found if each is not None]

    def close(self) -> None:
        """Give the lines back."""
        os.close(self.fd)
        os.close(self._far)
