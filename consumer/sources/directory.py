"""The shops as the intake knows them, by id, by CloudEvents source and by topic. A snapshot of one moment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from consumer.domain.expressions import ExpressionError, fields_read
from consumer.domain.settings import Platform, ShopSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownShop:
    """One shop, with what is worked out of its settings once and not for every order.

    ``also_hashed`` are the fields that its templates read: a change of one of them is a change of content.
    """

    settings: ShopSettings
    zone: tzinfo
    also_hashed: frozenset[str]

    @property
    def is_platform(self) -> bool:
        """Tell whether its payloads are a platform's, and have to be translated."""
        return self.settings.source is not Platform.BOOKED


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopDirectory:
    """All shops. ``topics`` are those that active shops have for themselves, each carrying all kinds."""

    shops: Mapping[str, KnownShop] = field(default_factory=dict)
    by_source: Mapping[str, KnownShop] = field(default_factory=dict)
    by_topic: Mapping[str, KnownShop] = field(default_factory=dict)

    @property
    def topics(self) -> frozenset[str]:
        """Name the topics that are to be read beside the order topics."""
        return frozenset(topic for topic, shop in self.by_topic.items() if shop.settings.active)

    def zone_of(self, shop_id: str) -> tzinfo:
        """Give a shop's time zone; UTC for one that is not known."""
        shop = self.shops.get(shop_id)
        return UTC if shop is None else shop.zone

    def settings(self) -> list[ShopSettings]:
        """Give the settings that it was made of, in their order."""
        return [shop.settings for shop in self.shops.values()]


def directory_of(shops: Sequence[ShopSettings], *, shared_topics: Collection[str] = ()) -> ShopDirectory:
    """Make the directory. Raises ZoneInfoNotFoundError for a time zone that `apply` would refuse.

    ``shared_topics`` are those of the installation itself. None of them is ever a shop's own: reading the topic of
    rejections as orders would reject each rejection, without end.
    """
    known = {settings.shop_id: _known(settings) for settings in shops}
    by_source: dict[str, KnownShop] = {}
    by_topic: dict[str, KnownShop] = {}
    # Inactive shops tell as well what their late events are; but an active shop that took over a name has it.
    for shop in sorted(known.values(), key=lambda one: not one.settings.active):
        for source in shop.settings.event_sources:
            by_source.setdefault(source, shop)
        for topic in set(shop.settings.topics).difference(shared_topics):
            by_topic.setdefault(topic, shop)
    return ShopDirectory(shops=known, by_source=by_source, by_topic=by_topic)


def _known(settings: ShopSettings) -> KnownShop:
    try:
        also_hashed = fields_read(settings.templates)
    except ExpressionError:
        # `apply` refuses such a template, so it is another version's; its orders park when they are mapped, with the
        # template's name, and no other shop's may be harmed by it.
        also_hashed = frozenset()
    return KnownShop(settings=settings, zone=ZoneInfo(settings.time_zone), also_hashed=also_hashed)
