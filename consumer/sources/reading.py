"""Which shop a record is of, and in whose words: the front door of every source of orders. Pure.

Our own contract names its shop itself. Any other payload is a platform's, and its shop is told by the header
``booked-shop`` (or the CloudEvents extension ``bookedshop``), by the CloudEvents ``source``, by a topic of its own, or
by the first part of the record key; two that disagree are refused, since either could be the wrong books.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.settings import Platform, ShopSettings
from consumer.ports.events import Record
from consumer.sources.directory import KnownShop, ShopDirectory
from consumer.sources.own import WIRE_KINDS, read_record
from consumer.sources.platforms import NotTranslatedError, Translate, Translated
from schemas.envelope import SHOP_ATTRIBUTE, SHOP_HEADER, Envelope
from schemas.reading import PLAIN, Routed
from schemas.rejections import RejectionReason, UnreadableError

_ID_CHARACTERS_MAX = 200
_SEEN_CHARACTERS_MAX = 80
# Fields that no order of our contract has and every order of both platforms: their sender forgot to name the shop.
_PLATFORM_FIELD = "line_items"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One sign of the shop: in which words it came, and which shop it means; None for one that is not known."""

    by: str
    shop_id: str
    shop: KnownShop | None


class ShopReader:
    """Reads records with the directory of the moment; ``directory`` is asked anew for each."""

    def __init__(self, *, directory: Callable[[], ShopDirectory], translators: Mapping[Platform, Translate]) -> None:
        self._directory = directory
        self._translators = translators

    def read(
        self, record: Record, *, log: int, kind: EventKind | None, zone_of: Callable[[str], tzinfo]
    ) -> OrderEvent | Rejected | None:
        """Read one record; see sources.own.read_record."""
        directory = self._directory()
        return read_record(
            record,
            log=log,
            kind=kind,
            zone_of=zone_of,
            route=lambda envelope: self._route(envelope, record, directory),
        )

    def _route(self, envelope: Envelope, record: Record, directory: ShopDirectory) -> Routed:
        data = envelope.data
        if type(data) is dict and "shop_id" not in data:
            return self._foreign(envelope, data, record, directory)
        # The way of nearly all records: no more than a few look-ups may be added to it.
        shop_id = data.get("shop_id") if type(data) is dict else None
        shop = directory.shops.get(shop_id) if type(shop_id) is str else None
        attributes = envelope.attributes
        if (
            record.place.topic in directory.by_topic
            or attributes.get("source") in directory.by_source
            or SHOP_ATTRIBUTE in attributes
            or SHOP_HEADER in attributes
        ):
            _agree(shop_id, _signs(envelope, record, directory))
        return PLAIN if shop is None or not shop.also_hashed else Routed(also_hashed=shop.also_hashed)

    def _foreign(self, envelope: Envelope, data: Mapping[str, Any], record: Record, directory: ShopDirectory) -> Routed:
        """Find the shop of a payload that is not of our contract, and put it into our words."""
        signs = [*_signs(envelope, record, directory)]
        signs += _by_key(record, directory)
        shop = _only(signs, _order_id(data))
        if shop is not None and shop.is_platform:
            return self._translated(shop, data, envelope.path)
        if _PLATFORM_FIELD in data:
            raise _not_told(shop, envelope, record, data)
        # Rather a faulty order of our own contract: its check tells which field is missing.
        return PLAIN

    def _translated(self, shop: KnownShop, data: Mapping[str, Any], path: str) -> Routed:
        settings = shop.settings
        translate = self._translators.get(settings.source, _cannot)
        try:
            translated = translate(data, settings)
        except NotTranslatedError as error:
            raise UnreadableError(
                RejectionReason.NOT_TRANSLATED,
                f"this is read as an order of {settings.source}, and: {str(error).rstrip('.')}",
                path,
                shop_id=settings.shop_id,
                order_id=_order_id(data),
            ) from error
        return Routed(
            also_hashed=shop.also_hashed,
            translated=translated.data,
            kind=WIRE_KINDS[translated.kind],
            platform=settings.source.value,
        )


