"""A command is fresh by a nonce that this boot minted lately."""

from edge_agent.turnout.nonces import NONCE_HOLDS_S, NONCES_MAX, Nonces, check, mint


def test_a_nonce_holds_for_a_quarter_of_an_hour() -> None:
    """Its minting is known until then, and not a moment longer."""
    held = mint(Nonces(), "a", 100.0)
    assert 900.0 == NONCE_HOLDS_S
    assert 100.0 == check(held, "a", 100.0 + NONCE_HOLDS_S - 0.001)
    assert check(held, "a", 100.0 + NONCE_HOLDS_S) is None


def test_a_nonce_of_another_boot_is_unknown() -> None:
    """What was never minted here is no nonce, and neither is the empty word that a command without one quotes."""
    held = mint(Nonces(), "a", 100.0)
    assert check(held, "b", 100.0) is None
    assert check(held, "", 100.0) is None


def test_old_nonces_are_forgotten() -> None:
    """A nonce a second for an hour leaves no more than those that hold, and a flood of them no more than the bound."""
    held = Nonces()
    for second in range(3_600):
        held = mint(held, f"n{second}", float(second))
    assert 900 == len(held.minted)
    for number in range(NONCES_MAX + 10):
        held = mint(held, f"f{number}", 3_600.0)
    assert NONCES_MAX == len(held.minted)
    assert check(held, f"f{NONCES_MAX + 9}", 3_600.0) == 3_600.0
