"""Real orders of WooCommerce and Shopify: the consistent ones are booked to the cent, the others never."""

import ast
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from consumer.domain.ledger import LedgerFacts, LedgerTax, Organization, TaxKind, TaxRounding
from consumer.domain.mapping import Mapped, map_order
from consumer.domain.orders import Fee, Line, Order, Shipping, Tax
from consumer.domain.settings import Platform, ShopSettings
from consumer.sources.own import to_order
from consumer.sources.platforms import Translate
from consumer.sources.shopify import translate as translate_shopify
from consumer.sources.woocommerce import translate as translate_woocommerce
from schemas.canonical import canonical
from schemas.checking import checker
from schemas.orders import ORDER_MODELS, OrderKind
from tests.domain import neutral_orders as neutral
from tests.money.generator import make_order
from tests.money.judging import (
    Judgement,
    Part,
    Stated,
    judge,
    judge_neutral,
    judge_order,
    judge_shopify,
    judge_woocommerce,
)
from tests.money.organisation import CONNECTION, NOW, book, computed, facts

DATA = Path(__file__).parents[3] / "shared" / "data"
SHAPES: Mapping[Platform, tuple[str, Translate, Callable[[Mapping[str, Any]], Judgement], str]] = {
    Platform.WOOCOMMERCE: ("orders-woocommerce", translate_woocommerce, judge_woocommerce, "total"),
    Platform.SHOPIFY: ("orders-shopify", translate_shopify, judge_shopify, "total_price"),
}
BOTH = (TaxRounding.PER_RATE, TaxRounding.PER_LINE)
BOOKED_OF_CONSISTENT = 0.97
F = Fraction


def payloads(platform: Platform) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the platform's orders of the shared data, by file and line."""
    folder = DATA / SHAPES[platform][0]
    if not folder.exists():
        pytest.skip(f"no shared data beside the repository ({folder.name})")
    for file in sorted(folder.glob("*.jsonl")):
        for at, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            order = json.loads(line)["order"]
            yield f"{file.name}:{at}", order.get("order", order)


def order_of(platform: Platform, payload: Mapping[str, Any]) -> Order:
    """Take a payload the way that it goes: translated, checked by the contract, stored, and read again."""
    translated = SHAPES[platform][1](payload, ShopSettings(shop_id="shop", source=platform))
    checker(ORDER_MODELS[OrderKind(translated.kind.value)])(translated.data)
    return to_order(canonical(translated.data).content, "UTC")


def organisation(order: Order, rounding: TaxRounding) -> LedgerFacts:
    """Give an organisation that has what the order needs."""
    charges: tuple[Line | Shipping | Fee, ...] = (*order.lines, *order.shipping, *order.fees)
    every = [charge.taxes for charge in charges if charge.taxes]
    rates = sorted({tax.rate for taxes in every for tax in taxes})
    taxes = [LedgerTax(tax_id=f"1{at}", name=f"VAT {rate}", rate=rate) for at, rate in enumerate(rates)]
    groups = {tuple(tax for tax in taxes if tax.rate) for taxes in every}
    taxes += [_group(group, at) for at, group in enumerate(sorted(groups, key=str)) if len(group) > 1]
    return LedgerFacts(
        organization=Organization(organization_id="1", name="Books", currency=order.currency, time_zone="UTC"),
        taxes=tuple(taxes),
        currencies=(),
        rounding=rounding,
    )


def _group(group: Sequence[Tax], at: int) -> LedgerTax:
    simple = sum((tax.rate for tax in group if not tax.compound), Decimal(0))
    whole = simple + sum((tax.rate * (1 + simple / 100) for tax in group if tax.compound), Decimal(0))
    parts = tuple(tax.rate for tax in sorted(group, key=lambda tax: (tax.compound, tax.rate)))
    return LedgerTax(tax_id=f"9{at}", name=f"Group {at}", rate=whole, kind=TaxKind.GROUP, parts=parts)


def booked(platform: Platform, payload: Mapping[str, Any], rounding: TaxRounding) -> bool:
    """Tell whether the order is booked; what is booked must be the payload's own total and tax, by the stand-in."""
    order = order_of(platform, payload)
    result = map_order(
        order,
        facts=organisation(order, rounding),
        shop=ShopSettings(shop_id="shop"),
        connection=CONNECTION,
        contact_id="",
        paid_moment=NOW,
        document_n=1,
        items={},
    )
    if not isinstance(result, Mapped):
        assert result.message
        return False
    document = computed(result.draft, 2, rounding)
    assert document.total == Decimal(str(payload[SHAPES[platform][3]]))
    assert sum(document.tax_by_rate.values()) == round(Decimal(str(payload.get("total_tax") or 0)), 2)
    return True


