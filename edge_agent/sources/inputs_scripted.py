"""Inputs on a local socket, for the simulator and tests: the scripted panel's lines, read as contacts."""

from msgspec.structs import replace

from edge_agent.clock import Clock
from edge_agent.config.inputs import Inputs
from edge_agent.decode import inputs as contacts
from edge_agent.decode.inputs import Contacts
from edge_agent.decode.readings import Press, Reading, SourceFault
from edge_agent.errors import Fatal
from edge_agent.sources.inputs_gpiod import SOURCE, rules_of
from edge_agent.sources.panel import Emit, Jitter
from edge_agent.sources.panel_scripted import ScriptedPanel


class ScriptedInputs:
    """Inputs at a socket. A client sends `{"button":"ignition","down":true}`; what it has on goes off when it leaves.

    All are off at first. Nothing bounces here, so every change counts at once.
    """

    def __init__(self, inputs: Inputs, *, clock: Clock, jitter: Jitter) -> None:
        """The names of the inputs are those that count; another is rejected."""
        self._names, self._clock = inputs.names, clock
        self._rules = replace(rules_of(inputs), debounce_s=0.0)
        self._socket = ScriptedPanel(inputs.path, buttons=inputs.names, clock=clock, jitter=jitter)

    async def run(self, emit: Emit) -> None:
        """Serve clients until cancelled. Raises Fatal where the path belongs to something else."""
        held: Contacts = {}

        def take(levels: dict[str, bool]) -> None:
            nonlocal held
            held, readings = contacts.fold(held, levels.items(), self._clock.monotonic(), self._rules)
            for one in readings:
                emit(one)

        def hear(reading: Reading) -> None:
            nonlocal held
            match reading:
                case Press(name, on):
                    take({name: on})
                case SourceFault(_, text) if text:
                    held = {}
                    for one in contacts.lose(self._names, self._rules):
                        emit(one)
                    emit(SourceFault(SOURCE, text))
                case SourceFault():
                    emit(SourceFault(SOURCE, ""))
                    take(dict.fromkeys(self._names, False))

        take(dict.fromkeys(self._names, False))
        try:
            await self._socket.run(hear)
        except Fatal as error:
            raise Fatal(str(error).replace("[panel]", f"[{SOURCE}]")) from error
