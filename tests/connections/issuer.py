"""A token server of a test: OAuth 2.0 client credentials, tokens signed by RS256, and the key to verify them by."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.connections.authority import Certified

CLIENT_ID = "booked"
CLIENT_SECRET = "canary-client-secret"
AUDIENCE = "kafka-of-the-test"
ISSUER = "issuer-of-the-test"
SCOPE = "kafka"
KEY_ID = "one"


class Issuer:
    """Signs tokens, and counts those who asked. ``audience`` is that of the tokens to come."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.asked = 0
        self.forms: list[dict[str, list[str]]] = []
        self.audience = AUDIENCE
        self.life_seconds = 300

    def keys(self) -> str:
        """Give the key for who verifies: a JSON Web Key Set."""
        numbers = self._key.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": KEY_ID,
            "n": _text(numbers.n.to_bytes(size, "big")),
            "e": _text(numbers.e.to_bytes(3, "big")),
        }
        return json.dumps({"keys": [key]})

    def token(self, subject: str) -> str:
        """Sign a token."""
        now = int(time.time())
        claims = {
            "sub": subject,
            "aud": self.audience,
            "iss": ISSUER,
            "scope": SCOPE,
            "iat": now,
            "exp": now + self.life_seconds,
        }
        head = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        signed = f"{_text(json.dumps(head).encode())}.{_text(json.dumps(claims).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_text(signature)}"

    def answer(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Answer one request."""
        self.asked += 1
        self.forms.append(form)
        right = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != right:
            return 401, {"error": "invalid_client"}
        return 200, {
            "access_token": self.token(CLIENT_ID),
            "token_type": "Bearer",
            "expires_in": self.life_seconds,
        }


@contextmanager
def serving(issuer: Issuer, certified: Certified | None = None) -> Iterator[str]:
    """Serve it on this machine, by TLS where there is a certificate; gives the token endpoint's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            status, answer = issuer.answer(self.headers.get("authorization", ""), parse_qs(body))
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certified is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certified.certificate, certified.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    scheme = "http" if certified is None else "https"
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def write_keys(issuer: Issuer, folder: Path) -> Path:
    """Write the keys where a broker reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "keys.json"
    file.write_text(issuer.keys())
    return file


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