def _cannot(_data: Mapping[str, Any], shop: ShopSettings) -> Translated:
    raise NotTranslatedError(f"this version of the program has no adapter for {shop.source}")


def _signs(envelope: Envelope, record: Record, directory: ShopDirectory) -> Iterator[_Told]:
    """Give what tells the shop beside payload and key, the surest first."""
    attributes = envelope.attributes
    for by, name in (("header booked-shop", SHOP_HEADER), ("attribute bookedshop", SHOP_ATTRIBUTE)):
        shop_id = attributes.get(name)
        if shop_id:
            yield _Told(by=by, shop_id=shop_id, shop=directory.shops.get(shop_id))
    shop = directory.by_source.get(attributes.get("source", ""))
    if shop is not None:
        yield _Told(by="CloudEvents source", shop_id=shop.settings.shop_id, shop=shop)
    shop = directory.by_topic.get(record.place.topic)
    if shop is not None:
        yield _Told(by="topic", shop_id=shop.settings.shop_id, shop=shop)


def _by_key(record: Record, directory: ShopDirectory) -> Iterator[_Told]:
    """Give the shop of the key ``shop/order``; of a platform's shops only, whose keys alone are ever needed."""
    named, slash, _ = (record.key or b"").decode(errors="replace").partition("/")
    shop = directory.shops.get(named) if slash else None
    if shop is not None and shop.is_platform:
        yield _Told(by="record key", shop_id=named, shop=shop)


def _agree(shop_id: object, signs: Iterator[_Told]) -> None:
    """Raise UnreadableError where an order of our contract is told to be another shop's."""
    for told in signs:
        if told.shop_id != shop_id:
            found = f"the payload names another shop than the {told.by}, which means {_quoted(told.shop_id)}"
            raise UnreadableError(RejectionReason.SHOP_CONTRADICTED, found)


def _only(signs: list[_Told], order_id: str) -> KnownShop | None:
    """Give the one shop that all signs mean; None without any. Raises UnreadableError."""
    if not signs:
        return None
    first = signs[0]
    for other in signs[1:]:
        if other.shop_id != first.shop_id:
            found = f"the {first.by} means shop {_quoted(first.shop_id)}, the {other.by} shop {_quoted(other.shop_id)}"
            raise UnreadableError(RejectionReason.SHOP_CONTRADICTED, found, order_id=order_id)
    if first.shop is None:
        found = f"the {first.by} names shop {_quoted(first.shop_id)}, and there is none of that name"
        raise UnreadableError(
            RejectionReason.SHOP_NOT_TOLD, found, shop_id=first.shop_id[:_ID_CHARACTERS_MAX], order_id=order_id
        )
    return first.shop


def _not_told(shop: KnownShop | None, envelope: Envelope, record: Record, data: Mapping[str, Any]) -> UnreadableError:
    """Say what was seen that could have told the shop."""
    if shop is not None:
        shop_id = shop.settings.shop_id
        found = f"this is a platform's order, and shop {_quoted(shop_id)} has `source: booked`"
        return UnreadableError(
            RejectionReason.SHOP_NOT_TOLD, found, envelope.path, shop_id=shop_id, order_id=_order_id(data)
        )
    source = envelope.attributes.get("source", "")
    seen = f"CloudEvents source {_quoted(source)}" if source else "no CloudEvents source"
    found = (
        "this is a platform's order, and nothing tells its shop: there is no header `booked-shop`, "
        f"{seen}, and topic {_quoted(record.place.topic)} is no shop's own"
    )
    return UnreadableError(RejectionReason.SHOP_NOT_TOLD, found, envelope.path, order_id=_order_id(data))


def _order_id(data: Mapping[str, Any]) -> str:
    """Give the platform's own id of the order, as a hint for whoever looks at what was refused."""
    found = data.get("id")
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return str(found) if 0 < len(str(found)) <= _ID_CHARACTERS_MAX and str(found).isprintable() else ""


def _quoted(text: str) -> str:
    return f'"{text[:_SEEN_CHARACTERS_MAX]}"'
