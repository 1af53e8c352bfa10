"""A broker that lets in by TLS, by certificates, by passwords and by tokens, and that asks for rights."""

from dataclasses import dataclass
from pathlib import Path

from sandbox.kafka import Kafka
from sandbox.ports import LOOPBACK, free_port
from tests.connections.authority import Authority
from tests.connections.issuer import AUDIENCE, ISSUER, Issuer, write_keys

USER = "booked"  # may do everything
LIMITED = "limited"  # may do what a test lets it
PASSWORD = "canary-kafka-password"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
_MODULES = "org.apache.kafka.common.security"
_VERIFIER = f"{_MODULES}.oauthbearer.BrokerJwtValidator"  # the default one takes any signature
_VALIDATOR = f"{_MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Ports: TLS without and with a certificate of the client, and SASL over TLS and in plain text."""

    tls: int
    mutual: int
    sasl_tls: int
    sasl_plain: int

    def server(self, name: str) -> str:
        """Give ``host:port`` of a listener."""
        return f"{LOOPBACK}:{getattr(self, name)}"


class SecuredKafka(Kafka):
    """The sandbox's broker with these listeners besides; its own stays open, to whoever prepares a test."""

    def __init__(self, *, folder: Path, authority: Authority, issuer: Issuer) -> None:
        super().__init__(folder=folder)
        self.listeners = Listeners(tls=free_port(), mutual=free_port(), sasl_tls=free_port(), sasl_plain=free_port())
        self._authority = authority
        self._certified = authority.certify("broker", hosts=(LOOPBACK, "localhost"))
        self._keys = write_keys(issuer, folder)

    def _write_properties(self) -> Path:
        file = super()._write_properties()
        known = dict(line.partition("=")[::2] for line in file.read_text().splitlines())
        names = {"TLS": "tls", "MUTUAL": "mutual", "SASLTLS": "sasl_tls", "SASLPLAIN": "sasl_plain"}
        where = "".join(f",{name}://{self.listeners.server(port)}" for name, port in names.items())
        known["listeners"] += where
        known["advertised.listeners"] += where
        known["listener.security.protocol.map"] += ",TLS:SSL,MUTUAL:SSL,SASLTLS:SASL_SSL,SASLPLAIN:SASL_PLAINTEXT"
        known["inter.broker.listener.name"] = "PLAINTEXT"
        known |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._certified.both),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.file),
            "listener.name.mutual.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{USER};User:CN={USER}",
            **self._logins("sasltls"),
            **self._logins("saslplain"),
        }
        file.write_text("".join(f"{key}={value}\n" for key, value in known.items()))
        return file

    def _logins(self, listener: str) -> dict[str, str]:
        prefix = f"listener.name.{listener}"
        users = " ".join(f'user_{user}="{PASSWORD}"' for user in (USER, LIMITED))
        scram = f"{_MODULES}.scram.ScramLoginModule required;"
        return {
            f"{prefix}.sasl.enabled.mechanisms": ",".join(MECHANISMS),
            f"{prefix}.plain.sasl.jaas.config": f"{_MODULES}.plain.PlainLoginModule required {users};",
            f"{prefix}.scram-sha-256.sasl.jaas.config": scram,
            f"{prefix}.scram-sha-512.sasl.jaas.config": scram,
            f"{prefix}.oauthbearer.sasl.jaas.config": f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required;",
            f"{prefix}.sasl.oauthbearer.jwt.validator.class": _VERIFIER,
            f"{prefix}.sasl.oauthbearer.jwks.endpoint.url": self._keys.as_uri(),
            f"{prefix}.sasl.oauthbearer.expected.audience": AUDIENCE,
            f"{prefix}.sasl.oauthbearer.expected.issuer": ISSUER,
            f"{prefix}.oauthbearer.sasl.server.callback.handler.class": _VALIDATOR,
        }

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        if main_class.endswith("StorageTool"):
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                for user in (USER, LIMITED):
                    arguments += ("--add-scram", f"{mechanism}=[name={user},password={PASSWORD}]")
        command = super()._java(main_class, *arguments)
        # The broker reads keys of tokens only from where its own flags let it.
        command.insert(1, f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self._keys.as_uri()}")
        return command
