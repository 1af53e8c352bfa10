"""An authority for certificates, made by a test and gone with it."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certificate and its key as PEM files; ``both`` holds the key and then the certificate."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates; ``file`` is what those have to trust who meet them."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self._name, self._key.public_key(), expired=False)
        self._certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
            self._key, hashes.SHA256()
        )
        self.file = folder / "authority.pem"
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def certify(
        self, name: str, *, hosts: tuple[str, ...] = (), expired: bool = False, key_password: str | None = None
    ) -> Certified:
        """Make a certificate of this name, for these host names or addresses. Its files bear the name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key.public_key(), expired=expired)
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if key_password is not None:
            encryption = serialization.BestAvailableEncryption(key_password.encode())
        key_text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        files = Certified(
            certificate=self._folder / f"{name}.pem",
            key=self._folder / f"{name}.key",
            both=self._folder / f"{name}.both.pem",
        )
        files.certificate.write_bytes(certificate)
        files.key.write_bytes(key_text)
        files.both.write_bytes(key_text + certificate)
        return files

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, *, expired: bool
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        begins = now - 2 * LIFE if expired else now - timedelta(hours=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + LIFE)
        )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
