"""The catalogue of reasons: whole, and worth reading."""

import pytest

from consumer.domain.reasons import CATALOGUE
from consumer.domain.states import ReasonCode


def test_every_reason_is_explained() -> None:
    """A code without its entry would be a page without an answer."""
    assert set(CATALOGUE) == set(ReasonCode)


@pytest.mark.parametrize("code", list(ReasonCode))
def test_each_says_what_happened_and_what_to_do_in_sentences(code: ReasonCode) -> None:
    """Ended like sentences, and not twice the same."""
    happened, remedy = CATALOGUE[code]
    assert happened != remedy
    assert all((text and text[-1] in ".`" and text[0].isalnum()) or text[0] == "`" for text in (happened, remedy))


def test_no_two_reasons_are_explained_in_the_same_words() -> None:
    """Else one of them is superfluous or wrong."""
    texts = [happened for happened, _ in CATALOGUE.values()]
    assert len(set(texts)) == len(texts)
