"""E-mail addresses: in which form they are written, and when two of them are the same mailbox.

Two addresses are the same mailbox whatever their case, the spaces around them, the characters that cannot be seen
(they come with copying from pages and documents), the Unicode form, and whether the domain is written in its own
script or in ASCII. Everything else tells mailboxes apart: dots, plus tags, ``ß`` and ``ss``. Which of those a server
passes over is known to that server alone, and two people who are merged cost more than one who is there twice.
"""

import re
import unicodedata

MAILBOX_CHARACTERS = 254  # RFC 5321; anything longer is no address
_RAW_CHARACTERS = 1000  # with names, spaces and characters that cannot be seen
_LABEL_CHARACTERS = 63  # RFC 1035
_SHAPE = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+")
_AROUND_AT = re.compile(r"\s*@\s*")
# Soft hyphen, zero width spaces and joiners, marks of direction, byte order mark.
_UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))  # full stops of other scripts, RFC 3490


def mailbox(email: str) -> str:
    """Give the address as it is written: trimmed, its domain lower-case and in ASCII; empty where it is none.

    The local part is left as it is: its case may matter to its own server.
    """
    if len(email) > _RAW_CHARACTERS:
        return ""
    text = email.translate(_UNSEEN).strip()
    text = text[7:] if text[:7].lower() == "mailto:" else text
    text = _AROUND_AT.sub("@", text.strip().strip("<>").strip())
    local, _, domain = text.rpartition("@")
    written = f"{local}@{_ascii(domain)}"
    return written if len(written) <= MAILBOX_CHARACTERS and _SHAPE.fullmatch(written) else ""


def _ascii(domain: str) -> str:
    """Write a domain in lower case and in ASCII, as IDNA 2008 does.

    Python's own codec ``idna`` is of 2003: it makes ``strasse`` of ``straße``, which are two domains today.
    """
    text = unicodedata.normalize("NFKC", domain.translate(_DOTS))
    return ".".join(map(_label, _lower(text).rstrip(".").split(".")))


def _label(label: str) -> str:
    if label.isascii():
        return label
    try:
        ascii_label = "xn--" + label.encode("punycode").decode("ascii")
    except UnicodeError:
        return label
    return ascii_label if len(ascii_label) <= _LABEL_CHARACTERS else label


def _lower(text: str) -> str:
    # One by one: str.lower() makes another letter of a sigma that ends a word, and casefold() makes ss of ß.
    return unicodedata.normalize("NFC", "".join(character.lower() for character in text))


def email_key(email: str) -> str:
    """Give the key under which two addresses are the same mailbox; empty where there is none.

    Case is passed over in the whole address: no server in use tells mailboxes apart by it. Dots, plus signs and the
    like are kept, because they do tell mailboxes apart.
    """
    local, at, domain = mailbox(email).rpartition("@")
    return _lower(unicodedata.normalize("NFC", local)) + at + domain
