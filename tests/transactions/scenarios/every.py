"""All scenarios, and which methods of the port there are: a new method without a scenario is found by its absence."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import consumer.adapters.postgres
import consumer.ports
from tests.transactions.scenarios import keeping, lanes, others
from tests.transactions.scenarios.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *lanes.LANES,
    *lanes.BOOKINGS,
    *lanes.CALLS,
    *lanes.CONTACTS,
    *lanes.TOKENS,
    *others.INTAKE,
    *others.OUTBOX,
    *others.PEOPLE,
    *others.REJECTED,
    *others.REPLAYING,
    *others.WATCH,
    *others.SETTINGS,
    *keeping.RETENTION,
    *keeping.PRIVACY,
    *keeping.RECONCILE,
)


def methods_of_the_port() -> set[str]:
    """Name all methods of ports that have a Postgres implementation (`PostgresXStore` of the port `XStore`).

    Wake-ups are hints without any data: no transaction.
    """
    implemented = {
        name.removeprefix("Postgres") for name, _ in _classes(consumer.adapters.postgres) if name.startswith("Postgres")
    }
    return {
        f"{name}.{method}"
        for name, port in _classes(consumer.ports)
        if name in implemented and name != "Wakeups" and getattr(port, "_is_protocol", False)
        for method, found in vars(port).items()
        if not method.startswith("_") and inspect.iscoroutinefunction(found)
    }


def _classes(package: object) -> Iterator[tuple[str, type]]:
    paths, prefix = package.__path__, package.__name__  # type: ignore[attr-defined]  # of every package
    for module in pkgutil.iter_modules(paths):
        if module.ispkg:
            continue
        for name, found in vars(importlib.import_module(f"{prefix}.{module.name}")).items():
            if inspect.isclass(found):
                yield name, found
