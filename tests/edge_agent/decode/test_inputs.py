"""What the levels of the device's own contacts become."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decode.inputs import SUPPLY_FAILED, Contacts, InputReading, InputRules, due_s, fold, lose
from edge_agent.decode.readings import InputValue, SourceFault

RULES = InputRules(debounce_s=0.05, prompt=frozenset({"power_fail"}))
FAILED = (InputValue("power_fail", True), SourceFault("power_fail", SUPPLY_FAILED))
HOLDS = (InputValue("power_fail", False), SourceFault("power_fail", ""))


def told(*steps: tuple[float, str, bool]) -> list[tuple[InputReading, ...]]:
    """What each step tells: its time, the input, its level."""
    contacts: Contacts = {}
    found = []
    for now_s, name, level in steps:
        contacts, readings = fold(contacts, [(name, level)], now_s, RULES)
        found.append(readings)
    return found


def test_the_first_level_counts_at_once() -> None:
    """After a start nobody waits to learn how a contact stands, on or off."""
    assert told((0.0, "ignition", True)) == [(InputValue("ignition", True),)]
    assert told((0.0, "ignition", False)) == [(InputValue("ignition", False),)]


def test_a_change_counts_once_it_has_held() -> None:
    """A level is told when the debounce time has passed, neither before nor twice, and `due_s` says when."""
    steps = ((0.0, "ignition", False), (1.0, "ignition", True), (1.049, "ignition", True), (1.06, "ignition", True))
    assert told(*steps, (2.0, "ignition", True))[1:] == [(), (), (InputValue("ignition", True),), ()]
    contacts, _ = fold({}, [("ignition", False)], 0.0, RULES)
    assert due_s(contacts, RULES) is None
    contacts, _ = fold(contacts, [("ignition", True)], 1.0, RULES)
    assert due_s(contacts, RULES) == 1.05
    contacts, readings = fold(contacts, [], 1.05, RULES)
    assert readings == (InputValue("ignition", True),) and due_s(contacts, RULES) is None


def test_a_bounce_is_nothing() -> None:
    """A contact that goes and comes back within the time was never told, and each edge begins the time anew."""
    steps = ((0.0, "ignition", False), (1.0, "ignition", True), (1.04, "ignition", False), (1.08, "ignition", True))
    assert told(*steps, (1.12, "ignition", True))[1:] == [(), (), (), ()]


def test_a_failed_supply_counts_with_its_first_edge() -> None:
    """What runs on a hold-up store has seconds: value and fault come at once, however short the dip; its end waits."""
    steps = ((0.0, "power_fail", False), (1.0, "power_fail", True), (1.01, "power_fail", False))
    assert told(*steps, (1.04, "power_fail", False), (1.07, "power_fail", False)) == [HOLDS, FAILED, (), (), HOLDS]


def test_a_dip_between_two_reads_is_not_lost() -> None:
    """Two edges of one read are both folded: the supply that came back at once had failed all the same."""
    contacts, _ = fold({}, [("power_fail", False)], 0.0, RULES)
    contacts, readings = fold(contacts, [("power_fail", True), ("power_fail", False)], 1.0, RULES)
    assert readings == FAILED
    assert fold(contacts, [], 1.05, RULES)[1] == HOLDS


def test_what_is_lost_is_bad_and_no_fault_of_the_supply() -> None:
    """Of a chip that went every input is bad without a value; whether the supply holds is not claimed either way."""
    bad = (InputValue("ignition", None, "bad"), InputValue("power_fail", None, "bad"))
    assert lose(("ignition", "power_fail"), RULES) == (*bad, SourceFault("power_fail", ""))


@given(st.lists(st.tuples(st.floats(0.0, 0.2), st.booleans()), max_size=40))
def test_what_is_told_alternates_and_ends_with_the_truth(moves: list[tuple[float, bool]]) -> None:
    """However a contact bounces, no value is told twice in a row, and once it rests the last one told is its level."""
    contacts: Contacts = {}
    now_s, values = 0.0, []
    for pause_s, level in moves:
        now_s += pause_s
        contacts, readings = fold(contacts, [("ignition", level)], now_s, RULES)
        values += [one.value for one in readings if isinstance(one, InputValue)]
    contacts, readings = fold(contacts, [], now_s + 1.0, RULES)
    values += [one.value for one in readings if isinstance(one, InputValue)]
    assert all(one is not other for one, other in zip(values, values[1:], strict=False))
    assert not moves or values[-1] is moves[-1][1]
