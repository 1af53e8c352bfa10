"""What the demo does: two parts, each with a shop's orders and an organisation of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.demo.ledger import Wanted, wanted_by, wanted_by_the_shop
from sandbox.demo.showing import RAISED_CALLS_A_MINUTE
from sandbox.shop.customers import Customer
from sandbox.shop.expectations import ShopOrder
from sandbox.shop.orders import SHOP_ID, make_season
from sandbox.shop.own_orders import read_orders_file
from sandbox.shop.platform_orders import TITLES, Shape

RAISED_CALLS_A_DAY = 100_000
FEW_ORDERS = 10
FEW_SHOP_ID = f"{SHOP_ID}-real-limits"
# Both sides are told the same: the stand-in in its own terms, Booked in those of shops.yaml.
RAISED_LIMITS = {"per_minute": RAISED_CALLS_A_MINUTE, "per_day": RAISED_CALLS_A_DAY, "concurrent": 10}
RAISED_SETTINGS = {"calls_per_minute": RAISED_CALLS_A_MINUTE, "calls_per_day": RAISED_CALLS_A_DAY, "calls_at_once": 4}
# Of the free plan, the narrowest; Booked takes them for granted where shops.yaml is silent.
REAL_LIMITS = {"per_minute": 100, "per_day": 1_000, "concurrent": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for. ``keep`` leaves everything running until the demo is ended by hand."""

    orders: int = 300
    orders_file: Path | None = None
    seed: int = 1
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One part before it runs. ``limits`` are the organisation's, ``settings`` what shops.yaml says of them.

    ``in_ledger`` are the customers that the ledger has before Booked sees it.
    """

    title: str
    connection: str
    orders: tuple[ShopOrder, ...]
    wanted: Wanted
    limits: Mapping[str, int]
    settings: Mapping[str, int]
    in_ledger: tuple[Customer, ...] = ()

    @property
    def platform(self) -> str:
        """Tell in whose words the orders are published; empty for our own."""
        return next((order.platform for order in self.orders), "")

    @property
    def shops(self) -> tuple[str, ...]:
        """Give the shops that the orders name."""
        return tuple(dict.fromkeys(order.key[0] for order in self.orders))


def plans_for(options: Options, now: datetime) -> tuple[Plan, Plan]:
    """Give both parts: the many orders, then ten with Zoho's real limits. Raises SandboxError for a bad file."""
    return (_own(options.orders_file) if options.orders_file else _made(options, now)), _few(options, now)


def _own(file: Path) -> Plan:
    orders = read_orders_file(file)
    return _raised(orders, wanted_by(orders), ())


def _made(options: Options, now: datetime) -> Plan:
    season = make_season(seed=options.seed, orders=options.orders, now=now)
    return _raised(season.orders, wanted_by_the_shop(), season.in_ledger)


def _raised(orders: tuple[ShopOrder, ...], wanted: Wanted, in_ledger: tuple[Customer, ...]) -> Plan:
    return Plan(
        title=f"{_counted(orders)}, {RAISED_CALLS_A_MINUTE:,} calls a minute",
        connection="demo",
        orders=orders,
        wanted=wanted,
        limits=RAISED_LIMITS,
        settings=RAISED_SETTINGS,
        in_ledger=in_ledger,
    )


def _counted(orders: tuple[ShopOrder, ...]) -> str:
    """Say how many, and as what a file's orders were recognised."""
    platforms = {order.platform for order in orders} - {""}
    return f"{len(orders)} orders" + "".join(f" of {TITLES[Shape(name)]}, as exported" for name in platforms)


def _few(options: Options, now: datetime) -> Plan:
    season = make_season(seed=options.seed, orders=FEW_ORDERS, now=now, shop_id=FEW_SHOP_ID)
    return Plan(
        title=f"{FEW_ORDERS} orders more, Zoho's real limits of {REAL_LIMITS['per_minute']} calls a minute",
        connection="real-limits",
        orders=season.orders,
        wanted=wanted_by_the_shop(),
        limits=REAL_LIMITS,
        settings={},
    )
