"""Every command that the runbook tells to run is run, as it stands there, against real servers and the stand-in."""

import json
import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from consumer.cli.reference_program import named_commands
from tests.acceptance.conftest import installation
from tests.acceptance.installation import SHOP, Installation, order
from tests.kafka_tools import publish

__all__ = ["installation"]

pytestmark = pytest.mark.acceptance

RUNBOOK: Final = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
LATER: Final = "later"  # a shop whose orders wait for a person
# Services, which go on until they are told to end: one of them runs beside the others here.
SERVICES: Final = {"run", "figures"}
ASKING: Final = {"release", "rejected drop"}  # a person says yes
# With no intake running, as the runbook says; hence the last one.
LAST: Final = "positions set"
# Which order a step is for; the others are for one that is booked.
ORDERS: Final = {
    "order generate": (LATER, "W-1"),
    "order release": (LATER, "W-2"),
    "order ignore": (SHOP, "P-1"),
    "order retry": (SHOP, "P-2"),
    "release": (SHOP, "P-3"),
}
# Orders that have to be parked when a step is taken.
PARKED_AGAIN: Final = {"order retry": "P-2", "release": "P-3"}
# How a step ends that does not end with 0, where nothing has been put right yet.
ENDINGS: Final = {
    "order retry": {7},  # its tax is still missing
    "rejected retry": {7},  # it is still no order
    "doctor": {0, 7},  # it may have something to say
    "reconcile": {0, 7},  # the same
}


def _steps() -> dict[str, str]:
    """Give each command of the runbook, as written, with its name; what differs in names alone is one."""
    known = dict(named_commands())
    steps: dict[tuple[str, ...], tuple[str, str]] = {}
    for found in re.findall(r"`booked ([^`]+)`", RUNBOOK.read_text(encoding="utf-8")):
        words = found.split()
        name = next(name for name in (" ".join(words[:2]), words[0]) if name in known)
        options = tuple(word for word in words if word.startswith("-"))
        # Of commands alike the longest is tried: it is the one with its words.
        steps[name, *options] = max(steps.get((name, *options), ("", "")), (found, name), key=lambda one: len(one[0]))
    return dict(steps.values())


def _filled(name: str, written: str, values: dict[str, str]) -> list[str]:
    """Put this installation's names in the place of the words in capitals, and what a person would add."""
    shop, number = ORDERS.get(name, (SHOP, "B-1"))
    values = {**values, "SHOP": shop, "ORDER": number}
    words = [values.get(word, word) for word in shlex.split(written)]
    command: Any = dict(named_commands())[name]
    given = len([word for word in words[len(name.split()) :] if not word.startswith("-")])
    if given == 0:
        # Named in passing, without its words.
        needed = [one.name for one in command.params if one.param_type_name == "argument" and one.required]
        words += [values[one.upper()] for one in needed]
    options = {option for one in command.params for option in one.opts}
    return [*words, *(["--yes"] if name in ASKING else []), *(["--as", "tester"] if "--as" in options else [])]


async def _ready(installation: Installation) -> None:
    """Let there be orders that are booked, parked and waiting, and messages that are no orders."""
    await installation.publish("paid", [order("B-1")])
    missing = [{"name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "17"}]}]
    await installation.publish("paid", [order(f"P-{number}", lines=missing, total="11.70") for number in range(1, 4)])
    await installation.publish("paid", [order(f"W-{number}", shop_id=LATER) for number in range(1, 3)])
    for _ in range(3):
        await publish(installation.kafka_servers, installation.topics["order.paid"], b"shop/R", b"{", partition=0)
    await installation.until_stands("B-1", "booked")
    await installation.until_stands("P-3", "parked", "tax_missing")
    await installation.until_stands("W-2", "waiting", "automatic_off", shop_id=LATER)


async def _rejected(installation: Installation) -> str:
    """Give the id of a message that nobody has looked at."""
    return str(json.loads(await installation.command("rejected", "list", "--json"))[0]["id"])


async def _values(installation: Installation, name: str) -> dict[str, str]:
    today = datetime.now(UTC)
    found = {
        "CONNECTION": "books",
        "CODE": "tax_missing",
        "TOPIC": installation.topics["order.paid"],
        "PARTITION": "0",
        "OFFSET": "1",
        "MONTH": f"{today:%Y-%m}",
        "DAY": f"{today:%Y-%m-%d}",
        "WHY": "a reason",
        "FILE": str(installation.folder / "shops.yaml"),
        "NAME": SHOP,
        "STATE": "parked",
    }
    return found | ({"ID": await _rejected(installation)} if name.startswith("rejected ") else {})


async def _tried(installation: Installation, name: str, written: str) -> tuple[bool, str]:
    if name in PARKED_AGAIN:
        # What an earlier step has released is due for a moment, until it is parked again.
        await installation.until_stands(PARKED_AGAIN[name], "parked", "tax_missing")
    words = _filled(name, written, await _values(installation, name))
    if name == "connect":
        words += ["--self-client", await installation.ledger.create_code(client_id="acceptance")]
    if words[0] == "release" and not {"--order", "--reason"} & set(words):
        words += ["--reason", "tax_missing"]
    code, printed = await installation.try_command(*words)
    return code in ENDINGS.get(name, {0}), f"{' '.join(words)} ended with {code}: {printed}"


async def _faults(installation: Installation, steps: Sequence[tuple[str, str]]) -> list[str]:
    ended = [await _tried(installation, name, written) for written, name in steps]
    return [told for good, told in ended if not good]


async def test_each_command_of_the_runbook_does_its_work(installation: Installation) -> None:
    """As it is written, with an installation's own names in it: it ends well, or says what is still to be put right."""
    steps = {written: name for written, name in _steps().items() if name not in SERVICES}
    assert len(steps) >= 20
    reference = "{shop_id}/{order_id}"
    installation.shops = {
        name: {"automatic": automatic, "reference": reference} for name, automatic in ((SHOP, True), (LATER, False))
    }
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await _ready(installation)
        assert await _faults(installation, [step for step in steps.items() if step[1] != LAST]) == []
        # What the steps promise has come about.
        await installation.until_stands("W-1", "booked", shop_id=LATER)
        await installation.until_stands("W-2", "booked", shop_id=LATER)
        await installation.until_stands("P-1", "withdrawn", "ignored")
        await installation.until_stands("P-2", "parked", "tax_missing")
    assert await _faults(installation, [step for step in steps.items() if step[1] == LAST]) == []
