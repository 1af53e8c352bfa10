"""Shopify's Admin REST orders and order webhooks, put into the words of our contract; see docs/platforms.md."""

from consumer.sources.shopify.translation import translate

__all__ = ["translate"]
