"""Silence of a position source: told once, followed by "no fix", and its end told once."""

from edge_agent.decode.readings import Fix, Reading, SourceFault


class Silence:
    """Watches for the absence of fixes. `mono_s` is the device's monotonic clock throughout."""

    def __init__(self, source: str, *, after_s: float, mono_s: float) -> None:
        """Start listening at `mono_s`; the source is silent when `after_s` pass without a fix report."""
        self._source, self._after_s = source, after_s
        self._heard_s = mono_s
        self._told = False

    def heard(self, mono_s: float) -> tuple[Reading, ...]:
        """A fix report came (one that says "no fix" too). Gives the healed fault if silence had been told."""
        self._heard_s = mono_s
        if not self._told:
            return ()
        self._told = False
        return (SourceFault(self._source, ""),)

    def told(self, mono_s: float, text: str) -> tuple[Reading, ...]:
        """The fault with `text` and a fix of mode `none`, once per silence, so that nothing stale looks live."""
        if self._told or mono_s - self._heard_s < self._after_s:
            return ()
        self._told = True
        return SourceFault(self._source, text), Fix(mode="none")
