"""What a process is made of: settings, stores on one database, the way to the ledger and to Kafka."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from consumer.adapters.kafka.security import KafkaAccess, security_of
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.tokens import TokenEndpoint
from consumer.adapters.postgres.bookings import PostgresBookingStore
from consumer.adapters.postgres.calls import PostgresCallStore
from consumer.adapters.postgres.contacts import PostgresContactStore
from consumer.adapters.postgres.figures import PostgresFiguresStore
from consumer.adapters.postgres.health import PostgresHealthStore
from consumer.adapters.postgres.intake import PostgresIntakeStore
from consumer.adapters.postgres.keys import PostgresSealedStore
from consumer.adapters.postgres.lanes import PostgresLaneStore
from consumer.adapters.postgres.outbox import PostgresOutboxStore
from consumer.adapters.postgres.people import PostgresPeopleStore
from consumer.adapters.postgres.pool import Database, PoolLimits
from consumer.adapters.postgres.privacy import PostgresPrivacyStore
from consumer.adapters.postgres.rejected import PostgresRejectedStore
from consumer.adapters.postgres.retention import PostgresRetentionStore
from consumer.adapters.postgres.settings import PostgresSettingsStore
from consumer.adapters.postgres.tokens import PostgresTokenStore
from consumer.adapters.postgres.watch import PostgresWatchStore
from consumer.adapters.zoho.accounts import ZohoAccounts
from consumer.adapters.zoho.data_centers import DataCenters
from consumer.adapters.zoho.ledger import ZohoLedgerFactory
from consumer.config import Settings
from consumer.domain.customers import email_key, name_key
from consumer.domain.settings import ConnectionSettings
from consumer.ports.ledger import Ledger
from consumer.secrets import Keyring
from consumer.services.access import TokenKeeper
from consumer.services.announcing import rejection_renderer


def steady_clock() -> float:
    """Give seconds of a clock that goes on while the process stands still or the machine sleeps."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All stores, over one database."""

    database: Database
    intake: PostgresIntakeStore
    outbox: PostgresOutboxStore
    settings: PostgresSettingsStore
    lanes: PostgresLaneStore
    bookings: PostgresBookingStore
    calls: PostgresCallStore
    tokens: PostgresTokenStore
    contacts: PostgresContactStore
    people: PostgresPeopleStore
    rejected: PostgresRejectedStore
    figures: PostgresFiguresStore
    health: PostgresHealthStore
    watch: PostgresWatchStore
    sealed: PostgresSealedStore
    privacy: PostgresPrivacyStore
    retention: PostgresRetentionStore


@asynccontextmanager
async def open_stores(settings: Settings, *, name: str = "booked") -> AsyncIterator[Stores]:
    """Open the database and its stores. Raises DatabaseUnavailableError, ConfigurationError."""
    keyring = Keyring.parse(settings.secret_keys.get_secret_value())
    limits = PoolLimits(max_size=settings.pool_connections)
    url = settings.database_url.get_secret_value()
    async with Database.open(url, application_name=name, limits=limits) as database:
        yield Stores(
            database=database,
            intake=PostgresIntakeStore(database, render_rejected=rejection_renderer(settings.installation)),
            outbox=PostgresOutboxStore(database),
            settings=PostgresSettingsStore(database),
            lanes=PostgresLaneStore(database),
            bookings=PostgresBookingStore(database, email_key=email_key, name_key=name_key),
            calls=PostgresCallStore(database),
            tokens=PostgresTokenStore(database, keyring=keyring),
            contacts=PostgresContactStore(database, email_key=email_key, name_key=name_key),
            people=PostgresPeopleStore(database),
            rejected=PostgresRejectedStore(database),
            figures=PostgresFiguresStore(database),
            health=PostgresHealthStore(database),
            watch=PostgresWatchStore(database),
            sealed=PostgresSealedStore(database),
            privacy=PostgresPrivacyStore(database),
            retention=PostgresRetentionStore(database),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerWay:
    """The way to the ledgers: data centres, the accounts server, and the opening of one organisation's ledger."""

    data_centers: DataCenters
    accounts: ZohoAccounts
    factory: ZohoLedgerFactory
    stores: Stores
    token_renewal_seconds: float

    def open(self, connection: ConnectionSettings, slot_for_repeat: Callable[[], Awaitable[None]]) -> Ledger:
        """Open the ledger of a connection with its stored token."""
        keeper = TokenKeeper(
            connection_id=connection.connection_id,
            data_center=connection.data_center,
            tokens=self.stores.tokens,
            accounts=self.accounts,
            clock=steady_clock,
            slot_for_repeat=slot_for_repeat,
            renewal_seconds=self.token_renewal_seconds,
        )
        return self.factory.open(connection, keeper)


@asynccontextmanager
async def open_ledger_way(settings: Settings, stores: Stores) -> AsyncIterator[LedgerWay]:
    """Make the way to the ledgers. Raises ConfigurationError for a sandbox address that may not be used."""
    centers = DataCenters.make(sandbox_url=settings.sandbox_ledger_url, environment=settings.environment.value)
    accounts = ZohoAccounts(centers)
    try:
        yield LedgerWay(
            data_centers=centers,
            accounts=accounts,
            factory=ZohoLedgerFactory(centers),
            stores=stores,
            token_renewal_seconds=settings.token_renewal_seconds,
        )
    finally:
        await accounts.aclose()


def kafka_settings(settings: Settings, *, name: str = "booked") -> KafkaSettings:
    """Make the brokers' settings, with what TLS and SASL need. Raises ConfigurationError for a file that is no good."""
    mechanism = settings.kafka_sasl_mechanism
    access = KafkaAccess(
        protocol=settings.kafka_security_protocol.value,
        ca_file=settings.kafka_ca_file,
        certificate_file=settings.kafka_certificate_file,
        key_file=settings.kafka_key_file,
        key_password=_open(settings.kafka_key_password),
        mechanism=None if mechanism is None else mechanism.value,
        username=settings.kafka_username,
        password=_open(settings.kafka_password),
        token=_token_endpoint(settings),
    )
    return KafkaSettings(servers=settings.kafka_servers, client_id=name, security=security_of(access))


def _token_endpoint(settings: Settings) -> TokenEndpoint | None:
    url, client_id = settings.kafka_token_url, settings.kafka_token_client_id
    secret = _open(settings.kafka_token_client_secret)
    if url is None or client_id is None or secret is None:
        return None
    return TokenEndpoint(
        url=url,
        client_id=client_id,
        client_secret=secret,
        scope=settings.kafka_token_scope,
        ca_file=settings.kafka_token_ca_file,
    )


def _open(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
