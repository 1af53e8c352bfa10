"""When the certificates of the settings run out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from consumer.bootstrap.watchdogs import certificate_files
from consumer.config import Settings
from consumer.observability.certificates import READ_AGAIN_SECONDS, Certificates, expires_at

SOONER = datetime(2027, 1, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def certificate(until: datetime) -> bytes:
    """Make one that is good until then."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "of a test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_of_our_own_the_first_counts_and_of_trusted_ones_the_last(tmp_path: Path) -> None:
    """A chain begins with ours; a bundle keeps old ones beside the new."""
    file = tmp_path / "chain.pem"
    file.write_bytes(certificate(SOONER) + certificate(LATER))
    assert expires_at(file, trusted=False) == SOONER.timestamp()
    assert expires_at(file, trusted=True) == LATER.timestamp()


@pytest.mark.parametrize(
    "text", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_that_is_none_is_left_out(text: bytes, tmp_path: Path) -> None:
    """Its use says what is wrong with it; the figure is not the place."""
    file = tmp_path / "file.pem"
    file.write_bytes(text)
    assert Certificates({"kafka_ca_file": file, "database_ca_file": tmp_path / "none"}).look() == {}


def test_a_file_that_was_replaced_is_seen_within_ten_minutes(tmp_path: Path) -> None:
    """Secrets of a cluster are replaced in place."""
    file = tmp_path / "ours.pem"
    file.write_bytes(certificate(SOONER))
    certificates = Certificates({"kafka_certificate_file": file, "kafka_ca_file": None})
    assert certificates.look(0.0) == {"kafka_certificate_file": SOONER.timestamp()}
    file.write_bytes(certificate(LATER))
    assert certificates.look(READ_AGAIN_SECONDS - 1) == {"kafka_certificate_file": SOONER.timestamp()}
    assert certificates.look(READ_AGAIN_SECONDS) == {"kafka_certificate_file": LATER.timestamp()}


def test_every_setting_that_names_certificates_is_looked_at(tmp_path: Path) -> None:
    """By the settings' own names, so that a new one is not forgotten; keys are none."""
    file = tmp_path / "ca.pem"
    given: dict[str, Any] = {"database_url": "postgresql:///x", "kafka_servers": "localhost:1", "secret_keys": "k"}
    settings = Settings.model_construct(**given, kafka_ca_file=file)
    files = certificate_files(settings)
    assert files["kafka_ca_file"] == file
    assert {"database_ca_file", "kafka_ca_file"} <= set(files)
    named = {name for name in Settings.model_fields if name.endswith("_file") and "key" not in name}
    assert set(files) == named
