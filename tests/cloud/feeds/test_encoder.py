"""The last step before bytes leave asks again, for each set of grants, whether a record may be told."""

from cloud.feeds.encoder import Encoder
from cloud.feeds.views import Shown
from cloud.sharing.terms import OWN, Grants
from cloud.sharing.view import view
from tests.cloud.fleet.samples import NOON, at, fleet


def test_a_record_that_was_encoded_for_one_is_asked_about_for_another() -> None:
    """Even where one record came with grants of two kinds, whoever may see less of it does not get it."""
    record = view(fleet().record("kp-12", 1, NOON, at(1)), OWN, NOON)
    encoder = Encoder()
    assert 1 == len(encoder.encode([Shown(record, OWN)], at(1)))
    assert () == encoder.encode([Shown(record, Grants(fields=frozenset({"status"})))], at(1))
    assert 1 == encoder.held_back
