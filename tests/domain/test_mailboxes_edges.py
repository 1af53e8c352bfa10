"""The edges of e-mail addresses: their lengths to the character, several signs of at, and domains in every script."""

import pytest

from consumer.domain.mailboxes import email_key, mailbox

HOST = "example.com"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (f"{' ' * 989}a@example.com"[-1000:], "a@example.com"),
        (f"{' ' * 1000}a@example.com", ""),
        ("a" * 242 + f"@{HOST}", "a" * 242 + f"@{HOST}"),
        ("a" * 243 + f"@{HOST}", ""),
        ("a@b@example.com", ""),
        ("nobody", ""),
        ("a@example.com..", "a@example.com"),
        ("a@Stra\u00dfe.DE", "a@xn--strae-oqa.de"),
    ],
    ids=[
        "a thousand characters around it",
        "more than that",
        "254 characters",
        "255",
        "two signs",
        "none",
        "a full stop behind it",
        "its own script",
    ],
)
def test_an_address_is_written_in_one_way(written: str, address: str) -> None:
    """Or is none."""
    assert mailbox(written) == address


@pytest.mark.parametrize(("letters", "as_ascii"), [(54, True), (55, True), (56, False)])
def test_a_label_that_would_be_too_long_in_ascii_stays_in_its_script(letters: int, as_ascii: bool) -> None:  # noqa: FBT001 a parameter
    """Sixty-three characters: xn--, fifty-five letters, a dash, and three that tell of the one that is not ASCII."""
    label = "\u00fc" + "a" * letters
    found = mailbox(f"x@{label}.de")
    encoded = "xn--" + label.encode("punycode").decode()
    assert (len(encoded) <= 63) is as_ascii
    assert found == (f"x@{encoded}.de" if as_ascii else f"x@{label}.de")


def test_two_addresses_are_one_mailbox_whatever_their_case() -> None:
    """The local part as well."""
    assert email_key("Anna@Example.COM") == email_key("anna@example.com") == "anna@example.com"
    assert email_key("nobody") == ""
