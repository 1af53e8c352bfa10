"""A sealed secret opens only at its own place, with a key that is held, and unchanged to the last bit."""

import base64

import pytest

from consumer.errors import ConfigurationError, SecretError
from consumer.secrets import Keyring, generate_key, sealed_key_id

OLD, NEW = generate_key(), generate_key()
PLAIN = "1000.canary-secret-ä€😀"


def test_what_was_sealed_opens_at_its_place() -> None:
    """Also the empty text and long ones; the same text never looks the same twice."""
    ring = Keyring.parse(f"a:{OLD}")
    for plain in ("", PLAIN, "x" * 10_000):
        assert ring.open(ring.seal(plain, bound_to="main/refresh"), bound_to="main/refresh") == plain
    assert ring.seal(PLAIN, bound_to="main/refresh") != ring.seal(PLAIN, bound_to="main/refresh")


@pytest.mark.parametrize("place", ["other/refresh", "main/access", "main/refresh ", ""])
def test_a_secret_that_was_moved_does_not_open(place: str) -> None:
    """A row copied to another connection, or a column to another, is refused."""
    ring = Keyring.parse(f"a:{OLD}")
    with pytest.raises(SecretError, match="moved here from another"):
        ring.open(ring.seal(PLAIN, bound_to="main/refresh"), bound_to=place)


def test_any_changed_byte_is_noticed() -> None:
    """Version, key id, nonce, text and tag alike."""
    ring = Keyring.parse(f"a:{OLD},b:{OLD}")
    sealed = ring.seal(PLAIN, bound_to="main/refresh")
    for n in range(len(sealed)):
        changed = bytearray(sealed)
        changed[n] ^= 3  # makes of the key's id "a" the id "b", which has the very same key
        with pytest.raises(SecretError):
            ring.open(bytes(changed), bound_to="main/refresh")
    for cut in range(len(sealed)):
        with pytest.raises(SecretError):
            ring.open(sealed[:cut], bound_to="main/refresh")


def test_keys_are_replaced_one_after_the_other() -> None:
    """The first one writes, all read, and the old one can be found to be needed no more."""
    old = Keyring.parse(f"2025:{OLD}")
    both = Keyring.parse(f" 2026:{NEW} , 2025:{OLD} ")
    sealed = old.seal(PLAIN, bound_to="p")
    assert both.open(sealed, bound_to="p") == PLAIN
    assert (sealed_key_id(sealed), sealed.startswith(both.prefix)) == ("2025", False)
    again = both.seal(PLAIN, bound_to="p")
    assert (sealed_key_id(again), again.startswith(both.prefix)) == ("2026", True)
    with pytest.raises(SecretError, match="sealed with key '2026', which"):
        old.open(again, bound_to="p")
    assert both.key_ids == ("2026", "2025")


def test_nothing_shows_a_key_or_a_secret() -> None:
    """Neither what is printed nor what is raised."""
    ring = Keyring.parse(f"a:{OLD}")
    sealed = ring.seal(PLAIN, bound_to="p")
    texts = [repr(ring), str(ring)]
    for keys, place in ((f"a:{NEW}", "p"), (f"b:{OLD}", "p"), (f"a:{OLD}", "q")):
        with pytest.raises(SecretError) as raised:
            Keyring.parse(keys).open(sealed, bound_to=place)
        texts.append(f"{raised.value!r} {raised.value.__cause__!r}")
    assert not any(secret in text for text in texts for secret in (OLD, NEW, PLAIN, "canary"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no key"),
        (" , ", "holds no key"),
        (OLD, "not of the form id:key"),
        ("a:not base64!", "entry 1 holds a key that is not base64"),
        (f"a:{OLD},a:{NEW}", "entry 2 repeats"),
        (f"a b:{OLD}", "id must be"),
        ("a:" + base64.b64encode(b"short").decode(), "5 bytes instead of 32"),
    ],
)
def test_a_wrong_setting_names_itself_and_quotes_no_key(text: str, words: str) -> None:
    """It refuses to start."""
    with pytest.raises(ConfigurationError, match=words) as raised:
        Keyring.parse(text)
    assert raised.value.key == "BOOKED_SECRET_KEYS"
    assert OLD not in str(raised.value)


def test_a_generated_key_is_one() -> None:
    """32 bytes, and never the same."""
    assert len(base64.b64decode(generate_key())) == 32
    assert generate_key() != generate_key()
