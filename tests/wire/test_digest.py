"""The digest chain: the same events give the same digest, and nothing else does."""

import hashlib
from functools import reduce

from hypothesis import assume, given
from hypothesis import strategies as st

from wire import digest

START = digest.genesis("e-1", "status")
events = st.lists(st.binary(max_size=12), min_size=1, max_size=5)


def chained(chain: list[bytes], start: bytes = START) -> bytes:
    """Give the digest after the events of `chain`."""
    return reduce(digest.extend, chain, start)


def test_a_chain_worked_out_by_hand() -> None:
    """The definition, spelt out: an integrator who writes this gets the same digest."""
    start = hashlib.sha256(b"watchroom/1/e-1/status").hexdigest()
    first = hashlib.sha256(bytes.fromhex(start) + b'{"seq":1}').hexdigest()
    second = hashlib.sha256(bytes.fromhex(first) + b'{"seq":2}').hexdigest()
    assert start == "00d84d798ac5d9a7d8f862c2bce0ea3d8f68d3540ac688e475270e1af4ee0add"
    assert second == chained([b'{"seq":1}', b'{"seq":2}']).hex()


@given(events)
def test_the_chain_is_sha_256_over_digest_and_event(chain: list[bytes]) -> None:
    """An independent computation agrees, event by event."""
    expected = hashlib.sha256(b"watchroom/1/e-1/status").digest()
    for event in chain:
        step = hashlib.sha256()
        step.update(expected)
        step.update(event)
        expected = step.digest()
    assert expected == chained(chain)
    assert len(chained(chain).hex()) == digest.DIGEST_HEX_LENGTH


@given(events, st.data())
def test_a_changed_bit_changes_the_digest(chain: list[bytes], data: st.DataObject) -> None:
    """In any event, however far back."""
    at = data.draw(st.integers(0, len(chain) - 1))
    assume(chain[at])
    bit = data.draw(st.integers(0, len(chain[at]) * 8 - 1))
    spoilt = bytearray(chain[at])
    spoilt[bit // 8] ^= 1 << bit % 8
    assert chained(chain) != chained([*chain[:at], bytes(spoilt), *chain[at + 1 :]])


@given(events, events)
def test_only_equal_chains_have_equal_digests(one: list[bytes], other: list[bytes]) -> None:
    """Two chains that differ in any way do not agree."""
    assert (chained(one) == chained(other)) == (one == other)


@given(events, st.permutations(range(5)))
def test_another_order_changes_the_digest(chain: list[bytes], order: list[int]) -> None:
    """The same events in another order are another chain."""
    shuffled = [chain[i] for i in order if i < len(chain)]
    assert (chained(shuffled) == chained(chain)) == (shuffled == chain)


@given(events, st.data())
def test_another_split_changes_the_digest(chain: list[bytes], data: st.DataObject) -> None:
    """The same bytes cut into other events, one left out or one told twice: each is another chain."""
    at = data.draw(st.integers(0, len(chain) - 1))
    cut = data.draw(st.integers(0, len(chain[at])))
    before, event, after = chain[:at], chain[at], chain[at + 1 :]
    for other in (
        [*before, event[:cut], event[cut:], *after],
        [*before, *after],
        [*before, event, event, *after],
        [b"".join(chain), b""],
    ):
        assert other == chain or chained(other) != chained(chain)


@given(events)
def test_a_chain_goes_on_from_where_it_was(chain: list[bytes]) -> None:
    """Over any point the digest is all that has to be known: a device may delete what was settled."""
    middle = len(chain) // 2
    assert chained(chain) == chained(chain[middle:], chained(chain[:middle]))


names = st.text("ABCabc019-", min_size=1, max_size=10)


@given(names, names)
def test_each_stream_and_queue_starts_elsewhere(one: str, other: str) -> None:
    """No queue's chain is mistaken for another's, even where both hold the same events."""
    starts = [digest.genesis(stream, queue) for stream in (one, other) for queue in ("status", "track")]
    assert len(set(starts)) == (2 if one == other else 4)
