"""E-mail addresses: in which form they are written, and when two of them are the same mailbox."""

import re

MAILBOX_CHARACTERS = 254  # RFC 5321; anything longer is no address
_SHAPE = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+")


def mailbox(email: str) -> str:
    """Give the address as it is written: trimmed, its domain lower-case and in ASCII; empty where it is none.

    The local part is left as it is: its case may matter to its own server.
    """
    text = email.strip().removeprefix("mailto:").strip("<>").strip()
    if len(text) > MAILBOX_CHARACTERS or not _SHAPE.fullmatch(text):
        return ""
    local, _, domain = text.rpartition("@")
    return f"{local}@{_ascii(domain.rstrip('.').lower())}"


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def email_key(email: str) -> str:
    """Give the key under which two addresses are the same mailbox; empty where there is none.

    Case is passed over in the whole address: no server in use tells mailboxes apart by it. Dots, plus signs and the
    like are kept, because they do tell mailboxes apart.
    """
    return mailbox(email).casefold()
