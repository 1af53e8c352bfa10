"""What leaves the machine is encrypted unless a setting says otherwise in so many words."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from consumer.config import SecurityProtocol, Settings, read_settings
from consumer.errors import ConfigurationError

KEYS = {"BOOKED_SECRET_KEYS": "one:key"}
REMOTE = "postgresql://booked:secret@db.example.org:5432/booked"


def settings(database: str = REMOTE, kafka: str = "kafka.example.org:9093", **more: str) -> Settings:
    """Read settings with these addresses."""
    return read_settings({**KEYS, "BOOKED_DATABASE_URL": database, "BOOKED_KAFKA_SERVERS": kafka, **more})


def address(database: str, **more: str) -> str:
    """Give Postgres's address as it is used."""
    return settings(database, **more).database_url.get_secret_value()


@pytest.mark.parametrize(
    "database",
    [
        REMOTE,
        "postgresql://booked@10.0.0.7/booked",
        "postgresql://booked@localhost,db.example.org/booked",
        "postgresql:///booked?host=db.example.org",
        "postgresql://booked@localhost.example.org/booked",
        "postgresql://booked@[2001:db8::7]:5432/booked",
        "postgresql://127.0.0.1:x@db.example.org/booked",
    ],
)
def test_postgres_elsewhere_is_verified(database: str) -> None:
    """The name of the user or of the database makes no host local; one host elsewhere among several is enough."""
    assert "sslmode=verify-full&sslrootcert=" in address(database)


@pytest.mark.parametrize(
    "database",
    [
        "postgresql://booked@127.0.0.1:5432/booked",
        "postgresql://booked@localhost/booked",
        "postgresql://booked@[::1]:5432/booked",
        "postgresql:///booked?host=/var/run/postgresql",
        "postgresql://booked@%2Fvar%2Frun/booked",
    ],
)
def test_this_machine_needs_no_certificates(database: str) -> None:
    """Loopback and Unix sockets leave nothing to be read on the way."""
    assert address(database) == database


def test_plain_text_has_to_be_asked_for() -> None:
    """By the setting; the address alone is not enough, where it leaves the choice to the server either."""
    assert address(REMOTE, BOOKED_DATABASE_TLS="disable") == f"{REMOTE}?sslmode=disable"
    for mode in ("disable", "allow", "prefer"):
        with pytest.raises(ConfigurationError) as error:
            address(f"{REMOTE}?sslmode={mode}")
        assert "BOOKED_DATABASE_TLS=disable" in str(error.value)
        assert "secret" not in str(error.value)
    assert address(f"{REMOTE}?sslmode=disable", BOOKED_DATABASE_TLS="disable") == f"{REMOTE}?sslmode=disable"


def test_weaker_checks_and_own_certificates_are_settings(tmp_path: Path) -> None:
    """Encrypted without proof of the server; or proved by the certificates of one's own authority."""
    assert address(REMOTE, BOOKED_DATABASE_TLS="require") == f"{REMOTE}?sslmode=require"
    assert address(f"{REMOTE}?sslmode=require") == f"{REMOTE}?sslmode=require"
    own = tmp_path / "ca of ours.pem"
    assert address(REMOTE, BOOKED_DATABASE_CA_FILE=str(own)).endswith(f"sslrootcert={str(own).replace(' ', '%20')}")


def test_the_driver_understands_it() -> None:
    """What asyncpg makes of the address: a certificate that it checks, of this very name."""
    driver: Any = import_module("asyncpg.connect_utils")
    _, parameters = driver._parse_connect_dsn_and_args(
        dsn=address(REMOTE),
        **dict.fromkeys(
            ("host", "port", "user", "password", "passfile", "database", "ssl", "direct_tls", "server_settings")
        ),
        target_session_attrs=None,
        krbsrvname=None,
        gsslib=None,
        service=None,
        servicefile=None,
    )
    assert parameters.sslmode == driver.SSLMode.verify_full
    assert parameters.ssl.check_hostname


@pytest.mark.parametrize(
    ("kafka", "protocol"),
    [
        ("127.0.0.1:9092", SecurityProtocol.PLAINTEXT),
        ("localhost:9092,[::1]:9093", SecurityProtocol.PLAINTEXT),
        ("kafka.example.org:9092", SecurityProtocol.SSL),
        ("localhost:9092,kafka.example.org:9092", SecurityProtocol.SSL),
    ],
)
def test_kafka_elsewhere_is_encrypted(kafka: str, protocol: SecurityProtocol) -> None:
    """By default; what is said in so many words holds."""
    assert settings(kafka=kafka).kafka_security_protocol is protocol
    plain = settings(kafka=kafka, BOOKED_KAFKA_SECURITY_PROTOCOL="PLAINTEXT")
    assert plain.kafka_security_protocol is SecurityProtocol.PLAINTEXT
