"""What a feed tells at once, beside its units: as it stands, and for a client that comes back. Pure."""

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Ending(Protocol):
    """Something that is active until it is over."""

    @property
    def active(self) -> bool:
        """Whether it is still to be shown."""
        ...


_Item = TypeVar("_Item", bound=Ending)


class Kept(Generic[_Item]):
    """Every item that is active, as it was last shown and with which cursor, and those that ended lately."""

    def __init__(self, *, part: int, ended_max: int) -> None:
        """None was shown yet. At most `part` go into one event, and `ended_max` that have ended are remembered."""
        self._part, self._ended_max = part, ended_max
        self._active: dict[str, tuple[int, _Item]] = {}
        self._ended: dict[str, tuple[int, _Item]] = {}
        self._forgotten = -1
        """The newest cursor of one that has ended and is not remembered any more."""

    def keep(self, items: Iterable[tuple[str, _Item]], cursor: int) -> None:
        """Note items, by their ids, as they are shown with a cursor."""
        for name, item in items:
            self._active.pop(name, None)
            self._ended.pop(name, None)
            (self._active if item.active else self._ended)[name] = (cursor, item)
        while len(self._ended) > self._ended_max:
            oldest = next(iter(self._ended))
            self._forgotten = max(self._forgotten, self._ended.pop(oldest)[0])

    def active(self) -> Iterator[tuple[_Item, ...]]:
        """Give everything that is active, in parts."""
        return self._parts([item for _, item in self._active.values()])

    def since(self, cursor: int) -> Iterator[tuple[_Item, ...]] | None:
        """Give what changed after a cursor, in parts; None where that is not known any more."""
        if cursor < self._forgotten:
            return None
        shown = (*self._active.values(), *self._ended.values())
        return self._parts([item for changed, item in shown if changed > cursor])

    def _parts(self, items: list[_Item]) -> Iterator[tuple[_Item, ...]]:
        return (tuple(items[start : start + self._part]) for start in range(0, len(items), self._part))
