"""Any order of the three topics' messages gives the same final documents, read from the ledger's side."""

from collections.abc import Sequence

import pytest

from tests.interleaving.trial import Trial, names_of, play_apart

WORLDS, CHUNK = 120, 40
SOME = 5  # of each kind of write, or a chunk has not tried it


@pytest.mark.parametrize("first", range(0, WORLDS, CHUNK))
def test_any_order_of_messages_ends_with_what_the_newest_revision_asks(first: int) -> None:
    """Told in any order, some twice, while calls fail and processes die: the books end the same, and never twofold."""
    (trial,) = play_apart([names_of("suite", range(first, first + CHUNK))], processes=1)
    assert not trial.problems, "\n".join(trial.problems)
    _assert_that_something_happened(trial)


def _assert_that_something_happened(trial: Trial) -> None:
    assert trial.interleavings >= 1000
    assert trial.messages > 3 * trial.interleavings
    assert trial.deaths > 0
    for name in ("create_invoice", "update_invoice", "void_invoice", "delete_invoice", "create_credit_note"):
        assert trial.writes[name] >= SOME, (name, trial.writes)
    ends: Sequence[str] = ("booked", "withdrawn, cancelled", "waiting, not_paid")
    assert all(trial.ends[end] for end in ends), trial.ends
