"""Mailboxes: one form for each, and never one form for two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.mailboxes import email_key, mailbox

LOCALS = [
    "a.b",
    "ab",
    "ab+x",
    "a-b",
    "a_b",
    "strau\u00df",
    "strauss",
    "ma\u00dfe",
    "masse",
    "o'neil",
    "jos\u00e9",
    "jose",
]
DOMAINS = [
    "example.com",
    "mail.example.com",
    "stra\u00dfe.example",
    "strasse.example",
    "b\u00fccher.example",
    "bucher.example",
]


@pytest.mark.parametrize(
    ("email", "written"),
    [
        ("anna @ example.com", "anna@example.com"),
        ("\u200banna@example.com\u00a0", "anna@example.com"),
        ("MAILTO:Anna@Example.com", "Anna@example.com"),
        ("anna@b\u00fccher\u3002example", "anna@xn--bcher-kva.example"),
        ("anna@bu\u0308cher.example.", "anna@xn--bcher-kva.example"),
        ("anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ("a" * 250 + "@example.com", ""),
        ("an na@example.com", ""),
    ],
)
def test_a_mailbox_is_written_in_one_form(email: str, written: str) -> None:
    """Invisible characters go, the domain is in ASCII by IDNA 2008, the local part stays as it is."""
    assert mailbox(email) == written


def test_different_mailboxes_never_have_one_key() -> None:
    """Dots, plus tags, accents, and ß beside ss, in local parts and domains."""
    emails = [f"{local}@{domain}" for local in LOCALS for domain in DOMAINS]
    assert len({email_key(email) for email in emails}) == len(emails)


@given(st.text(max_size=30), st.text(max_size=30))
def test_normalising_twice_changes_nothing(local: str, domain: str) -> None:
    """Of whatever text: what was made of it stays."""
    written = mailbox(f"{local}@{domain}.example")
    assert mailbox(written) == written
    assert email_key(written) == email_key(email_key(written))


@given(
    st.text(alphabet="abcxyz0189.+-_'", min_size=1, max_size=12),
    st.text(alphabet="abcxyz0189.+-_'", min_size=1, max_size=12),
)
def test_two_local_parts_are_two_mailboxes(one: str, other: str) -> None:
    """Whatever stands in them; only case is passed over."""
    same = email_key(f"{one}@example.com") == email_key(f"{other}@EXAMPLE.com")
    assert same is (one == other)
    assert email_key(f"{one.upper()}@example.com") == email_key(f"{one}@example.com")
