"""Secrets at rest: AES-256-GCM, each bound to its place, under keys that can be replaced one after the other.

A sealed secret is bytes: a version, the id of its key, a nonce, and the encrypted text. What it is bound to (the
connection's id and the purpose) is authenticated with it, so that a row copied to another connection does not open.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consumer.errors import ConfigurationError, SecretError

KEYS_SETTING: Final = "BOOKED_SECRET_KEYS"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12

_VERSION: Final = b"\x01"
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}")


def generate_key() -> str:
    """Make a new key, as base64 for the setting."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode("ascii")


class Keyring:
    """The keys of this process: the first one writes, all read. Its repr names the keys' ids only."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Take the keys by id, the writing one first. Raises ConfigurationError for none or a wrong one."""
        if not keys:
            raise ConfigurationError(KEYS_SETTING, "holds no key; make one with `booked keys new`")
        for key_id, key in keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise ConfigurationError(KEYS_SETTING, "a key's id must be 1 to 32 letters, digits, '_', '.' or '-'")
            if len(key) != KEY_BYTES:
                raise ConfigurationError(KEYS_SETTING, f"key {key_id} has {len(key)} bytes instead of {KEY_BYTES}")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._writing = next(iter(keys))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``id1:base64key,id2:base64key``. Raises ConfigurationError, which never quotes a key."""
        keys: dict[str, bytes] = {}
        for n, entry in enumerate((part.strip() for part in text.split(",") if part.strip()), start=1):
            key_id, colon, encoded = entry.partition(":")
            if not colon:
                raise ConfigurationError(KEYS_SETTING, f"entry {n} is not of the form id:key")
            if key_id in keys:
                raise ConfigurationError(KEYS_SETTING, f"entry {n} repeats the id of another key")
            keys[key_id] = _decoded(encoded, n)
        return cls(keys)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Give the ids of all keys, the writing one first."""
        return tuple(self._ciphers)

    def seal(self, plain: str, *, bound_to: str) -> bytes:
        """Encrypt a text for one place, named by ``bound_to``, such as ``connection/purpose``."""
        nonce = os.urandom(NONCE_BYTES)
        header = self.prefix
        encrypted = self._ciphers[self._writing].encrypt(nonce, plain.encode(), _associated(header, bound_to))
        return header + nonce + encrypted

    def open(self, sealed: bytes, *, bound_to: str) -> str:
        """Decrypt a sealed text of that place. Raises SecretError, which says what to do and quotes nothing."""
        header, key_id, rest = _split(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SecretError(
                f"The secret of {bound_to} was sealed with key {key_id!r}, which {KEYS_SETTING} does not hold; "
                "add that key behind the others, or connect again."
            )
        try:
            plain = cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _associated(header, bound_to))
        except InvalidTag:
            raise SecretError(
                f"The secret of {bound_to} does not open with key {key_id!r}: it was damaged, moved here from another "
                "place, or sealed with another key of that id; connect again."
            ) from None
        return plain.decode()

    @property
    def prefix(self) -> bytes:
        """Give what every secret begins with that is sealed with the writing key."""
        return _header(self._writing)

    def seal_again(self, sealed: bytes, bound_to: str) -> bytes:
        """Open a secret of that place and seal it with the key that writes now. Raises SecretError."""
        return self.seal(self.open(sealed, bound_to=bound_to), bound_to=bound_to)

    def __repr__(self) -> str:
        return f"Keyring(key_ids={list(self._ciphers)})"


def sealed_key_id(sealed: bytes) -> str:
    """Tell with which key a secret was sealed, without opening it. Raises SecretError for what is no sealed secret."""
    return _split(sealed)[1]


def _decoded(encoded: str, n: int) -> bytes:
    try:
        return base64.b64decode(encoded.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(KEYS_SETTING, f"entry {n} holds a key that is not base64") from None


def _header(key_id: str) -> bytes:
    encoded = key_id.encode("ascii")
    return _VERSION + bytes([len(encoded)]) + encoded


def _associated(header: bytes, bound_to: str) -> bytes:
    # With the header, so that neither the version nor the key's id can be changed unnoticed.
    return header + bound_to.encode()


def _split(sealed: bytes) -> tuple[bytes, str, bytes]:
    """Take a sealed secret apart: its header, the key's id in it, and the rest."""
    if len(sealed) < len(_VERSION) + 1 or sealed[:1] != _VERSION:
        raise SecretError("A stored secret is not of a form that this version reads; connect again.")
    end = 2 + sealed[1]
    key_id = sealed[2:end]
    if len(sealed) <= end + NONCE_BYTES or not key_id.isascii():
        raise SecretError("A stored secret is cut off; connect again.")
    return sealed[:end], key_id.decode("ascii"), sealed[end:]
