"""The catalogue of reasons: what each means for people, and what they do about it; docs/errors.md is made of it."""

from consumer.domain.states import ReasonCode as Code

CATALOGUE: dict[Code, tuple[str, str]] = {
    Code.NOT_PAID: (
        "The order is known, but no payment was told: no order.paid and no paid_at.",
        "Nothing; it goes on when order.paid comes.",
    ),
    Code.BEFORE_START: (
        "It was paid before the shop's book_from.",
        "Look at count and sum with `booked orders waiting`, then `booked release SHOP --reason before_start`.",
    ),
    Code.AUTOMATIC_OFF: (
        "Automatic sending is off for the shop, so nothing is written by itself.",
        "Set automatic: true in shops.yaml for new orders; let waiting ones through with `booked release`.",
    ),
    Code.CHANGED_AUTOMATIC_OFF: (
        "A booked order has changed or was cancelled while automatic sending is off.",
        "Release it, or switch automatic sending on and release it.",
    ),
    Code.HELD: ("Somebody holds this order.", "Release it when it may be booked."),
    Code.UNKNOWN_SHOP: (
        "Events came for a shop that is not set up. This raises the alarm on unbooked orders.",
        "Add the shop to shops.yaml and run `booked apply`; its orders go on by themselves.",
    ),
    Code.SHOP_INACTIVE: ("The shop was taken out of shops.yaml.", "Put it back and run `booked apply`."),
    Code.NO_CONNECTION: (
        "The shop names no connection, or one that is not active.",
        "Name one in shops.yaml and run `booked apply`.",
    ),
    Code.NO_ORGANIZATION: (
        "The connection has no organisation id, so nothing is made anywhere.",
        "Enter organization_id in shops.yaml and run `booked apply`.",
    ),
    Code.CONNECTION_STOPPED: (
        "The connection is stopped until a person acts.",
        "`booked doctor` says why; then `booked connect` or `booked resume`.",
    ),
    Code.QUOTA_SPENT: (
        "The ledger's calls of the day are used up but for a reserve.",
        "It goes on when the ledger's day ends; a larger plan has more calls.",
    ),
    Code.CANCELLED: ("The order was cancelled and has no live document.", "Nothing."),
    Code.NOT_WANTED: ("Its document was deleted on purpose.", "If there should be one again: `booked order generate`."),
    Code.REFUNDED: ("Everything was given back before an invoice was sent, so that there is none.", "Nothing."),
    Code.IGNORED: ("Somebody chose that this order is not booked.", "Release it if it should be after all."),
    Code.NEGATIVE_QUANTITY: (
        "A line has a quantity below zero.",
        "Send returns as refunds, and the order again with its own quantities.",
    ),
    Code.UNKNOWN_CURRENCY: ("The currency is none of ISO 4217.", "Correct the order's currency and send it again."),
    Code.CURRENCY_MISSING: (
        "The organisation does not have the order's currency.",
        "Add the currency in the ledger's settings; the orders go on with the next order that needs it, or on a retry.",
    ),
    Code.TOTALS_DO_NOT_FOLLOW: (
        "The order's lines, discounts, shipping and fees do not give its stated total or tax, however rounded.",
        "Compare the figures in the message; correct the order in the shop and send order.updated.",
    ),
    Code.NO_EXACT_LAYOUT: (
        "No way of writing the lines gives the shop's total and VAT per rate to the cent in the ledger.",
        "The message shows both figures. Often the ledger's rounding of VAT is not the shop's: see docs/money.md.",
    ),
    Code.ROUNDING_UNKNOWN: (
        "The order comes out exactly only under one of the two roundings, and the ledger has not shown its own yet.",
        "It goes on by itself after the connection's first invoice has shown how the organisation rounds.",
    ),
    Code.TAX_MISSING: (
        "The organisation has no tax of the order's rate.",
        "Create the tax that the message names; all orders of the group go on.",
    ),
    Code.TAX_AMBIGUOUS: (
        "Several taxes of the organisation fit, and nothing tells which is meant.",
        "Enter the right one in the shop's table of taxes in shops.yaml.",
    ),
    Code.TAX_WOULD_BE_LOST: (
        "The order states tax that the document would not have.",
        "Correct the order's tax rates, or enter the tax in the shop's table.",
    ),
    Code.CUSTOMER_AMBIGUOUS: (
        "Several contacts of the ledger could be the customer.",
        "Merge them in the ledger, or give the right one the order's e-mail address; then retry.",
    ),
    Code.DEFAULT_CUSTOMER_MISSING: (
        "The contact that the shop names as its default customer does not exist, is inactive, or is a vendor.",
        "Make it an active customer in the ledger, or name another in shops.yaml and run `booked apply`.",
    ),
    Code.ORDER_UNREADABLE: ("The order's content is missing or unreadable.", "Send the whole order as order.updated."),
    Code.PERSONAL_DATA_REMOVED: (
        "It needs the order's content, which is gone: by the retention, or because its customer was erased.",
        "Send the whole order again as order.updated with a newer revision, or do it by hand and release the order.",
    ),
    Code.NOT_SUPPORTED: (
        "The order has something that is not booked yet; the message names it.",
        "As the message says.",
    ),
    Code.ITEM_MISSING: (
        "The shop books by items, and the ledger has none of a line's SKU.",
        "Create the item with that SKU in the ledger, or set items_by_sku: false.",
    ),
    Code.DATE_MISSING: ("No day for the invoice can be told.", "Send paid_at or placed_at with the order."),
    Code.EXPRESSION_FAILED: (
        "An expression of the shop's settings gives no value that fits for this order.",
        "Correct the expression that the message names in shops.yaml and run `booked apply`; the orders go on.",
    ),
    Code.LEDGER_REFUSED: (
        "The ledger refused the document; the message has its own words and code.",
        "See the table of the ledger's codes below; correct what they name, then retry.",
    ),
    Code.DIFFERENCE: (
        "The ledger computed other figures than the shop's; the document was taken back at once.",
        "Compare both figures in the message. Three in a row stop the connection.",
    ),
    Code.ALREADY_IN_LEDGER: (
        "The ledger holds a document of this order's reference that we did not make.",
        "Delete or void it in the ledger and release the order, or leave it and ignore the order.",
    ),
    Code.STOPS_THE_PROCESS: (
        "Three times the process ended while this order was in hand.",
        "Look at the log lines before each end; report them with the order; after a fix release it.",
    ),
    Code.CHANGES_IN_A_LOOP: (
        "The order changed more than ten times within an hour.",
        "Find out what sends it again and again (often an echo of our own answer); then release it.",
    ),
    Code.CHANGED_AFTER_BOOKING: (
        "The order changed after its invoice was sent or paid.",
        "Correct the invoice in the ledger and ignore the order, or change changed_sent of the shop and retry.",
    ),
    Code.CANCELLED_AFTER_BOOKING: (
        "The order was cancelled after its invoice was sent or paid.",
        "Void or credit the invoice in the ledger, or choose cancelled_sent for the shop and retry.",
    ),
    Code.GONE_FROM_LEDGER: (
        "The invoice was deleted or voided in the ledger by hand.",
        "Nothing, if that was meant; if there should be one again: `booked order generate`.",
    ),
    Code.EDITED_BY_HAND: (
        "The order changed, and somebody has edited its draft in the ledger: it is not overwritten.",
        "Let the order write over it with `booked order update`, or correct it in the ledger and ignore the order.",
    ),
    Code.UNPAID_AFTER_BOOKING: (
        "The order's payment was taken back (a chargeback, a payment that failed) after its invoice had been made.",
        "Correct the invoice in the ledger, or set unpaid_after_booking: as_cancelled and release the order.",
    ),
    Code.PAYMENTS_IN_THE_WAY: (
        "The invoice has payments or credits in the ledger, which forbid what the order now needs.",
        "Take the payments or credits off the invoice in the ledger, as the message says; then retry the order.",
    ),
    Code.REFUND_EXCEEDS_INVOICE: (
        "The order's refunds come to more than its invoice, in all or at one rate of VAT.",
        "Compare the refunds in the message with the invoice; correct them in the shop, or credit by hand and ignore.",
    ),
    Code.REFUND_UNCLEAR: (
        "The refund's lines, taxes and amount cannot be brought together to the cent.",
        "Send the refund again with the tax of each line, or make the credit note by hand and ignore the order.",
    ),
    Code.PERIOD_CLOSED: (
        "The document's day lies in a period that is closed in the ledger.",
        "Open the period, or set closed_period: first_open_day; the orders go on within a day, or when released.",
    ),
    Code.TOO_MANY_ATTEMPTS: (
        "The ledger failed again and again on this order, and not on others.",
        "Look at its story with `booked explain`; retry when the ledger is well.",
    ),
}
"""For each reason what happened, and what to do."""
