"""The settings of the program: environment variables of the form ``BOOKED_…``, checked once at the start.

A secret may also be given as a file: ``BOOKED_DATABASE_URL_FILE=/run/secrets/url``. An unknown ``BOOKED_…`` variable is
refused, because it is a misspelt one. The table in docs/configuration.md is made from this model.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from consumer.errors import ConfigurationError
from consumer.failpoints import parse_failpoints
from consumer.transport import DatabaseTls, OwnCertificate, are_local, require_https, with_tls

PREFIX = "BOOKED_"
FILE_SUFFIX = "_FILE"


class Environment(StrEnum):
    """Where this runs; production refuses what is only for trying things out."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"


class SecurityProtocol(StrEnum):
    """How Kafka is spoken to."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How we prove to Kafka who we are."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"  # a token, fetched with a client's id and secret


Port = Annotated[int, Field(ge=0, le=65535)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._-]+$")]


class Settings(BaseModel):
    """All settings of a process. Secrets do not show in its repr."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    # Before the address, which is completed by both.
    database_tls: DatabaseTls | None = Field(
        default=None,
        description="How Postgres is spoken to: verify-full, require, or disable for plain text. Left out: "
        "verify-full, but to this machine itself as the address says.",
    )
    database_ca_file: Path | None = Field(default=None, description="Certificates to trust for Postgres.")
    database_certificate_file: Path | None = Field(
        default=None, description="Our own certificate for Postgres, where it asks for one (PEM, with its chain)."
    )
    database_key_file: Path | None = Field(default=None, description="The key of that certificate (PEM).")
    database_key_password: SecretStr | None = Field(default=None, description="Password of that key, if it has one.")
    database_url: SecretStr = Field(description="Postgres, as postgresql://user:password@host:port/name.")
    kafka_servers: str = Field(min_length=1, description="Kafka's bootstrap servers, host:port, comma between.")
    secret_keys: SecretStr = Field(
        description="Keys that seal tokens at rest, as id:base64,id:base64; the first one writes, all of them read. "
        "`booked keys new` makes one."
    )
    database_services_role: Name = Field(
        default="booked_services", description="Postgres role of the services; `booked migrate` gives it its rights."
    )
    database_reader_role: Name = Field(
        default="booked_shop_reader", description="Postgres role of logins that read the rows of one shop."
    )
    environment: Environment = Field(default=Environment.PRODUCTION, description="production, staging or development.")
    installation: Name = Field(
        default="main", description="Name of this installation; a database of another name starts no lane."
    )
    sandbox_ledger_url: str | None = Field(
        default=None, description="Address of a ledger stand-in on this machine or network; refused in production."
    )
    zoho_client_id: str | None = Field(default=None, description="Client id from Zoho's API console, for connect.")
    zoho_client_secret: SecretStr | None = Field(default=None, description="Client secret, for connect.")
    topic_order_paid: Name = Field(default="order.paid", description="Topic of paid orders.")
    topic_order_updated: Name = Field(default="order.updated", description="Topic of changed orders.")
    topic_order_cancelled: Name = Field(default="order.cancelled", description="Topic of cancelled orders.")
    topic_invoice_synced: Name = Field(default="invoice.synced", description="Topic of our answers.")
    topic_order_rejected: Name = Field(default="order.rejected", description="Topic of messages we could not read.")
    consumer_group: Name = Field(default="booked", description="Kafka's consumer group.")
    kafka_security_protocol: SecurityProtocol = Field(
        default=SecurityProtocol.SSL,
        description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. Left out: SSL, but PLAINTEXT to this machine itself.",
    )
    kafka_sasl_mechanism: SaslMechanism | None = Field(
        default=None, description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER."
    )
    kafka_username: str | None = Field(default=None, description="User for PLAIN and SCRAM.")
    kafka_password: SecretStr | None = Field(default=None, description="Password for PLAIN and SCRAM.")
    kafka_token_url: str | None = Field(
        default=None, description="For OAUTHBEARER: where tokens are had by client credentials (https)."
    )
    kafka_token_client_id: str | None = Field(default=None, description="For OAUTHBEARER: the client's id.")
    kafka_token_client_secret: SecretStr | None = Field(default=None, description="For OAUTHBEARER: its secret.")
    kafka_token_scope: str | None = Field(default=None, description="For OAUTHBEARER: the scope to ask for, if any.")
    kafka_token_ca_file: Path | None = Field(
        default=None, description="Certificates to trust for the token's address. Left out: those of the machine."
    )
    kafka_ca_file: Path | None = Field(
        default=None, description="Certificates to trust for Kafka. Left out: those of the machine."
    )
    kafka_certificate_file: Path | None = Field(
        default=None, description="Our own certificate for Kafka, where it asks for one (PEM, with its chain)."
    )
    kafka_key_file: Path | None = Field(
        default=None, description="The key of that certificate (PEM). Left out: it stands in the same file."
    )
    kafka_key_password: SecretStr | None = Field(default=None, description="Password of that key, if it has one.")
    topic_partitions: int = Field(
        default=6, ge=1, le=1000, description="Partitions of a topic that `booked doctor --create-topics` makes."
    )
    topic_replicas: int = Field(default=3, ge=1, le=10, description="Replicas of a topic that it makes.")
    topic_retention_days: int = Field(
        default=30, ge=1, le=3650, description="How long a topic that it makes keeps its messages."
    )
    tracing_url: str | None = Field(
        default=None,
        description="Where traces go, OTLP over HTTP (…/v1/traces); needs the extra `tracing`. Left out: no tracing.",
    )
    tracing_share: Decimal = Field(
        default=Decimal(1), ge=0, le=1, description="Share of the orders traced whose event brings no trace of its own."
    )
    http_host: str = Field(default="0.0.0.0", description="Address that health and metrics listen on.")  # noqa: S104 a pod
    http_port: Port = Field(default=8080, description="Port of health and metrics; 0 takes a free one.")
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$", description="Least level logged.")
    batch_records: int = Field(default=1000, ge=1, le=5000, description="Records of one intake batch, at most.")
    pool_connections: int = Field(default=10, ge=2, le=100, description="Connections to Postgres, at most.")
    stop_seconds: float = Field(default=25.0, gt=0, le=300, description="Time to finish what is in hand on SIGTERM.")
    lane_idle_seconds: float = Field(default=10.0, gt=0, le=600, description="An idle lane is given back after this.")
    lease_seconds: float = Field(
        default=15.0, ge=1, le=300, description="A lane and the relay pass on so long after their process has died."
    )
    kafka_session_seconds: float = Field(
        default=10.0, ge=1, le=300, description="Kafka deals the partitions of a dead process anew after this."
    )
    token_renewal_seconds: float = Field(
        default=20.0, ge=1, le=300, description="Another process may renew a token so long after one began to."
    )
    failpoints: str | None = Field(
        default=None,
        description="For tests: places at which the process kills, stops or fails itself; refused in production.",
    )
    retention_events_days: int = Field(
        default=30, ge=2, le=3650, description="Events as they came are kept so many days; `booked retention`."
    )
    retention_exchanges_days: int = Field(
        default=30, ge=2, le=3650, description="Calls to the ledger as they were made are kept so many days."
    )
    retention_outbox_days: int = Field(
        default=7, ge=1, le=3650, description="Messages to the shops are kept so many days after they were sent."
    )
    retention_rejected_days: int = Field(
        default=90, ge=1, le=3650, description="Messages that could not be orders are kept so many days."
    )
    retention_personal_days: int = Field(
        default=400,
        ge=1,
        le=3650,
        description="A settled order's content, with its personal data, is kept so many days after its last event.",
    )
    retention_audit_days: int = Field(default=730, ge=30, le=36_500, description="The audit log is kept so many days.")
    retention_legal_years: int = Field(
        default=10,
        ge=1,
        le=100,
        description="Decisions, figures and the lines without personal data are kept so many years, as the law asks.",
    )
    replay_overlap_seconds: float = Field(
        default=7200.0, ge=0, le=604_800, description="`booked replay` goes back so far behind where it last ended."
    )
    replay_deadline_seconds: float = Field(
        default=480.0, gt=0, le=86_400, description="`booked replay` ends within this and says what is left."
    )
    replay_share: Decimal = Field(
        default=Decimal("0.5"),
        gt=0,
        le=1,
        description="Share of what the ledger's day still leaves that a backfill (`booked replay --since`) may use.",
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("it has to begin with postgresql://")
        # A wrong value of one of these is told by its own name; until then the address is taken as it would be without.
        tls, ca_file = info.data.get("database_tls"), info.data.get("database_ca_file")
        password = info.data.get("database_key_password")
        own = OwnCertificate(
            certificate_file=info.data.get("database_certificate_file"),
            key_file=info.data.get("database_key_file"),
            key_password=None if password is None else password.get_secret_value(),
        )
        return SecretStr(with_tls(value.get_secret_value(), tls, ca_file, own))

    @field_validator("kafka_token_url", "tracing_url")
    @classmethod
    def _is_encrypted(cls, value: str | None) -> str | None:
        """What goes there is a secret, or tells of orders."""
        if value is not None:
            require_https(value)
        return value

    @model_validator(mode="before")
    @classmethod
    def _speaks_plainly_to_itself(cls, values: dict[str, Any]) -> dict[str, Any]:
        if "kafka_security_protocol" in values or not are_local(str(values.get("kafka_servers", "elsewhere"))):
            return values
        return {**values, "kafka_security_protocol": SecurityProtocol.PLAINTEXT}

    @field_validator("failpoints")
    @classmethod
    def _are_failpoints(cls, value: str | None) -> str | None:
        parse_failpoints(value or "")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.sandbox_ledger_url and self.environment is Environment.PRODUCTION:
            raise ValueError(f"{PREFIX}SANDBOX_LEDGER_URL is refused with {PREFIX}ENVIRONMENT=production")
        if self.failpoints and self.environment is Environment.PRODUCTION:
            raise ValueError(f"{PREFIX}FAILPOINTS is refused with {PREFIX}ENVIRONMENT=production")
        self._logs_in()
        topics = self.topics_in
        if len(set(topics)) != len(topics):
            raise ValueError("the three order topics need three names")
        return self

    def _logs_in(self) -> None:
        """Raise ValueError where the settings for Kafka's login or certificates lack a part, or contradict."""
        sasl = self.kafka_security_protocol.value.startswith("SASL")
        if self.kafka_sasl_mechanism and not sasl:
            raise ValueError(
                f"{PREFIX}KAFKA_SASL_MECHANISM is given, but {PREFIX}KAFKA_SECURITY_PROTOCOL is "
                f"{self.kafka_security_protocol.value}: say SASL_SSL, or take the mechanism out"
            )
        if sasl and self.kafka_sasl_mechanism is SaslMechanism.OAUTHBEARER:
            if not (self.kafka_token_url and self.kafka_token_client_id and self.kafka_token_client_secret):
                raise ValueError(f"{PREFIX}KAFKA_TOKEN_URL, _CLIENT_ID and _CLIENT_SECRET are needed with OAUTHBEARER")
        elif sasl and not (self.kafka_sasl_mechanism and self.kafka_username and self.kafka_password):
            raise ValueError(f"{PREFIX}KAFKA_SASL_MECHANISM, _USERNAME and _PASSWORD are needed with SASL")
        if self.kafka_key_file and not self.kafka_certificate_file:
            raise ValueError(f"{PREFIX}KAFKA_KEY_FILE is given without {PREFIX}KAFKA_CERTIFICATE_FILE")
        if self.kafka_certificate_file and "SSL" not in self.kafka_security_protocol.value:
            raise ValueError(
                f"{PREFIX}KAFKA_CERTIFICATE_FILE is given, but {PREFIX}KAFKA_SECURITY_PROTOCOL is "
                f"{self.kafka_security_protocol.value}, which shows no certificates: say SSL or SASL_SSL"
            )

    @property
    def topics_in(self) -> tuple[str, str, str]:
        """Name the topics that are read: paid, updated, cancelled."""
        return (self.topic_order_paid, self.topic_order_updated, self.topic_order_cancelled)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables. Raises ConfigurationError, which names the variable."""
    values: dict[str, str] = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        key, text = _one(name, value)
        if key in values:
            raise ConfigurationError(name, "it is given twice, as itself and as a file")
        values[key] = text
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _first_fault(error) from error


def _one(name: str, value: str) -> tuple[str, str]:
    key = name.removeprefix(PREFIX).lower()
    if key in Settings.model_fields:
        return key, value
    stem = key.removesuffix(FILE_SUFFIX.lower())
    if stem == key or stem not in Settings.model_fields:
        raise ConfigurationError(name, "there is no setting of this name; see docs/configuration.md")
    try:
        return stem, Path(value).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(name, f"the file cannot be read: {error.strerror}") from error


def _first_fault(error: ValidationError) -> ConfigurationError:
    fault = error.errors(include_url=False, include_input=False)[0]
    place = PREFIX + str(fault["loc"][0]).upper() if fault["loc"] else PREFIX + "…"
    message = "it is missing" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")
    return ConfigurationError(place, message)
