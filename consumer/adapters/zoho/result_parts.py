"""What results are read with: the organisation, one document, the rows of a list, and whether a filter was obeyed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from consumer.adapters.zoho import documents, limits
from consumer.domain import ledger

D = TypeVar("D", bound=documents.Document)
Body = Mapping[str, Any]
_MISSING: Final = object()


class UnusableAnswerError(Exception):
    """A success lacks what it must hold; the message completes "answered with success, but …"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What reading needs beside the body."""

    organization_id: str | None
    unique_field: str | None
    app: str  # the origin of the pages for people
    credit_note_unique_field: str | None = None

    def invoice_url(self, invoice_id: str) -> str:
        """Give the page for people with a login; never the customer's open link."""
        return f"{self.app}/app/{self.organization_id or ''}#/invoices/{invoice_id}"

    def credit_note_url(self, credit_note_id: str) -> str:
        """Give the page for people with a login."""
        return f"{self.app}/app/{self.organization_id or ''}#/creditnotes/{credit_note_id}"


def one_of(body: Body, name: str, model: type[D]) -> D:
    """Read the one document of an answer."""
    value = body.get(name, _MISSING)
    if not isinstance(value, dict):
        raise UnusableAnswerError(f"without {name}")
    return validated(model, value)


def rows_of(body: Body, name: str, model: type[D]) -> list[D]:
    """Read the rows of a list."""
    value = body.get(name, _MISSING)
    if not isinstance(value, list):
        # An answer without its list says nothing about what exists; it is not an empty list.
        raise UnusableAnswerError(f"without the list {name}")
    return [validated(model, row) for row in value]


def validated(model: type[D], value: Any) -> D:
    """Read one object. Raises UnusableAnswerError."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # The fields' names only: the values may be somebody's name and address.
        names = sorted({".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)})
        raise UnusableAnswerError(f"without a readable {', '.join(names[:5]) or 'object'}") from None


def page_of(body: Body, rows: Iterable[Any], count: int) -> ledger.Page:
    """Make the page of rows that were read."""
    return ledger.Page(rows=tuple(rows), more=has_more(body, count))


def has_more(body: Body, count: int) -> bool:
    """Tell whether another page follows."""
    context = body.get("page_context")
    if isinstance(context, list):  # the description says a list, the answers an object
        context = context[0] if context else None
    if not isinstance(context, dict) or "has_more_page" not in context:
        # Some lists come without a context; then a full page is taken as a sign that another one follows.
        return count >= limits.PER_PAGE
    return validated(documents.PageContextDocument, context).has_more_page


def verified(rows: list[D], matching: list[D], body: Body, what: str) -> list[D]:
    """Check that a filter was obeyed, or that it did not matter because the whole list has come."""
    if not matching and rows and has_more(body, len(rows)):
        raise UnusableAnswerError(f"the filter by {what} was ignored and the list goes on: nothing is proved absent")
    return matching
