"""`make licences`: writes `docs/licences.md` from what the installed packages say of themselves.

With ``--check`` it only tells whether the page is fresh. A licence that asks those who pass the program on to open its
own source (GPL, AGPL; LGPL too, to be sure) ends the command with 1 where a package of the program has it.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

from deploy.supply_chain.locked import EVERYTHING, ROOT, RUNTIME, Locked, locked

PAGE: Final = ROOT / "docs" / "licences.md"
_COPYLEFT: Final = re.compile(r"\b(A|L)?GPL|General Public", re.IGNORECASE)
_PER_FILE: Final = re.compile(r"\bMPL|Mozilla", re.IGNORECASE)
_HEAD: Final = """# Licences of what Booked is made with

Made by `make licences` from what the packages say of themselves, and checked by `make check`. Booked itself has no
licence yet. The first table is what the image and an installation of the program hold; each package is locked with its
hashes.
"""
_TOOLS: Final = """
## Only for developing and for the sandbox

These are not in the image. Those with conditions on passing them on:
"""


def licence_of(package: Locked) -> str | None:
    """Give what the installed package says its licence is; None where it is not installed here (another platform)."""
    try:
        found = distribution(package.name)
    except PackageNotFoundError:
        return None
    return _expression(found) or _classified(found) or _worded(found) or "not stated"


def _expression(found: Distribution) -> str:
    return "".join(found.metadata.get_all("License-Expression") or [])


def _worded(found: Distribution) -> str:
    text = "".join(found.metadata.get_all("License") or []).strip()
    return text if text and "\n" not in text and text != "UNKNOWN" else ""


def _classified(found: Distribution) -> str:
    classifiers = found.metadata.get_all("Classifier") or []
    names = [one.rpartition("::")[2].strip() for one in classifiers if one.startswith("License ::")]
    return ", ".join(name for name in names if name != "OSI Approved")


def forbidden(licence: str) -> bool:
    """Tell whether it would bind Booked's own source; a choice between several is judged by all of them."""
    choices = re.split(r"\s+OR\s+", licence)
    return all(_COPYLEFT.search(choice) for choice in choices)


def page() -> Iterator[str]:
    """Give the page's lines."""
    yield _HEAD
    yield "| package | version | licence |"
    yield "| --- | --- | --- |"
    for package in locked(RUNTIME):
        told = licence_of(package) or f"not installed here (only where `{package.marker}`)"
        yield f"| {package.name} | {package.version} | {told} |"
    yield _TOOLS
    yield "| package | version | licence |"
    yield "| --- | --- | --- |"
    ours = {package.name for package in locked(RUNTIME)}
    for package in locked(EVERYTHING):
        licence = licence_of(package) or ""
        if package.name not in ours and (_COPYLEFT.search(licence) or _PER_FILE.search(licence)):
            yield f"| {package.name} | {package.version} | {licence} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; 1 where it is stale or a licence must not be in the program."""
    parser = argparse.ArgumentParser(prog="python -m deploy.supply_chain.licences", description=__doc__)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    wrong = [one.name for one in locked(RUNTIME) if forbidden(licence_of(one) or "")]
    if wrong:
        sys.stderr.write(f"must not be in the program by its licence: {', '.join(wrong)}\n")
        return 1
    text = "\n".join(page()) + "\n"
    if not given.check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{PAGE.name} is stale: run `make licences`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
