"""Leads a consumer of a partner's feed through the scenes, and judges what it holds after each."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cloud.conformance.feed import told
from cloud.conformance.picture import Picture
from cloud.conformance.scenes import LOST_AFTER_S, STATUS_S, Scene, expected, scenes
from cloud.conformance.stage import Stage
from wire.findings import Finding, fail, well

COME_S = 60.0
"""How long the consumer may take to connect first."""
BACK_S = 10.0
"""How long it may take to come back."""
VIEW_S = 5.0
"""How long it may take, after a tick, to say what it holds."""
GRACE_S = 1.0
"""How long a view that has come as far may still be wrong: it may have been PUT before the scene's last event."""
_AGES = frozenset({"status_s", "position_s", "link_s"})


def check_consumer(port: int, say: Callable[[str], None]) -> list[Finding]:
    """Serve the scenes on a port of the loopback interface (0 for any), tell where through `say`, and judge.

    Raises OSError where the port is taken.
    """
    stage = Stage(port)
    try:
        say(f"Feed {stage.address}/v1/feed\nAfter each tick, and when you find the feed lost, PUT {stage.address}/view")
        return list(_judge(stage))
    finally:
        stage.close()


def _judge(stage: Stage) -> Iterator[Finding]:
    if stage.wait_asked(1, COME_S) is None:
        yield fail("consumer", f"nobody asked for the feed within {COME_S:g} s", "connect to the address above")
        return
    for scene, held in zip(scenes(), expected(), strict=True):
        if scene.cuts:
            times = stage.asked
            stage.cut()
            came_with = stage.wait_asked(times + 1, BACK_S)
            if came_with is None:
                yield fail(scene.name, f"it did not come back within {BACK_S:g} s", scene.do)
                return
            if came_with != scene.returns_with:
                found = f"it came back with Last-Event-ID {came_with!r}, not {scene.returns_with!r}"
                yield fail(scene.name, found, scene.do)
                return
        if scene.silent:
            yield _lost(stage, scene)
        yield _scene(stage, scene, held)


def _lost(stage: Stage, scene: Scene) -> Finding:
    view = stage.wait_view(lambda view: view.get("lost") is True, LOST_AFTER_S + VIEW_S, since=stage.views)
    if view is None or view.get("lost") is not True:
        return fail("feed lost", f"after {LOST_AFTER_S:g} s of silence it did not say that the feed is lost", scene.do)
    units = view.get("units")
    young = [
        name
        for name, record in (units if isinstance(units, dict) else {}).items()
        if isinstance(record, dict) and _is_young(record.get("status_s"))
    ]
    if young:
        found = f"the ages of {told(young)} stood still during {LOST_AFTER_S:g} s of silence"
        return fail("feed lost", found, "count ages on, on your own monotonic clock, from when an event arrived")
    return well("feed lost", "it said so, and its ages went on")


def _is_young(age_s: Any) -> bool:
    return isinstance(age_s, int | float) and age_s < STATUS_S + LOST_AFTER_S / 2


def _scene(stage: Stage, scene: Scene, held: Picture) -> Finding:
    before = stage.views
    for text in scene.text:
        stage.send(text)
    stage.wait_view(lambda view: view.get("cursor") == scene.cursor, VIEW_S, since=before)
    view = stage.wait_view(lambda view: not list(_wrong(view, scene, held)), GRACE_S, since=before)
    if view is None:
        return fail(scene.name, f"no view was PUT within {VIEW_S:g} s", "PUT what you hold to /view after each tick")
    wrong = list(_wrong(view, scene, held))
    return fail(scene.name, told(wrong), scene.do) if wrong else well(scene.name, f"{len(held.units)} units, as sent")


def _wrong(view: Mapping[str, Any], scene: Scene, held: Picture) -> Iterator[str]:
    if view.get("cursor") != scene.cursor:
        yield f"its cursor is {view.get('cursor')}, not {scene.cursor}"
    if view.get("lost") is not False:
        yield "it says that the feed is lost"
    for name, ours in (("units", held.units), ("alarms", held.alarms)):
        theirs = view.get(name)
        if isinstance(theirs, dict):
            yield from _differs(ours, theirs)
        else:
            yield f"its {name} are no object"


def _differs(ours: Mapping[str, Mapping[str, Any]], theirs: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(theirs.keys() - ours.keys()):
        yield f"it holds {name}, which is not to be seen"
    for name, record in sorted(ours.items()):
        shown = theirs.get(name)
        if not isinstance(shown, dict):
            yield f"it lacks {name}"
            continue
        for field in sorted(shown.keys() - record.keys()):
            yield f"{name}.{field} is held, though it is absent"
        for field in sorted(record.keys() - shown.keys() - {"mood"}):
            yield f"{name}.{field} is lacking"
        for field in sorted(record.keys() & shown.keys()):
            if not _same(field, record[field], shown[field]):
                yield f"{name}.{field} is {shown[field]!r}, not {record[field]!r}"


def _same(field: str, ours: Any, theirs: Any) -> bool:
    if field in _AGES and ours is not None:
        return isinstance(theirs, int | float) and theirs >= ours
    return bool(ours == theirs)
