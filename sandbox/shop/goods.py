"""What the shop sells, in net euros; the class tells which of a country's rates applies."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article. ``tax_class`` is standard or reduced; ``by_weight`` is sold in fractions of ``unit``."""

    sku: str
    name: str
    price: Decimal
    tax_class: str = "standard"
    kind: str = "goods"
    unit: str = "pcs"
    by_weight: bool = False
    description: str = ""


ARTICLES: tuple[Article, ...] = (
    Article(sku="MUG-01", name="Mug, hand-thrown", price=Decimal("14.46"), description="Glaze: sea green"),
    Article(sku="CHAIR-7", name="Oak chair", price=Decimal("189.00"), description="Oiled, seat height 46 cm"),
    Article(sku="TEE-M", name="T-shirt 🐙 limited edition", price=Decimal("24.79"), description="Size M / ink blue"),
    Article(sku="LAMP-3", name="Desk lamp “Lumière”", price=Decimal("74.3388")),
    Article(sku="SCREW-4", name="Wood screws 4x40 mm", price=Decimal("0.0375")),
    Article(sku="TEA-G", name="緑茶 Sencha", price=Decimal("11.90"), tax_class="reduced", unit="kg", by_weight=True),
    Article(sku="OLIVE", name="Ελιές Καλαμών", price=Decimal("13.76"), tax_class="reduced", unit="kg", by_weight=True),
    Article(sku="BOOK-1", name="The Sound of Rain: a field guide", price=Decimal("22.02"), tax_class="reduced"),
    Article(sku="BOOK-AR", name="كتاب الطبخ", price=Decimal("18.35"), tax_class="reduced"),
    Article(sku="EBOOK-9", name="Knots & Splices (e-book) <2nd edition>", price=Decimal("7.99"), kind="digital"),
    Article(sku="SETUP", name="Assembly at your home", price=Decimal("45.00"), kind="service", unit="h"),
    Article(sku="CANDLE", name="Beeswax candle", price=Decimal("3.31")),
    Article(sku="POSTER", name="Poster “Nachtzug nach Süden”", price=Decimal("12.35")),
    Article(
        sku="LONG-1",
        name="Shelf system, modular, with 6 boards in solid beech, wall rails, brackets, book ends and a mounting kit "
        "for plasterboard, brick and concrete",
        price=Decimal("329.75"),
    ),
    Article(sku="STICKER", name="Sticker (free with every order) ✨", price=Decimal("0.00")),
)
