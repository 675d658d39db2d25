"""The directory in force: the one that whoever asks goes by, until another takes its place."""

from collections.abc import Callable

from cloud.directory.rows import Directory

Listener = Callable[[Directory, Directory], None]
"""Is told the directory that was in force and the one that is now."""


class InForce:
    """Holds one checked directory. One thread replaces it; a reader takes `directory` once for one piece of work."""

    def __init__(self, directory: Directory) -> None:
        """Begin with a directory."""
        self.directory = directory
        self._listeners: list[Listener] = []

    def follow(self, listener: Listener) -> None:
        """Tell somebody of each replacement, in the order in which they asked."""
        self._listeners.append(listener)

    def replace(self, directory: Directory) -> None:
        """Put another directory in force, and tell everybody who follows. One that is the same is nothing new."""
        before, self.directory = self.directory, directory
        if directory is not before:
            for listener in self._listeners:
                listener(before, directory)
