"""WooCommerce: REST orders of wc/v1, v2 and v3, and of the older WC API, as webhooks and exports give them."""

from consumer.sources.woocommerce.translation import translate

__all__ = ["translate"]
