"""The adapters that there are: one per platform whose payloads are taken as they come."""

from collections.abc import Mapping

from consumer.domain.settings import Platform
from consumer.sources import shopify, woocommerce
from consumer.sources.platforms import Translate

TRANSLATORS: Mapping[Platform, Translate] = {
    Platform.WOOCOMMERCE: woocommerce.translate,
    Platform.SHOPIFY: shopify.translate,
}
