"""Finding all that is kept of one customer: for an erasure, and for an export."""

from dataclasses import dataclass

from consumer.domain.customers import email_key
from consumer.domain.erasing import needles
from consumer.domain.orders import OrderKey
from consumer.errors import ConfigurationError
from consumer.ports.privacy import Customer, FoundOrder, PrivacyStore, Wanted

ORDERS_AT_ONCE = 1000  # looked at in one statement
CUSTOMER_CHARACTERS = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The customer's own orders, those of others that mention the address, and what to search for beside them."""

    own: tuple[FoundOrder, ...]
    mentioned: tuple[OrderKey, ...]
    wanted: Wanted

    @property
    def customer_ids(self) -> tuple[tuple[str, str], ...]:
        """Give the ids that shops know the customer by: other orders of theirs may name another address."""
        return tuple(sorted({(one.key.shop_id, one.customer_id) for one in self.own if one.customer_id}))


def customer_named(text: str, shop_id: str | None) -> Customer:
    """Read whom a person means: an e-mail address, or with a shop the shop's own id. Raises ConfigurationError."""
    text = text.strip()
    if not text or len(text) > CUSTOMER_CHARACTERS:
        raise ConfigurationError(
            "--customer", f"give an e-mail address or an id of 1 to {CUSTOMER_CHARACTERS} characters"
        )
    if shop_id:
        return Customer(shop_id=shop_id, customer_id=text)
    if not email_key(text):
        raise ConfigurationError(
            "--customer", "this is no e-mail address; of a customer's id name the shop too: --shop"
        )
    return Customer(email=text)


async def gather(store: PrivacyStore, who: Customer) -> Gathered:
    """Look through all orders, some at a time, and say what else there is to search for."""
    found: list[FoundOrder] = []
    after: OrderKey | None = None
    while True:
        page = await store.find_orders(who, after=after, limit=ORDERS_AT_ONCE)
        found += page.orders
        if page.last is None:
            break
        after = page.last
    own = tuple(one for one in found if not one.mentioned)
    return Gathered(own=own, mentioned=tuple(one.key for one in found if one.mentioned), wanted=_wanted(who, own))


def _wanted(who: Customer, own: tuple[FoundOrder, ...]) -> Wanted:
    """Give the texts and keys. Of a customer known by an id, the addresses come from the orders."""
    emails = {who.email} if who.email else {one.email for one in own}
    keys = {email_key(email) for email in emails} - {""}
    ids = {f"id:{who.shop_id}/{who.customer_id}"} if who.customer_id else set()
    return Wanted(
        email_keys=tuple(sorted(keys)),
        customer_keys=tuple(sorted({f"email:{key}" for key in keys} | ids)),
        needles=needles(frozenset(emails | keys)),
    )
