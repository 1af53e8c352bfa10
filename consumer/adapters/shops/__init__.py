"""Shops that are asked for their own orders, over HTTP: our own contract, WooCommerce and Shopify."""
