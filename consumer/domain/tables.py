"""The shop's tables of accounts and of methods: to which account, item and name a line of an order goes.

Of the accounts the most specific row decides, of equals the first; of the methods the first that fits. A value may be
a template: it sees the order as the contract has it, and as ``line`` what the row is looked up for. A value that is no
id of the ledger parks the order: what a bookkeeper set up is never passed over in silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consumer.domain.expressions import LINE, ExpressionError, template
from consumer.domain.orders import LineKind, Order
from consumer.domain.refusals import RefusedError, expression_failed
from consumer.domain.settings import AccountRow, MethodRow, PaymentRow, ShopSettings
from consumer.domain.texts import cut, one_line

ID_DIGITS_MAX = 30
SHOWN_CHARACTERS = 60
DISCOUNT = "discount"
SHIPPING = "shipping"
# These are no revenue: a row for lines of any kind would book them as such, so they need a row of their own.
OWN_ROW_ONLY = frozenset({LineKind.GIFT_CARD.value, LineKind.DEPOSIT.value, DISCOUNT})
_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a shipping line or a fee goes; what is empty stays as it would be without the table."""

    item_id: str = ""
    account_id: str = ""
    label: str = ""


class Tables:
    """The shop's tables, read for one order of which ``country`` is where its tax is due."""

    def __init__(self, order: Order, shop: ShopSettings, country: str) -> None:
        """Take the order that templates see, and the shop that names the rows."""
        self._data, self._shop, self._country = order.data, shop, country
        self._found: dict[tuple[str, str], AccountRow | None] = {}

    def account(self, kind: str, *, tax_class: str = "", within: str = "", at: int = -1) -> str | None:
        """Give the account of a line of this kind, or None where no row names one.

        ``within`` and ``at`` say where in the contract's order the line stands: ``lines`` and 0 for the first line.
        Raises RefusedError where the row's value is no id of an account.
        """
        key = (kind, tax_class)
        if key not in self._found:
            self._found[key] = account_row(self._shop.accounts, kind=kind, country=self._country, tax_class=tax_class)
        row = self._found[key]
        return None if row is None else self._id(row.account_id, "accounts", self._line(within, at))

    def method(self, name: str, *, within: str, at: int) -> Place:
        """Give the place of a shipping method or fee by its name. Raises RefusedError, as ``account`` does."""
        row = method_row(self._shop.methods, name)
        if row is None:
            return Place()
        line = self._line(within, at)
        return Place(
            item_id=self._id(row.item_id, "methods", line) if row.item_id else "",
            account_id=self._id(row.account_id, "methods", line) if row.account_id else "",
            label=self._filled(row.label, "methods", line).strip(),
        )

    def _line(self, within: str, at: int) -> Mapping[str, object]:
        entries = self._data.get(within)
        entry = entries[at] if isinstance(entries, Sequence) and 0 <= at < len(entries) else None
        return entry if isinstance(entry, Mapping) else {}

    def _id(self, text: str, setting: str, line: Mapping[str, object]) -> str:
        value = self._filled(text, setting, line).strip()
        if value.isascii() and value.isdigit() and len(value) <= ID_DIGITS_MAX:
            return value
        given = repr(cut(one_line(value), SHOWN_CHARACTERS)) if value else "nothing"
        raise RefusedError(
            expression_failed(
                f"{setting} of the shop: {text!r} gives {given} for this order; an id of the ledger has digits only, "
                f"at most {ID_DIGITS_MAX}.",
                shop_id=self._shop.shop_id,
                setting=setting,
            )
        )

    def _filled(self, text: str, setting: str, line: Mapping[str, object]) -> str:
        try:
            compiled = template(text)
            return compiled.text if compiled.is_plain else compiled.fill({**self._data, LINE: line})
        except ExpressionError as error:
            message = f"{setting} of the shop: {error}."
            raise RefusedError(
                expression_failed(message, shop_id=self._shop.shop_id, setting=setting),
            ) from error


def account_row(rows: Sequence[AccountRow], *, kind: str, country: str, tax_class: str) -> AccountRow | None:
    """Find the row that fits and says most; of equally specific rows the first in the table."""
    kinds = (kind,) if kind in OWN_ROW_ONLY else ("", kind)
    fitting = [
        row
        for row in rows
        if row.kind in kinds and row.country.upper() in ("", country) and row.tax_class in ("", tax_class)
    ]
    return max(fitting, key=lambda row: bool(row.kind) + bool(row.country) + bool(row.tax_class), default=None)


def method_row(rows: Sequence[MethodRow], name: str) -> MethodRow | None:
    """Find the first row for this name: equal but for case, or begun as a row that ends in ``*`` says."""
    given = name.strip().casefold()
    return next((row for row in rows if _named(row.name.strip().casefold(), given)), None)


def payment_row(rows: Sequence[PaymentRow], method: str) -> PaymentRow | None:
    """Find the first row for this way of paying, by the same rule."""
    given = method.strip().casefold()
    return next((row for row in rows if _named(row.method.strip().casefold(), given)), None)


def _named(pattern: str, name: str) -> bool:
    return name.startswith(pattern.removesuffix(_ANY)) if pattern.endswith(_ANY) else name == pattern
