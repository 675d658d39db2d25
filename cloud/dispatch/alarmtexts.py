"""How an alarm reads, in plain English: whose it is, what is wrong, and how late control heard of it. Pure."""

from datetime import timedelta

from cloud.dispatch.alarm import Heard
from wire.events import AlarmEvent

LATE = timedelta(seconds=60)
"""An alarm that control hears of later than this after it was raised says so."""

_TEXTS = {
    "mains_failed": "the mains have failed",
    "bay_left_open": "a bay door was left open",
    "input_alarm": "an input raises an alarm",
}
_ASKS = {"speech_request": "asks to speak", "urgent_speech_request": "asks to speak, urgently"}


def text_of(heard: Heard, times: int = 1) -> str:
    """Say what was heard. `times`: how often a unit has asked to speak and nobody has answered."""
    event, whose = heard.event, heard.whose
    if heard.kind == "emergency":
        said = f"Emergency: {whose.callsign or whose.unit}"
        said += f" (its device is in {event.mode} mode)" if event.mode != "live" else ""
        if event.mode == "live" and heard.control_mode != "live":
            said += f" (control has it in {heard.control_mode} mode)"
    elif isinstance(event, AlarmEvent):
        said = f"{whose.callsign or whose.base_name or heard.device}: "
        said += _TEXTS.get(event.name, event.name.replace("_", " "))
        said += f" ({event.part})" if event.part else ""
        said += f": {event.text}" if event.text else ""
    else:
        said = f"{whose.callsign or whose.unit} {_ASKS[heard.word]}"
        said += f", {times} times" if times > 1 else ""
    return said + _lateness(heard)


def path_text(units: int, share: float) -> str:
    """Say that many units fell silent together."""
    part = f"{share:.0%} of those that were heard"
    return f"{units} units fell silent together ({part}): suspect the network or the broker, not the crews"


def _lateness(heard: Heard) -> str:
    """Say how long before control heard of it, where that is long ago or not known."""
    late = heard.heard_at - heard.at
    if heard.proven:
        return f"; raised {_duration(late)} before control heard of it" if late >= LATE else ""
    if late >= LATE:
        return f"; raised up to {_duration(late)} before control heard of it"
    told = heard.heard_at - heard.event.at
    if told >= LATE:
        return f"; when it was raised is not proven: its own clock says {_duration(told)} before control heard of it"
    return "; when it was raised is not proven"


def _duration(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"
