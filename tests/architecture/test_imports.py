"""Who may import whom: the direction of the imports, read from the sources."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What each part may import of the project; the longest prefix that fits decides. Adapters never know each other.
ALLOWED: dict[str, tuple[str, ...]] = {
    "schemas": ("schemas",),
    "sandbox": ("sandbox", "schemas"),
    "consumer.errors": ("consumer.domain",),
    "consumer.lifecycle": ("consumer.errors",),
    "consumer.secrets": ("consumer.errors",),
    "consumer.config": ("consumer.errors", "consumer.failpoints", "consumer.transport"),
    "consumer.transport": (),
    "consumer.failpoints": (),
    "consumer.domain": ("consumer.domain",),
    "consumer.ports": ("consumer.domain", "consumer.ports", "consumer.errors"),
    "consumer.sources": ("consumer.domain", "consumer.ports", "consumer.sources", "consumer.errors", "schemas"),
    "consumer.services": (
        "consumer.domain",
        "consumer.ports",
        "consumer.services",
        "consumer.sources",
        "consumer.errors",
        "consumer.failpoints",
        "consumer.lifecycle",
        "schemas",
    ),
    "consumer.adapters.kafka": ("consumer.domain", "consumer.ports", "consumer.errors", "consumer.adapters.kafka"),
    "consumer.adapters.postgres": (
        "consumer.domain",
        "consumer.ports",
        "consumer.errors",
        "consumer.failpoints",
        "consumer.adapters.postgres",
    ),
    "consumer.adapters.zoho": (
        "consumer.domain",
        "consumer.ports",
        "consumer.errors",
        "consumer.failpoints",
        "consumer.adapters.zoho",
    ),
    "consumer.adapters.shops": ("consumer.domain", "consumer.ports", "consumer.errors", "consumer.adapters.shops"),
    "consumer.adapters.memory": ("consumer.domain", "consumer.ports", "consumer.errors", "consumer.adapters.memory"),
    "consumer.web": (
        "consumer.web",
        "consumer.errors",
        "consumer.lifecycle",
        "consumer.observability",
        "consumer.ports",
    ),
    "consumer.observability": ("consumer.observability", "consumer.ports", "consumer.domain"),
    "consumer.cli": ("consumer", "schemas"),
    "consumer.bootstrap": ("consumer", "schemas"),
    "consumer.__main__": ("consumer.cli",),
    "consumer": (),
}
PURE = "consumer.domain"
# Beside the standard library: JMESPath is as pure as the domain, text and data in, data out.
PURE_LIBRARIES = {"consumer.domain.expressions": {"jmespath"}}
# SQL, HTTP and Kafka clients stand only where the design says so.
OWNERS = {
    "asyncpg": ("consumer.adapters.postgres", "sandbox"),
    "sqlalchemy": ("consumer.adapters.postgres",),
    "alembic": ("consumer.adapters.postgres",),
    "aiokafka": ("consumer.adapters.kafka", "sandbox"),
    "httpx": ("consumer.adapters.zoho", "consumer.adapters.shops", "consumer.adapters.kafka.tokens", "sandbox"),
    "opentelemetry": ("consumer.observability.tracing",),
}


def _modules() -> list[tuple[str, Path]]:
    files = [f for top in ("consumer", "schemas", "sandbox") for f in sorted((ROOT / top).rglob("*.py"))]
    return [(".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), f) for f in files]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def _rule(module: str) -> tuple[str, ...]:
    return ALLOWED[max((p for p in ALLOWED if _within(module, p)), key=len)]


@pytest.mark.parametrize(("module", "path"), _modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_what_its_layer_may(module: str, path: Path) -> None:
    """Imports point inward: the domain knows nobody, adapters never each other, only bootstrap and cli all."""
    own = [name for name in _imports(path) if name.split(".")[0] in {"consumer", "schemas", "sandbox", "tests"}]
    wrong = [name for name in own if not any(_within(name, allowed) for allowed in _rule(module))]
    assert not wrong, f"{module} must not import {wrong}"


@pytest.mark.parametrize(
    ("module", "path"),
    [m for m in _modules() if _within(m[0], PURE)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_domain_is_standard_library_only_and_has_no_async(module: str, path: Path) -> None:
    """The domain imports the standard library and itself, and holds no coroutine."""
    foreign = [
        name
        for name in _imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names | PURE_LIBRARIES.get(module, set())
        and not _within(name, PURE)
    ]
    assert not foreign, f"{module} imports {foreign}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.Await)]


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_client_library_is_imported_only_by_its_adapter(library: str) -> None:
    """Only adapters/postgres has SQL clients, only adapters/kafka Kafka's, only adapters/zoho and shops HTTP's."""
    wrong = [
        module
        for module, path in _modules()
        if any(_within(name, library) for name in _imports(path))
        and not any(_within(module, owner) for owner in OWNERS[library])
    ]
    assert not wrong, f"{library} is imported by {wrong}"
