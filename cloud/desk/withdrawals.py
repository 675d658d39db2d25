"""Which agreements were withdrawn, over time. Pure."""

from collections.abc import Iterable
from datetime import datetime

from cloud.desk.sharingwords import AGREEMENT, AgreementWord, decided
from cloud.ledger import DecisionRow


def withdrawals(rows: Iterable[DecisionRow]) -> list[tuple[datetime, frozenset[str]]]:
    """Give the ids of the agreements that were withdrawn from each moment on, in order, from all that was decided."""
    found: list[tuple[datetime, frozenset[str]]] = []
    now: frozenset[str] = frozenset()
    for word in decided(rows, AGREEMENT, AgreementWord):
        now = now | {word.agreement} if word.withdrawn else now - {word.agreement}
        found.append((word.at, now))
    return found
