"""The directory in force: the one that whoever asks goes by, until another takes its place."""

from collections.abc import Callable

from cloud.directory.rows import Directory

Listener = Callable[[Directory, Directory], None]
"""Is told the directory that was in force and the one that is now."""
Overlay = Callable[[Directory], Directory]
"""Lays control's word over a directory, as `binding.bind` does."""


class InForce:
    """Holds one checked directory. One thread replaces it; a reader takes `directory` once for one piece of work."""

    def __init__(self, directory: Directory) -> None:
        """Begin with a directory."""
        self.written = directory
        """As the files have it, without control's word over it."""
        self.directory = directory
        self._listeners: list[Listener] = []
        self._overlay: Overlay = _as_written

    def follow(self, listener: Listener) -> None:
        """Tell somebody of each replacement, in the order in which they asked."""
        self._listeners.append(listener)

    def replace(self, directory: Directory) -> None:
        """Put another directory in force, and tell everybody who follows. One that is the same is nothing new."""
        self.written = directory
        self.refresh()

    def lay_over(self, overlay: Overlay) -> None:
        """Put control's word over this directory and each that replaces it, and tell everybody who follows."""
        self._overlay = overlay
        self.refresh()

    def refresh(self) -> None:
        """Lay control's word over the directory anew, because it changed, and tell everybody who follows."""
        before, self.directory = self.directory, self._overlay(self.written)
        if self.directory is not before:
            for listener in self._listeners:
                listener(before, self.directory)


def _as_written(directory: Directory) -> Directory:
    """Control has said nothing."""
    return directory
