"""Every reason and every code of the ledger is explained in docs/errors.md; an unknown one shows the ledger's words."""

import re
from pathlib import Path

import pytest

from consumer.adapters.zoho.classify import Reply, failure
from consumer.adapters.zoho.errors import LEDGER_CODES, find_code
from consumer.cli.reference import DOCS, FOUND_BY_WORDS
from consumer.domain.ledger import DeleteInvoice, VoidInvoice
from consumer.domain.reasons import CATALOGUE
from consumer.domain.states import ReasonCode
from consumer.errors import RefusedError
from consumer.services.retrying import refusal

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "zoho-books.md"
ERRORS = (DOCS / "errors.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_says_what_happened_and_what_to_do(code: ReasonCode) -> None:
    """In two sentences for people, on the page that is made from the code."""
    what, fix = CATALOGUE[code]
    assert what.endswith(".")
    assert fix.endswith(".")
    assert f"| `{code.value}` |" in ERRORS


@pytest.mark.parametrize("known", [*LEDGER_CODES, *FOUND_BY_WORDS], ids=lambda known: f"{known.code}-{known.sentence}")
def test_every_code_of_the_ledger_that_we_know_has_its_entry(known: object) -> None:
    """With the fix beside it."""
    cells = [str(getattr(known, name)).replace("|", "\\|") for name in ("code", "sentence", "fix")]
    assert f"| {' | '.join(cells)} |" in ERRORS


def test_every_code_that_the_facts_name_is_known() -> None:
    """The list of codes was found once, with its sources; none of it may be forgotten in the table."""
    if not FACTS.exists():
        pytest.skip("the facts are not on this machine")
    section = FACTS.read_text(encoding="utf-8").partition("| Code | Meaning |")[2].partition("\n\n")[0]
    named = {int(code) for line in section.splitlines()[2:] for code in re.findall(r"\d+", line.split("|")[1])} - {0}
    assert len(named) > 20
    assert named <= {known.code for known in LEDGER_CODES}


@pytest.mark.parametrize(("code", "operation"), [(4001, DeleteInvoice), (12008, DeleteInvoice), (12008, VoidInvoice)])
def test_what_forbids_a_deletion_says_what_to_take_off_first(
    code: int, operation: type[DeleteInvoice | VoidInvoice]
) -> None:
    """Payments and credits are undone by a person, in the ledger."""
    known = find_code(400, code, operation)
    assert known is not None
    assert re.search(r"payment|credit", known.sentence.lower())
    assert "emove" in known.fix or "ake" in known.fix


def test_an_unknown_code_shows_the_ledgers_own_words() -> None:
    """In the reason of the order, with status and code; orders of the same code are one group."""
    words = "The moon is in the wrong quarter for this [invoice]"
    error = failure(DeleteInvoice(invoice_id="46"), Reply(status=400, body={"code": 987654, "message": words}))
    assert isinstance(error, RefusedError)
    reason = refusal(error)
    assert (reason.code, reason.group) == (ReasonCode.LEDGER_REFUSED, "ledger_refused:987654")
    assert words in reason.message
    assert "400, code 987654" in reason.message
    assert reason.fix