@pytest.mark.parametrize("platform", SHAPES)
def test_real_orders_are_booked_exactly_if_they_are_consistent_and_else_never(
    platform: Platform, record_property: Callable[[str, object], None]
) -> None:
    """Over 97 % of the consistent ones in an organisation whose rounding fits, none of the others in any."""
    counts: Counter[str] = Counter()
    for name, payload in payloads(platform):
        consistent = SHAPES[platform][2](payload).consistent
        found = [booked(platform, payload, rounding) for rounding in BOTH]
        assert consistent or not any(found), f"{name} contradicts itself and is booked"
        counts["consistent"] += consistent
        counts["contradictory"] += not consistent
        counts["booked"] += any(found)
        counts["booked in both settings"] += all(found)
    record_property("counts", dict(counts))
    assert counts["booked"] > BOOKED_OF_CONSISTENT * counts["consistent"] > 0, counts


# ---- the judge himself ----------------------------------------------------------------------------------------------


def test_the_judge_uses_nothing_of_what_is_judged() -> None:
    """Neither Booked, nor the stand-in, nor the contract, nor the generator."""
    tree = ast.parse((Path(__file__).parent / "judging.py").read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not {module.split(".")[0] for module in modules} & {"consumer", "sandbox", "schemas", "tests"}


@pytest.mark.parametrize(
    ("total", "tax", "consistent"),
    [
        ("1.21", "0.22", True),  # once per rate: 0.2178
        ("1.20", "0.21", True),  # on each line: 0.0726 three times
        ("1.21", "0.21", True),  # on each line, and the total rounded once: 0.99 and 0.2178
        ("1.20", "0.22", False),
        ("1.22", "0.23", False),
    ],
)
def test_the_judge_knows_the_ways_of_rounding(total: str, tax: str, consistent: bool) -> None:  # noqa: FBT001 a column of the table
    """Three lines of 0.33 at 22 %."""
    parts = [Part(F("0.33"), (F(22, 100),), inclusive=False)] * 3
    assert judge(parts, Stated(total=F(total), tax=F(tax), digits=2)).consistent is consistent


def test_the_judge_says_by_how_much() -> None:
    """10.00 at 22 % stated as 12.30 with 2.20."""
    said = judge([Part(F(10), (F(22, 100),), inclusive=False)], Stated(total=F("12.30"), tax=F("2.20"), digits=2))
    assert (said.consistent, said.difference, said.tax_difference) == (False, F("-0.10"), F(0))


@pytest.mark.parametrize(("file", "every"), [("orders.jsonl", 1), ("retail.jsonl.gz", 10)])
def test_the_judge_and_the_data_agree_on_the_orders_of_other_platforms(file: str, every: int) -> None:
    """The shared data say of each which is consistent, by a program of their own; both say the same of each."""
    if not neutral.DATA.exists():
        pytest.skip(f"no shared data beside the repository ({neutral.DATA.name})")
    rows = list(neutral.rows(file))[::every]
    assert len(rows) > 40
    assert [row["ref"] for row in rows if judge_neutral(row).consistent != row["check"]["consistent"]] == []


def test_the_random_orders_are_consistent_by_the_judge() -> None:
    """All whose coupons are told on the lines: with a coupon on the order the parts alone do not tell its spread."""
    judged = 0
    for index in range(1500):
        data = make_order(3, index).data
        if all(one.get("before_tax") is False for one in data["discounts"]):
            assert judge_order(data).consistent, data
            judged += 1
    assert judged > 1000


def test_a_random_order_that_is_put_off_by_a_cent_is_booked_only_if_a_shop_could_mean_it() -> None:
    """Total or tax put off by a minor unit: where no way of computing gives it, it is booked in neither setting."""
    contradictions = 0
    for index in range(600):
        made = make_order(4, index)
        data = made.data
        if any(one.get("before_tax") is not False for one in data["discounts"]):
            continue
        totals = dict(data["totals"])
        field = ("grand_total", "tax")[index % 2]
        step = Decimal(1).scaleb(-made.digits)
        totals[field] = str(Decimal(totals[field]) + step)
        wrong = {**data, "totals": totals}
        if judge_order(wrong).consistent:
            continue
        contradictions += 1
        assert not any(_books(wrong, rounding) for rounding in BOTH), wrong
    assert contradictions > 300


def _books(data: dict[str, Any], rounding: TaxRounding) -> bool:
    return isinstance(book(data, facts(rounding)), Mapped)
